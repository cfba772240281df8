//! `/usr/sbin/policy-rc.d` for the time of one command: packages ask it whether they may start services.

use crate::machine::{Content, Machine, errno_text};
use crate::modules::Failure;
use std::path::Path;

const PATH: &str = "/usr/sbin/policy-rc.d";

/// What was there before.
pub struct Policy {
    before: Option<(Vec<u8>, u32)>,
}

/// Lets services be started or not, by this exit code of the script.
pub fn put(machine: &mut Machine, code: i64) -> Result<Policy, Failure> {
    let path = Path::new(PATH);
    let fail = |e: std::io::Error| {
        Failure::new(format!(
            "Failed to create {PATH} for policy_rc_d: {}",
            errno_text(&e)
        ))
    };
    let before = match machine.stat(path) {
        Ok(stat) => Some((machine.read(path).map_err(fail)?, stat.mode)),
        Err(_) => None,
    };
    let script = format!("#!/bin/sh\nexit {code}\n");
    let content = Content::Bytes(script.as_bytes());
    machine
        .write(path, content, Some(0o755), false)
        .and_then(|_| machine.chmod(path, 0o755))
        .map_err(fail)?;
    Ok(Policy { before })
}

impl Policy {
    /// Makes it as it was.
    pub fn take_back(self, machine: &mut Machine) -> Result<(), Failure> {
        let path = Path::new(PATH);
        let done = match self.before {
            None => machine.remove(path),
            Some((bytes, mode)) => machine
                .write(path, Content::Bytes(&bytes), Some(mode), false)
                .and_then(|_| machine.chmod(path, mode))
                .map(|_| ()),
        };
        done.map_err(|e| Failure::new(format!("Fail to restore {PATH}: {}", errno_text(&e))))
    }
}
