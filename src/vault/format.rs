//! The envelope and the cipher: a header line, then hex of salt, HMAC and ciphertext.
//!
//! AES-256 in counter mode with PKCS#7 padding; keys and counter come from PBKDF2 with HMAC-SHA256, and the
//! ciphertext is authenticated by HMAC-SHA256 before anything is decrypted.

use super::Secret;
use crate::error::{Error, Result};
use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::Read as _;

const MAGIC: &str = "$ANSIBLE_VAULT";
const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;
const LINE: usize = 80;

/// Whether `bytes` begin as what vault encrypts does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// An encrypted text taken apart.
pub(super) struct Envelope {
    /// The vault id in the header, if it has one.
    pub id: Option<String>,
    salt: Vec<u8>,
    mac: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Envelope {
    /// Fails if `bytes` are not in the format, or use a cipher that does not exist.
    pub fn parse(bytes: &[u8]) -> Result<Envelope> {
        if !is_encrypted(bytes) {
            return Err(Error::general("Input is not vault encrypted data."));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::general("Vault format error: it is not text"))?;
        let (header, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut fields = header.trim().split(';').map(str::trim).skip(1);
        let (Some(version), Some(cipher)) = (fields.next(), fields.next()) else {
            return Err(Error::general(
                "Vault envelope format error: list index out of range",
            ));
        };
        let id = fields
            .next()
            .map(str::to_string)
            .filter(|_| version == "1.2");
        if cipher != "AES256" {
            return Err(Error::general(format!(
                "Cipher '{cipher}' could not be found."
            )));
        }
        let outer: String = body.split_whitespace().collect();
        let inner = unhex(outer.as_bytes())?;
        let parts: Vec<&[u8]> = inner.splitn(3, |b| *b == b'\n').collect();
        let [salt, mac, ciphertext] = parts[..] else {
            return Err(Error::general(format!(
                "Vault vaulttext format error: not enough values to unpack (expected 3, got {})",
                parts.len()
            )));
        };
        Ok(Envelope {
            id,
            salt: unhex(salt)?,
            mac: unhex(mac)?,
            ciphertext: unhex(ciphertext)?,
        })
    }

    /// The plain bytes; none if the secret does not fit.
    pub fn open(&self, secret: &Secret) -> Option<Vec<u8>> {
        let keys = Keys::derive(secret, &self.salt);
        keys.mac(&self.ciphertext).verify_slice(&self.mac).ok()?;
        let mut bytes = self.ciphertext.clone();
        keys.apply(&mut bytes);
        let padding = usize::from(*bytes.last()?);
        if padding == 0 || padding > BLOCK || padding > bytes.len() {
            return None;
        }
        bytes.truncate(bytes.len() - padding);
        Some(bytes)
    }
}

/// `plain` encrypted with `secret`, in format 1.2 with the id `id`, or 1.1 without one.
///
/// Fails only if the system gives no random bytes.
pub(super) fn seal(
    plain: &[u8],
    secret: &Secret,
    id: Option<&str>,
    salt: Option<&[u8]>,
) -> Result<String> {
    if let Some(salt) = salt {
        return Ok(seal_with(plain, secret, id, salt));
    }
    let mut salt = [0u8; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut salt))
        .map_err(|e| Error::general(format!("No random bytes from the system: {e}")))?;
    Ok(seal_with(plain, secret, id, &salt))
}

fn seal_with(plain: &[u8], secret: &Secret, id: Option<&str>, salt: &[u8]) -> String {
    let keys = Keys::derive(secret, salt);
    let mut bytes = plain.to_vec();
    let padding = BLOCK - plain.len() % BLOCK;
    bytes.resize(plain.len() + padding, padding as u8);
    keys.apply(&mut bytes);
    let mac = keys.mac(&bytes).finalize().into_bytes();
    let inner = [hex(salt), hex(&mac), hex(&bytes)].join("\n");
    let outer = hex(inner.as_bytes());

    let mut out = match id {
        Some(id) => format!("{MAGIC};1.2;AES256;{id}\n"),
        None => format!("{MAGIC};1.1;AES256\n"),
    };
    for start in (0..outer.len()).step_by(LINE) {
        out.push_str(&outer[start..(start + LINE).min(outer.len())]);
        out.push('\n');
    }
    out
}

struct Keys {
    cipher: [u8; 32],
    /// 32 bytes, with zeros up to the hash's block: the same key to HMAC.
    mac: [u8; 64],
    counter: [u8; BLOCK],
}

impl Keys {
    fn derive(secret: &Secret, salt: &[u8]) -> Keys {
        let mut all = [0u8; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(secret.bytes(), salt, ROUNDS, &mut all);
        let mut keys = Keys {
            cipher: [0; 32],
            mac: [0; 64],
            counter: [0; BLOCK],
        };
        keys.cipher.copy_from_slice(&all[..32]);
        keys.mac[..32].copy_from_slice(&all[32..64]);
        keys.counter.copy_from_slice(&all[64..]);
        keys
    }

    fn mac(&self, ciphertext: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.mac.into());
        mac.update(ciphertext);
        mac
    }

