//! The strategy: which task runs where, and what a result does.

pub mod options;
