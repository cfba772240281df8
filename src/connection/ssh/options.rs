//! What ssh's configuration, its arguments and rplay's own settings say of a connection.

use crate::connection::{Target, Unreachable};
use std::path::PathBuf;
use std::process::Command;

/// The options of one connection. Names are those of `ssh_config(5)`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `HostName`, or the address given.
    pub hostname: String,
    pub port: u16,
    pub user: String,
    /// Key files to try, in order.
    pub identity_files: Vec<PathBuf>,
    /// Only the keys named, not all that the key agent has.
    pub identities_only: bool,
    /// Socket of the key agent; none turns it off.
    pub identity_agent: Option<PathBuf>,
    pub proxy_command: Option<String>,
    pub strict: Strict,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    /// Name under which the host's key is kept.
    pub host_key_alias: Option<String>,
    pub hash_known_hosts: bool,
    /// Seconds between signs of life, and how many may be missed.
    pub alive_interval: u64,
    pub alive_count: u32,
    pub connect_timeout: u64,
    /// Ways to log in that are turned off.
    pub refused_methods: Vec<&'static str>,
    /// Why only the system's ssh can do what is asked, if so.
    pub beyond: Option<String>,
}

/// `StrictHostKeyChecking`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strict {
    Yes,
    AcceptNew,
    No,
    #[default]
    Ask,
}

impl Options {
    /// Reads the configuration, by the system's `ssh -G` if there is an ssh, else rplay's own reading of it.
    ///
    /// Fails if an argument cannot be understood by either.
    pub fn of(target: &Target) -> Result<Options, Unreachable> {
        let words = arguments(target)?;
        let (said, beyond) = pairs(&words);
        let mut lines = match from_ssh(target, &words) {
            Some(lines) => lines,
            None => {
                let mut lines = said.clone();
                lines.extend(super::config::read(target, &said));
                lines
            }
        };
        if target.ssh.host_key_checking {
            // nothing: ssh's own configuration decides
        } else if !said.iter().any(|(k, _)| k == "stricthostkeychecking") {
            lines.insert(0, ("stricthostkeychecking".into(), "no".into()));
        }
        let mut options = Options::from_lines(target, &lines);
        options.beyond = beyond.or(options.beyond);
        Ok(options)
    }

    /// From `keyword value` pairs, of which the first of a keyword counts.
    fn from_lines(target: &Target, lines: &[(String, String)]) -> Options {
        let first = |name: &str| {
            lines
                .iter()
                .find(|(k, _)| k == name)
                .map(|(_, v)| v.as_str())
        };
        let is_none = |value: &str| value.eq_ignore_ascii_case("none");
        let yes = |name: &str| first(name).is_some_and(|v| matches!(v, "yes" | "true"));
        let number = |name: &str| first(name).and_then(|v| v.parse::<u64>().ok());
        let user = target
            .user
            .clone()
            .or_else(|| first("user").map(str::to_string))
            .or_else(|| std::env::var("USER").ok())
            .or_else(crate::machine::users::name_of_self)
            .unwrap_or_else(|| "root".to_string());
        let hostname = first("hostname").map_or_else(
            || target.address.clone(),
            |name| name.replace("%h", &target.address),
        );
        let port = target
            .port
            .or_else(|| number("port").and_then(|n| n.try_into().ok()))
            .unwrap_or(22);
        let mut options = Options {
            hostname,
            port,
            user,
            ..Options::default()
        };
        let paths = |value: &str, options: &Options| -> Vec<PathBuf> {
            shell_words::split(value)
                .unwrap_or_default()
                .iter()
                .filter(|p| !is_none(p))
                .map(|p| PathBuf::from(crate::expand::home(&options.expand(p, &target.address))))
                .collect()
        };
        let named = target.private_key.clone().into_iter();
        let configured = lines
            .iter()
            .filter(|(k, _)| k == "identityfile")
            .flat_map(|(_, v)| paths(v, &options));
        let mut files: Vec<PathBuf> = Vec::new();
        for file in named.chain(configured) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        if files.is_empty() {
            let usual = ["id_ed25519", "id_ecdsa", "id_rsa"];
            files = usual
                .iter()
                .map(|f| PathBuf::from(crate::expand::home(&format!("~/.ssh/{f}"))))
                .collect();
        }
        options.identity_files = files;
        options.identities_only = yes("identitiesonly");
        options.identity_agent = match first("identityagent") {
            Some(v) if is_none(v) => None,
            Some(v) if v != "SSH_AUTH_SOCK" => paths(v, &options).pop(),
            _ => std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from),
        };
        options.proxy_command = first("proxycommand")
            .filter(|v| !is_none(v))
            .map(|v| options.expand(v, &target.address))
            .or_else(|| {
                let jumps = first("proxyjump").filter(|v| !is_none(v))?;
                Some(options.jump(target, jumps))
            });
        options.strict = match first("stricthostkeychecking") {
            Some("yes" | "true") => Strict::Yes,
            Some("no" | "off" | "false") => Strict::No,
            Some("accept-new") => Strict::AcceptNew,
            _ => Strict::Ask,
        };
        let known = |name: &str, usual: &str| paths(first(name).unwrap_or(usual), &options);
        let user_files = known(
            "userknownhostsfile",
            "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        );
        let global_files = known(
            "globalknownhostsfile",
            "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
        );
        options.user_known_hosts = user_files;
        options.global_known_hosts = global_files;
        options.host_key_alias = first("hostkeyalias").map(str::to_string);
        options.hash_known_hosts = yes("hashknownhosts");
        // a host that has died must not be waited for without end
        options.alive_interval = number("serveraliveinterval")
            .filter(|n| *n > 0)
            .unwrap_or(15);
        options.alive_count = number("serveralivecountmax").map_or(3, |n| n as u32);
        options.connect_timeout = number("connecttimeout")
            .filter(|n| *n > 0)
            .unwrap_or(target.timeout);
        if first("pubkeyauthentication") == Some("no") {
            options.refused_methods.push("publickey");
        }
        if first("passwordauthentication") == Some("no") {
            options.refused_methods.push("password");
        }
        for keyword in ["pkcs11provider", "certificatefile", "knownhostscommand"] {
            if let Some(value) = first(keyword).filter(|v| !is_none(v)) {
                options.beyond = Some(format!("{keyword} {value}"));
            }
        }
        if yes("proxyusefdpass") {
            options.beyond = Some("proxyusefdpass yes".to_string());
        }
        options
    }