    /// Encrypts and decrypts: in counter mode that is the same.
    fn apply(&self, bytes: &mut [u8]) {
        Ctr128BE::<Aes256>::new(&self.cipher.into(), &self.counter.into()).apply_keystream(bytes);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The bytes of hexadecimal digits. Errors, in Python's words, on what is none.
fn unhex(text: &[u8]) -> Result<Vec<u8>> {
    let wrong = |what: &str| Error::general(format!("Vault format unhexlify error: {what}"));
    if !text.len().is_multiple_of(2) {
        return Err(wrong("Odd-length string"));
    }
    let digit = |b: u8| {
        let digit = char::from(b).to_digit(16);
        digit
            .map(|d| d as u8)
            .ok_or_else(|| wrong("Non-hexadecimal digit found"))
    };
    let (pairs, _) = text.as_chunks::<2>();
    pairs
        .iter()
        .map(|[a, b]| Ok(digit(*a)? << 4 | digit(*b)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by ansible-vault with the password `pw1`.
    const THEIRS: &str = "$ANSIBLE_VAULT;1.1;AES256
63303133336464376139393162313163376161303738613161363230663866366237393337316562
3133396666633036623135656464373633393964353232640a343563353336316134353432396463
66303162373133653062666437633038376430383765323562323661363037333762636330376639
3865633232323832320a636435653261616539336131623632376233383732653235323430656334
36303138393061653238353335353439376237386538643639346136633530346433
";

    #[test]
    fn what_ansible_vault_wrote_is_read() {
        let secret = Secret::new("pw1");
        let envelope = Envelope::parse(THEIRS.as_bytes()).unwrap();
        assert_eq!(envelope.open(&secret).unwrap(), b"secret: \"{{ x }}\"\n");
        assert!(envelope.open(&Secret::new("other")).is_none());
        // the same salt gives the same text, so ansible-vault reads ours too
        assert_eq!(
            seal_with(b"secret: \"{{ x }}\"\n", &secret, None, &envelope.salt),
            THEIRS
        );
    }

    #[test]
    fn every_length_comes_back() {
        let secret = Secret::new("x");
        for length in [0, 1, 15, 16, 17, 1000] {
            let plain = vec![7u8; length];
            let text = seal(&plain, &secret, Some("dev"), None).unwrap();
            let envelope = Envelope::parse(text.as_bytes()).unwrap();
            assert_eq!(envelope.id.as_deref(), Some("dev"));
            assert_eq!(envelope.open(&secret).unwrap(), plain);
        }
    }

    #[test]
    fn damaged_texts_are_refused() {
        for (text, message) in [
            ("plain", "not vault encrypted"),
            (
                "$ANSIBLE_VAULT;1.1;AES\n00",
                "Cipher 'AES' could not be found.",
            ),
            (
                "$ANSIBLE_VAULT;1.1;AES256\nxy",
                "Non-hexadecimal digit found",
            ),
            ("$ANSIBLE_VAULT;1.1;AES256\n0", "Odd-length string"),
            ("$ANSIBLE_VAULT", "Vault envelope format error"),
            ("$ANSIBLE_VAULT;1.1;AES256\n3030", "(expected 3, got 1)"),
        ] {
            let error = Envelope::parse(text.as_bytes()).err().unwrap();
            assert!(error.message().contains(message), "{error}");
        }
        let mut envelope = Envelope::parse(THEIRS.as_bytes()).unwrap();
        envelope.ciphertext[0] ^= 1;
        assert!(envelope.open(&Secret::new("pw1")).is_none());
    }
}
