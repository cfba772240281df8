//! The EC2 inventory, `-i ec2` (and `-i ec2.py`): groups and variables of running instances.
//!
//! Gives the JSON that Ansible's old `ec2.py` script gave, from the same `ec2.ini`, so that playbooks
//! written for it find the groups (`tag_Name_web`, `type_t2_micro`, ...) and variables
//! (`ec2_private_ip_address`, ...) that they name.
//!
//! | part | what it holds |
//! |---|---|
//! | [`ini`] | Python's INI files |
//! | [`settings`] | the options of `ec2.ini` |
//! | [`fetch`] | the requests |
//! | [`instance`] | an instance's variables |
//! | [`groups`] | the groups |
//!
//! Two things differ from the script. There is no cache: every listing asks EC2, so `cache_path` and
//! `cache_max_age` have no effect and `--refresh-cache` is always true. And without an `ec2.ini`, where
//! the script stops, the region is the one that the AWS configuration names.

pub mod fetch;
pub mod groups;
pub mod ini;
pub mod instance;
pub mod settings;

use self::groups::Listing;
use self::instance::Instance;
use self::settings::Settings;
use crate::aws::settings::Env;
use crate::error::did_you_mean;
use crate::inventory::BuiltinRequest;
use crate::{Error, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Who asks, which decides where `ec2.ini` is looked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Folders to look into, nearest first: that of the script, then that of the playbook.
    pub config_dirs: Vec<PathBuf>,
    /// The folder that relative paths start from.
    pub cwd: PathBuf,
}

impl Request {
    /// The settings: those of `EC2_INI_PATH`, or of the first `ec2.ini` in the folders, in the working folder,
    /// or in an `inventory` folder of one of these.
    ///
    /// # Errors
    /// `EC2_INI_PATH` names no file, or the file holds something that cannot be done.
    pub fn settings(&self, env: Env) -> Result<Settings> {
        if let Some(path) = env("EC2_INI_PATH").filter(|p| !p.is_empty()) {
            return Settings::read(&self.cwd.join(expand(&path, env)));
        }
        Settings::find(&self.candidates())
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = Vec::new();
        for folder in self
            .config_dirs
            .iter()
            .chain(std::iter::once(&PathBuf::new()))
        {
            let folder = self.cwd.join(folder);
            found.push(folder.join("ec2.ini"));
            found.push(folder.join("inventory/ec2.ini"));
        }
        found.dedup();
        found
    }
}

/// The `ec2` inventory in the table of built-in inventories.
///
/// # Errors
/// As [`list`].
pub fn builtin(request: &BuiltinRequest) -> Result<Value> {
    let request = Request {
        config_dirs: request.config_dirs.clone(),
        // not the folder of the play that asks for the inventory again
        cwd: crate::source::start_dir().to_path_buf(),
    };
    list(&request, &|name| std::env::var(name).ok())
}

/// All groups and hosts, as an inventory script prints them for `--list`.
///
/// # Errors
/// Settings that cannot be used, no credentials or region, AWS refusing.
pub fn list(request: &Request, env: Env) -> Result<Value> {
    Ok(collect(&request.settings(env)?, env)?.into_json())
}

fn collect(settings: &Settings, env: Env) -> Result<Listing> {
    let mut listing = Listing::default();
    for found in fetch::instances(settings, env)? {
        let instance = Instance {
            sdk: &found.instance,
            region: &found.region,
        };
        listing.add(&instance, found.account.as_deref(), settings)?;
    }
    Ok(listing)
}

/// The variables of one host, as the script prints them for `--host`; an empty dictionary if there is no such host.
pub fn host(request: &Request, name: &str, env: Env) -> Result<Value> {
    let mut all = list(request, env)?;
    let mut vars = all["_meta"]["hostvars"][name].take();
    match vars.as_object_mut() {
        // the script adds the address only to the whole list
        Some(map) => map.shift_remove("ansible_ssh_host"),
        None => return Ok(Value::Object(Default::default())),
    };
    Ok(vars)
}

/// Answers a run of the legacy script, whose Python 2 and boto no present machine has.
///
/// `None` if the command is not `ec2.py`; else its standard output, or what is wrong. The `command` and
/// `shell`-less actions call this first when the task runs on the controller itself:
///
/// ```ignore
/// if let Some(answer) = aws::inventory::answer(&argv, &working_folder, &env) { /* stdout, rc 0, changed */ }
/// ```
pub fn answer(argv: &[String], cwd: &Path, env: Env) -> Option<Result<String>> {
    let (script, args) = argv.split_first()?;
    // as `./ec2.py`, as `python ec2.py`
    let (script, args) = if script.rsplit('/').next()?.starts_with("python") {
        args.split_first()?
    } else {
        (script, args)
    };
    (Path::new(script).file_name()? == "ec2.py").then(|| run(script, args, cwd, env))
}

