//! What ssh's configuration, its arguments and rplay's own settings say of a connection.

use super::args::{self, Given};
use super::config::{self, Lines, words};
use super::{home, local_user, patterns, system};
use crate::connection::{Target, Unreachable};
use std::path::PathBuf;

/// The options of one connection. Names are those of `ssh_config(5)`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `HostName`, or the address given.
    pub hostname: String,
    pub port: u16,
    pub user: String,
    /// Which addresses of a name may be used: only of IPv4 (false) or IPv6 (true).
    pub only_ipv6: Option<bool>,
    /// Key files to try, in order.
    pub identity_files: Vec<PathBuf>,
    /// Only the keys named, not all that the key agent has.
    pub identities_only: bool,
    /// Socket of the key agent; none turns it off.
    pub identity_agent: Option<PathBuf>,
    /// `ProxyCommand`, or the one that `ProxyJump` stands for.
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
    /// Attempts to connect, beside Ansible's `retries`.
    pub attempts: u32,
    /// Ways to log in that are turned off.
    pub refused_methods: Vec<&'static str>,
    /// Whether a login may go by GSSAPI: only the system's ssh can.
    pub gssapi: bool,
    /// The environment that the host is asked to take over.
    pub environment: Vec<(String, String)>,
    pub algorithms: Algorithms,
    /// Why only the system's ssh can do what is asked, if so.
    pub beyond: Option<String>,
}

/// Lists of algorithms, as the configuration writes them; see [`super::algorithms`].
#[derive(Clone, Debug, Default)]
pub struct Algorithms {
    pub kex: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_keys: Option<String>,
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
    /// Reads the configuration.
    ///
    /// Fails if neither rplay nor the system's ssh understands it.
    pub fn of(target: &Target) -> Result<Options, Unreachable> {
        let words = args::words(target)?;
        let given = Given::of(&words);
        let found = config::read(target, &given.lines);
        let mut beyond = given.beyond;
        let mut lines = match found.unclear {
            // the system's ssh is used anyway
            _ if beyond.is_some() => found.lines,
            None => found.lines,
            Some(unclear) => match system::configuration(target, &words)? {
                Some(lines) => lines,
                None => {
                    beyond = Some(unclear);
                    found.lines
                }
            },
        };
        // Ansible gives these as arguments, after the user's: before what the files say
        let mut ours = vec![("connecttimeout".to_string(), target.timeout.to_string())];
        if !target.ssh.host_key_checking {
            ours.push(("stricthostkeychecking".to_string(), "no".to_string()));
        }
        let said = |keyword: &str| given.lines.iter().any(|(k, _)| k == keyword);
        for (keyword, value) in ours {
            if !said(&keyword) {
                lines.insert(0, (keyword, value));
            }
        }
        let mut options = Options::from_lines(target, &lines);
        options.beyond = beyond.or(options.beyond);
        Ok(options)
    }

