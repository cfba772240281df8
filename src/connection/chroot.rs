//! Connection `chroot`: commands in a folder that holds a system.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/community/general/chroot_connection.html>.

use super::process::ProcessChannel;
use super::{Channel, Target, Transport, Unreachable};
use std::path::Path;
use std::process::Command;

/// See the module's documentation.
pub struct Chroot {
    program: String,
    root: String,
    shell: String,
}

impl Chroot {
    /// Fails if there is no such folder, or no shell in it, or it may not be entered.
    pub fn connect(target: &Target) -> Result<Chroot, Unreachable> {
        let program = target.executable.clone();
        let (root, shell) = (target.address.clone(), target.shell.clone());
        // another program, such as `fakechroot`, may need no rights
        if program.is_none() && !rustix::process::geteuid().is_root() {
            return Err(Unreachable::new(
                "chroot connection requires running as root",
            ));
        }
        if !Path::new(&root).is_dir() {
            return Err(Unreachable::new(format!("{root} is not a directory")));
        }
        // a link may be one that only leads somewhere inside
        let inside = Path::new(&root).join(shell.trim_start_matches('/'));
        if inside.symlink_metadata().is_err() {
            return Err(Unreachable::new(format!(
                "{root} does not look like a chrootable dir ({shell} is missing)"
            )));
        }
        Ok(Chroot {
            program: program.unwrap_or_else(|| "chroot".to_string()),
            root,
            shell,
        })
    }
}

impl Transport for Chroot {
    fn start(&mut self, line: &str, tty: bool) -> Result<Box<dyn Channel>, Unreachable> {
        let mut command = Command::new(&self.program);
        command.args([&self.root, &self.shell, "-c", line]);
        let channel = match tty {
            true => ProcessChannel::spawn_with_tty(command),
            false => ProcessChannel::spawn(command),
        };
        match channel {
            Ok(channel) => Ok(Box::new(channel)),
            Err(e) => Err(Unreachable::new(format!(
                "cannot start {}: {}",
                self.program,
                crate::machine::reason(&e)
            ))),
        }
    }

    fn name(&self) -> &'static str {
        "chroot"
    }
}
