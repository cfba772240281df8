//! ssh's configuration files, as `ssh_config(5)` describes them.
//!
//! rplay reads them itself: asking the system's ssh (`ssh -G`) costs a process per host. It is asked where a
//! file holds what rplay does not know, such as `Match exec`.

use super::patterns;
use crate::connection::Target;
use std::path::{Path, PathBuf};

/// Keywords, in small letters, and their values. Of most keywords the first counts.
pub type Lines = Vec<(String, String)>;

/// Keywords that [`super::Options`] follows.
const FOLLOWED: &[&str] = &[
    "addressfamily",
    "ciphers",
    "configfile",
    "connectionattempts",
    "connecttimeout",
    "globalknownhostsfile",
    "hashknownhosts",
    "hostkeyalgorithms",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "kexalgorithms",
    "macs",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

/// Keywords that change nothing of what rplay does over a connection.
const HARMLESS: &[&str] = &[
    "addkeystoagent",
    "batchmode",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "casignaturealgorithms",
    "channeltimeout",
    "checkhostip",
    "clearallforwardings",
    "compression",
    "compressionlevel",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "enableescapecommandline",
    "enablesshkeysign",
    "escapechar",
    "exitonforwardfailure",
    "fingerprinthash",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    // used by the system's ssh if a login fails without it
    "gssapiauthentication",
    "gssapidelegatecredentials",
    "gssapikexalgorithms",
    "gssapirenewalforcesrekey",
    "gssapitrustdns",
    "hostbasedacceptedalgorithms",
    "hostbasedkeytypes",
    "ignoreunknown",
    "ipqos",
    "localcommand",
    "loglevel",
    "logverbose",
    "numberofpasswordprompts",
    "obscurekeystroketiming",
    "permitremoteopen",
    "protocol",
    "pubkeyacceptedalgorithms",
    "rekeylimit",
    "requesttty",
    "requiredrsasize",
    "securitykeyprovider",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tag",
    "tcpkeepalive",
    "tunneldevice",
    "updatehostkeys",
    "visualhostkey",
    "warnweakcrypto",
    "xauthlocation",
];

/// Keywords that only the system's ssh can follow, unless they are turned off.
const BEYOND: &[&str] = &[
    "bindaddress",
    "bindinterface",
    "canonicalizehostname",
    "certificatefile",
    "dynamicforward",
    "forkafterauthentication",
    "forwardagent",
    "gssapikeyexchange",
    "hostbasedauthentication",
    "knownhostscommand",
    "localforward",
    "nohostauthenticationforlocalhost",
    "permitlocalcommand",
    "pkcs11provider",
    "proxyusefdpass",
    "remotecommand",
    "remoteforward",
    "revokedhostkeys",
    "sessiontype",
    "stdinnull",
    "tunnel",
    "verifyhostkeydns",
];

/// Whether only the system's ssh can follow an option. One that it does not know either, it refuses.
pub fn is_beyond(keyword: &str, value: &str) -> bool {
    let known = FOLLOWED.contains(&keyword) || HARMLESS.contains(&keyword);
    !known && (!BEYOND.contains(&keyword) || is_named_beyond(keyword, value))
}

/// Whether an option is one of those that only the system's ssh follows, and turned on.
pub fn is_named_beyond(keyword: &str, value: &str) -> bool {
    let off = ["no", "false", "none", "default", ""];
    BEYOND.contains(&keyword) && !off.contains(&value.to_ascii_lowercase().as_str())
}

/// `Key=value`, `Key value` or `Key = value`, with the keyword's newest name.
pub fn split_option(text: &str) -> (String, String) {
    let text = text.trim();
    let end = text
        .find(|c: char| c == '=' || c.is_whitespace())
        .unwrap_or(text.len());
    let value = text[end..].trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    let keyword = text[..end].to_ascii_lowercase();
    let keyword = match keyword.as_str() {
        "challengeresponseauthentication" | "skeyauthentication" | "tisauthentication" => {
            "kbdinteractiveauthentication"
        }
        "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms",
        "identityfile2" => "identityfile",
        _ => return (keyword, value.to_string()),
    };
    (keyword.to_string(), value.to_string())
}

/// What the files say of a target.
#[derive(Debug, Default)]
pub struct Found {
    pub lines: Lines,
    /// What rplay does not understand of them: `ssh -G` does.
    pub unclear: Option<String>,
}

/// Reads the files. `given` are the arguments: `-F` names another file, and they count before the files.
pub fn read(target: &Target, given: &Lines) -> Found {
    let named = given.iter().find(|(k, _)| k == "configfile");
    let files: Vec<PathBuf> = match named {
        Some((_, none)) if none.eq_ignore_ascii_case("none") => Vec::new(),
        Some((_, file)) => vec![super::home(file)],
        None => vec![super::home("~/.ssh/config"), "/etc/ssh/ssh_config".into()],
    };
    let mut reader = Reader {
        target,
        found: Found {
            lines: given.clone(),
            unclear: None,
        },
        ignored: Vec::new(),
    };
    for file in files {
        reader.file(&file, true, 0);
    }
    reader.found
}

struct Reader<'a> {
    target: &'a Target,
    found: Found,
    /// `IgnoreUnknown`
    ignored: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, mut holds: bool, depth: u32) {
        // files may include each other
        if depth > 16 {
            return self.unclear(format!("Include in {}", path.display()));
        }
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(_) => return self.unclear(path.display().to_string()),
        };
        for line in String::from_utf8_lossy(&text).lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (keyword, value) = split_option(line);
            match keyword.as_str() {
                "host" => holds = patterns::any_of(words(&value), &self.target.address),
                "match" => holds = self.matches(&value),
                // an Include within a block that does not hold can still not hold
                "include" if holds => self.include(path, &value, depth),
                "ignoreunknown" if holds => {
                    let names = value.split(',').map(|n| n.trim().to_ascii_lowercase());
                    self.ignored.extend(names);
                }
                _ if holds => self.line(path, keyword, value),
                _ => {}
            }
        }
    }

    fn line(&mut self, path: &Path, keyword: String, value: String) {
        let known = [FOLLOWED, HARMLESS, BEYOND]
            .iter()
            .any(|list| list.contains(&keyword.as_str()));
        if !known && !self.ignored.iter().any(|p| patterns::matches(p, &keyword)) {
            self.unclear(format!("{keyword} in {}", path.display()));
        }
        if known {
            self.found.lines.push((keyword, value));
        }
    }

    fn unclear(&mut self, what: String) {
        self.found.unclear.get_or_insert(what);
    }

    fn include(&mut self, from: &Path, value: &str, depth: u32) {
        let base = match from.starts_with("/etc") {
            true => PathBuf::from("/etc/ssh"),
            false => super::home("~/.ssh"),
        };
        for word in words(value) {
            let pattern = base.join(super::home(&word));
            let pattern = pattern.to_string_lossy();
            let mut files = crate::machine::Machine::default().matches(&pattern, None);
            files.sort();
            for file in files {
                self.file(&file, true, depth + 1);
            }
        }
    }

    fn matches(&mut self, value: &str) -> bool {
        let local = super::local_user();
        let words = words(value);
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (criterion, wanted) = match word.strip_prefix('!') {
                Some(criterion) => (criterion, false),
                None => (word, true),
            };
            // also `host=name`
            let (criterion, joined) = match criterion.split_once('=') {
                Some((criterion, value)) => (criterion, Some(value)),
                None => (criterion, None),
            };
            let criterion = criterion.to_ascii_lowercase();
            let name = match criterion.as_str() {
                "all" => {
                    if !wanted {
                        return false;
                    }
                    continue;
                }
                "host" => self
                    .first("hostname")
                    .unwrap_or(&self.target.address)
                    .to_string(),
                "originalhost" => self.target.address.clone(),
                "user" => {
                    let user = self.target.user.as_deref().or(self.first("user"));
                    user.unwrap_or(&local).to_string()
                }
                "localuser" => local.clone(),
                // "exec" runs a program, "final" and "canonical" mean a second reading
                _ => {
                    self.unclear(format!("Match {criterion}"));
                    return false;
                }
            };
            let patterns = joined.or_else(|| words.next()).unwrap_or_default();
            if patterns::any_of(patterns.split(','), &name) != wanted {
                return false;
            }
        }
        true
    }

    fn first(&self, keyword: &str) -> Option<&str> {
        let mut lines = self.found.lines.iter();
        lines.find(|(k, _)| k == keyword).map(|(_, v)| v.as_str())
    }
}

