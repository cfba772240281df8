//! The agents that the controller can send, one for each kind of machine.

use crate::{Error, Result};
use flate2::Compression;
use flate2::read::GzEncoder;
use liblzma::read::XzDecoder;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

/// How much an agent can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kit {
    /// All modules but the rare ones: what every host gets.
    Common,
    /// All modules: what a host gets when a task needs a rare one.
    Full,
}

impl Kit {
    /// The name of its file, without the machine's.
    fn file(self) -> &'static str {
        match self {
            Kit::Common => "rplay-agent",
            Kit::Full => "rplay-agent-full",
        }
    }
}

/// An agent.
pub struct Binary {
    /// The machine it runs on, as `uname -m` says it.
    pub arch: String,
    /// SHA-256 of its contents, in hexadecimal digits.
    pub hash: String,
    /// Length of its contents.
    pub size: usize,
    contents: Contents,
    /// Made when first needed, for all hosts.
    gzip: OnceLock<Vec<u8>>,
}

/// What is kept of an agent. Hosts that have it already need neither.
enum Contents {
    Plain(Vec<u8>),
    /// Compressed by xz.
    Xz(&'static [u8]),
}

/// An agent that was built into rplay.
struct Embedded {
    kit: Kit,
    arch: &'static str,
    hash: &'static str,
    size: usize,
    xz: &'static [u8],
}

impl Binary {
    /// Its contents as one of `tools`, what the host can unpack with, takes them, and that tool: the smallest form that
    /// costs little to make; unpacked and without a tool where the host has none that is known.
    pub fn packed_for<'a>(
        &self,
        tools: &[&'a str],
    ) -> io::Result<(Option<&'a str>, Cow<'_, [u8]>)> {
        let has = |tool: &str| tools.iter().copied().find(|t| *t == tool);
        if let (Contents::Xz(packed), Some(xz)) = (&self.contents, has("xz")) {
            return Ok((Some(xz), (*packed).into()));
        }
        match has("gzip") {
            Some(gzip) => Ok((Some(gzip), self.gzip()?.into())),
            None => Ok((None, self.plain()?)),
        }
    }

    fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.contents {
            Contents::Plain(contents) => Ok(contents.into()),
            Contents::Xz(packed) => {
                let mut contents = Vec::with_capacity(self.size);
                XzDecoder::new(*packed).read_to_end(&mut contents)?;
                Ok(contents.into())
            }
        }
    }

    fn gzip(&self) -> io::Result<&[u8]> {
        if let Some(packed) = self.gzip.get() {
            return Ok(packed);
        }
        let mut packed = Vec::new();
        GzEncoder::new(&self.plain()?[..], Compression::default()).read_to_end(&mut packed)?;
        Ok(self.gzip.get_or_init(|| packed))
    }

    fn read(arch: &str, path: &Path) -> io::Result<Binary> {
        let contents = std::fs::read(path)?;
        Ok(Binary {
            arch: arch.to_string(),
            hash: hash(&contents),
            size: contents.len(),
            contents: Contents::Plain(contents),
            gzip: OnceLock::new(),
        })
    }

    fn embedded(agent: &Embedded) -> Binary {
        Binary {
            arch: agent.arch.to_string(),
            hash: agent.hash.to_string(),
            size: agent.size,
            contents: Contents::Xz(agent.xz),
            gzip: OnceLock::new(),
        }
    }
}

fn hash(contents: &[u8]) -> String {
    let digest = Sha256::digest(contents);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

// the agents that `build.rs` has put into a release
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The machines that agents are looked for.
const MACHINES: &[&str] = &["x86_64", "aarch64"];

static COMMON: LazyLock<Vec<Binary>> = LazyLock::new(|| of_kit(Kit::Common));
static FULL: LazyLock<Vec<Binary>> = LazyLock::new(|| of_kit(Kit::Full));

fn of_kit(kit: Kit) -> Vec<Binary> {
    // one that was built with everything, as while rplay is worked on, needs no other beside it
    let found = MACHINES
        .iter()
        .filter_map(|arch| look_for(kit, arch).or_else(|| look_for(Kit::Common, arch)));
    found.collect()
}

/// `RPLAY_AGENT_DIR` wins, so that another can be tried; then what is in rplay, then what is beside it.
fn look_for(kit: Kit, arch: &str) -> Option<Binary> {
    let embedded = || {
        let mut all = EMBEDDED.iter();
        all.find(|agent| agent.kit == kit && agent.arch == arch)
    };
    let file = match (in_folder(kit, arch, named()), embedded()) {
        (Some(file), _) => file,
        (None, Some(agent)) => return Some(Binary::embedded(agent)),
        (None, None) => in_folder(kit, arch, beside())?,
    };
    Binary::read(arch, &file)
        .map_err(|e| {
            crate::notice::warning(format!("cannot read {}: {e}", file.display()));
        })
        .ok()
}

fn in_folder(kit: Kit, arch: &str, folder: Option<PathBuf>) -> Option<PathBuf> {
    let folder = folder?;
    // a name without a machine means the one that rplay itself runs on
    let own = (arch == std::env::consts::ARCH).then(|| folder.join(kit.file()));
    [Some(folder.join(format!("{}-{arch}", kit.file()))), own]
        .into_iter()
        .flatten()
        .find(|f| f.is_file())
}

/// Every agent of a kit that there is.
pub fn all(kit: Kit) -> &'static [Binary] {
    match kit {
        Kit::Common => &COMMON,
        Kit::Full => &FULL,
    }
}

/// The agent of a kit for a machine, as `uname -m` names it.
///
/// Fails if there is none; the error says where it was looked for.
pub fn find(kit: Kit, arch: &str) -> Result<&'static Binary> {
    all(kit).iter().find(|b| b.arch == arch).ok_or_else(|| {
        let inside: Vec<&Embedded> = EMBEDDED.iter().filter(|a| a.kit == kit).collect();
        let inside = match inside.as_slice() {
            [] => "this rplay was built without one".to_string(),
            agents => {
                let machines: Vec<&str> = agents.iter().map(|agent| agent.arch).collect();
                format!("this rplay has one for {} only", machines.join(" and "))
            }
        };
        let places: Vec<String> = named()
            .into_iter()
            .chain(beside())
            .map(|p| p.display().to_string())
            .collect();
        Error::general(format!(
            "there is no agent for a machine of the kind {arch}: {inside}, and there is no {}-{arch} in {}",
            kit.file(),
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
