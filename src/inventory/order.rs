//! The `order` keyword of a play.

use crate::{Error, Result};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

/// In which order a play's hosts are taken
/// (<https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_strategies.html#ordering-execution-based-on-inventory>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Inventory,
    ReverseInventory,
    Sorted,
    ReverseSorted,
    Shuffle,
}

impl Order {
    /// Reads the keyword's value.
    pub fn parse(text: &str) -> Result<Order> {
        Ok(match text {
            "inventory" => Order::Inventory,
            "reverse_inventory" => Order::ReverseInventory,
            "sorted" => Order::Sorted,
            "reverse_sorted" => Order::ReverseSorted,
            "shuffle" => Order::Shuffle,
            other => {
                return Err(Error::parse(format!(
                    "Invalid 'order' specified for inventory hosts: {other}"
                ))
                .hint("use inventory, reverse_inventory, sorted, reverse_sorted or shuffle"));
            }
        })
    }

    /// Brings hosts, given in the inventory's order, into this order.
    pub fn apply(self, hosts: &mut [Arc<str>]) {
        match self {
            Order::Inventory => {}
            Order::ReverseInventory => hosts.reverse(),
            Order::Sorted => hosts.sort(),
            Order::ReverseSorted => hosts.sort_by(|a, b| b.cmp(a)),
            // the standard library's hash keys are random, and that is random enough
            Order::Shuffle => {
                let state = RandomState::new();
                hosts.sort_by_cached_key(|host| {
                    let mut hasher = state.build_hasher();
                    hasher.write(host.as_bytes());
                    hasher.finish()
                });
            }
        }
    }
}
