//! Host keys: what `known_hosts` says, and what to do with a key that it does not know.
//!
//! The format is that of `sshd(8)`, section "SSH_KNOWN_HOSTS FILE FORMAT".

use super::options::{Options, Strict};
use super::patterns;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::io::Write;
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
    /// It names the host without the port.
    by_bare_name: bool,
}

/// What is known of a host.
pub struct KnownHost {
    /// The name as `known_hosts` has it: with the port, if that is not 22.
    name: String,
    known: Vec<Known>,
}

/// How far a host's key can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Full,
    /// The key has changed, and the user wants to connect all the same: no password goes there.
    Changed,
}

/// One question at a time, and one line written at a time.
static ASKING: Mutex<()> = Mutex::new(());

impl KnownHost {
    pub fn read(options: &Options) -> KnownHost {
        let alias = options.host_key_alias.as_deref();
        let host = alias.unwrap_or(&options.hostname).to_ascii_lowercase();
        // a key that is known by the name without the port will do, as with ssh
        let (name, bare) = match options.port {
            22 => (host, None),
            port if alias.is_none() => (format!("[{host}]:{port}"), Some(host)),
            _ => (host, None),
        };
        let files = options
            .user_known_hosts
            .iter()
            .chain(&options.global_known_hosts);
        let known = files
            .flat_map(|file| lines(file, &name, bare.as_deref()))
            .collect();
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
    pub fn check(&self, options: &Options, kind: &str, key: &[u8]) -> Result<Trust, String> {
        if let Some(trust) = self.verdict(options, kind, key)? {
            return Ok(trust);
        }
        let one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        // another connection may have learned it meanwhile
        if let Some(trust) = KnownHost::read(options).verdict(options, kind, key)? {
            return Ok(trust);
        }
        match options.strict {
            Strict::No | Strict::AcceptNew => {}
            Strict::Ask if super::has_terminal() => {
                if !ask(&self.name, kind, key) {
                    return Err("Host key verification failed.".to_string());
                }
            }
            _ => {
                return Err(format!(
                    "Host key verification failed. No {kind} host key is known for {}; the host shows {}. \
                     If that is the right one, add it to {}: ssh-keyscan{} {}",
                    self.name,
                    fingerprint(key),
                    options
                        .user_known_hosts
                        .first()
                        .map_or_else(|| "known_hosts".to_string(), |f| f.display().to_string()),
                    match options.port {
                        22 => String::new(),
                        port => format!(" -p {port}"),
                    },
                    options.hostname
                ));
            }
        }
        if let Some(file) = options.user_known_hosts.first() {
            self.add(file, options.hash_known_hosts, kind, key);
        }
        drop(one);
        Ok(Trust::Full)
    }

    /// What the files say of a key; none if they do not know it.
    fn verdict(&self, options: &Options, kind: &str, key: &[u8]) -> Result<Option<Trust>, String> {
        let same = |k: &&Known| k.key == key;
        if let Some(revoked) = self.known.iter().filter(same).find(|k| k.revoked) {
            return Err(format!(
                "Host key verification failed. The {kind} host key of {} is revoked in {}:{}.",
                self.name,
                revoked.file.display(),
                revoked.line
            ));
        }
        let kept = self.known.iter().filter(|k| !k.revoked && !k.authority);
        if kept.clone().any(|k| k.key == key) {
            return Ok(Some(Trust::Full));
        }
        let other = kept.filter(|k| !k.by_bare_name).find(|k| k.kind == kind);
        let Some(other) = other else { return Ok(None) };
        let changed = format!(
            "REMOTE HOST IDENTIFICATION HAS CHANGED: the {kind} host key of {} is now {}, but {}:{} has another.",
            self.name,
            fingerprint(key),
            other.file.display(),
            other.line,
        );
        if options.strict == Strict::No {
            crate::notice::warning(format!(
                "{changed} Connecting all the same, without any password, because host keys are not to be checked."
            ));
            return Ok(Some(Trust::Changed));
        }
        Err(format!(
            "Host key verification failed. {changed} Either somebody is listening in, or the host was made anew; \
             then remove the old key: ssh-keygen -f '{}' -R '{}'",
            other.file.display(),
            self.name
        ))
    }

    /// Adds the key. What cannot be written is no reason not to connect.
    fn add(&self, file: &Path, hashed: bool, kind: &str, key: &[u8]) {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        if file == Path::new("/dev/null") {
            return;
        }
        let name = match hashed {
            true => hash(&self.name),
            false => self.name.clone(),
        };
        let line = format!("{name} {kind} {}\n", STANDARD.encode(key));
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
    let mut question = format!(
        "The authenticity of host '{name}' can't be established.\n{kind} key fingerprint is {}.\n\
         Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
        fingerprint(key)
    );
    loop {
        let Some(answer) = super::ask_at_terminal(&question) else {
            return false;
        };
        match answer.trim() {
            "no" => return false,
            yes if yes.eq_ignore_ascii_case("yes") || yes == fingerprint(key) => return true,
            _ => question = "Please type 'yes', 'no' or the fingerprint: ".to_string(),
        }
    }
}

/// `SHA256:` and the key's hash, as ssh shows it.
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

fn lines(file: &Path, name: &str, bare: Option<&str>) -> Vec<Known> {
    let Ok(text) = std::fs::read(file) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let found = text.lines().enumerate().filter_map(|(number, line)| {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|w| w.starts_with('@')).unwrap_or_default();
        let hosts = words.next().filter(|h| !h.starts_with('#'))?;
        let by_name = speaks_of(hosts, name);
        if !by_name && !bare.is_some_and(|bare| speaks_of(hosts, bare)) {
            return None;
        }
        Some(Known {
            file: file.to_path_buf(),
            line: number + 1,
            kind: words.next()?.to_string(),
            key: STANDARD.decode(words.next()?).ok()?,
            revoked: marker == "@revoked",
            authority: marker == "@cert-authority",
            by_bare_name: !by_name,
        })
    });
    found.collect()
}

/// A name as `HashKnownHosts` has it written.
fn hash(name: &str) -> String {
    let salt = Sha1::digest(crate::secret::random_name());
    match Hmac::<Sha1>::new_from_slice(&salt) {
        Ok(mut mac) => {
            mac.update(name.as_bytes());
            let hash = mac.finalize().into_bytes();
            format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
        }
        Err(_) => name.to_string(),
    }
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
    patterns::any_of(hosts.split(','), name)
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
            (&hash("box"), "box", true),
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
        let trust = check(Strict::No, "ssh-ed25519", b"two").unwrap();
        assert_eq!(trust, Trust::Changed);
        // another kind of key is not a changed one
        assert!(
            !check(Strict::Yes, "ssh-rsa", b"r")
                .unwrap_err()
                .contains("CHANGED")
        );
        std::fs::write(&file, "box ssh-ed25519 b25l\n").unwrap();
        check(Strict::Yes, "ssh-ed25519", b"one").unwrap();
        assert!(
            !check(Strict::Yes, "ssh-ed25519", b"two")
                .unwrap_err()
                .contains("CHANGED")
        );
        std::fs::write(&file, "@revoked * ssh-ed25519 b25l\n").unwrap();
        assert!(
            check(Strict::No, "ssh-ed25519", b"one")
                .unwrap_err()
                .contains("revoked")
        );
    }
}