    /// `%h`, `%p`, `%r`, `%n`, `%u`, `%d`, `%%` in a value.
    pub fn expand(&self, text: &str, original: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('h') => out.push_str(&self.hostname),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(&self.user),
                Some('n') => out.push_str(original),
                Some('u') => out.push_str(&std::env::var("USER").unwrap_or_default()),
                Some('d') => out.push_str(&crate::expand::home("~")),
                Some('%') => out.push('%'),
                Some(other) => out.extend(['%', other]),
                None => out.push('%'),
            }
        }
        out
    }

    /// `ProxyJump` as the `ProxyCommand` that it stands for.
    fn jump(&self, target: &Target, jumps: &str) -> String {
        let (before, last) = match jumps.rsplit_once(',') {
            Some((before, last)) => (Some(before), last),
            None => (None, jumps),
        };
        let last = last.trim().trim_start_matches("ssh://");
        let (user, rest) = match last.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, last),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, Some(port)),
            _ => (rest, None),
        };
        let mut words = vec![target.ssh.executable.clone()];
        let mut flag = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                words.extend([name.to_string(), value.to_string()]);
            }
        };
        flag("-l", user);
        flag("-p", port);
        flag("-J", before);
        words.extend([
            "-W".to_string(),
            format!("[{}]:{}", self.hostname, self.port),
        ]);
        words.push(host.trim_matches(['[', ']']).to_string());
        shell_words::join(words)
    }
}

/// All arguments for ssh that the target has, split into words.
pub fn arguments(target: &Target) -> Result<Vec<String>, Unreachable> {
    let args = target.ssh.args.as_deref().unwrap_or_default();
    let mut words = Vec::new();
    for (name, text) in [
        ("ssh_args", args),
        ("ssh_common_args", &target.ssh.common_args),
        ("ssh_extra_args", &target.ssh.extra_args),
    ] {
        let split = shell_words::split(text).map_err(|e| {
            Unreachable::new(format!(
                "the value of {name} cannot be split into words: {e}"
            ))
        })?;
        words.extend(split);
    }
    Ok(words)
}

