//! One file per AWS module, or per module and its `_info` form.

pub mod ami_info;
pub mod classic_lb;
pub mod ec2;
pub mod ec2_instance;
pub mod eip;
pub mod igw;
pub mod instance;
pub mod key;
pub mod nat_gateway;
pub mod route_table;
pub mod security_group;
pub mod subnet;
pub mod tag;
pub mod vpc;