/// Words of a value, of which some may be quoted; a comment may follow them.
pub fn words(value: &str) -> Vec<String> {
    let words = shell_words::split(value)
        .unwrap_or_else(|_| value.split_whitespace().map(str::to_string).collect());
    words
        .into_iter()
        .take_while(|w| !w.starts_with('#'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, user: Option<&str>) -> (Vec<String>, Option<String>) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(
            &file,
            text.replace("@dir@", &dir.path().display().to_string()),
        )
        .unwrap();
        std::fs::write(dir.path().join("more"), "Host *\nPort 7\n").unwrap();
        let given = vec![("configfile".to_string(), file.display().to_string())];
        let mut target = Target::local("10.0.0.9");
        target.user = user.map(str::to_string);
        let found = read(&target, &given);
        let lines = found.lines.iter().skip(1);
        (
            lines.map(|(k, v)| format!("{k}={v}")).collect(),
            found.unclear,
        )
    }

    #[test]
    fn the_blocks_that_hold_are_read() {
        let cases: &[(&str, &[&str])] = &[
            ("Port 1\nHost 10.* !10.0.0.9\n User no", &["port=1"]),
            ("Host 10.0.0.?\n  User=bob\n", &["user=bob"]),
            ("Host x 10.0.0.9 # mine\nUser bob", &["user=bob"]),
            (
                "User bob\nMatch host 10.0.0.9 user b*\nPort 2",
                &["user=bob", "port=2"],
            ),
            (
                "Match !host 10.0.0.9\nPort 2\nMatch all\nPort 3",
                &["port=3"],
            ),
            (
                "HostName real\nMatch host real\nPort 3",
                &["hostname=real", "port=3"],
            ),
            ("Match originalhost=x,10.0.0.9\nPort 3", &["port=3"]),
            ("Host nope\nInclude @dir@/more", &[]),
            ("Include @dir@/mo*\nPort 8", &["port=7", "port=8"]),
            ("IgnoreUnknown Foo*\nFooBar 1\nPort 1", &["port=1"]),
        ];
        for (text, expected) in cases {
            let (lines, unclear) = read_text(text, None);
            assert_eq!(
                (
                    lines.iter().map(String::as_str).collect::<Vec<_>>(),
                    unclear
                ),
                (expected.to_vec(), None),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, expected) in [
            ("Match exec true\nPort 1", "Match exec"),
            ("Match final\nPort 1", "Match final"),
        ] {
            assert_eq!(read_text(text, None).1.as_deref(), Some(expected));
        }
        assert!(
            read_text("Frobnicate yes", None)
                .1
                .unwrap()
                .starts_with("frobnicate in")
        );
        assert_eq!(read_text("Host x\nFrobnicate yes", None).1, None);
    }
}
