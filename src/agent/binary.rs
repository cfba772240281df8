//! The agents that the controller can send, one for each kind of machine.

use crate::{Error, Result};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

/// An agent.
pub struct Binary {
    /// The machine it runs on, as `uname -m` says it.
    pub arch: String,
    /// SHA-256 of its contents, in hexadecimal digits.
    pub hash: String,
    /// Length of its contents.
    pub size: usize,
    contents: Contents,
    /// Made of plain contents when first needed, for all hosts.
    packed: OnceLock<Vec<u8>>,
}

/// What is kept of an agent. Hosts that have it already need neither.
enum Contents {
    Plain(Vec<u8>),
    /// Compressed by gzip.
    Packed(&'static [u8]),
}

impl Binary {
    /// Its contents.
    pub fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.contents {
            Contents::Plain(contents) => Ok(contents.into()),
            Contents::Packed(packed) => unpack(packed).map(Cow::from),
        }
    }

    /// Its contents, compressed by gzip.
    pub fn packed(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.contents {
            Contents::Packed(packed) => Ok((*packed).into()),
            Contents::Plain(contents) => {
                if let Some(packed) = self.packed.get() {
                    return Ok(packed.into());
                }
                let mut packed = Vec::new();
                GzEncoder::new(&contents[..], Compression::fast()).read_to_end(&mut packed)?;
                Ok(self.packed.get_or_init(|| packed).into())
            }
        }
    }

    fn read(arch: &str, path: &Path) -> io::Result<Binary> {
        let contents = std::fs::read(path)?;
        Ok(Binary {
            arch: arch.to_string(),
            hash: hash(&contents),
            size: contents.len(),
            contents: Contents::Plain(contents),
            packed: OnceLock::new(),
        })
    }

    /// One that was built into rplay.
    fn embedded(arch: &str, packed: &'static [u8]) -> io::Result<Binary> {
        let contents = unpack(packed)?;
        Ok(Binary {
            arch: arch.to_string(),
            hash: hash(&contents),
            size: contents.len(),
            contents: Contents::Packed(packed),
            packed: OnceLock::new(),
        })
    }
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut contents)?;
    Ok(contents)
}

fn hash(contents: &[u8]) -> String {
    let digest = Sha256::digest(contents);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

// the agents that `build.rs` has put into a release: pairs of machine and compressed contents
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The machines that agents are looked for.
const MACHINES: &[&str] = &["x86_64", "aarch64"];

static ALL: LazyLock<Vec<Binary>> =
    LazyLock::new(|| MACHINES.iter().filter_map(|arch| look_for(arch)).collect());

/// `RPLAY_AGENT_DIR` wins, so that another can be tried; then what is in rplay, then what is beside it.
fn look_for(arch: &str) -> Option<Binary> {
    let embedded = || EMBEDDED.iter().find(|(machine, _)| *machine == arch);
    let (what, read) = match (
        in_folder(arch, named()),
        embedded(),
        in_folder(arch, beside()),
    ) {
        (Some(file), ..) | (None, None, Some(file)) => {
            (file.display().to_string(), Binary::read(arch, &file))
        }
        (None, Some((_, packed)), _) => (
            "the agent in rplay".to_string(),
            Binary::embedded(arch, packed),
        ),
        (None, None, None) => return None,
    };
    read.map_err(|e| crate::notice::warning(format!("cannot read {what}: {e}")))
        .ok()
}

fn in_folder(arch: &str, folder: Option<PathBuf>) -> Option<PathBuf> {
    let folder = folder?;
    // a name without a machine means the one that rplay itself runs on
    let own = (arch == std::env::consts::ARCH).then(|| folder.join("rplay-agent"));
    [Some(folder.join(format!("rplay-agent-{arch}"))), own]
        .into_iter()
        .flatten()
        .find(|f| f.is_file())
}

/// Every agent that there is.
pub fn all() -> &'static [Binary] {
    &ALL
}

/// The agent for a machine, as `uname -m` names it.
///
/// Fails if there is none; the error says where it was looked for.
pub fn find(arch: &str) -> Result<&'static Binary> {
    all().iter().find(|b| b.arch == arch).ok_or_else(|| {
        let inside = match EMBEDDED {
            [] => "this rplay was built without one".to_string(),
            agents => {
                let machines: Vec<&str> = agents.iter().map(|(arch, _)| *arch).collect();
                format!("this rplay has one for {} only", machines.join(" and "))
            }
        };
        let places: Vec<String> = named()
            .into_iter()
            .chain(beside())
            .map(|p| p.display().to_string())
            .collect();
        Error::general(format!(
            "there is no agent for a machine of the kind {arch}: {inside}, and there is no rplay-agent-{arch} in {}",
            places.join(" or ")
        ))
        .hint("RPLAY_AGENT_DIR names a folder that has it")
    })
}

/// The folder that the user names.
fn named() -> Option<PathBuf> {
    std::env::var_os("RPLAY_AGENT_DIR").map(PathBuf::from)
}

/// The folder where rplay itself is.
fn beside() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    exe.parent().map(Path::to_path_buf)
}
