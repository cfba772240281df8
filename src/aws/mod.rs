//! AWS: connections, and the modules of `amazon.aws` and of Ansible 2.x that manage EC2, VPC and classic ELB.
//!
//! | part | what it holds |
//! |---|---|
//! | [`settings`] | which account, region and endpoint a task means |
//! | [`boto`] | `~/.boto` |
//! | [`client`] | the runtime and the clients |
//! | [`error`] | AWS's errors in one line |
//! | [`plan`] | what one run of a module may do: reads always, changes outside check mode |
//! | [`types`] | arguments and results that several modules share |
//! | [`modules`] | one file per module |
//! | [`inventory`] | the `ec2` inventory |
//!
//! Nothing here connects anywhere before a module or an inventory asks.

pub mod boto;
pub mod client;
pub mod error;
pub mod inventory;
pub mod modules;
pub mod plan;
pub mod settings;
pub mod types;

pub use client::{Aws, block_on};
pub use error::Refusal;
pub use settings::Settings;

use crate::actions::Entry;
use modules::{
    ami_info, classic_lb, ec2, ec2_instance, eip, igw, key, nat_gateway, route_table,
    security_group, subnet, tag, vpc,
};
use plan::entry;

/// The modules of AWS, under all their names.
pub static ACTIONS: &[Entry] = &[
    entry::<vpc::VpcNet>(),
    entry::<vpc::VpcNetInfo>(),
    entry::<subnet::VpcSubnet>(),
    entry::<subnet::VpcSubnetInfo>(),
    entry::<igw::VpcIgw>(),
    entry::<igw::VpcIgwInfo>(),
    entry::<nat_gateway::VpcNatGateway>(),
    entry::<nat_gateway::VpcNatGatewayInfo>(),
    entry::<route_table::VpcRouteTable>(),
    entry::<route_table::VpcRouteTableInfo>(),
    entry::<security_group::Ec2SecurityGroup>(),
    entry::<security_group::Ec2SecurityGroupInfo>(),
    entry::<ec2::Ec2>(),
    entry::<classic_lb::ElbClassicLb>(),
    entry::<key::Ec2Key>(),
    entry::<key::Ec2KeyInfo>(),
    entry::<eip::Ec2Eip>(),
    entry::<eip::Ec2EipInfo>(),
    entry::<ami_info::Ec2AmiInfo>(),
    entry::<tag::Ec2Tag>(),
    entry::<tag::Ec2TagInfo>(),
    entry::<ec2_instance::Ec2Instance>(),
    entry::<ec2_instance::Ec2InstanceInfo>(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_there_once_and_every_module_has_its_full_name() {
        let mut seen = HashSet::new();
        for entry in ACTIONS {
            for name in entry.names {
                assert!(seen.insert(name), "{name} is there twice");
            }
            let bare = entry.names[0];
            assert!(!bare.contains('.'), "{bare} is not the bare name");
            assert!(entry.names.contains(&format!("amazon.aws.{bare}").as_str()));
        }
    }
}