    fn from_lines(target: &Target, lines: &Lines) -> Options {
        let said = Said(lines);
        let user = target
            .user
            .clone()
            .or_else(|| said.word("user"))
            .unwrap_or_else(local_user);
        let port = target
            .port
            .or_else(|| said.number("port").and_then(|n| n.try_into().ok()))
            .unwrap_or(22);
        let mut options = Options {
            hostname: target.address.clone(),
            port,
            user,
            ..Options::default()
        };
        if let Some(name) = said.word("hostname") {
            options.hostname = options.expand(&name, &target.address);
        }
        options.host_key_alias = said.word("hostkeyalias").filter(|v| !is_none(v));
        options.only_ipv6 = match said.word("addressfamily").as_deref() {
            Some("inet") => Some(false),
            Some("inet6") => Some(true),
            _ => None,
        };
        options.keys(target, &said);
        let command = said.first("proxycommand").filter(|v| !is_none(v));
        let jump = said.word("proxyjump").filter(|v| !is_none(v));
        // of the two the first counts
        let place = |keyword| lines.iter().position(|(k, _)| k == keyword);
        let by_command = match (place("proxycommand"), place("proxyjump")) {
            (Some(command), Some(jump)) => command < jump,
            (command, _) => command.is_some(),
        };
        options.proxy_command = match by_command {
            true => command.map(|v| options.expand(v, &target.address)),
            false => jump.map(|hops| options.jump(target, &said, &hops)),
        };
        options.host_keys(target, &said);
        // a host that has died must not be waited for without end
        let interval = said.number("serveraliveinterval").filter(|n| *n > 0);
        options.alive_interval = interval.unwrap_or(15);
        let count = said.number("serveralivecountmax");
        options.alive_count = count.and_then(|n| n.try_into().ok()).unwrap_or(3);
        let timeout = said.word("connecttimeout").and_then(|v| seconds(&v));
        options.connect_timeout = timeout.filter(|n| *n > 0).unwrap_or(target.timeout);
        let attempts = said.number("connectionattempts");
        options.attempts = attempts.and_then(|n| n.try_into().ok()).unwrap_or(1);
        options.methods(&said);
        options.environment = environment(&said, std::env::vars());
        options.algorithms = Algorithms {
            kex: said.word("kexalgorithms"),
            ciphers: said.word("ciphers"),
            macs: said.word("macs"),
            host_keys: said.word("hostkeyalgorithms"),
        };
        // a keyword that is not known at all is one that only `ssh -G` says: all that counts is known
        if let Some((keyword, value)) = lines.iter().find(|(k, v)| config::is_named_beyond(k, v)) {
            options.beyond = Some(format!("{keyword} {value}"));
        }
        options
    }

    fn keys(&mut self, target: &Target, said: &Said<'_>) {
        let named = target.private_key.clone().into_iter();
        let configured = said
            .all("identityfile")
            .flat_map(|v| self.paths(v, target))
            .collect::<Vec<_>>();
        let mut files: Vec<PathBuf> = Vec::new();
        for file in named.chain(configured) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        if files.is_empty() {
            let usual = [
                "id_rsa",
                "id_ecdsa",
                "id_ecdsa_sk",
                "id_ed25519",
                "id_ed25519_sk",
            ];
            files = usual.map(|f| home(&format!("~/.ssh/{f}"))).to_vec();
        }
        self.identity_files = files;
        self.identities_only = said.yes("identitiesonly");
        let usual = || std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        self.identity_agent = match said.word("identityagent") {
            Some(v) if is_none(&v) => None,
            Some(v) if v == "SSH_AUTH_SOCK" => usual(),
            Some(v) => match v.strip_prefix('$').filter(|name| !name.starts_with('{')) {
                Some(name) => std::env::var_os(name).map(PathBuf::from),
                None => self.paths(&shell_words::quote(&v), target).pop(),
            },
            None => usual(),
        };
    }

