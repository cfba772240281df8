//! What several modules share.

pub mod attributes;
pub mod command;
pub mod diff;
pub mod mode;
pub mod path_info;
