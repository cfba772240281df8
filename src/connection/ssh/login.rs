//! Logging in: keys of the key agent and of files, then the password.

use super::options::Options;
use crate::connection::Target;
use crate::secret::Secret;
use base64::Engine;
use ssh2::{KeyboardInteractivePrompt, Prompt, Session};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Passwords of key files that the user has typed: asked once for all hosts.
static TYPED: LazyLock<Mutex<HashMap<PathBuf, Option<Secret>>>> = LazyLock::new(Mutex::default);

/// Logs in. The error is what ssh says: `user@host: Permission denied (publickey).`
pub fn login(session: &Session, options: &Options, target: &Target) -> Result<(), String> {
    let user = options.user.as_str();
    let methods = match session.auth_methods(user) {
        Ok(methods) => methods.to_string(),
        // a server that asks for nothing
        Err(_) if session.authenticated() => return Ok(()),
        Err(e) => return Err(e.message().to_string()),
    };
    let offered = |name: &str| {
        methods.split(',').any(|m| m == name) && !options.refused_methods.contains(&name)
    };
    let mut reasons = Vec::new();
    if offered("publickey") {
        by_agent(session, options, &mut reasons);
        for file in &options.identity_files {
            if session.authenticated() {
                break;
            }
            by_file(session, user, file, &mut reasons);
        }
    }
    if let Some(password) = &target.password {
        if !session.authenticated() && offered("password") {
            let _ = session.userauth_password(user, password.reveal());
        }
        if !session.authenticated() && offered("keyboard-interactive") {
            let mut answers = Answers(password);
            let _ = session.userauth_keyboard_interactive(user, &mut answers);
        }
        if !session.authenticated() {
            reasons.push("the password was refused".to_string());
        }
    }
    if session.authenticated() {
        return Ok(());
    }
    let mut text = format!(
        "{user}@{}: Permission denied ({methods}).",
        options.hostname
    );
    if !reasons.is_empty() {
        text.push_str(&format!(" ({})", reasons.join("; ")));
    }
    Err(text)
}

/// The password, at every question that is to be answered unseen.
struct Answers<'a>(&'a Secret);

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'a>(&mut self, _: &str, _: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        let answer = |p: &Prompt<'a>| match p.echo {
            true => String::new(),
            false => self.0.reveal().to_string(),
        };
        prompts.iter().map(answer).collect()
    }
}

fn by_agent(session: &Session, options: &Options, reasons: &mut Vec<String>) {
    let Some(socket) = &options.identity_agent else {
        return;
    };
    let identities = session.agent().and_then(|mut agent| {
        agent.set_identity_path(socket)?;
        agent.connect()?;
        agent.list_identities()?;
        Ok((agent.identities()?, agent))
    });
    let (identities, agent) = match identities {
        Ok(found) => found,
        Err(e) => {
            reasons.push(format!("the key agent: {}", e.message()));
            return;
        }
    };
    // those that are named come first, as with ssh; servers refuse after a few
    let named: Vec<Vec<u8>> = options
        .identity_files
        .iter()
        .filter_map(|f| public_key(f))
        .collect();
    let (first, others): (Vec<_>, Vec<_>) = identities
        .iter()
        .partition(|i| named.iter().any(|key| key == i.blob()));
    let others = others.into_iter().filter(|_| !options.identities_only);
    for identity in first.into_iter().chain(others) {
        if agent.userauth(&options.user, identity).is_ok() && session.authenticated() {
            return;
        }
    }
}

/// The public half that lies beside a key file.
fn public_key(file: &Path) -> Option<Vec<u8>> {
    let mut name = file.as_os_str().to_os_string();
    name.push(".pub");
    let text = std::fs::read_to_string(name).ok()?;
    let key = text.split_whitespace().nth(1)?;
    base64::engine::general_purpose::STANDARD.decode(key).ok()
}

fn by_file(session: &Session, user: &str, file: &Path, reasons: &mut Vec<String>) {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => {
            reasons.push(format!(
                "{}: {}",
                file.display(),
                crate::machine::reason(&e)
            ));
            return;
        }
    };
    let passphrase = match is_encrypted(&text) {
        false => None,
        true => match typed(file) {
            Some(passphrase) => Some(passphrase),
            None => {
                reasons.push(format!(
                    "{} is encrypted, and there is no terminal to ask at: add it to a key agent",
                    file.display()
                ));
                return;
            }
        },
    };
    let tried =
        session.userauth_pubkey_file(user, None, file, passphrase.as_ref().map(Secret::reveal));
    if let (Err(e), false) = (tried, session.authenticated()) {
        reasons.push(format!("{}: {}", file.display(), e.message()));
    }
}

/// Whether a key file cannot be used without a password.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    if text.contains("ENCRYPTED") {
        return true;
    }
    let Some(body) = text.split("-----BEGIN OPENSSH PRIVATE KEY-----").nth(1) else {
        return false;
    };
    let body: String = body
        .chars()
        .take_while(|c| *c != '-')
        .filter(|c| !c.is_whitespace())
        .collect();
    // "openssh-key-v1\0", four bytes of length, then the cipher's name
    let start =
        base64::engine::general_purpose::STANDARD.decode(&body[..body.len().min(64) / 4 * 4]);
    start.is_ok_and(|start| start.get(19..23).is_some_and(|cipher| cipher != b"none"))
}

/// The password of a key file, asked for at the terminal the first time.
fn typed(file: &Path) -> Option<Secret> {
    let mut typed = TYPED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = typed.get(file) {
        return known.clone();
    }
    let answer = match std::io::stderr().is_terminal() {
        true => {
            let prompt = format!("Enter passphrase for key '{}': ", file.display());
            rpassword::prompt_password(prompt)
                .ok()
                .map(|p| Secret::new(&p))
        }
        false => None,
    };
    typed.insert(file.to_path_buf(), answer.clone());
    answer
}
