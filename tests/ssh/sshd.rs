//! An sshd on a port of this machine, with keys and configuration of its own, for the user who runs the tests.

use rplay::connection::Target;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A folder of the test's own, with keys in it.
pub struct Keys(tempfile::TempDir);

impl Keys {
    pub fn new() -> Keys {
        let keys = Keys(tempfile::tempdir().expect("a folder"));
        keys.generate("id", &["-t", "ed25519"]);
        keys
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).expect("a file");
        self.path(name)
    }

    /// Makes a key without a password, unless `-N` is among the arguments.
    pub fn generate(&self, name: &str, args: &[&str]) -> PathBuf {
        let mut args = args.to_vec();
        if !args.contains(&"-N") {
            args.extend(["-N", ""]);
        }
        let path = self.path(name);
        keygen(&[&["-q", "-f", &path.display().to_string()], &args[..]].concat());
        path
    }

    pub fn public(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.pub"))).expect("a public key")
    }
}

pub fn keygen(args: &[&str]) {
    let done = Command::new("ssh-keygen").args(args).output();
    let done = done.expect("ssh-keygen");
    assert!(done.status.success(), "ssh-keygen {args:?}: {done:?}");
}

/// The server. Dropping it ends it and its sessions.
pub struct Sshd {
    child: Child,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Sshd {
    /// Starts it with a new host key, and more lines of configuration.
    pub fn start(keys: &Keys, more: &str) -> Sshd {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &at("host")]);
        std::fs::write(at("authorized"), keys.public("id")).expect("a file");
        // a port that was free a moment ago
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port")
            .port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
             PidFile none\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n{more}\n",
            at("host"),
            at("authorized")
        );
        std::fs::write(at("config"), config).expect("a file");
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir_all("/run/sshd").expect("/run/sshd");
        }
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &at("config")])
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(at("log")).expect("a log"))
            .spawn()
            .expect("sshd: install openssh-server");
        let sshd = Sshd {
            child,
            port,
            folder,
        };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return sshd;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("sshd does not start: {}", sshd.log());
    }

    pub fn authorize(&self, line: &str) {
        let file = self.folder.path().join("authorized");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(&file, before + line).expect("a file");
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A target that reads no configuration of the user's, and takes any host key that is new.
    pub fn target(&self, keys: &Keys) -> Target {
        let mut target = Target::local("box");
        target.connection = "ssh2".to_string();
        target.address = "127.0.0.1".to_string();
        target.port = Some(self.port);
        target.private_key = Some(keys.path("id"));
        target.timeout = 5;
        target.ssh.host_key_checking = true;
        target.ssh.common_args = isolated(&self.folder.path().join("known_hosts"), "accept-new");
        target
    }

    /// Ends the connections that it has, and serves new ones.
    pub fn end_sessions(&self) {
        let parent = self.child.id().to_string();
        let done = Command::new("pkill")
            .args(["-KILL", "-P", &parent])
            .status();
        assert!(done.expect("pkill").success());
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Arguments that keep the user's own configuration out of a test.
pub fn isolated(known_hosts: &Path, strict: &str) -> String {
    format!(
        "-F none -o IdentityAgent=none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=none \
         -o StrictHostKeyChecking={strict}",
        known_hosts.display()
    )
}
