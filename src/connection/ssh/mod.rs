//! Connection `ssh`, in process, on libssh2.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ssh_connection.html> for the
//! options, `ssh_config(5)` for ssh's own configuration.

mod algorithms;
mod args;
mod channel;
mod config;
mod hostkeys;
mod jump;
mod keyfile;
mod link;
mod login;
mod options;
mod patterns;
mod proxy;
mod system;

pub use args::words as arguments;
pub use system::program;

use super::{Channel, Target, Transport, Unreachable};
use channel::SshChannel;
use link::{Failure, Link};
use options::Options;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// See the module's documentation.
pub struct Ssh {
    link: Arc<Link>,
    environment: Vec<(String, String)>,
}

/// Why there is no connection.
pub enum NoConnection {
    Unreachable(Unreachable),
    /// What is asked for only the system's ssh can do.
    Beyond(String),
}

impl Ssh {
    /// Connects and logs in.
    pub fn connect(target: &Target) -> Result<Ssh, NoConnection> {
        let options = Options::of(target).map_err(NoConnection::Unreachable)?;
        match link::establish(&options, target) {
            Ok(link) => Ok(Ssh {
                link: Arc::new(link),
                environment: options.environment,
            }),
            Err(Failure::Beyond(what)) => Err(NoConnection::Beyond(what)),
            Err(Failure::Passing(msg) | Failure::Lasting(msg)) => {
                Err(NoConnection::Unreachable(unreachable(&msg)))
            }
        }
    }
}

impl Transport for Ssh {
    fn start(&mut self, command: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let session = &self.link.session;
        session.set_blocking(true);
        let opened = session.channel_session().and_then(|mut channel| {
            for (name, value) in &self.environment {
                // servers take over what they are set to (AcceptEnv)
                let _ = channel.setenv(name, value);
            }
            if tty {
                let term = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_string());
                channel.request_pty(&term, None, Some((200, 50, 0, 0)))?;
            }
            channel.exec(command)?;
            Ok(channel)
        });
        session.set_blocking(false);
        match opened {
            Ok(channel) => Ok(Box::new(SshChannel::new(channel, Arc::clone(&self.link)))),
            Err(e) => Err(unreachable(&self.link.lost(e.into()).to_string())),
        }
    }

    fn is_alive(&mut self) -> bool {
        self.link.is_open()
    }

    fn name(&self) -> &'static str {
        "ssh"
    }
}

/// The words of Ansible's users for a connection that fails.
pub fn unreachable(why: &str) -> Unreachable {
    Unreachable::new(format!("Failed to connect to the host via ssh: {why}"))
}

/// `~` as ssh reads it: the home folder of the user's account, whatever `HOME` says.
fn home(path: &str) -> PathBuf {
    let own = || crate::machine::users::home_of_self();
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match own() {
            Some(home) => format!("{}{rest}", home.trim_end_matches('/')).into(),
            None => crate::expand::home(path).into(),
        },
        _ => crate::expand::home(path).into(),
    }
}

/// Name of the user who runs rplay.
fn local_user() -> String {
    crate::machine::users::name_of_self()
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_else(|| "root".to_string())
}

/// Whether somebody can be asked.
pub fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::fs::File::open("/dev/tty").is_ok()
}

/// Asks something that is answered with a line, seen while it is typed.
fn ask_at_terminal(question: &str) -> Option<String> {
    let _question = crate::terminal::Question::begin();
    let mut terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    terminal.write_all(question.as_bytes()).ok()?;
    let mut answer = String::new();
    let length = BufReader::new(terminal).read_line(&mut answer).ok()?;
    (length > 0).then_some(answer)
}
