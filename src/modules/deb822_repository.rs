//! Sources of apt's packages in the newer form, a file of `Name: value` lines for each.

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text, http};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/deb822_repository_module.html>
pub struct Deb822Repository;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// Packages may become such as nobody signed.
    allow_downgrade_to_insecure: Option<bool>,
    /// The repository need not be signed.
    allow_insecure: Option<bool>,
    /// The repository may be signed with a weak algorithm.
    allow_weak: Option<bool>,
    /// The architectures that are looked for.
    architectures: Option<Vec<String>>,
    /// Whether indexes are fetched by their hashes.
    by_hash: Option<bool>,
    /// Whether the target's clock is taken to be right.
    check_date: Option<bool>,
    /// Whether an old state of the repository is refused.
    check_valid_until: Option<bool>,
    /// Sections of the distribution.
    components: Option<Vec<String>>,
    /// How many seconds the repository may be from the future.
    date_max_future: Option<i64>,
    /// Whether apt uses the source.
    enabled: Option<bool>,
    /// Where the file `InRelease` is.
    inrelease_path: Option<String>,
    /// Languages of descriptions that are fetched.
    languages: Option<Vec<String>>,
    /// Permissions of the file.
    #[serde(default = "readable")]
    mode: Option<Value>,
    /// The name, from which that of the file is made.
    name: String,
    /// Whether differences of indexes are fetched.
    pdiffs: Option<bool>,
    /// The key: its URL, its file on the target, its fingerprint or the key itself.
    signed_by: Option<String>,
    /// Versions of the distribution, or paths that end with a slash.
    suites: Option<Vec<String>>,
    #[serde(default)]
    state: State,
    /// What is fetched from the source.
    targets: Option<Vec<String>>,
    /// Whether the source is trusted without a signature.
    trusted: Option<bool>,
    /// Packages, or their sources.
    #[serde(default = "binary")]
    types: Vec<Kind>,
    /// Where the repository is.
    uris: Option<Vec<String>>,
}

fn readable() -> Option<Value> {
    Some(Value::str("0644"))
}
fn binary() -> Vec<Kind> {
    vec![Kind::Deb]
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
enum Kind {
    #[serde(rename = "deb")]
    Deb,
    #[serde(rename = "deb-src")]
    Source,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// What the file holds.
    repo: Option<String>,
    /// The file.
    dest: String,
    /// The file of a key that was downloaded.
    key_filename: Option<String>,
}

const SOURCES: &str = "/etc/apt/sources.list.d";
const KEYS: &str = "/etc/apt/keyrings";

impl Module for Deb822Repository {
    const NAME: &'static str = "deb822_repository";
    const EXAMPLES: &'static str = "
- name: A source of packages with its key
  ansible.builtin.deb822_repository:
    name: example
    uris: https://apt.example.com/debian
    suites: stable
    components: [main]
    signed_by: /usr/share/keyrings/example.gpg
  when: ansible_facts.pkg_mgr == 'apt'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let stem = stem(&args.name);
        let dest = PathBuf::from(format!("{SOURCES}/{stem}.sources"));
        match args.state {
            State::Present => present(&args, &stem, &dest, machine),
            State::Absent => absent(&stem, &dest, machine),
        }
    }
}

/// The name of files, without their ends.
fn stem(name: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in name.to_lowercase().chars() {
        let blank = c == '_' || c.is_whitespace();
        if blank && !gap {
            out.push('-');
        }
        gap = blank;
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' {
            out.push(c);
        }
    }
    out
}

fn present(
    args: &Args,
    stem: &str,
    dest: &Path,
    machine: &mut Machine,
) -> Result<Returns, Failure> {
    let mut signed_by = args.signed_by.clone();
    let mut key_filename = None;
    if let Some(url) = args.signed_by.as_deref().filter(|key| is_url(key)) {
        let path = place_key(url.trim(), stem, machine)?;
        key_filename = Some(path.clone());
        signed_by = Some(path);
    }
    let text = args.text(signed_by);
    write(dest, text.as_bytes(), machine)?;
    let file = FileArgs {
        mode: args.mode.clone(),
        ..FileArgs::default()
    };
    file.apply(machine, dest, true, &mut Attributes::default())?;
    Ok(Returns {
        changed: machine.changed(),
        repo: Some(text),
        dest: dest.to_string_lossy().into_owned(),
        key_filename,
    })
}

fn absent(stem: &str, dest: &Path, machine: &mut Machine) -> Result<Returns, Failure> {
    let keys = ["asc", "gpg"].map(|end| PathBuf::from(format!("{KEYS}/{stem}.{end}")));
    for path in [dest].into_iter().chain(keys.iter().map(PathBuf::as_path)) {
        if machine.is_dir(path) && !machine.is_link(path) {
            let path = path.display();
            return Err(Failure::uncaught(format!(
                "[Errno 21] Is a directory: '{path}'"
            )));
        }
        machine
            .remove(path)
            .map_err(|e| Failure::uncaught(format!("{}: '{}'", errno_text(&e), path.display())))?;
    }
    Ok(Returns {
        changed: machine.changed(),
        repo: None,
        dest: dest.to_string_lossy().into_owned(),
        key_filename: Some(keys[1].to_string_lossy().into_owned()),
    })
}

