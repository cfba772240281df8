//! What the tests that run whole playbooks share.

pub mod case;
pub mod normal;
pub mod sandbox;
pub mod terminal;
