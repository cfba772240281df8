//! Host keys: what `known_hosts` says, and what to do with a key that it does not know.
//!
//! The format is that of `sshd(8)`, section "SSH_KNOWN_HOSTS FILE FORMAT".

use super::config::wildcard;
use super::options::{Options, Strict};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A line that speaks of the host.
struct Known {
    file: PathBuf,
    line: usize,
    kind: String,
    key: Vec<u8>,
    revoked: bool,
    authority: bool,
}

/// What is known of a host.
pub struct KnownHost {
    /// The name as `known_hosts` has it: with the port, if that is not 22.
    name: String,
    known: Vec<Known>,
}

/// One question at a time, and one line written at a time.
static ASKING: Mutex<()> = Mutex::new(());

impl KnownHost {
    pub fn read(options: &Options) -> KnownHost {
        let host = options
            .host_key_alias
            .as_deref()
            .unwrap_or(&options.hostname);
        let host = host.to_ascii_lowercase();
        let name = match options.port {
            22 => host,
            port if options.host_key_alias.is_none() => format!("[{host}]:{port}"),
            _ => host,
        };
        let files = options
            .user_known_hosts
            .iter()
            .chain(&options.global_known_hosts);
        let known = files.flat_map(|file| lines(file, &name)).collect();
        KnownHost { name, known }
    }

    /// Kinds of key that are known, for them to be asked for first.
    pub fn kinds(&self) -> Vec<&str> {
        let kept = self.known.iter().filter(|k| !k.revoked && !k.authority);
        kept.map(|k| k.kind.as_str()).collect()
    }

    /// Whether an authority vouches for the host: that is beyond rplay's own ssh.
    pub fn has_authority(&self) -> bool {
        self.known.iter().any(|k| k.authority)
    }

    /// Decides about the key that the host has shown. The error is for the user.
    pub fn check(&self, options: &Options, kind: &str, key: &[u8]) -> Result<(), String> {
        let same = |k: &&Known| k.key == key;
        if let Some(revoked) = self.known.iter().filter(same).find(|k| k.revoked) {
            return Err(format!(
                "the host key of {} is revoked in {}:{}. Host key verification failed.",
                self.name,
                revoked.file.display(),
                revoked.line
            ));
        }
        let mut kept = self.known.iter().filter(|k| !k.revoked && !k.authority);
        if kept.clone().any(|k| k.key == key) {
            return Ok(());
        }
        if let Some(other) = kept.find(|k| k.kind == kind) {
            if options.strict == Strict::No {
                return Ok(());
            }
            return Err(format!(
                "the host key of {} has CHANGED: it is now {kind} {}, but {}:{} has another. Either somebody is \
                 listening in, or the host was made anew; then remove the old key: ssh-keygen -R '{}'. \
                 Host key verification failed.",
                self.name,
                fingerprint(key),
                other.file.display(),
                other.line,
                self.name
            ));
        }
        let one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        match options.strict {
            Strict::No | Strict::AcceptNew => {}
            Strict::Ask if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
                if !ask(&self.name, kind, key) {
                    return Err("Host key verification failed.".to_string());
                }
            }
            _ => {
                return Err(format!(
                    "No {kind} host key is known for {} (it shows {}) and you have requested strict checking. \
                     Host key verification failed.",
                    self.name,
                    fingerprint(key)
                ));
            }
        }
        if let Some(file) = options.user_known_hosts.first() {
            self.add(file, kind, key);
        }
        drop(one);
        Ok(())
    }

    /// Adds the key. What cannot be written is no reason not to connect.
    fn add(&self, file: &Path, kind: &str, key: &[u8]) {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        if file == Path::new("/dev/null") {
            return;
        }
        let line = format!("{} {kind} {}\n", self.name, STANDARD.encode(key));
        let made = match file.parent() {
            Some(dir) => std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir),
            None => Ok(()),
        };
        let opened = made.and_then(|()| {
            std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(file)
        });
        if let Err(e) = opened.and_then(|mut f| f.write_all(line.as_bytes())) {
            crate::notice::warning(format!("cannot add a host key to {}: {e}", file.display()));
        }
    }
}

fn ask(name: &str, kind: &str, key: &[u8]) -> bool {
    eprint!(
        "The authenticity of host '{name}' can't be established.\n{kind} key fingerprint is {}.\n\
         Are you sure you want to continue connecting (yes/no)? ",
        fingerprint(key)
    );
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("yes")
}

/// `SHA256:` and the key's hash, as ssh shows it.
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

fn lines(file: &Path, name: &str) -> Vec<Known> {
    let Ok(text) = std::fs::read(file) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let found = text.lines().enumerate().filter_map(|(number, line)| {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|w| w.starts_with('@')).unwrap_or_default();
        let hosts = words.next().filter(|h| !h.starts_with('#'))?;
        if !speaks_of(hosts, name) {
            return None;
        }
        Some(Known {
            file: file.to_path_buf(),
            line: number + 1,
            kind: words.next()?.to_string(),
            key: STANDARD.decode(words.next()?).ok()?,
            revoked: marker == "@revoked",
            authority: marker == "@cert-authority",
        })
    });
    found.collect()
}

/// Whether the first field of a line means the host: names with commas, or one hashed name.
fn speaks_of(hosts: &str, name: &str) -> bool {
    if let Some(hashed) = hosts.strip_prefix("|1|") {
        let Some((salt, hash)) = hashed.split_once('|') else {
            return false;
        };
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else {
            return false;
        };
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else {
            return false;
        };
        mac.update(name.as_bytes());
        return mac.verify_slice(&hash).is_ok();
    }
    let mut found = false;
    for pattern in hosts.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if wildcard(pattern, name) => return false,
            Some(_) => {}
            None => found |= wildcard(pattern, name),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(strict: Strict, file: &Path) -> Options {
        Options {
            hostname: "Box".to_string(),
            port: 2222,
            strict,
            user_known_hosts: vec![file.to_path_buf()],
            ..Options::default()
        }
    }

    #[test]
    fn hashed_and_plain_names() {
        let hashed = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=";
        let cases = [
            ("a,[box]:2222", "[box]:2222", true),
            ("*.x,!b.x", "b.x", false),
            ("*.x,!b.x", "c.x", true),
            (hashed, "192.168.1.61", true),
            (hashed, "192.168.1.62", false),
        ];
        for (hosts, name, expected) in cases {
            assert_eq!(speaks_of(hosts, name), expected, "{hosts} {name}");
        }
    }

    #[test]
    fn new_known_changed_and_revoked_keys() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ssh/known_hosts");
        let check = |strict, kind: &str, key: &[u8]| {
            let options = options(strict, &file);
            KnownHost::read(&options).check(&options, kind, key)
        };
        let unknown = check(Strict::Yes, "ssh-ed25519", b"one").unwrap_err();
        assert!(
            unknown.contains("[box]:2222") && unknown.contains("SHA256:"),
            "{unknown}"
        );
        check(Strict::AcceptNew, "ssh-ed25519", b"one").unwrap();
        check(Strict::Yes, "ssh-ed25519", b"one").unwrap();
        let changed = check(Strict::AcceptNew, "ssh-ed25519", b"two").unwrap_err();
        assert!(
            changed.contains("CHANGED") && changed.contains("known_hosts:1"),
            "{changed}"
        );
        check(Strict::No, "ssh-ed25519", b"two").unwrap();
        std::fs::write(&file, "@revoked * ssh-ed25519 b25l\n").unwrap();
        assert!(
            check(Strict::No, "ssh-ed25519", b"one")
                .unwrap_err()
                .contains("revoked")
        );
    }
}
