//! Passwords and keys: text that does not show itself, and names that nobody can guess.

use std::fmt;
use std::sync::Arc;

/// A secret. Its `Debug` shows that there is one, not which.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: &str) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// 32 hexadecimal digits that nobody can guess: names for marks and prompts.
pub fn random_name() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // its keys come from the system's random numbers
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}
