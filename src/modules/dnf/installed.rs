//! The packages that rpm says are installed, and whether one that the user names is among them.

use super::evr;
use crate::machine::{Machine, glob};
use crate::modules::Failure;
use crate::modules::common::tool;
use std::cmp::Ordering;

/// An installed package.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    pub name: String,
    epoch: String,
    version: String,
    release: String,
    arch: String,
}

impl Package {
    /// `version-release`, with the epoch before it if there is one.
    pub fn evr(&self) -> String {
        let epoch = match self.epoch.as_str() {
            "0" => String::new(),
            epoch => format!("{epoch}:"),
        };
        format!("{epoch}{}-{}", self.version, self.release)
    }

    /// As results name it.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr(), self.arch)
    }

    /// Whether this text names it, in one of the ways that dnf knows.
    fn is_named(&self, text: &str) -> bool {
        let Package {
            name,
            epoch,
            version,
            release,
            arch,
        } = self;
        [
            name.clone(),
            format!("{name}.{arch}"),
            format!("{name}-{version}"),
            format!("{name}-{version}-{release}"),
            format!("{name}-{version}-{release}.{arch}"),
            format!("{name}-{epoch}:{version}"),
            format!("{name}-{epoch}:{version}-{release}"),
            format!("{name}-{epoch}:{version}-{release}.{arch}"),
            format!("{epoch}:{name}-{version}-{release}.{arch}"),
        ]
        .iter()
        .any(|form| form == text || glob::name_matches(text, form.as_ref()))
    }
}

/// Whether the text is a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// `name >= 1.0` in its parts.
pub fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [
            name,
            operator @ ("=" | "==" | "<" | "<=" | ">" | ">="),
            version,
        ] => Some((name, operator, version)),
        _ => None,
    }
}

/// All that is installed.
pub struct Installed {
    pub packages: Vec<Package>,
    root: Vec<String>,
}

impl Installed {
    /// Asks rpm, about another root if one is named.
    pub fn ask(machine: &Machine, root: &str) -> Result<Installed, Failure> {
        let rpm = tool::find(machine, "rpm")?;
        let mut words = vec![rpm];
        if root != "/" {
            words.push(format!("--root={root}"));
        }
        let format = "%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n";
        let all = ["-qa", "--qf", format].map(String::from);
        let output = tool::probe(machine, words.iter().cloned().chain(all))?;
        if output.rc != 0 {
            let msg = format!("rpm -qa failed: {}", output.stderr_text());
            return Err(Failure::new(msg).with("rc", output.rc));
        }
        Ok(Installed {
            packages: parse(&output.stdout_text()),
            root: words,
        })
    }

    /// The installed packages that the text names.
    pub fn named(&self, text: &str) -> Vec<&Package> {
        let Some((name, operator, version)) = comparison(text) else {
            return self.packages.iter().filter(|p| p.is_named(text)).collect();
        };
        let meets = |p: &&Package| {
            let order = evr::compare(&p.evr(), version);
            p.name == name
                && match operator {
                    "<" => order == Ordering::Less,
                    "<=" => order != Ordering::Greater,
                    ">" => order == Ordering::Greater,
                    ">=" => order != Ordering::Less,
                    _ => order == Ordering::Equal,
                }
        };
        self.packages.iter().filter(meets).collect()
    }

    /// Whether something is installed that the text names, or that provides it.
    pub fn has(&self, machine: &Machine, text: &str) -> Result<bool, Failure> {
        if !self.named(text).is_empty() {
            return Ok(true);
        }
        if is_pattern(text) || comparison(text).is_some() {
            return Ok(false);
        }
        let ask = ["-q", "--whatprovides", text].map(String::from);
        let output = tool::probe(machine, self.root.iter().cloned().chain(ask))?;
        Ok(output.rc == 0)
    }
}

fn parse(text: &str) -> Vec<Package> {
    let package = |line: &str| {
        let mut fields = line.split('\t').map(String::from);
        Some(Package {
            name: fields.next()?,
            epoch: fields.next()?,
            version: fields.next()?,
            release: fields.next()?,
            arch: fields.next()?,
        })
    };
    text.lines().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_in_all_ways_to_name_them() {
        let installed = Installed {
            packages: parse("a\t0\t1.0\t1\tnoarch\nb-c\t2\t3.1\t4.el9\tx86_64\n"),
            root: Vec::new(),
        };
        for (text, found) in [
            ("a", "a-1.0-1.noarch"),
            ("a.noarch", "a-1.0-1.noarch"),
            ("a-1.0", "a-1.0-1.noarch"),
            ("a-1.1", ""),
            ("b-c", "b-c-2:3.1-4.el9.x86_64"),
            ("b-c-3.1-4.el9.x86_64", "b-c-2:3.1-4.el9.x86_64"),
            ("b-*", "b-c-2:3.1-4.el9.x86_64"),
            ("a >= 0.9", "a-1.0-1.noarch"),
            ("a = 1.0", "a-1.0-1.noarch"),
            ("a > 1.0", ""),
            ("b-c < 5.0", ""),
            ("b", ""),
        ] {
            let names: Vec<String> = installed.named(text).iter().map(|p| p.nevra()).collect();
            assert_eq!(names.join(" "), found, "{text}");
        }
    }
}
