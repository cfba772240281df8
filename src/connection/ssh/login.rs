//! Logging in: keys of the key agent and of files, then the password.

use super::hostkeys::Trust;
use super::keyfile::{self, Content, Typed};
use super::options::Options;
use crate::connection::Target;
use crate::secret::Secret;
use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, Session};
use std::path::{Path, PathBuf};

/// How often a key file's password may be typed, as with ssh.
const TRIES: u32 = 3;

/// Why a login failed.
#[derive(Debug)]
pub enum Refused {
    /// What ssh says: `user@host: Permission denied (publickey).`
    Denied(String),
    /// The connection failed meanwhile.
    Lost(String),
    /// The system's ssh has a way that is left to try.
    Beyond(String),
}

/// Logs in.
pub fn login(
    session: &Session,
    options: &Options,
    target: &Target,
    trust: Trust,
) -> Result<(), Refused> {
    let mut login = Login {
        session,
        options,
        passphrase: target.ssh.passphrase.as_ref(),
        methods: String::new(),
        reasons: Vec::new(),
        beyond: None,
    };
    if login.ask_methods()? {
        return Ok(());
    }
    if login.offered("publickey") {
        match &target.ssh.key {
            Some(key) => login.by_key(key)?,
            None => {
                login.by_agent()?;
                login.by_files()?;
            }
        }
    }
    if session.authenticated() {
        return Ok(());
    }
    if let Some(password) = &target.password {
        let ways = ["password", "keyboard-interactive"];
        // a server that wants a key and a password offers the password after the key
        if !ways.iter().any(|way| login.offered(way)) && login.ask_methods()? {
            return Ok(());
        }
        match trust {
            Trust::Full => login.by_password(password, target.ssh.password_prompt.as_deref())?,
            Trust::Changed => {
                let reason = "no password is sent to a host whose key has changed";
                login.reasons.push(reason.to_string());
            }
        }
    }
    login.end()
}

struct Login<'a> {
    session: &'a Session,
    options: &'a Options,
    /// The password of key files that the user has given beforehand.
    passphrase: Option<&'a Secret>,
    /// What the server offers, with commas.
    methods: String,
    /// What the user may want to know of the ways that were tried.
    reasons: Vec<String>,
    beyond: Option<String>,
}

