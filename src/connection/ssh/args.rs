//! The arguments that users give for ssh (`ansible_ssh_common_args` and its kin), as configuration.

use super::config::{Lines, is_beyond, split_option};
use crate::connection::{Target, Unreachable};

/// All arguments for ssh that the target has, split into words. Those of each kind follow Ansible's order.
pub fn words(target: &Target) -> Result<Vec<String>, Unreachable> {
    let mut words = Vec::new();
    for (name, text) in [
        ("ssh_args", target.ssh.args.as_deref().unwrap_or_default()),
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
    if let Some(library) = &target.ssh.pkcs11 {
        words.extend(["-o".to_string(), format!("PKCS11Provider={library}")]);
    }
    Ok(words)
}

/// What arguments say.
#[derive(Debug, Default, PartialEq)]
pub struct Given {
    pub lines: Lines,
    /// The first that only the system's ssh can follow.
    pub beyond: Option<String>,
}

impl Given {
    pub fn of(words: &[String]) -> Given {
        let mut given = Given::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some(flags) if !flags.is_empty() => given.flags(word, flags, &mut words),
                _ => given.refuse(format!("the argument {word}")),
            }
        }
        given
    }

    /// One word: flags that may be joined, the last of which may have a value.
    fn flags<'a>(&mut self, word: &str, flags: &str, words: &mut impl Iterator<Item = &'a String>) {
        for (at, flag) in flags.char_indices() {
            match flag {
                // of no meaning for what rplay does: more words, compression, no X11, no agent, no terminal
                'v' | 'q' | 'C' | 'x' | 'a' | 'k' | 'T' | 't' | 'n' | 'y' | 'M' => {}
                '4' => self.set("addressfamily", "inet"),
                '6' => self.set("addressfamily", "inet6"),
                'A' => self.option("ForwardAgent=yes"),
                'o' | 'i' | 'p' | 'l' | 'J' | 'F' | 'c' | 'm' | 'S' | 'e' | 'E' => {
                    let value = match &flags[at + 1..] {
                        "" => words.next().map(String::as_str).unwrap_or_default(),
                        joined => joined,
                    };
                    match flag {
                        'o' => self.option(value),
                        'i' => self.set("identityfile", &shell_words::quote(value)),
                        'p' => self.set("port", value),
                        'l' => self.set("user", value),
                        'J' => self.set("proxyjump", value),
                        'F' => self.set("configfile", value),
                        'c' => self.set("ciphers", value),
                        'm' => self.set("macs", value),
                        // a control socket, an escape character, a log file
                        _ => {}
                    }
                    return;
                }
                _ => return self.refuse(format!("the argument {word}")),
            }
        }
    }

    fn option(&mut self, text: &str) {
        let (keyword, value) = split_option(text);
        if is_beyond(&keyword, &value) {
            self.refuse(format!("the option {text}"));
        }
        self.lines.push((keyword, value));
    }

    fn set(&mut self, keyword: &str, value: &str) {
        self.lines.push((keyword.to_string(), value.to_string()));
    }

    fn refuse(&mut self, what: String) {
        self.beyond.get_or_insert(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Given {
        Given::of(&words.iter().map(|w| w.to_string()).collect::<Vec<_>>())
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
            "-qC4J",
            "jump",
            "-o",
            "ControlPath=/x/%h",
        ];
        let expected = [
            ("port", "2200"),
            ("user", "bob"),
            ("identitiesonly", "yes"),
            ("identityfile", "/k"),
            ("addressfamily", "inet"),
            ("proxyjump", "jump"),
            ("controlpath", "/x/%h"),
        ];
        let lines = expected.map(|(k, v)| (k.to_string(), v.to_string()));
        let expected = Given {
            lines: lines.to_vec(),
            beyond: None,
        };
        assert_eq!(given(&words), expected);
    }

    #[test]
    fn what_only_the_systems_ssh_does_is_named() {
        let cases: &[(&[&str], &str)] = &[
            (&["-L", "80:x:80"], "the argument -L"),
            (&["-A"], "the option ForwardAgent=yes"),
            (
                &["-o", "PKCS11Provider=/x.so"],
                "the option PKCS11Provider=/x.so",
            ),
            (&["-o", "Frobnicate=1"], "the option Frobnicate=1"),
            (&["host"], "the argument host"),
        ];
        for (words, expected) in cases {
            assert_eq!(given(words).beyond.as_deref(), Some(*expected));
        }
        assert_eq!(given(&["-o", "ForwardAgent=no"]).beyond, None);
    }
}
