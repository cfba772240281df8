//! Inventories that are built into rplay: `-i ec2` needs no script beside the playbook.

use super::data::Data;
use super::dynamic::{self, Trust};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What a built-in inventory is told.
#[derive(Clone, Debug)]
pub struct BuiltinRequest<'a> {
    /// What the user wrote after `-i`.
    pub source: &'a str,
    /// Folders in which a configuration file such as `ec2.ini` is looked for, nearest first:
    /// that of the source, then that of the playbook.
    pub config_dirs: Vec<PathBuf>,
    /// Whether cached answers must not be used.
    pub refresh: bool,
}

/// Answers in the JSON of an inventory script's `--list`.
pub type Builtin = fn(&BuiltinRequest) -> Result<serde_json::Value>;

/// The built-in inventories by name.
#[cfg(feature = "aws")]
pub const BUILTIN: &[(&str, Builtin)] = &[("ec2", crate::aws::inventory::builtin)];
/// Without the `aws` feature there are none.
#[cfg(not(feature = "aws"))]
pub const BUILTIN: &[(&str, Builtin)] = &[];

/// The built-in inventory that a source means: its name where no such file exists, or the name of
/// the script that it replaces.
pub fn name_of(source: &str) -> Option<&'static str> {
    let path = Path::new(source);
    let is_script = path.file_name().is_some_and(|n| n == "ec2.py");
    (is_script || (source == "ec2" && !path.exists())).then_some("ec2")
}

/// Asks the built-in inventory and adds its answer to `data`.
///
/// Unlike a file that cannot be read this is an error: a run without the hosts of the cloud would
/// do something else than what was asked for.
pub fn parse(name: &str, request: &BuiltinRequest, data: &mut Data) -> Result<()> {
    let Some((_, list)) = BUILTIN.iter().find(|(n, _)| *n == name) else {
        return Err(Error::general(format!(
            "the inventory '{}' is not part of this build of rplay",
            request.source
        ))
        .hint("build rplay with its `aws` feature"));
    };
    dynamic::parse(list(request)?, Trust::Inert, data).map(|_| ())
}