    fn host_keys(&mut self, target: &Target, said: &Said<'_>) {
        self.strict = match said.word("stricthostkeychecking").as_deref() {
            Some("yes" | "true") => Strict::Yes,
            Some("no" | "off" | "false") => Strict::No,
            Some("accept-new") => Strict::AcceptNew,
            _ => Strict::Ask,
        };
        let files =
            |keyword: &str, usual: &str| self.paths(said.first(keyword).unwrap_or(usual), target);
        let user = files(
            "userknownhostsfile",
            "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        );
        let global = files(
            "globalknownhostsfile",
            "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
        );
        self.user_known_hosts = user;
        self.global_known_hosts = global;
        self.hash_known_hosts = said.yes("hashknownhosts");
    }

    fn methods(&mut self, said: &Said<'_>) {
        let preferred = said.word("preferredauthentications");
        for (method, keyword) in [
            ("publickey", "pubkeyauthentication"),
            ("password", "passwordauthentication"),
            ("keyboard-interactive", "kbdinteractiveauthentication"),
            ("gssapi-with-mic", "gssapiauthentication"),
        ] {
            let left_out = preferred
                .as_ref()
                .is_some_and(|list| !list.split(',').any(|m| m.trim() == method));
            if left_out || said.no(keyword) {
                self.refused_methods.push(method);
            }
        }
        self.gssapi =
            said.yes("gssapiauthentication") && !self.refused_methods.contains(&"gssapi-with-mic");
    }

    fn paths(&self, value: &str, target: &Target) -> Vec<PathBuf> {
        words(value)
            .iter()
            .filter(|p| !is_none(p))
            .map(|p| {
                let text = self.expand(&crate::expand::variables(p), &target.address);
                home(&text)
            })
            .collect()
    }

    /// `%h`, `%p`, `%r`, `%n` and the others of `ssh_config(5)`, section "TOKENS".
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
                Some('k') => out.push_str(self.host_key_alias.as_deref().unwrap_or(original)),
                Some('u') => out.push_str(&local_user()),
                Some('i') => out.push_str(&rustix::process::getuid().as_raw().to_string()),
                Some('d') => out.push_str(&home("~").to_string_lossy()),
                Some(token @ ('l' | 'L')) => {
                    let node = rustix::system::uname();
                    let node = node.nodename().to_string_lossy();
                    out.push_str(match token {
                        'L' => node.split('.').next().unwrap_or_default(),
                        _ => &node,
                    });
                }
                Some('%') => out.push('%'),
                Some(other) => out.extend(['%', other]),
                None => out.push('%'),
            }
        }
        out
    }

    /// `ProxyJump` as the `ProxyCommand` that it stands for.
    fn jump(&self, target: &Target, said: &Said<'_>, hops: &str) -> String {
        let (before, last) = match hops.rsplit_once(',') {
            Some((before, last)) => (Some(before), last),
            None => (None, hops),
        };
        let last = last.trim().trim_start_matches("ssh://");
        let (user, rest) = match last.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, last),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // an address of IPv6 with no port has colons too
            Some((host, port))
                if port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')) =>
            {
                (host, Some(port))
            }
            _ => (rest, None),
        };
        let mut words = vec![system::program(target).to_string()];
        let mut flag = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                words.extend([name.to_string(), value.to_string()]);
            }
        };
        flag("-F", said.first("configfile"));
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

/// Lines of a configuration.
struct Said<'a>(&'a Lines);

impl Said<'_> {
    fn all(&self, keyword: &str) -> impl Iterator<Item = &str> {
        let lines = self.0.iter().filter(move |(k, _)| k == keyword);
        lines.map(|(_, v)| v.as_str())
    }

    fn first(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).next()
    }

    /// A value of one word, without its quotes.
    fn word(&self, keyword: &str) -> Option<String> {
        self.first(keyword)
            .and_then(|v| words(v).into_iter().next())
    }

    fn number(&self, keyword: &str) -> Option<u64> {
        self.word(keyword)?.parse().ok()
    }

    fn yes(&self, keyword: &str) -> bool {
        matches!(self.word(keyword).as_deref(), Some("yes" | "true"))
    }

    fn no(&self, keyword: &str) -> bool {
        matches!(self.word(keyword).as_deref(), Some("no" | "false"))
    }
}

fn is_none(value: &str) -> bool {
    value.eq_ignore_ascii_case("none")
}

