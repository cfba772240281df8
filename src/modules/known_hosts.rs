//! Keys of hosts in files of ssh's, by the host's own `ssh-keygen`.

use super::args::Path;
use super::common::diff;
use super::common::{text, tool};
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text};
use crate::value::Value;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/known_hosts_module.html>
pub struct KnownHosts;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The host: a name, an address, or `[name]:port`.
    #[schemars(extend("aliases" = ["host"]))]
    name: String,
    /// The line of the file: the host, the type of the key and the key. Without it all keys of the host are removed.
    key: Option<String>,
    /// The file.
    #[serde(default = "of_user")]
    path: Path,
    /// Hides the host's name in the file.
    #[serde(default)]
    hash_host: bool,
    #[serde(default)]
    state: State,
}

fn of_user() -> Path {
    Path("~/.ssh/known_hosts".to_string())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// The file before and after; not where all keys of a host are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
    /// The options, except in check mode.
    #[serde(flatten)]
    given: Option<Given>,
}

#[derive(Serialize, JsonSchema)]
struct Given {
    name: String,
    key: Option<String>,
    path: String,
    hash_host: bool,
    state: State,
}

impl Module for KnownHosts {
    const NAME: &'static str = "known_hosts";
    const EXAMPLES: &'static str = "
- name: Know the server that the sources are on
  ansible.builtin.known_hosts:
    path: '{{ folder }}/known_hosts'
    name: git.example.com
    key: git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIzlnSq5ESxLgW0avvPk3j7zLV59hcAPkxrMNdnZMKP2
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let file = KnownHostsFile {
            keygen: tool::find(machine, "ssh-keygen")?,
            host: args.name.to_lowercase(),
            path: &args.path,
        };
        let (changed, diff) = match args.key.as_deref().filter(|k| !k.is_empty()) {
            None if args.state == State::Present => {
                return Err(Failure::new("No key specified when adding a host"));
            }
            _ if args.name.contains(',') => {
                return Err(Failure::new(
                    "Comma separated list of names is not supported. Please pass a single name to lookup in the \
                     known_hosts file.",
                ));
            }
            None => (file.remove_all(machine)?, None),
            Some(key) => {
                let mut line = key.to_string();
                if args.hash_host {
                    line = hashed(&file.host, key);
                }
                if !line.ends_with('\n') {
                    line.push('\n');
                }
                file.check(&line, machine)?;
                let (changed, diff) = file.edit(&line, args.state, machine)?;
                (changed, Some(diff))
            }
        };
        Ok(Returns {
            changed,
            diff,
            given: (!machine.mode.check).then(|| Given {
                path: args.path.0.clone(),
                name: args.name,
                key: args.key,
                hash_host: args.hash_host,
                state: args.state,
            }),
        })
    }
}

/// A line of the file, as far as it says something.
#[derive(Debug, PartialEq)]
struct Entry<'a> {
    /// `@revoked` or `@cert-authority`.
    marker: Option<&'a str>,
    host: &'a str,
    kind: &'a str,
    key: &'a str,
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Entry<'a> {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        let mut next = || words.next().unwrap_or_default();
        Entry {
            marker,
            host: next(),
            kind: next(),
            key: next(),
        }
    }

    /// Whether the file's line says the same. Names that are hidden differ each time; `ssh-keygen` compared them.
    fn is_said_by(&self, found: &Entry<'_>) -> bool {
        let hidden = |host: &str| host.starts_with("|1|");
        let same_host = self.host == found.host || hidden(self.host) && hidden(found.host);
        same_host && (self.marker, self.kind, self.key) == (found.marker, found.kind, found.key)
    }

    /// Whether it takes the place of the file's line: a host has one key of each type, besides marked ones.
    fn replaces(&self, found: &Entry<'_>) -> bool {
        found.marker.is_none() && self.kind == found.kind
    }
}

/// The line with the host's name hidden, as `ssh-keygen -H` hides it.
fn hashed(host: &str, line: &str) -> String {
    let salt = Sha1::digest(crate::secret::random_name());
    let mut words: Vec<String> = line.split_whitespace().map(String::from).collect();
    let at = usize::from(words.first().is_some_and(|word| word.starts_with('@')));
    if let Some(word) = words.get_mut(at) {
        *word = hidden(host, &salt);
    }
    words.join(" ")
}

fn hidden(host: &str, salt: &[u8]) -> String {
    let coded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    // HMAC takes keys of any length
    let mac = Hmac::<Sha1>::new_from_slice(salt).map(|mac| mac.chain_update(host).finalize());
    let mac = mac.map(|mac| coded(&mac.into_bytes())).unwrap_or_default();
    format!("|1|{}|{mac}", coded(salt))
}

struct KnownHostsFile<'a> {
    keygen: String,
    host: String,
    path: &'a Path,
}