fn write(path: &Path, content: &[u8], machine: &mut Machine) -> Result<(), Failure> {
    if machine.is_dir(path) {
        let path = path.display();
        return Err(Failure::new(format!(
            "attempted to take checksum of directory: {path}"
        )));
    }
    let written = machine.write(path, Content::Bytes(content), None, false);
    written.map(|_| ()).map_err(|e| {
        let why = errno_text(&e);
        Failure::uncaught(format!("Could not replace '{}': {why}", path.display()))
    })
}

/// Whether a key is to be downloaded: what is before the first colon is a scheme.
fn is_url(key: &str) -> bool {
    let scheme = key
        .trim_start()
        .split_once(':')
        .map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Downloads a key to where apt's keys are.
fn place_key(url: &str, stem: &str, machine: &mut Machine) -> Result<String, Failure> {
    let fail = |why: String| Failure::new(format!("Could not fetch signed_by key: {why}"));
    let key = match url.strip_prefix("file://") {
        Some(path) => machine.read(Path::new(path)).map_err(|e| {
            let why = errno_text(&e);
            fail(format!("<urlopen error {why}: '{path}'>"))
        })?,
        None => {
            let request = http::Request::new("GET", url);
            let settings = http::Settings::new(machine);
            let mut response = http::fetch(request, &settings).map_err(|e| {
                let why = e.to_string();
                fail(why.trim_start_matches("Request failed: ").to_string())
            })?;
            if response.status != 200 {
                return Err(fail(response.message()));
            }
            let mut key = Vec::new();
            let read = response.body.read_to_end(&mut key);
            read.map_err(|e| fail(http::in_words(&e)))?;
            key
        }
    };
    if key.is_empty() {
        return Err(fail(format!("there is nothing at {url}")));
    }
    let end = match key.starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----") {
        true => "asc",
        false => "gpg",
    };
    let folder = Path::new(KEYS);
    if !machine.is_dir(folder) {
        let io = |e: std::io::Error| Failure::uncaught(errno_text(&e));
        machine.mkdir(folder).map_err(io)?;
        machine.chmod(folder, 0o755).map_err(io)?;
    }
    let path = folder.join(format!("{stem}.{end}"));
    write(&path, &key, machine)?;
    let readable = FileArgs {
        mode: readable(),
        ..FileArgs::default()
    };
    readable.apply(machine, &path, true, &mut Attributes::default())?;
    Ok(path.to_string_lossy().into_owned())
}

impl Args {
    /// What the file is to hold: the options that were given, in the order of their names.
    fn text(&self, signed_by: Option<String>) -> String {
        let flag = |on: Option<bool>| on.map(|on| if on { "yes" } else { "no" }.to_string());
        let list = |items: &Option<Vec<String>>| items.as_ref().map(|items| items.join(" "));
        let types = self.types.iter().map(|kind| match kind {
            Kind::Deb => "deb",
            Kind::Source => "deb-src",
        });
        let fields = [
            (
                "Allow-Downgrade-To-Insecure",
                flag(self.allow_downgrade_to_insecure),
            ),
            ("Allow-Insecure", flag(self.allow_insecure)),
            ("Allow-Weak", flag(self.allow_weak)),
            ("Architectures", list(&self.architectures)),
            ("By-Hash", flag(self.by_hash)),
            ("Check-Date", flag(self.check_date)),
            ("Check-Valid-Until", flag(self.check_valid_until)),
            ("Components", list(&self.components)),
            (
                "Date-Max-Future",
                self.date_max_future.map(|n| n.to_string()),
            ),
            ("Enabled", flag(self.enabled)),
            ("Inrelease-Path", self.inrelease_path.clone()),
            ("Languages", list(&self.languages)),
            ("X-Repolib-Name", Some(self.name.clone())),
            ("Pdiffs", flag(self.pdiffs)),
            ("Signed-By", signed_by),
            ("Suites", list(&self.suites)),
            ("Targets", list(&self.targets)),
            ("Trusted", flag(self.trusted)),
            ("Types", Some(types.collect::<Vec<&str>>().join(" "))),
            ("URIs", list(&self.uris)),
        ];
        let mut out = String::new();
        for (name, value) in fields {
            let Some(value) = value else { continue };
            let value = match value.contains('\n') {
                true => several_lines(&value),
                false if value.is_empty() => value,
                false => format!(" {value}"),
            };
            let _ = writeln!(out, "{name}:{value}");
        }
        out
    }
}

/// Lines are indented; one that is empty is a dot.
fn several_lines(text: &str) -> String {
    let lines = text.trim().lines().map(|line| match line.trim() {
        "" => "\n    .".to_string(),
        line => format!("\n    {line}"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_sources() {
        for (name, expected) in [
            ("A b-C_d.e+F/g", "a-b-c-defg"),
            ("a  b__c _d - e", "a-b-c-d---e"),
            ("ü ß!", "-"),
        ] {
            assert_eq!(stem(name), expected);
        }
    }

    #[test]
    fn a_key_is_text_or_somewhere_else() {
        for url in ["https://x/y", " http://x", "file:///x", "foo:bar"] {
            assert!(is_url(url), "{url}");
        }
        for other in ["/x:y", "ABCDEF01", "-----BEGIN X-----\nVersion: 1", ":x"] {
            assert!(!is_url(other), "{other}");
        }
        assert_eq!(several_lines("\n\nx y\n\n z\n"), "\n    x y\n    .\n    z");
    }
}