/// Arguments as `keyword value` pairs; and the first that rplay cannot follow.
fn pairs(words: &[String]) -> (Vec<(String, String)>, Option<String>) {
    let (mut pairs, mut beyond) = (Vec::new(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut flags = word.strip_prefix('-').unwrap_or_default();
        if flags.is_empty() {
            beyond.get_or_insert_with(|| word.clone());
            continue;
        }
        while let Some(flag) = flags.chars().next() {
            flags = &flags[flag.len_utf8()..];
            match flag {
                '4' | '6' | 'C' | 'q' | 'v' | 'T' | 't' | 'x' | 'a' | 'A' | 'n' | 'N' | 'k' => {}
                'o' | 'i' | 'p' | 'l' | 'J' | 'F' | 'c' | 'm' | 'S' | 'e' => {
                    let value = match flags.is_empty() {
                        true => words.next().cloned().unwrap_or_default(),
                        false => flags.to_string(),
                    };
                    let pair = match flag {
                        'o' => split_option(&value),
                        'i' => (
                            "identityfile".to_string(),
                            shell_words::quote(&value).into_owned(),
                        ),
                        'p' => ("port".to_string(), value),
                        'l' => ("user".to_string(), value),
                        'J' => ("proxyjump".to_string(), value),
                        'F' => ("configfile".to_string(), value),
                        _ => (format!("-{flag}"), value),
                    };
                    if pair.0 == "canonicalizehostname" {
                        beyond.get_or_insert_with(|| format!("-o {}", pair.0));
                    }
                    pairs.push(pair);
                    break;
                }
                _ => {
                    beyond.get_or_insert_with(|| word.clone());
                    break;
                }
            }
        }
    }
    (pairs, beyond)
}

/// `Key=value`, `Key value` or `Key = value`.
pub fn split_option(text: &str) -> (String, String) {
    let text = text.trim();
    let end = text
        .find(|c: char| c == '=' || c.is_whitespace())
        .unwrap_or(text.len());
    let value = text[end..].trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    (text[..end].to_ascii_lowercase(), value.to_string())
}

/// What `ssh -G` says; none if there is no ssh, or it refuses.
fn from_ssh(target: &Target, words: &[String]) -> Option<Vec<(String, String)>> {
    let mut command = Command::new(&target.ssh.executable);
    command.arg("-G").args(words);
    if let Some(user) = &target.user {
        command.args(["-l", user]);
    }
    if let Some(port) = target.port {
        command.args(["-p", &port.to_string()]);
    }
    let output = command.arg("--").arg(&target.address).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().map(split_option).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(common_args: &str) -> Target {
        let mut target = Target::local("10.0.0.9");
        target.user = Some("ubuntu".to_string());
        target.ssh.common_args = common_args.to_string();
        target.ssh.executable = "/not/there/ssh".to_string();
        target.ssh.host_key_checking = true;
        target
    }

    #[test]
    fn arguments_in_all_spellings() {
        let words = [
            "-oPort=2200",
            "-o",
            "User = bob",
            "-o",
            "IdentitiesOnly yes",
            "-i/k",
            "-qC",
            "-J",
            "jump",
        ];
        let words: Vec<String> = words.map(String::from).to_vec();
        let (pairs, beyond) = pairs(&words);
        let expected = [
            ("port", "2200"),
            ("user", "bob"),
            ("identitiesonly", "yes"),
            ("identityfile", "/k"),
            ("proxyjump", "jump"),
        ];
        let expected = expected.map(|(k, v)| (k.to_string(), v.to_string()));
        assert_eq!((pairs, beyond), (expected.to_vec(), None));
        let tunnel = vec!["-L".to_string(), "80:x:80".to_string()];
        assert_eq!(super::pairs(&tunnel).1.as_deref(), Some("-L"));
    }

    #[test]
    fn a_proxy_command_knows_host_and_port() {
        let args = r#"-o ProxyCommand="ssh -o StrictHostKeyChecking=no -W %h:%p -q ubuntu@jump""#;
        let options = Options::of(&target(args)).unwrap();
        let expected = "ssh -o StrictHostKeyChecking=no -W 10.0.0.9:22 -q ubuntu@jump";
        assert_eq!(options.proxy_command.as_deref(), Some(expected));
        assert_eq!(options.strict, Strict::Ask);
        let jump = Options::of(&target("-J eve@j1:2222,j2")).unwrap();
        let expected = "/not/there/ssh -J eve@j1:2222 -W '[10.0.0.9]:22' j2";
        assert_eq!(jump.proxy_command.as_deref(), Some(expected));
    }
}
