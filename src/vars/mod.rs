//! Which definition of a variable wins.

pub mod cache;
pub mod files;
pub mod magic;
mod scope;
mod world;

pub use scope::{Layers, TaskScope};
pub use world::{HostData, HostVars, InventoryView, PlayInfo, RunInfo, World};
