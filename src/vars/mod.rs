//! To be written.

pub mod files;
