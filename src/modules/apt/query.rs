//! What apt and dpkg know of packages, asked of `apt-cache` and `dpkg-query`.

use super::request::{Request, Wanted};
use super::version;
use crate::machine::{Command, Machine, errno_text, glob};
use crate::modules::Failure;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What is known of one package.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// The installed version; not that of a package that is broken or half removed.
    pub installed: Option<String>,
    /// Whether anything of it is there: the package, or only its configuration.
    pub has_files: bool,
    /// The version that apt would install.
    pub candidate: Option<String>,
    /// All versions that there are.
    pub versions: Vec<String>,
}

/// How a package is, compared with a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub installed: bool,
    /// The installed version is one that will do.
    pub matches: bool,
    /// The version to install; none for a virtual package.
    pub best: Option<String>,
    /// `best` is another than the installed one, and newer.
    pub newer: bool,
    pub has_files: bool,
}

/// A view on apt's lists.
pub struct Lists<'a> {
    machine: &'a Machine,
    /// `APT::Default-Release`.
    release: Option<&'a str>,
    known: HashMap<String, Package>,
}

impl<'a> Lists<'a> {
    /// What is known of these names; patterns are left out.
    pub fn of(
        machine: &'a Machine,
        release: Option<&'a str>,
        requests: &[Request],
    ) -> Result<Lists<'a>, Failure> {
        let mut lists = Lists {
            machine,
            release,
            known: HashMap::new(),
        };
        let names: Vec<&str> = requests
            .iter()
            .filter(|r| !r.is_pattern() && !r.name.is_empty())
            .map(|r| r.name.as_str())
            .collect();
        lists.load(&names)?;
        Ok(lists)
    }

    /// The requests, with one for each package that a pattern means.
    pub fn expand(&mut self, requests: Vec<Request>) -> Result<Vec<Request>, Failure> {
        let mut all: Option<Vec<String>> = None;
        let mut out = Vec::with_capacity(requests.len());
        for request in requests {
            if !request.is_pattern() {
                out.push(request);
                continue;
            }
            if all.is_none() {
                all = Some(self.names()?);
            }
            let matches = |name: &&String| glob::name_matches(&request.name, name.as_ref());
            let found: Vec<String> = all.iter().flatten().filter(matches).cloned().collect();
            let names: Vec<&str> = found.iter().map(String::as_str).collect();
            self.load(&names)?;
            let mut real = found
                .iter()
                .filter(|n| self.get(n).is_some_and(|p| !p.versions.is_empty()))
                .peekable();
            if real.peek().is_none() {
                let msg = format!("No package(s) matching '{}' available", request.name);
                return Err(Failure::new(msg));
            }
            out.extend(real.map(|name| request.named(name)));
        }
        Ok(out)
    }

    fn get(&self, name: &str) -> Option<&Package> {
        self.known.get(name)
    }

    /// How a package is, for installing it. Fails for what no list has.
    pub fn status(&mut self, request: &Request) -> Result<Status, Failure> {
        let package = match self.get(&request.name).filter(|p| !p.versions.is_empty()) {
            Some(package) => package.clone(),
            None => match self.providers(&request.name)?.as_slice() {
                [] => {
                    let msg = format!("No package matching '{}' is available", request.name);
                    return Err(Failure::new(msg));
                }
                // a virtual package that only one provides is that one
                [one] => {
                    self.load(&[one.as_str()])?;
                    let package = self.get(one).cloned().unwrap_or_default();
                    return Ok(Status {
                        installed: package.installed.is_some(),
                        matches: true,
                        best: None,
                        newer: false,
                        has_files: package.has_files,
                    });
                }
                _ => {
                    return Ok(Status {
                        installed: false,
                        matches: false,
                        best: None,
                        newer: false,
                        has_files: false,
                    });
                }
            },
        };
        Ok(compare(request, &package))
    }

    /// How a package is, for removing it; what no list has is not there.
    pub fn presence(&self, request: &Request) -> Status {
        let package = self.get(&request.name).cloned().unwrap_or_default();
        compare(request, &package)
    }

    /// Every name that the lists have.
    fn names(&self) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = self
            .ask(&["pkgnames"], &[])?
            .lines()
            .map(String::from)
            .collect();
        names.sort();
        Ok(names)
    }

    /// The packages that provide a virtual one.
    fn providers(&self, name: &str) -> Result<Vec<String>, Failure> {
        if name.is_empty() || name.starts_with('-') {
            return Ok(Vec::new());
        }
        Ok(providers_in(&self.ask(&["showpkg"], &[name])?))
    }

    fn load(&mut self, names: &[&str]) -> Result<(), Failure> {
        let mut new: Vec<&str> = names
            .iter()
            .copied()
            .filter(|n| !self.known.contains_key(*n) && !n.starts_with('-'))
            .collect();
        new.sort_unstable();
        new.dedup();
        // the length of a command line has a limit
        for names in new.chunks(1000) {
            let (exact, plain): (Vec<&str>, Vec<&str>) =
                names.iter().partition(|n| n.contains(':'));
            if !plain.is_empty() {
                self.known.extend(policies(&self.ask(&["policy"], &plain)?));
            }
            // the answer does not repeat the architecture
            for name in exact {
                let answer = policies(&self.ask(&["policy"], &[name])?);
                let found = answer.into_iter().map(|(_, p)| (name.to_string(), p));
                self.known.extend(found);
            }
            self.load_installed(names)?;
        }
        Ok(())
    }

    fn load_installed(&mut self, names: &[&str]) -> Result<(), Failure> {
        let format = "${Package}\t${Architecture}\t${db:Status-Abbrev}\t${Version}\n";
        let words = ["dpkg-query", "-W", "-f", format, "--"];
        let command = in_c(Command::new(words.iter().chain(names)));
        // it fails if any name is unknown, and tells the others
        let output = self.machine.probe(&command).map_err(no_apt)?;
        let text = output.stdout_text();
        let native = match text.is_empty() {
            true => String::new(),
            false => architecture(self.machine)?,
        };
        for entry in text.lines().filter_map(Installed::parse) {
            for name in names {
                if !entry.is_named(name, &native) {
                    continue;
                }
                let package = self.known.entry(name.to_string()).or_default();
                package.has_files = entry.state != 'n';
                package.installed = (entry.state == 'i').then(|| entry.version.to_string());
            }
        }
        Ok(())
    }

    fn ask(&self, verb: &[&str], names: &[&str]) -> Result<String, Failure> {
        let release = self.release.map(|r| format!("APT::Default-Release={r}"));
        let mut words = vec!["apt-cache"];
        if let Some(release) = &release {
            words.extend(["-o", release]);
        }
        words.extend(verb);
        if !names.is_empty() {
            words.push("--");
            words.extend(names);
        }
        let output = self
            .machine
            .probe(&in_c(Command::new(words)))
            .map_err(no_apt)?;
        let problem = output.stderr_text();
        match problem.lines().find(|l| l.starts_with("E: The value")) {
            Some(line) => Err(Failure::uncaught(line.replacen("E: ", "E:", 1))),
            None => Ok(output.stdout_text()),
        }
    }
}

