//! Private key files: what is in them, and the passwords of those that are encrypted.

use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// What a file that should hold a private key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Plain,
    Encrypted,
    /// A handle for a key that a security key (FIDO) keeps.
    SecurityKey,
    /// Something else, such as the public half of a key that a key agent has.
    NoKey,
}

/// Looks at a file's contents.
pub fn content(text: &[u8]) -> Content {
    let text = String::from_utf8_lossy(text);
    let Some((_, body)) = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----") else {
        return match (
            text.contains("PRIVATE KEY-----"),
            text.contains("ENCRYPTED"),
        ) {
            (false, _) => Content::NoKey,
            (true, true) => Content::Encrypted,
            (true, false) => Content::Plain,
        };
    };
    let body: String = body
        .chars()
        .take_while(|c| *c != '-')
        .filter(|c| !c.is_whitespace())
        .collect();
    let Ok(body) = STANDARD.decode(body) else {
        return Content::Plain;
    };
    // the kind of key is told in the clear, before the part that may be encrypted
    let holds = |name: &[u8]| body.windows(name.len()).any(|w| w == name);
    if holds(b"sk-ssh-ed25519@openssh.com") || holds(b"sk-ecdsa-sha2-nistp256@openssh.com") {
        return Content::SecurityKey;
    }
    // "openssh-key-v1\0", four bytes of length, then the cipher's name
    match body.get(19..23) {
        Some(b"none") => Content::Plain,
        _ => Content::Encrypted,
    }
}

/// The public half of a key file: beside it, or the file itself.
pub fn public_half(file: &Path) -> Option<Vec<u8>> {
    let mut beside = file.as_os_str().to_os_string();
    beside.push(".pub");
    let decode = |text: String| STANDARD.decode(text.split_whitespace().nth(1)?).ok();
    [Path::new(&beside), file]
        .iter()
        .find_map(|f| decode(std::fs::read_to_string(f).ok()?))
}

/// Passwords of key files that the user has typed, for all hosts. None: the user gave none that fits.
static TYPED: LazyLock<Mutex<HashMap<PathBuf, Option<Secret>>>> = LazyLock::new(Mutex::default);

/// The passwords typed so far, to ask for another. One question at a time.
pub struct Typed(MutexGuard<'static, HashMap<PathBuf, Option<Secret>>>);

impl Typed {
    pub fn lock() -> Typed {
        Typed(TYPED.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The password of a file, if it has been asked for: none inside if the user has no right one.
    pub fn known(&self, file: &Path) -> Option<Option<Secret>> {
        self.0.get(file).cloned()
    }

    /// Asks at the terminal. None if there is none, or no answer.
    pub fn ask(&self, file: &Path) -> Option<Secret> {
        if !super::has_terminal() {
            return None;
        }
        let prompt = format!("Enter passphrase for key '{}': ", file.display());
        let _question = crate::terminal::Question::begin();
        let typed = rpassword::prompt_password(prompt).ok()?;
        (!typed.is_empty()).then(|| Secret::new(&typed))
    }

    pub fn keep(&mut self, file: &Path, password: Option<Secret>) {
        self.0.insert(file.to_path_buf(), password);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_tell_what_they_hold() {
        let openssh = |inside: &[u8]| {
            let mut bytes = b"openssh-key-v1\0\0\0\0\x04".to_vec();
            bytes.extend(inside);
            format!(
                "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
                STANDARD.encode(bytes)
            )
        };
        let cases = [
            (openssh(b"none rest"), Content::Plain),
            (openssh(b"aes256-ctr"), Content::Encrypted),
            (
                openssh(b"none sk-ssh-ed25519@openssh.com"),
                Content::SecurityKey,
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".to_string(),
                Content::Encrypted,
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\n".to_string(),
                Content::Plain,
            ),
            ("ssh-ed25519 AAAA me".to_string(), Content::NoKey),
        ];
        for (text, expected) in cases {
            assert_eq!(content(text.as_bytes()), expected, "{text}");
        }
    }
}