/// A time as `sshd_config(5)` writes it: `90`, `1m30s`.
fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut number) = (0u64, None::<u64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let shifted = number.unwrap_or(0).checked_mul(10)?;
            number = Some(shifted.checked_add(digit.into())?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}

/// `SetEnv`, and what `SendEnv` picks from rplay's own environment.
fn environment(
    said: &Said<'_>,
    own: impl Iterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let set = said.first("setenv").map(words).unwrap_or_default();
    let mut found: Vec<(String, String)> = set
        .iter()
        .filter_map(|w| w.split_once('='))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut patterns: Vec<String> = Vec::new();
    for word in said.all("sendenv").flat_map(words) {
        match word.strip_prefix('-') {
            Some(dropped) => patterns.retain(|p| !patterns::matches(dropped, p)),
            None => patterns.push(word),
        }
    }
    for (name, value) in own {
        let sent = patterns.iter().any(|p| patterns::matches(p, &name));
        if sent && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(common_args: &str) -> Options {
        let mut target = Target::local("10.0.0.9");
        target.user = Some("ubuntu".to_string());
        target.ssh.common_args = format!("-F none {common_args}");
        target.ssh.executable = "/not/there/ssh".to_string();
        target.ssh.host_key_checking = true;
        Options::of(&target).unwrap()
    }

    #[test]
    fn a_proxy_command_knows_host_and_port() {
        let args = r#"-o ProxyCommand="ssh -o StrictHostKeyChecking=no -W %h:%p -q ubuntu@jump""#;
        let expected = "ssh -o StrictHostKeyChecking=no -W 10.0.0.9:22 -q ubuntu@jump";
        assert_eq!(options(args).proxy_command.as_deref(), Some(expected));
        assert_eq!(options(args).strict, Strict::Ask);
        let cases = [
            (
                "-J eve@j1:2222,j2",
                "/not/there/ssh -F none -J eve@j1:2222 -W '[10.0.0.9]:22' j2",
            ),
            (
                "-J eve@[::1]:22",
                "/not/there/ssh -F none -l eve -p 22 -W '[10.0.0.9]:22' '::1'",
            ),
            (
                "-o ProxyJump=j -o ProxyCommand=x",
                "/not/there/ssh -F none -W '[10.0.0.9]:22' j",
            ),
        ];
        for (args, expected) in cases {
            let command = options(args).proxy_command.unwrap();
            assert_eq!(
                command.replace("'::1'", "::1"),
                expected.replace("'::1'", "::1")
            );
        }
        assert_eq!(options("-o ProxyCommand=none -J j").proxy_command, None);
    }

    #[test]
    fn values_are_those_of_ssh_config() {
        let it = options(
            "-o ConnectTimeout=1m30s -o 'HostName=%h.example' -o PreferredAuthentications=password \
             -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile='\"/a b\" /c_%r' -4 \
             -o IdentityFile=/k/%n -o IdentityAgent=none",
        );
        assert_eq!(it.connect_timeout, 90);
        assert_eq!(it.hostname, "10.0.0.9.example");
        assert_eq!(it.strict, Strict::AcceptNew);
        assert_eq!(
            it.user_known_hosts,
            ["/a b", "/c_ubuntu"].map(PathBuf::from)
        );
        assert_eq!(it.identity_files, [PathBuf::from("/k/10.0.0.9")]);
        assert_eq!((it.only_ipv6, it.identity_agent), (Some(false), None));
        let refused = ["publickey", "keyboard-interactive", "gssapi-with-mic"];
        assert_eq!(it.refused_methods, refused);
        assert_eq!(it.beyond, None);
        let beyond = options("-o ForwardAgent=yes").beyond.unwrap();
        assert_eq!(beyond, "the option ForwardAgent=yes");
    }

    #[test]
    fn the_environment_that_is_sent() {
        let lines = [
            ("sendenv", "LANG LC_*"),
            ("sendenv", "-LC_X"),
            ("setenv", "A=\"b c\" LANG=x"),
        ];
        let lines = lines.map(|(k, v)| (k.to_string(), v.to_string())).to_vec();
        let own = [("LANG", "C"), ("LC_ALL", "C"), ("HOME", "/")];
        let own = own.map(|(k, v)| (k.to_string(), v.to_string()));
        let expected = [("A", "b c"), ("LANG", "x"), ("LC_ALL", "C")];
        let expected = expected.map(|(k, v)| (k.to_string(), v.to_string()));
        assert_eq!(environment(&Said(&lines), own.into_iter()), expected);
    }
}
