//! Builds the agent and puts it into rplay, so that one file is all there is to install.
//!
//! Only for releases: while rplay is worked on, the agent is looked for beside it and in `RPLAY_AGENT_DIR`. The agent
//! is this same package without its controller's half, built by a cargo of its own in a folder of its own.
//! `RPLAY_NO_AGENT=1` leaves it out. See `src/agent/binary.rs`.

use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set for the cargo that builds the agent, which runs this file again.
const GUARD: &str = "RPLAY_BUILDING_AGENT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RPLAY_NO_AGENT");
    // the agent's own profile: the others unwind
    if variable("OPT_LEVEL") == "z" && variable("CARGO_CFG_TARGET_ENV") == "musl" {
        let script = Path::new(&variable("CARGO_MANIFEST_DIR")).join("src/bin/agent/discard.ld");
        println!("cargo:rerun-if-changed={}", script.display());
        // what is equal is there once, where Rust's own linker can see to it; one segment needs no page of its own
        let mut flags = vec![
            format!("-Wl,-T,{}", script.display()),
            "-Wl,-z,noseparate-code".to_string(),
        ];
        if let Some(folder) = lld() {
            flags.push(format!("-B{}", folder.display()));
            flags.push("-fuse-ld=lld".to_string());
            flags.push("-Wl,--icf=all".to_string());
        }
        for flag in flags {
            println!("cargo:rustc-link-arg-bin=rplay-agent={flag}");
            if env::var_os("CARGO_FEATURE_RARE_MODULES").is_some() {
                println!("cargo:rustc-link-arg-bin=rplay-agent-full={flag}");
            }
        }
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    let mut agents = Vec::new();
    if env::var_os("CARGO_FEATURE_CONTROLLER").is_some()
        && variable("PROFILE") == "release"
        && env::var_os(GUARD).is_none()
        && env::var_os("RPLAY_NO_AGENT").is_none()
    {
        for changed in ["src", "Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
            println!("cargo:rerun-if-changed={changed}");
        }
        agents = build(&out);
    }
    let entries: String = agents
        .iter()
        .map(|agent| {
            let Packed { kit, arch, hash, size, file } = agent;
            format!(
                "    Embedded {{ kit: Kit::{kit:?}, arch: {arch:?}, hash: {hash:?}, size: {size}, xz: include_bytes!({file:?}) }},\n"
            )
        })
        .collect();
    let table = format!("static EMBEDDED: &[Embedded] = &[\n{entries}];\n");
    fs::write(out.join("embedded.rs"), table).expect("OUT_DIR can be written to");
}

/// The folder of the linker that comes with Rust, if it does.
fn lld() -> Option<PathBuf> {
    let asked = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", &variable("HOST")])
        .output()
        .ok()?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    let folder = libraries.parent()?.join("bin/gcc-ld");
    folder.join("ld.lld").is_file().then_some(folder)
}

/// As in `src/agent/binary.rs`: the agent that every host gets, and the one with the rare modules.
#[derive(Clone, Copy, Debug)]
enum Kit {
    Common,
    Full,
}

impl Kit {
    fn binary(self) -> &'static str {
        match self {
            Kit::Common => "rplay-agent",
            Kit::Full => "rplay-agent-full",
        }
    }
}