fn no_apt(e: std::io::Error) -> Failure {
    Failure::new(format!(
        "apt cannot be asked on this host: {}",
        errno_text(&e)
    ))
}

/// In the language that the answers are read in.
pub fn in_c(mut command: Command) -> Command {
    command.env.push(("LC_ALL".to_string(), "C".to_string()));
    command
}

/// The architecture that dpkg installs.
fn architecture(machine: &Machine) -> Result<String, Failure> {
    let command = in_c(Command::new(["dpkg", "--print-architecture"]));
    let output = machine.probe(&command).map_err(no_apt)?;
    Ok(output.stdout_text().trim().to_string())
}

fn compare(request: &Request, package: &Package) -> Status {
    let best = match &request.version {
        Some(Wanted::Like(_)) => package
            .versions
            .iter()
            .filter(|v| request.accepts(v))
            .max_by(|a, b| version::compare(a, b))
            .cloned(),
        _ => package.candidate.clone().filter(|v| request.accepts(v)),
    };
    let newer = match (&best, &package.installed) {
        (Some(best), Some(old)) => version::compare(best, old) == Ordering::Greater,
        _ => false,
    };
    Status {
        installed: package.installed.is_some(),
        matches: package
            .installed
            .as_deref()
            .is_some_and(|v| request.accepts(v)),
        best,
        newer,
        has_files: package.has_files,
    }
}

/// A line of `dpkg-query`.
struct Installed<'a> {
    name: &'a str,
    architecture: &'a str,
    /// `i`nstalled, `n`ot, only the `c`onfiguration, or something in between.
    state: char,
    version: &'a str,
}

