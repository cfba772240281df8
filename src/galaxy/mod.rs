//! Roles and collections from git repositories and local archives: what ansible-galaxy installs, without a server.
//!
//! Nothing is fetched without being asked for: a name that only Galaxy's server could resolve is refused.
//! <https://docs.ansible.com/ansible/latest/galaxy/user_guide.html>

pub mod collections;
mod manifest;
mod requirements;
pub mod roles;
mod source;

pub use requirements::{CollectionSpec, Requirements, RoleSpec};

/// What an installation is told.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Replace what is there.
    pub force: bool,
    /// Replace dependencies too.
    pub force_dependencies: bool,
    pub no_dependencies: bool,
    /// Go on with the next one after a failure.
    pub ignore_errors: bool,
    /// Leave the `.git` of a clone where it is.
    pub keep_history: bool,
}
