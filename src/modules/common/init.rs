//! What the modules of services know of init scripts and processes.

use super::tool;
use crate::machine::Machine;
use crate::modules::Failure;
use std::path::{Path, PathBuf};

/// Where a service's init script would be.
pub fn script(name: &str) -> PathBuf {
    Path::new("/etc/init.d").join(name)
}

/// Whether the service has an init script.
pub fn has_script(machine: &Machine, name: &str) -> bool {
    !name.is_empty() && machine.exists(&script(name))
}

/// Whether a link starts the service in the runlevel, or in any if none is named.
pub fn has_start_link(machine: &Machine, name: &str, runlevel: Option<&str>) -> bool {
    let folders: Vec<PathBuf> = match runlevel {
        Some(level) => vec![format!("/etc/rc{level}.d").into()],
        None => "0123456S"
            .chars()
            .map(|level| format!("/etc/rc{level}.d").into())
            .collect(),
    };
    folders.iter().any(|folder| {
        let links = machine.list(folder).unwrap_or_default();
        links.iter().any(|link| {
            let link = link.to_string_lossy();
            let number = link.strip_prefix('S').and_then(|l| l.get(..2));
            number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) && link[3..] == *name
        })
    })
}

/// Whether a process other than this one has the text in its command line.
pub fn has_process(machine: &Machine, text: &str) -> bool {
    let own = std::process::id().to_string();
    let processes = machine.list(Path::new("/proc")).unwrap_or_default();
    processes
        .iter()
        .filter_map(|p| p.to_str())
        .filter(|p| p.bytes().all(|b| b.is_ascii_digit()) && *p != own)
        .filter_map(|p| {
            machine
                .read(&Path::new("/proc").join(p).join("cmdline"))
                .ok()
        })
        .any(|line| {
            let line: Vec<u8> = line
                .iter()
                .map(|b| if *b == 0 { b' ' } else { *b })
                .collect();
            String::from_utf8_lossy(&line).contains(text)
        })
}

/// What an init script's `status` tells; none where that does not say.
pub fn status(rc: i64, output: &str) -> Option<bool> {
    let text = output.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    match () {
        () if says(&[
            "not running",
            "stopped",
            "not started",
            "is dead",
            "but dead",
        ]) =>
        {
            Some(false)
        }
        () if rc == 0 => Some(true),
        () if says(&["is running", "(running)", "start/running"]) => Some(true),
        () if rc == 3 || (rc == 1 && !text.trim().is_empty() && !text.contains("usage")) => {
            Some(false)
        }
        () => None,
    }
}

/// Asks the init script for the service's state.
pub fn ask(machine: &Machine, name: &str) -> Result<Option<bool>, Failure> {
    let script = script(name);
    let answer = tool::probe(machine, [script.as_os_str(), "status".as_ref()])?;
    Ok(status(answer.rc, &answer.stdout_text()))
}

/// Whether systemd cannot act because this is no running system: said so by the environment, or a chroot.
pub fn offline(machine: &Machine) -> bool {
    machine.variable("SYSTEMD_OFFLINE").as_deref() == Some("1") || in_chroot(machine)
}

fn in_chroot(machine: &Machine) -> bool {
    if machine.variable("debian_chroot").is_some() {
        return true;
    }
    let roots = ["/", "/proc/1/root/."].map(|p| machine.stat(Path::new(p)));
    matches!(roots, [Ok(own), Ok(first)] if (own.dev, own.ino) != (first.dev, first.ino))
}

/// A service that is nowhere.
pub fn missing(name: &str, place: &str) -> Failure {
    Failure::new(format!(
        "Could not find the requested service {name}: {place}"
    ))
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn states_are_read_from_what_init_scripts_say() {
        let cases = [
            (0, "foo is running", Some(true)),
            (0, "", Some(true)),
            (0, "foo is not running", Some(false)),
            (3, "foo is stopped", Some(false)),
            (3, "", Some(false)),
            (1, "foo dead but pid file exists", Some(false)),
            (1, "Usage: foo {start|stop}", None),
            (2, "unknown action", None),
        ];
        for (rc, text, expected) in cases {
            assert_eq!(status(rc, text), expected, "{rc} {text}");
        }
    }
}
