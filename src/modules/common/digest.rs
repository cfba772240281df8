//! Checksums of files by an algorithm that the user names.

use crate::machine::Machine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The algorithms that `stat` and `find` offer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Md5,
    #[default]
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// The checksum of a file in hexadecimal digits.
    pub fn of_file(self, machine: &Machine, path: &Path) -> std::io::Result<String> {
        match self {
            Algorithm::Md5 => machine.digest::<md5::Md5>(path),
            Algorithm::Sha1 => machine.sha1(path),
            Algorithm::Sha224 => machine.digest::<sha2::Sha224>(path),
            Algorithm::Sha256 => machine.digest::<sha2::Sha256>(path),
            Algorithm::Sha384 => machine.digest::<sha2::Sha384>(path),
            Algorithm::Sha512 => machine.digest::<sha2::Sha512>(path),
        }
    }
}