fn run(script: &str, args: &[String], cwd: &Path, env: Env) -> Result<String> {
    let mut wanted: Option<&str> = None;
    let mut profile: Option<&str> = None;
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg, None),
        };
        let mut value = || {
            inline
                .or_else(|| args.next())
                .ok_or_else(|| Error::general(format!("ec2.py: {name} needs a value")))
        };
        match name {
            "--list" | "--refresh-cache" => {}
            "--host" => wanted = Some(value()?),
            "--profile" | "--boto-profile" => profile = Some(value()?),
            other => {
                let known = [
                    "--list",
                    "--host",
                    "--refresh-cache",
                    "--profile",
                    "--boto-profile",
                ];
                let mut error = Error::general(format!("ec2.py has no option {other}"));
                if let Some(near) = did_you_mean(other, known) {
                    error = error.hint(format!("did you mean {near}?"));
                }
                return Err(error);
            }
        }
    }
    // the script follows its own link first
    let path = cwd.join(script);
    let path = path.canonicalize().unwrap_or(path);
    let request = Request {
        config_dirs: path.parent().map(Path::to_path_buf).into_iter().collect(),
        cwd: cwd.to_path_buf(),
    };
    let env_with_profile = |name: &str| match (name, profile) {
        ("AWS_PROFILE", Some(profile)) => Some(profile.to_string()),
        // a profile on the command line wins over keys in the environment
        ("AWS_ACCESS_KEY_ID" | "AWS_ACCESS_KEY" | "EC2_ACCESS_KEY", Some(_)) => None,
        _ => env(name),
    };
    let json = match wanted {
        Some(name) => host(&request, name, &env_with_profile)?,
        None => list(&request, &env_with_profile)?,
    };
    Ok(print(json))
}

/// As the script prints: keys sorted, two spaces, ASCII only.
fn print(mut json: Value) -> String {
    json.sort_all_objects();
    let text = serde_json::to_string_pretty(&json).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push('\n');
    out
}

/// A name with everything but ASCII letters, digits and `_` (and `-`, where dashes stay) turned into `_`.
pub fn safe_name(name: &str, replace_dash: bool) -> String {
    name.chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            '-' if !replace_dash => '-',
            _ => '_',
        })
        .collect()
}

/// `~` and `$NAME` filled in.
fn expand(path: &str, env: Env) -> String {
    let path = match path.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", env("HOME").unwrap_or_else(|| "~".into())),
        None => path.to_string(),
    };
    let mut out = String::new();
    let mut rest = path.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, tail) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some(braced) => braced,
            None => {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        match env(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            // what is not set stays as it is, as with Python's expandvars
            None => {
                out.push('$');
                out.push_str(&after[..after.len() - tail.len()]);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_script_is_answered() {
        let none = |_: &str| None;
        let run = |words: &[&str]| {
            let argv: Vec<String> = words.iter().map(ToString::to_string).collect();
            answer(&argv, Path::new("/nowhere"), &none)
        };
        assert!(run(&["./other.py"]).is_none());
        assert!(run(&["python"]).is_none());
        let error = run(&["python2", "./ec2.py", "--refresh-cach"])
            .unwrap()
            .unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean --refresh-cache?"));
        assert!(run(&["ec2.py", "--host"]).unwrap().is_err());
    }

    #[test]
    fn settings_are_looked_for_near_the_script_then_the_playbook() {
        let request = Request {
            config_dirs: vec!["/w/inv".into(), "plays".into()],
            cwd: "/w".into(),
        };
        let found: Vec<String> = request
            .candidates()
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        let places = [
            "/w/inv",
            "/w/inv/inventory",
            "/w/plays",
            "/w/plays/inventory",
            "/w",
            "/w/inventory",
        ];
        assert_eq!(found, places.map(|p| format!("{p}/ec2.ini")));
    }

    #[test]
    fn paths_are_filled_in() {
        let env = |name: &str| (name == "HOME").then(|| "/h".to_string());
        for (text, path) in [
            ("~/x.ini", "/h/x.ini"),
            ("$HOME/a", "/h/a"),
            ("${HOME}b", "/hb"),
            ("$NOPE/a", "$NOPE/a"),
        ] {
            assert_eq!(expand(text, &env), path);
        }
    }

    #[test]
    fn output_is_sorted_and_ascii() {
        assert_eq!(
            print(serde_json::json!({"b": {}, "a": ["ü𝄞"]})),
            "{\n  \"a\": [\n    \"\\u00fc\\ud834\\udd1e\"\n  ],\n  \"b\": {}\n}\n"
        );
    }
}
