//! Worlds of `tests/testbed`: networks of real hosts, taken down when dropped.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A world that is up.
pub struct World {
    name: String,
}

fn testbed() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/testbed.sh");
    let mut command = Command::new("bash");
    command.arg(script);
    command
}

/// The folder of the base roots and the keys.
pub fn cache() -> PathBuf {
    match std::env::var_os("TESTBED_CACHE") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/testbed"),
    }
}

/// The apt repository of test packages, made if it is not there.
pub fn apt_repository() -> PathBuf {
    made("bash", "aptrepo.sh", "apt")
}

/// The package index of pip's test packages.
pub fn pip_index() -> PathBuf {
    made("python3", "pipindex.py", "pip")
}

/// The repositories of rpm's test packages.
pub fn rpm_repositories() -> PathBuf {
    made("bash", "rpmrepo.sh", "rpm")
}

/// The folder that a script of the testbed makes.
fn made(program: &str, script: &str, folder: &str) -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed");
    let folder = cache().join(folder);
    let done = Command::new(program)
        .arg(scripts.join(script))
        .arg(&folder)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(
        done.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    folder
}

/// A world's name on this machine: tests of another checkout may run at the same time.
fn own(name: &str) -> String {
    let digest = Sha256::digest(env!("CARGO_MANIFEST_DIR"));
    format!("{:02x}{:02x}{name}", digest[0], digest[1])
}

impl World {
    /// Starts hosts, each `NAME=IP`. Panics if that cannot be done: it is what the tests are about.
    pub fn up(name: &str, hosts: &[&str]) -> World {
        let world = World { name: own(name) };
        world.down();
        let done = testbed()
            .args(["up", &world.name])
            .args(hosts)
            .output()
            .expect("bash");
        assert!(
            done.status.success(),
            "the test hosts do not start: {}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        world
    }

    /// A command that runs on the controller's side of the network.
    pub fn controller(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("rp-{}", self.name)]);
        command
    }

    /// A folder for the sockets of ssh's shared connections, with a short path as they need it. It is the world's own: hosts of
    /// two worlds may have one address, and ssh would take the connection of one for the other's.
    pub fn sockets(&self) -> PathBuf {
        Path::new("/tmp").join(format!("rplay-{}", self.name))
    }

    /// Does something with a host: `kill`, `start`.
    pub fn host(&self, verb: &str, host: &str) {
        let done = testbed()
            .args([verb, &self.name, host])
            .status()
            .expect("bash");
        assert!(done.success(), "{verb} {host}");
    }

    /// Plugs a host's network cable in or out: `up`, `down`.
    pub fn link(&self, host: &str, how: &str) {
        let done = testbed()
            .args(["link", &self.name, host, how])
            .status()
            .expect("bash");
        assert!(done.success(), "link {host} {how}");
    }

    /// Makes a host's network slow, to so many kbit a second, or as fast as it was (`off`).
    pub fn rate(&self, host: &str, rate: &str) {
        let done = testbed()
            .args(["rate", &self.name, host, rate])
            .status()
            .expect("bash");
        assert!(done.success(), "rate {host} {rate}");
    }

    /// Installs a package of Debian in a host, which cannot fetch it itself.
    pub fn install(&self, host: &str, package: &str) {
        let done = testbed()
            .args(["install", &self.name, host, package])
            .output()
            .expect("bash");
        assert!(
            done.status.success(),
            "{package}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Runs a shell command inside a host, past its sshd.
    pub fn inside(&self, host: &str, line: &str) -> Output {
        testbed()
            .args(["enter", &self.name, host, "/bin/sh", "-c", line])
            .output()
            .expect("bash")
    }

    /// The folder of what differs from the base root.
    pub fn state(&self, host: &str) -> PathBuf {
        cache().join(format!("worlds/{}/hosts/{host}/upper", self.name))
    }

    /// The host's root, from outside.
    pub fn root(&self, host: &str) -> PathBuf {
        cache().join(format!("worlds/{}/hosts/{host}/merged", self.name))
    }

    fn down(&self) {
        let done = testbed().args(["down", &self.name]).status().expect("bash");
        assert!(done.success(), "the test hosts cannot be stopped");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.down();
        let _ = std::fs::remove_dir_all(self.sockets());
    }
}