impl Login<'_> {
    /// Asks what the server offers; true if it lets anybody in. Never to be asked after a login.
    fn ask_methods(&mut self) -> Result<bool, Refused> {
        match self.session.auth_methods(&self.options.user) {
            Ok(methods) => self.methods = methods.to_string(),
            Err(_) if self.session.authenticated() => return Ok(true),
            Err(e) => return Err(Refused::Lost(e.message().to_string())),
        }
        Ok(false)
    }

    fn offered(&self, name: &str) -> bool {
        self.methods.split(',').any(|m| m == name) && !self.options.refused_methods.contains(&name)
    }

    /// Whether that was the way in. Fails if nothing more can be tried.
    fn tried(&self, result: Result<(), ssh2::Error>) -> Result<bool, Refused> {
        match result {
            _ if self.session.authenticated() => Ok(true),
            Ok(()) => Ok(false),
            Err(e) => match e.code() {
                // socket, disconnect, timeout
                ErrorCode::Session(-7 | -9 | -13 | -30 | -43) => Err(Refused::Lost(format!(
                    "{}@{}: the host ended the login: {}",
                    self.options.user,
                    self.options.hostname,
                    match self.reasons.is_empty() {
                        true => e.message().to_string(),
                        false => self.reasons.join("; "),
                    }
                ))),
                _ => Ok(false),
            },
        }
    }

    fn by_agent(&mut self) -> Result<(), Refused> {
        let Some(socket) = &self.options.identity_agent else {
            return Ok(());
        };
        let identities = self.session.agent().and_then(|mut agent| {
            agent.set_identity_path(socket)?;
            agent.connect()?;
            agent.list_identities()?;
            Ok((agent.identities()?, agent))
        });
        let (identities, agent) = match identities {
            Ok(found) => found,
            Err(e) => {
                self.reasons.push(format!("the key agent: {}", e.message()));
                return Ok(());
            }
        };
        // those that are named come first, as with ssh; servers refuse after a few
        let named: Vec<Vec<u8>> = self
            .options
            .identity_files
            .iter()
            .filter_map(|f| keyfile::public_half(f))
            .collect();
        let (first, others): (Vec<_>, Vec<_>) = identities
            .iter()
            .partition(|i| named.iter().any(|key| key == i.blob()));
        let others = others.into_iter().filter(|_| !self.options.identities_only);
        for identity in first.into_iter().chain(others) {
            if identity.blob().get(4..7) == Some(b"sk-") {
                self.beyond
                    .get_or_insert_with(|| "a security key in the key agent".to_string());
                continue;
            }
            if self.tried(agent.userauth(&self.options.user, identity))? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A key that is given itself. Nothing else is tried then.
    fn by_key(&mut self, key: &Secret) -> Result<(), Refused> {
        // a variable may have lost the last line's end
        let text = format!("{}\n", key.reveal().trim());
        match keyfile::content(text.as_bytes()) {
            Content::NoKey => {
                self.reasons
                    .push("ansible_private_key holds no private key".to_string());
                return Ok(());
            }
            Content::SecurityKey => {
                self.beyond = Some("the security key of ansible_private_key".to_string());
                return Ok(());
            }
            Content::Encrypted if self.passphrase.is_none() => {
                let reason =
                    "ansible_private_key is encrypted: ansible_private_key_passphrase is missing";
                self.reasons.push(reason.to_string());
                return Ok(());
            }
            Content::Plain | Content::Encrypted => {}
        }
        let result = self.session.userauth_pubkey_memory(
            &self.options.user,
            None,
            &text,
            self.passphrase.map(Secret::reveal),
        );
        let read = was_read(&result);
        if !self.tried(result)? && !read {
            self.reasons
                .push("ansible_private_key could not be read with its passphrase".to_string());
        }
        Ok(())
    }

    fn by_files(&mut self) -> Result<(), Refused> {
        for file in &self.options.identity_files {
            if self.session.authenticated() {
                return Ok(());
            }
            let text = match std::fs::read(file) {
                Ok(text) => text,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => {
                    let reason = crate::machine::reason(&e);
                    self.reasons.push(format!("{}: {reason}", file.display()));
                    continue;
                }
            };
            match keyfile::content(&text) {
                Content::NoKey => {}
                Content::SecurityKey => {
                    let what = format!("the security key of {}", file.display());
                    self.beyond.get_or_insert(what);
                }
                Content::Plain => {
                    if self.by_file(file, None)? == Tried::Unreadable {
                        let what = format!("the key file {}", file.display());
                        self.beyond.get_or_insert(what);
                    }
                }
                Content::Encrypted => self.by_encrypted(file)?,
            }
        }
        Ok(())
    }

    /// A key file whose password has to be known. It is asked for once for all hosts.
    fn by_encrypted(&mut self, file: &Path) -> Result<(), Refused> {
        if let Some(given) = self.passphrase {
            if self.by_file(file, Some(given))? == Tried::Unreadable {
                self.reasons.push(format!(
                    "{} could not be read with ansible_private_key_passphrase",
                    file.display()
                ));
            }
            return Ok(());
        }
        let mut typed = Typed::lock();
        if let Some(known) = typed.known(file) {
            drop(typed);
            return match known {
                Some(password) => self.by_file(file, Some(&password)).map(|_| ()),
                None => {
                    self.reasons.push(no_password(file));
                    Ok(())
                }
            };
        }
        for _ in 0..TRIES {
            let Some(password) = typed.ask(file) else {
                break;
            };
            if self.by_file(file, Some(&password))? != Tried::Unreadable {
                typed.keep(file, Some(password));
                return Ok(());
            }
        }
        typed.keep(file, None);
        self.reasons.push(no_password(file));
        Ok(())
    }

    /// A key file, with its certificate if there is one.
    fn by_file(&mut self, file: &Path, password: Option<&Secret>) -> Result<Tried, Refused> {
        let mut certificate = file.as_os_str().to_os_string();
        certificate.push("-cert.pub");
        let certificate = PathBuf::from(certificate);
        let ways = match certificate.exists() {
            true => vec![Some(certificate.as_path()), None],
            false => vec![None],
        };
        let mut outcome = Tried::Unreadable;
        for public in ways {
            let result = self.session.userauth_pubkey_file(
                &self.options.user,
                public,
                file,
                password.map(Secret::reveal),
            );
            let refused = was_read(&result);
            if self.tried(result)? {
                return Ok(Tried::Done);
            }
            if refused {
                outcome = Tried::Done;
            }
        }
        Ok(outcome)
    }

    fn by_password(&mut self, password: &Secret, prompt: Option<&str>) -> Result<(), Refused> {
        let user = &self.options.user;
        if self.offered("password") {
            let result = self.session.userauth_password(user, password.reveal());
            if self.tried(result)? {
                return Ok(());
            }
        }
        if self.offered("keyboard-interactive") {
            let mut answers = Answers {
                password,
                prompt,
                given: false,
            };
            let result = self
                .session
                .userauth_keyboard_interactive(user, &mut answers);
            if self.tried(result)? {
                return Ok(());
            }
            if let (Some(prompt), false) = (prompt, answers.given) {
                let reason = format!("the host did not ask for a password with '{prompt}'");
                self.reasons.push(reason);
                return Ok(());
            }
        }
        let ways = ["password", "keyboard-interactive"];
        self.reasons
            .push(match ways.iter().any(|way| self.offered(way)) {
                true => "the password was refused".to_string(),
                false => "the host takes no password".to_string(),
            });
        Ok(())
    }

    fn end(self) -> Result<(), Refused> {
        if self.session.authenticated() {
            return Ok(());
        }
        if let Some(beyond) = self.beyond {
            return Err(Refused::Beyond(beyond));
        }
        let gssapi = self.methods.split(',').any(|m| m == "gssapi-with-mic");
        if gssapi && self.options.gssapi && has_ticket() {
            return Err(Refused::Beyond("GSSAPI".to_string()));
        }
        let mut text = format!(
            "{}@{}: Permission denied ({}).",
            self.options.user, self.options.hostname, self.methods
        );
        if !self.reasons.is_empty() {
            text.push_str(&format!(" ({})", self.reasons.join("; ")));
        }
        Err(Refused::Denied(text))
    }
}

/// What came of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// It was read; the server took it or not.
    Done,
    /// It could not be read: a wrong password, or a format that libssh2 does not know.
    Unreadable,
}