impl Installed<'_> {
    fn parse(line: &str) -> Option<Installed<'_>> {
        let mut fields = line.split('\t');
        Some(Installed {
            name: fields.next()?,
            architecture: fields.next()?,
            state: fields.next()?.chars().nth(1)?,
            version: fields.next()?,
        })
    }

    fn is_named(&self, name: &str, native: &str) -> bool {
        let own = [native, "all", ""].contains(&self.architecture);
        match name.split_once(':') {
            None => name == self.name && own,
            Some((name, "any")) => name == self.name,
            Some((name, "native")) => name == self.name && own,
            Some((name, wanted)) => {
                name == self.name
                    && (wanted == self.architecture
                        || self.architecture == "all" && [native, "all"].contains(&wanted))
            }
        }
    }
}

/// `apt-cache policy`: of each package what is installed, the candidate, and a table of versions.
fn policies(text: &str) -> Vec<(String, Package)> {
    let mut found: Vec<(String, Package)> = Vec::new();
    let version = |text: &str| Some(text.trim().to_string()).filter(|v| v != "(none)");
    let mut in_table = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            let name = line.strip_suffix(':').unwrap_or(line);
            found.push((name.to_string(), Package::default()));
            in_table = false;
            continue;
        }
        let Some((_, package)) = found.last_mut() else {
            continue;
        };
        if let Some(candidate) = line.strip_prefix("  Candidate:") {
            package.candidate = version(candidate);
        } else if line.starts_with("  Version table:") {
            in_table = true;
        } else if in_table
            && let Some(rest) = line.strip_prefix(" *** ").or(line.strip_prefix("     "))
            && !rest.starts_with(' ')
        {
            package
                .versions
                .extend(rest.split_whitespace().next().map(String::from));
        }
    }
    found
}

/// The names below `Reverse Provides:` of `apt-cache showpkg`.
fn providers_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .lines()
        .skip_while(|l| !l.starts_with("Reverse Provides:"))
        .skip(1)
        .filter_map(|l| l.split_whitespace().next())
        .map(String::from)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
rp-virtual:
  Installed: (none)
  Candidate: (none)
  Version table:
bash:
  Installed: 5.1
  Candidate: 5.2
  Package pin: 5.2
  Version table:
     5.2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 5.1 100
        100 /var/lib/dpkg/status
";

    #[test]
    fn answers_of_apt_cache_are_read() {
        let found = policies(POLICY);
        assert_eq!(found.len(), 2);
        assert!(found[0].1.versions.is_empty());
        assert_eq!(found[1].0, "bash");
        assert_eq!(found[1].1.candidate.as_deref(), Some("5.2"));
        assert_eq!(found[1].1.versions, ["5.2", "5.1"]);
        let shown =
            "Package: x\nVersions: \n\nReverse Provides: \nb 1.0 (= )\na 1.0 (= )\nb 2.0 (= )\n";
        assert_eq!(providers_in(shown), ["a", "b"]);
    }

    #[test]
    fn a_request_is_compared_with_what_there_is() {
        let package = Package {
            installed: Some("1.1".into()),
            has_files: true,
            candidate: Some("2.0".into()),
            versions: vec!["2.0".into(), "1.1".into(), "1.0".into()],
        };
        // (request, matches, best, newer)
        for (text, matches, best, newer) in [
            ("p", true, Some("2.0"), true),
            ("p=1.0", false, Some("1.0"), false),
            ("p=1*", true, Some("1.1"), false),
            ("p=3", false, None, false),
            ("p>=2.0", false, Some("2.0"), true),
            ("p>=3", false, None, false),
        ] {
            let status = compare(&Request::parse(text).unwrap(), &package);
            assert_eq!(status.matches, matches, "{text}");
            assert_eq!(status.best.as_deref(), best, "{text}");
            assert_eq!(status.newer, newer, "{text}");
        }
    }

    #[test]
    fn packages_of_another_architecture_are_others() {
        let line = "libc6\ti386\tii \t2.36";
        let entry = Installed::parse(line).unwrap();
        assert!(!entry.is_named("libc6", "amd64"));
        assert!(entry.is_named("libc6:i386", "amd64"));
        let entry = Installed::parse("tzdata\tall\tii \t1").unwrap();
        assert!(entry.is_named("tzdata", "amd64") && entry.is_named("tzdata:amd64", "amd64"));
    }
}
