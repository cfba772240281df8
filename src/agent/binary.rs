//! The agents that the controller can send, one for each kind of machine.

use crate::{Error, Result};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// An agent.
pub struct Binary {
    /// The machine it runs on, as `uname -m` says it.
    pub arch: String,
    /// SHA-256 of its contents, in hexadecimal digits.
    pub hash: String,
    /// Its contents, compressed by gzip.
    pub packed: Vec<u8>,
    /// Length of its contents.
    pub size: usize,
}

impl Binary {
    /// Its contents.
    pub fn unpack(&self) -> io::Result<Vec<u8>> {
        let mut contents = Vec::with_capacity(self.size);
        GzDecoder::new(&self.packed[..]).read_to_end(&mut contents)?;
        Ok(contents)
    }

    fn read(arch: &str, path: &Path) -> io::Result<Binary> {
        let contents = std::fs::read(path)?;
        let mut packed = Vec::new();
        GzEncoder::new(&contents[..], Compression::default()).read_to_end(&mut packed)?;
        let digest = Sha256::digest(&contents);
        Ok(Binary {
            arch: arch.to_string(),
            hash: digest.iter().map(|b| format!("{b:02x}")).collect(),
            packed,
            size: contents.len(),
        })
    }
}

/// The machines that agents are looked for.
const MACHINES: &[&str] = &["x86_64", "aarch64"];

static ALL: LazyLock<Vec<Binary>> = LazyLock::new(|| {
    let named = MACHINES.iter().filter_map(|arch| {
        let places = places();
        let mut files = places
            .iter()
            .map(|dir| dir.join(format!("rplay-agent-{arch}")));
        let own = (*arch == std::env::consts::ARCH)
            .then(|| places.iter().map(|dir| dir.join("rplay-agent")))
            .into_iter()
            .flatten();
        let file = files
            .find(|f| f.is_file())
            .or_else(|| own.into_iter().find(|f| f.is_file()))?;
        match Binary::read(arch, &file) {
            Ok(binary) => Some(binary),
            Err(e) => {
                crate::notice::warning(format!("cannot read {}: {e}", file.display()));
                None
            }
        }
    });
    named.collect()
});

/// Every agent that there is.
pub fn all() -> &'static [Binary] {
    &ALL
}

/// The agent for a machine, as `uname -m` names it.
///
/// Fails if there is none; the error says where it was looked for.
pub fn find(arch: &str) -> Result<&'static Binary> {
    all().iter().find(|b| b.arch == arch).ok_or_else(|| {
        let places: Vec<String> = places().iter().map(|p| p.display().to_string()).collect();
        Error::general(format!(
            "there is no agent for a machine of the kind {arch}: no rplay-agent-{arch} in {}",
            places.join(" or ")
        ))
    })
}

/// Folders where agents may be: `RPLAY_AGENT_DIR`, and where rplay itself is.
fn places() -> Vec<PathBuf> {
    let named = std::env::var_os("RPLAY_AGENT_DIR").map(PathBuf::from);
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|exe| exe.parent().map(Path::to_path_buf));
    named.into_iter().chain(beside).collect()
}