/// Whether a key could be read: then the server has refused it, or not.
fn was_read(result: &Result<(), ssh2::Error>) -> bool {
    match result {
        Ok(()) => true,
        Err(e) => e.code() == ErrorCode::Session(-18),
    }
}

fn no_password(file: &Path) -> String {
    format!(
        "{} is encrypted, and its passphrase is not known: add the key to a key agent (ssh-add)",
        file.display()
    )
}

/// Whether the user seems to have a ticket of Kerberos.
fn has_ticket() -> bool {
    let usual = || format!("/tmp/krb5cc_{}", rustix::process::getuid().as_raw());
    match std::env::var("KRB5CCNAME") {
        Ok(named) => Path::new(named.strip_prefix("FILE:").unwrap_or(&named)).exists(),
        Err(_) => Path::new(&usual()).exists(),
    }
}

/// The password, at the first question for one.
struct Answers<'a> {
    password: &'a Secret,
    /// What the question is like (`ansible_sshpass_prompt`).
    prompt: Option<&'a str>,
    /// Once refused it would be refused again, and servers count.
    given: bool,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'a>(&mut self, _: &str, _: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        let mut answers = Vec::new();
        for prompt in prompts {
            let text = prompt.text.to_lowercase();
            let asked = match self.prompt.filter(|p| !p.is_empty()) {
                Some(wanted) => text.contains(&wanted.to_lowercase()),
                None => !prompt.echo,
            };
            answers.push(match asked && !self.given {
                true => {
                    self.given = true;
                    self.password.reveal().to_string()
                }
                false => String::new(),
            });
        }
        answers
    }
}
