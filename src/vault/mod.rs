//! Vault: encrypted files and variables, interchangeable with `ansible-vault`.
//!
//! Follows <https://docs.ansible.com/ansible/latest/vault_guide/index.html>. The secrets of a run are set
//! once for the process, so that reading a file and rendering a variable can decrypt.

mod format;
mod secrets;

pub use format::is_encrypted;
pub use secrets::{Opened, Secret, Secrets, Sources};

use crate::error::{Error, Result};
use crate::value::Vault;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

static SECRETS: RwLock<Option<Arc<Secrets>>> = RwLock::new(None);

/// What was decrypted already: deriving a key takes milliseconds, and a variable may be used often.
static DECRYPTED: Mutex<Option<HashMap<Arc<str>, Arc<str>>>> = Mutex::new(None);

/// Sets the secrets of this process.
pub fn set(secrets: Secrets) {
    *SECRETS.write().unwrap_or_else(|e| e.into_inner()) = Some(Arc::new(secrets));
    *DECRYPTED.lock().unwrap_or_else(|e| e.into_inner()) = None;
}

/// The secrets of this process; none were set, an empty list.
pub fn secrets() -> Arc<Secrets> {
    let secrets = SECRETS.read().unwrap_or_else(|e| e.into_inner());
    secrets.clone().unwrap_or_default()
}

/// `plain` encrypted with `secret` for the vault id `id`; the salt is random unless given.
///
/// Fails only if the system gives no random bytes.
pub fn seal(plain: &[u8], secret: &Secret, id: &str, salt: Option<&[u8]>) -> Result<String> {
    let id = Some(id).filter(|id| *id != "default");
    format::seal(plain, secret, id, salt)
}

/// How the error of a variable that cannot be decrypted begins.
pub const UNDECRYPTABLE: &str = "Attempt to use undecryptable variable";

/// The text of a `!vault` variable. It is plain text, never a template.
///
/// Fails, naming the variable's place, if no secret fits or the text is damaged.
pub fn decrypt_variable(vault: &Vault) -> Result<Arc<str>> {
    let known = |text: &str| {
        let cache = DECRYPTED.lock().unwrap_or_else(|e| e.into_inner());
        cache.as_ref().and_then(|c| c.get(text).cloned())
    };
    if let Some(plain) = known(&vault.text) {
        return Ok(plain);
    }
    let plain = secrets()
        .decrypt(vault.text.as_bytes())
        .and_then(|bytes| {
            String::from_utf8(bytes)
                .map_err(|_| Error::general("The decrypted value is not UTF-8 text."))
        })
        .map_err(|e| e.context(UNDECRYPTABLE).at_opt(vault.at.as_ref()))?;
    let plain: Arc<str> = Arc::from(plain);
    DECRYPTED
        .lock()
        .unwrap_or_else(|e| e.into_inner())
        .get_or_insert_default()
        .insert(Arc::clone(&vault.text), Arc::clone(&plain));
    Ok(plain)
}

/// Whether this very text is what an encrypted variable held: handed on, through whatever variables, and not made anew.
pub fn was_encrypted(text: &Arc<str>) -> bool {
    let cache = DECRYPTED.lock().unwrap_or_else(|e| e.into_inner());
    let mut held = cache.iter().flat_map(|c| c.values());
    held.any(|plain| Arc::ptr_eq(plain, text))
}