impl KnownHostsFile<'_> {
    /// Fails if the line is none that ssh would find under the host's name.
    fn check(&self, line: &str, machine: &Machine) -> Result<(), Failure> {
        let io = |e: std::io::Error| Failure::uncaught(errno_text(&e));
        let file = machine.scratch("", false).map_err(io)?;
        let path = file.to_string_lossy().into_owned();
        let found = machine
            .fill_scratch(&file, line.as_bytes())
            .map_err(io)
            .and_then(|()| tool::probe(machine, [&self.keygen, "-F", &self.host, "-f", &path]));
        machine.drop_scratch(&file);
        match found?.stdout.is_empty() {
            false => Ok(()),
            true => Err(Failure::new(
                "Host parameter does not match hashed host field in supplied key",
            )),
        }
    }

    /// What the file has of the host: numbers of lines, from 1, and the lines.
    fn found(&self, machine: &Machine) -> Result<Vec<(usize, String)>, Failure> {
        if !machine.exists(self.path) {
            return Ok(Vec::new());
        }
        let path = self.path.as_str();
        let output = tool::probe(machine, [&self.keygen, "-F", &self.host, "-f", path])?;
        let (stdout, stderr) = (output.stdout_text(), output.stderr_text());
        let nothing = stdout.is_empty() && stderr.is_empty();
        match output.rc {
            0 => {}
            1 if nothing => return Ok(Vec::new()),
            rc => {
                return Err(Failure::new(format!(
                    "ssh-keygen failed (rc={rc}, stdout='{stdout}',stderr='{stderr}')"
                )));
            }
        }
        // each line comes after one that tells its number
        let (mut found, mut at) = (Vec::new(), None);
        for line in stdout.lines() {
            match line.strip_prefix('#') {
                Some(about) => {
                    let number = about.split_once(" found: line ").map(|(_, rest)| rest);
                    let number = number.and_then(|rest| rest.split_whitespace().next());
                    at = number.and_then(|digits| digits.parse().ok());
                }
                None => found.extend(at.take().map(|at| (at, line.to_string()))),
            }
        }
        Ok(found)
    }

    /// Has all keys of the host removed. Says whether there were any.
    fn remove_all(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let any = !self.found(machine)?.is_empty();
        if any {
            let words = [&self.keygen, "-R", &self.host, "-f", self.path.as_str()];
            let command = tool::command(words);
            let output = tool::perform(machine, &command, "a host's keys are removed")?;
            tool::succeeded(&command, output)?;
        }
        Ok(any)
    }

    /// Puts the line into the file, or takes it out of it. Says whether that changed anything, and what.
    fn edit(
        &self,
        line: &str,
        state: State,
        machine: &mut Machine,
    ) -> Result<(bool, Value), Failure> {
        let new = Entry::of(line);
        let found = self.found(machine)?;
        let place = found.iter().find_map(|(at, old)| {
            let old = Entry::of(old);
            let same = new.is_said_by(&old);
            (same || new.replaces(&old)).then_some((*at, same))
        });
        let path = self.path.as_str();
        let there = machine.exists(self.path);
        let before = match there {
            false => String::new(),
            true => text::decode(&machine.read(self.path).map_err(|e| {
                let why = errno_text(&e);
                Failure::uncaught(format!("Failed to read '{path}': {why}: '{path}'"))
            })?),
        };
        let after = match (state, place) {
            (State::Present, Some((_, true))) | (State::Absent, None) => before.clone(),
            (_, place) => {
                let lines = (1..).zip(before.split_inclusive('\n'));
                let kept = lines.filter(|(at, _)| place.is_none_or(|(gone, _)| gone != *at));
                let mut after: String = kept.map(|(_, line)| line).collect();
                if state == State::Present {
                    // two lines in one would be worth nothing
                    if !after.is_empty() && !after.ends_with('\n') {
                        after.push('\n');
                    }
                    after.push_str(line);
                }
                after
            }
        };
        let changed = before != after;
        if changed {
            self.write(&after, machine)?;
        }
        let header = if there { path } else { "/dev/null" };
        let shown = diff::content(&text::shown(&before), &text::shown(&after), header, path);
        Ok((changed, shown))
    }

    fn write(&self, after: &str, machine: &mut Machine) -> Result<(), Failure> {
        let bytes = text::encode(after);
        // a link becomes a file, with the mode of what it leads to
        let mode = machine.stat(self.path).ok().map(|stat| stat.mode & 0o7777);
        let written = machine.write(self.path, Content::Bytes(&bytes), mode, false);
        written.map(|_| ()).map_err(|e| {
            // what is written first is a temporary file beside it
            let random = crate::secret::random_name();
            let scratch = machine
                .real_path(self.path)
                .with_file_name(format!("tmp{}", &random[..8]));
            Failure::uncaught(format!(
                "Failed to write to file '{}': {}: '{}'",
                self.path.as_str(),
                errno_text(&e),
                scratch.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_as_ssh_hides_them() {
        // of `ssh-keygen -H`
        let salt = BASE64_STANDARD
            .decode("rSk3ZiXORW77igomv293g5vqHko=")
            .unwrap();
        assert_eq!(
            hidden("[h]:2222", &salt),
            "|1|rSk3ZiXORW77igomv293g5vqHko=|qvCMIdE17+nze01KLm+V1Gqn9QE="
        );
        let line = hashed("a", "@revoked a,b ssh-rsa  KEY of me");
        let words: Vec<&str> = line.split(' ').collect();
        assert!(words[1].starts_with("|1|"), "{line}");
        assert_eq!(
            (words[0], &words[2..]),
            ("@revoked", &["ssh-rsa", "KEY", "of", "me"][..])
        );
    }

    #[test]
    fn a_line_is_the_same_or_takes_the_place_of_another() {
        for (new, old, same, replaces) in [
            ("a t K comment", "a  t\tK", true, true),
            ("a,b t K", "a t K", false, true),
            ("a t K", "a t L", false, true),
            ("a t K", "a u K", false, false),
            ("|1|x|y t K", "|1|z|w t K", true, true),
            ("a t K", "|1|z|w t K", false, true),
            ("@revoked a t K", "@revoked a t K", true, false),
            ("@revoked a t K", "a t K", false, true),
            ("a t K", "@cert-authority a t K", false, false),
            ("@revoked a t K", "@revoked a t L", false, false),
        ] {
            let (new_entry, old_entry) = (Entry::of(new), Entry::of(old));
            assert_eq!(new_entry.is_said_by(&old_entry), same, "{new} / {old}");
            assert_eq!(new_entry.replaces(&old_entry), replaces, "{new} / {old}");
        }
    }
}