/// An agent as it is kept in rplay.
struct Packed {
    kit: Kit,
    arch: String,
    /// SHA-256 of the agent itself.
    hash: String,
    /// Its length.
    size: usize,
    /// It, compressed by xz.
    file: PathBuf,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn build(out: &Path) -> Vec<Packed> {
    let kits = [Kit::Common, Kit::Full];
    kits.into_iter()
        .flat_map(|kit| build_kit(out, kit))
        .collect()
}

/// The agents that could be built: for this machine one there must be, for others if their toolchain is here.
fn build_kit(out: &Path, kit: Kit) -> Vec<Packed> {
    let own = variable("CARGO_CFG_TARGET_ARCH");
    let mut built = Vec::new();
    for arch in ["x86_64", "aarch64"] {
        let musl = format!("{arch}-unknown-linux-musl");
        let mut wrong = None;
        if has_target(&musl) {
            match agent(out, kit, &musl, false) {
                Ok(file) => {
                    built.push(pack(out, kit, arch, &file));
                    continue;
                }
                Err(log) => wrong = Some(log),
            }
        }
        if arch != own {
            if let Some(log) = wrong {
                println!(
                    "cargo:warning=left out the agent for {arch}: see {}",
                    log.display()
                );
            }
            continue;
        }
        // a static one all the same, but with the C library of this system
        match agent(out, kit, &format!("{arch}-unknown-linux-gnu"), true) {
            Ok(file) => built.push(pack(out, kit, arch, &file)),
            Err(log) => panic!(
                "cannot build the agent: see {}; `rustup target add {musl}` and a C compiler for it \
                 (Debian: musl-tools) may help; RPLAY_NO_AGENT=1 builds rplay without it",
                wrong.unwrap_or(log).display()
            ),
        }
    }
    built
}

/// Whether the standard library is installed for a target.
fn has_target(target: &str) -> bool {
    let asked = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", target])
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|o| {
        o.status.success() && Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir()
    })
}

/// Builds the agent for a target. The error is the file that holds what cargo said.
fn agent(out: &Path, kit: Kit, target: &str, static_glibc: bool) -> Result<PathBuf, PathBuf> {
    let folder = out.join("agent");
    let log = out.join(format!("{}-{target}.log", kit.binary()));
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo
        .current_dir(variable("CARGO_MANIFEST_DIR"))
        .args(["build", "--profile", "agent", "--no-default-features"])
        .args(["--bin", kit.binary(), "--target", target, "--target-dir"])
        .arg(&folder);
    if matches!(kit, Kit::Full) {
        cargo.args(["--features", "rare-modules"]);
    }
    // what cargo tells build scripts, and the flags of the outer build, are not for the inner one
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let outer = [
            "CARGO_FEATURE_",
            "CARGO_CFG_",
            "CARGO_PKG_",
            "CARGO_PROFILE_",
            "CARGO_BUILD_",
        ];
        if outer.iter().any(|p| text.starts_with(p))
            || matches!(
                &*text,
                "RUSTFLAGS"
                    | "CARGO_ENCODED_RUSTFLAGS"
                    | "CARGO_TARGET_DIR"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "TARGET"
                    | "PROFILE"
                    | "OPT_LEVEL"
                    | "DEBUG"
                    | "OUT_DIR"
            )
        {
            cargo.env_remove(name);
        }
    }
    cargo.env(GUARD, "1");
    if static_glibc {
        let name = target.to_uppercase().replace('-', "_");
        cargo.env(
            format!("CARGO_TARGET_{name}_RUSTFLAGS"),
            "-C target-feature=+crt-static",
        );
    }
    let done = cargo.output();
    let said = match &done {
        Ok(output) => output.stderr.clone(),
        Err(e) => e.to_string().into_bytes(),
    };
    fs::write(&log, said).expect("OUT_DIR can be written to");
    let file = folder.join(target).join("agent").join(kit.binary());
    match done.is_ok_and(|o| o.status.success()) && file.is_file() {
        true => Ok(file),
        false => Err(log),
    }
}

/// Compresses the agent, which is how it is kept and sent. The check is the one that every xz knows, BusyBox's too.
/// The level is one whose window the agent fits into: a higher one has the host set aside 64 MiB to unpack it.
fn pack(out: &Path, kit: Kit, arch: &str, file: &Path) -> Packed {
    let contents = fs::read(file).expect("the agent was just built");
    let stream = liblzma::stream::Stream::new_easy_encoder(6, liblzma::stream::Check::Crc32)
        .expect("xz has this level");
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new_stream(&contents[..], stream)
        .read_to_end(&mut packed)
        .expect("memory can be written to");
    let file = out.join(format!("{}-{arch}.xz", kit.binary()));
    fs::write(&file, packed).expect("OUT_DIR can be written to");
    let digest = Sha256::digest(&contents);
    Packed {
        kit,
        arch: arch.to_string(),
        hash: digest.iter().map(|b| format!("{b:02x}")).collect(),
        size: contents.len(),
        file,
    }
}
