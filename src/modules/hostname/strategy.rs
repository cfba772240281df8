//! Where the distributions keep the host's name, and how the running name is set.

use crate::machine::{Content, Machine, errno_text};
use crate::modules::Failure;
use crate::modules::common::tool;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Systemd,
    /// `/etc/hostname`; takes a restart.
    File,
    /// `/etc/hostname`, and `hostname -F`.
    Alpine,
    /// `/etc/sysconfig/network`; takes a restart.
    RedHat,
    /// `/etc/HOSTNAME`; takes a restart.
    Sles,
    /// `/etc/conf.d/hostname`; takes a restart.
    OpenRc,
    /// `/etc/hostname`, and `hostname`.
    Generic,
}

const REASON: &str = "the host's name is set";

impl Strategy {
    /// The strategy of the host's distribution; systemd's wherever that runs.
    pub fn of(machine: &Machine) -> Strategy {
        let systemd = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"];
        let init = machine.read(Path::new("/proc/1/comm")).unwrap_or_default();
        if machine.program("systemctl").is_some()
            && (systemd.iter().any(|p| machine.exists(Path::new(p))) || init == b"systemd\n")
        {
            return Strategy::Systemd;
        }
        let release = machine
            .read(Path::new("/etc/os-release"))
            .unwrap_or_default();
        by_release(&String::from_utf8_lossy(&release))
    }

    fn file(self) -> &'static Path {
        Path::new(match self {
            Strategy::RedHat => "/etc/sysconfig/network",
            Strategy::Sles => "/etc/HOSTNAME",
            Strategy::OpenRc => "/etc/conf.d/hostname",
            _ => "/etc/hostname",
        })
    }

    /// The name that the host has after a restart; nothing if none is set.
    pub fn permanent(self, machine: &Machine) -> Result<String, Failure> {
        if self == Strategy::Systemd {
            return ask(machine, "--static");
        }
        let text = match machine.read(self.file()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(self.failed("read", &e)),
        };
        match self {
            Strategy::RedHat => value(&text, "HOSTNAME=").ok_or_else(|| {
                Failure::new("Unable to locate HOSTNAME entry in /etc/sysconfig/network")
            }),
            Strategy::OpenRc => Ok(value(&text, "hostname=").unwrap_or_default()),
            _ => Ok(text.trim().to_string()),
        }
    }

    /// The name that the host has now; none where it is not set without a restart.
    pub fn running(self, machine: &Machine) -> Result<Option<String>, Failure> {
        match self {
            Strategy::Systemd => ask(machine, "--transient").map(Some),
            Strategy::Alpine | Strategy::Generic => {
                let uname = rustix::system::uname();
                Ok(Some(uname.nodename().to_string_lossy().into_owned()))
            }
            _ => Ok(None),
        }
    }

    pub fn set_permanent(self, machine: &mut Machine, name: &str) -> Result<(), Failure> {
        let file = self.file();
        let old = || match machine.read(file) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(e) => Err(self.failed("update", &e)),
        };
        let text = match self {
            Strategy::Systemd => return tell(machine, "--static", name),
            Strategy::RedHat => with_value(&old()?, "HOSTNAME=", &format!("HOSTNAME={name}")),
            Strategy::OpenRc => with_value(&old()?, "hostname=", &format!("hostname=\"{name}\"")),
            _ => format!("{name}\n"),
        };
        let content = Content::Bytes(text.as_bytes());
        let written = machine.write(file, content, Some(0o644), true);
        written.map(|_| ()).map_err(|e| self.failed("update", &e))
    }

    pub fn set_running(self, machine: &mut Machine, name: &str) -> Result<(), Failure> {
        let words: &[&str] = match self {
            Strategy::Systemd => return tell(machine, "--transient", name),
            Strategy::Alpine => &["-F", "/etc/hostname"],
            _ => &[name],
        };
        let hostname = tool::find(machine, "hostname")?;
        let words = [&[hostname.as_str()], words].concat();
        let output = tool::run(machine, words, REASON)?;
        checked(output.rc, &output.stdout_text(), &output.stderr_text())
    }

    fn failed(self, what: &str, e: &std::io::Error) -> Failure {
        let path = self.file().display();
        Failure::new(format!(
            "failed to {what} hostname: {}: '{path}'",
            errno_text(e)
        ))
    }
}

fn by_release(text: &str) -> Strategy {
    let field = |name: &str| {
        let value = text.lines().find_map(|l| l.strip_prefix(name));
        value.unwrap_or_default().trim_matches('"').to_lowercase()
    };
    let ids = format!("{} {}", field("ID="), field("ID_LIKE="));
    for id in ids.split_whitespace() {
        return match id {
            "alpine" => Strategy::Alpine,
            "debian" | "ubuntu" | "arch" | "archlinux" | "void" | "kali" => Strategy::File,
            "rhel" | "fedora" | "centos" | "amzn" | "rocky" | "almalinux" | "ol" => {
                Strategy::RedHat
            }
            "sles" | "suse" | "opensuse" => Strategy::Sles,
            "gentoo" => Strategy::OpenRc,
            _ => continue,
        };
    }
    Strategy::Generic
}

/// The value of a shell assignment.
fn value(text: &str, assignment: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|l| l.trim().strip_prefix(assignment))?;
    Some(value.trim().trim_matches(['"', '\'']).to_string())
}

fn with_value(text: &str, assignment: &str, line: &str) -> String {
    let mut found = false;
    let mut out = String::new();
    for old in text.lines() {
        let is = old.trim().starts_with(assignment);
        found |= is;
        out += if is { line } else { old };
        out.push('\n');
    }
    if !found {
        out += line;
        out.push('\n');
    }
    out
}

fn ask(machine: &Machine, which: &str) -> Result<String, Failure> {
    let tool = tool::find(machine, "hostnamectl")?;
    let output = tool::probe(machine, [tool.as_str(), which, "status"])?;
    checked(output.rc, &output.stdout_text(), &output.stderr_text())?;
    Ok(output.stdout_text().trim().to_string())
}

fn tell(machine: &mut Machine, which: &str, name: &str) -> Result<(), Failure> {
    let tool = tool::find(machine, "hostnamectl")?;
    let output = tool::run(
        machine,
        [tool.as_str(), which, "set-hostname", name],
        REASON,
    )?;
    checked(output.rc, &output.stdout_text(), &output.stderr_text())
}

fn checked(rc: i64, out: &str, err: &str) -> Result<(), Failure> {
    match rc {
        0 => Ok(()),
        rc => Err(Failure::new(format!(
            "Command failed rc={rc}, out={out}, err={err}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_have_their_strategies() {
        let cases = [
            ("ID=debian\n", Strategy::File),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Strategy::File),
            ("ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", Strategy::RedHat),
            ("ID=alpine\n", Strategy::Alpine),
            ("ID=unknown\n", Strategy::Generic),
            ("", Strategy::Generic),
        ];
        for (text, expected) in cases {
            assert_eq!(by_release(text), expected, "{text}");
        }
    }

    #[test]
    fn assignments_are_read_and_replaced() {
        let text = "NETWORKING=yes\nHOSTNAME=\"old\"\n";
        assert_eq!(value(text, "HOSTNAME=").as_deref(), Some("old"));
        assert_eq!(
            with_value(text, "HOSTNAME=", "HOSTNAME=new"),
            "NETWORKING=yes\nHOSTNAME=new\n"
        );
        assert_eq!(with_value("a\n", "B=", "B=1"), "a\nB=1\n");
    }
}
