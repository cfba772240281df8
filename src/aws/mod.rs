//! AWS: connections, and the modules of `amazon.aws` and of Ansible 2.x that manage EC2, VPC and classic ELB.
//!
//! | part | what it holds |
//! |---|---|
//! | [`settings`] | which account, region and endpoint a task means |
//! | [`boto`] | `~/.boto` |
//! | [`client`] | the runtime and the clients |
//! | [`error`] | AWS's errors in one line |
//! | `modules` | one file per module |
//! | [`inventory`] | the `ec2` inventory |
//!
//! Nothing here connects anywhere before a module or an inventory asks.

pub mod boto;
pub mod client;
pub mod error;
pub mod inventory;
pub mod settings;

pub use client::{Aws, block_on};
pub use error::Refusal;
pub use settings::Settings;
