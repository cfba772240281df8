//! ansible.cfg, `ANSIBLE_*` environment variables and the defaults.
//!
//! Follows <https://docs.ansible.com/ansible/latest/reference_appendices/config.html>: an environment
//! variable wins over the file, the file over the default. Every setting that rplay has is in the table of
//! [`settings`], once; what the file or the environment sets beyond that is named at `-v`.

mod file;
mod kinds;
pub mod names;
mod settings;

pub use kinds::{
    Color, Gathering, HashBehaviour, HostSources, Live, OnMismatch, PathList, VarsRoot,
};
pub use settings::{Config, SETTINGS};

use crate::error::{Error, Kind, Result, did_you_mean};
use crate::notice;
use crate::search::expand_home;
use crate::secret::Secret;
use crate::source::Location;
use crate::value::Value;
use file::ConfigFile;
use kinds::Origin;
use std::path::{Path, PathBuf};

/// A row of the table: one setting, where it can be set and what it means.
pub struct Setting {
    /// The field of [`Config`].
    pub name: &'static str,
    /// `section.key` in ansible.cfg; the first is the usual one.
    pub ini: &'static [&'static str],
    /// Environment variables; the first that is set counts.
    pub env: &'static [&'static str],
    /// What a value must be, in words.
    pub kind: &'static str,
    /// The default, as it would be written in the file.
    pub default: &'static str,
    pub doc: &'static str,
}

/// What rplay accepts and needs not: it has no Python on either side and copies nothing per task.
const WITHOUT_EFFECT: &[&str] = &[
    "connection.pipelining",
    "defaults.ansible_cow_path",
    "defaults.ansible_cow_selection",
    "defaults.collections_scan_sys_path",
    "defaults.command_warnings",
    "defaults.cow_selection",
    "defaults.cowpath",
    "defaults.cowsay_enabled_stencils",
    "defaults.devel_warning",
    "defaults.internal_poll_interval",
    "defaults.interpreter_python",
    "defaults.jinja2_native",
    "defaults.keep_remote_files",
    "defaults.module_compression",
    "defaults.module_set_locale",
    "defaults.nocows",
    "defaults.pipelining",
    "defaults.python_module_rlimit_nofile",
    "ssh_connection.control_path",
    "ssh_connection.control_path_dir",
    "ssh_connection.password_mechanism",
    "ssh_connection.pipelining",
    "ssh_connection.scp_executable",
    "ssh_connection.scp_extra_args",
    "ssh_connection.scp_if_ssh",
    "ssh_connection.sftp_batch_mode",
    "ssh_connection.sftp_executable",
    "ssh_connection.sftp_extra_args",
    "ssh_connection.transfer_method",
    "ssh_connection.verbosity",
];

/// The same for the environment.
const ENV_WITHOUT_EFFECT: &[&str] = &[
    "ANSIBLE_COMMAND_WARNINGS",
    "ANSIBLE_CONFIG",
    "ANSIBLE_COW_ACCEPTLIST",
    "ANSIBLE_COW_PATH",
    "ANSIBLE_COW_SELECTION",
    "ANSIBLE_DEVEL_WARNING",
    "ANSIBLE_JINJA2_NATIVE",
    "ANSIBLE_KEEP_REMOTE_FILES",
    "ANSIBLE_NOCOWS",
    "ANSIBLE_PIPELINING",
    "ANSIBLE_PYTHON_INTERPRETER",
    "ANSIBLE_SCP_EXECUTABLE",
    "ANSIBLE_SCP_EXTRA_ARGS",
    "ANSIBLE_SFTP_BATCH_MODE",
    "ANSIBLE_SFTP_EXECUTABLE",
    "ANSIBLE_SFTP_EXTRA_ARGS",
    "ANSIBLE_SSH_CONTROL_PATH",
    "ANSIBLE_SSH_CONTROL_PATH_DIR",
    "ANSIBLE_SSH_PASSWORD_MECHANISM",
    "ANSIBLE_SSH_PIPELINING",
    "ANSIBLE_SSH_TRANSFER_METHOD",
    "ANSIBLE_SSH_VERBOSITY",
];

impl Config {
    /// The settings of this run.
    ///
    /// The file is the first of `ANSIBLE_CONFIG`, `./ansible.cfg` (not in a folder that everybody may write
    /// to), `~/.ansible.cfg` and `/etc/ansible/ansible.cfg`. Fails, with kind `Options` and the place, if the
    /// file cannot be understood or a value is not what its setting takes.
    pub fn load() -> Result<Config> {
        let file = match find_file() {
            Some(path) => Some(ConfigFile::read(&path)?),
            None => None,
        };
        let config = Inputs::new(file, |name| std::env::var(name).ok())?.config()?;
        let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        name_unknown_variables(set);
        Ok(config)
    }
}

/// A setting as it is.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Ansible's name for it, such as `DEFAULT_FORKS`.
    pub name: String,
    /// None of a secret's is here: for one that is set it is a row of stars.
    pub value: Value,
    /// The file, or `env: ` and the variable; none for the default.
    pub origin: Option<String>,
}

/// The file that settings are read from: this one, or the one that is found.
pub fn file(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_path_buf).or_else(find_file)
}

/// All settings with where they come from. Fails as [`Config::load`] does.
pub fn shown(given: Option<&Path>) -> Result<Vec<Shown>> {
    let file = file(given)
        .map(|path| ConfigFile::read(&path))
        .transpose()?;
    let inputs = Inputs::new(file, |name| std::env::var(name).ok())?;
    let config = inputs.config()?;
    let mut all: Vec<Shown> = SETTINGS
        .iter()
        .map(|setting| {
            let origin = match inputs.raw(setting).1 {
                Origin::Default => None,
                Origin::Env(variable) => Some(format!("env: {variable}")),
                Origin::File(at) => Some(at.source.name.to_string()),
            };
            let secret = setting.kind == <Secret as kinds::Parse>::WHAT;
            let value = match secret && origin.is_some() {
                true => Value::str("********"),
                false => config.value_of(setting.name).unwrap_or(Value::Null),
            };
            Shown {
                name: names::of(setting.name),
                value,
                origin,
            }
        })
        .collect();
    if let Some(path) = inputs.path() {
        all.push(Shown {
            name: "CONFIG_FILE".into(),
            value: Value::from(path.display().to_string()),
            origin: Some(String::new()),
        });
    }
    Ok(all)
}

/// Settings that Ansible has under a name which neither the file nor the environment uses.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("DEFAULT_HOST_LIST", "inventory"),
    ("DEFAULT_MANAGED_STR", "ansible_managed"),
    ("YAML_FILENAME_EXTENSIONS", "yaml_extensions"),
];

impl Config {
    /// The value of a setting by Ansible's name for it, such as `DEFAULT_FORKS` or `COLOR_OK`.
    ///
    /// None if rplay has no such setting.
    pub fn by_name(&self, name: &str) -> Option<Value> {
        if name == "CONFIG_FILE" {
            return Some(match &self.file {
                Some(path) => Value::from(path.display().to_string()),
                None => Value::Null,
            });
        }
        let other = OTHER_NAMES.iter().find(|(n, _)| *n == name);
        let setting = SETTINGS.iter().find(|setting| match other {
            Some((_, field)) => setting.name == *field,
            None => setting.names().any(|n| n == name),
        })?;
        self.value_of(setting.name)
    }

    /// Where the value of a setting comes from, by Ansible's name for it, in the words of Ansible.
    pub fn origin_of(&self, name: &str) -> String {
        let other = OTHER_NAMES.iter().find(|(n, _)| *n == name);
        let setting = SETTINGS.iter().find(|setting| match other {
            Some((_, field)) => setting.name == *field,
            None => setting.names().any(|n| n == name),
        });
        setting.map_or_else(|| "default".to_string(), |s| self.origin_of_field(s.name))
    }

    /// As [`Config::origin_of`], by the name of the field.
    pub fn origin_of_field(&self, field: &str) -> String {
        let default = || "default".to_string();
        let Some(setting) = SETTINGS.iter().find(|s| s.name == field) else {
            return default();
        };
        let file = self.file.as_deref().and_then(|f| ConfigFile::read(f).ok());
        let Ok(inputs) = Inputs::new(file, |name: &str| std::env::var(name).ok()) else {
            return default();
        };
        match inputs.raw(setting).1 {
            Origin::Env(name) => format!("env: {name}"),
            Origin::File(_) => self
                .file
                .as_deref()
                .map_or_else(default, |f| f.display().to_string()),
            Origin::Default => default(),
        }
    }

    /// All names that [`Config::by_name`] knows, for "did you mean".
    pub fn names() -> impl Iterator<Item = String> {
        let other = OTHER_NAMES.iter().map(|(n, _)| n.to_string());
        SETTINGS.iter().flat_map(Setting::names).chain(other)
    }
}

impl Setting {
    /// What Ansible may call it: `DEFAULT_` and the key of the defaults, or the environment variable's name.
    fn names(&self) -> impl Iterator<Item = String> {
        let keys = self.ini.iter().map(|ini| match ini.split_once('.') {
            Some(("defaults", key)) => format!("DEFAULT_{}", key.to_uppercase()),
            _ => ini.replace('.', "_").to_uppercase(),
        });
        let escalation = self
            .ini
            .iter()
            .filter_map(|ini| ini.strip_prefix("privilege_escalation."))
            .map(|key| format!("DEFAULT_{}", key.to_uppercase()));
        let variables = self.env.iter().flat_map(|env| {
            let short = env.strip_prefix("ANSIBLE_").unwrap_or(env);
            [env.to_string(), short.to_string()]
        });
        keys.chain(escalation).chain(variables)
    }
}

/// The file to read, if there is one.
fn find_file() -> Option<PathBuf> {
    let readable = |path: PathBuf| std::fs::File::open(&path).is_ok().then_some(path);
    if let Some(set) = std::env::var_os("ANSIBLE_CONFIG") {
        let mut path = expand_home(&set.to_string_lossy());
        if path.is_dir() {
            path.push("ansible.cfg");
        }
        if let Some(found) = readable(std::path::absolute(&path).unwrap_or(path)) {
            return Some(found);
        }
    }
    if let Ok(here) = std::env::current_dir() {
        let path = here.join("ansible.cfg");
        if world_writable(&here) {
            if path.exists() {
                notice::warning(format!(
                    "Ansible is being run in a world writable directory ({}), ignoring it as an ansible.cfg source. For more information see https://docs.ansible.com/ansible/devel/reference_appendices/config.html#cfg-in-world-writable-dir",
                    here.display()
                ));
            }
        } else if let Some(found) = readable(path) {
            return Some(found);
        }
    }
    readable(expand_home("~/.ansible.cfg"))
        .or_else(|| readable(PathBuf::from("/etc/ansible/ansible.cfg")))
}

fn world_writable(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(folder).is_ok_and(|m| m.permissions().mode() & 0o002 != 0)
}

/// Where values come from: the file and the environment.
struct Inputs<E> {
    file: Option<ConfigFile>,
    env: E,
    /// `ANSIBLE_HOME`, which other defaults are made of.
    home: String,
}

impl<E: Fn(&str) -> Option<String>> Inputs<E> {
    fn new(file: Option<ConfigFile>, env: E) -> Result<Self> {
        let mut inputs = Inputs {
            file,
            env,
            home: String::new(),
        };
        inputs.home = inputs.get::<PathBuf>("home")?.display().to_string();
        Ok(inputs)
    }

    fn config(&self) -> Result<Config> {
        let config = Config::build(self)?;
        if let Some(file) = &self.file {
            for (name, _, at) in file.entries() {
                if WITHOUT_EFFECT.contains(&name) {
                    notice::verbose(2, format!("{at}: rplay does without the setting {name}"));
                } else if !SETTINGS.iter().any(|s| s.ini.contains(&name)) {
                    name_unknown(name, at);
                }
            }
        }
        Ok(config)
    }

    /// The value of the setting called `name`, from where it is set.
    fn get<T: kinds::Parse>(&self, name: &str) -> Result<T> {
        let Some(setting) = SETTINGS.iter().find(|s| s.name == name) else {
            return Err(Error::new(
                Kind::Unexpected,
                format!("there is no setting {name}"),
            ));
        };
        let (text, origin) = self.raw(setting);
        let text = text.replace("{{ANSIBLE_HOME}}", &self.home);
        T::parse(&text, &origin).map_err(|detail| {
            let problem = format!(
                "Invalid value '{text}' for the setting {name}: {}",
                detail.unwrap_or_else(|| format!("it must be {}", T::WHAT))
            );
            let error = Error::new(Kind::Options, problem);
            match &origin {
                Origin::File(at) => error.at(at),
                Origin::Env(variable) => error.hint(format!(
                    "the value comes from the environment variable {variable}"
                )),
                Origin::Default => error,
            }
        })
    }

    fn raw(&self, setting: &Setting) -> (String, Origin) {
        for name in setting.env {
            // an empty variable is as good as none
            if let Some(text) = (self.env)(name).filter(|t| !t.is_empty()) {
                // https://no-color.org: any value will do
                let text = if *name == "NO_COLOR" {
                    "true".into()
                } else {
                    text
                };
                return (text, Origin::Env((*name).to_string()));
            }
        }
        if let Some(file) = &self.file {
            for key in setting.ini {
                if let Some((text, at)) = file.get(key) {
                    return (text.to_string(), Origin::File(at.clone()));
                }
            }
        }
        (setting.default.to_string(), Origin::Default)
    }

    fn path(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|f| f.path.clone())
    }
}

fn name_unknown(name: &str, at: &Location) {
    let (section, key) = name.split_once('.').unwrap_or(("", name));
    let known = SETTINGS.iter().flat_map(|s| s.ini).filter_map(|n| {
        let (in_section, key) = n.split_once('.')?;
        (in_section == section).then_some(key)
    });
    let near = did_you_mean(key, known)
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default();
    let at = Location::new(&at.source, at.line, 1);
    notice::verbose(
        1,
        format!("{at}: rplay has no setting {key} in [{section}], it is ignored{near}"),
    );
}

fn name_unknown_variables(set: impl Iterator<Item = String>) {
    let mut unknown: Vec<String> = set
        .filter(|name| {
            name.starts_with("ANSIBLE_")
                && !ENV_WITHOUT_EFFECT.contains(&name.as_str())
                && !SETTINGS.iter().any(|s| s.env.contains(&name.as_str()))
        })
        .collect();
    unknown.sort();
    for name in unknown {
        notice::verbose(
            1,
            format!("rplay has no setting for the environment variable {name}, it is ignored"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn config(text: &str, env: &[(&str, &str)]) -> Result<Config> {
        let file = ConfigFile::parse(
            Path::new("/etc/x/ansible.cfg"),
            &Source::new("/etc/x/ansible.cfg", text),
        )?;
        let env = |name: &str| {
            let found = env.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_string())
        };
        Inputs::new(Some(file), env)?.config()
    }

    #[test]
    fn every_default_fits_its_setting_and_names_are_unique() {
        let defaults = config("", &[]).unwrap();
        assert_eq!(defaults.forks, 5);
        assert_eq!(defaults.roles_path.0.len(), 3);
        assert!(defaults.display_skipped_hosts && !defaults.force_color);
        let mut seen = std::collections::HashSet::new();
        for setting in SETTINGS {
            for place in setting.ini.iter().chain(setting.env) {
                assert!(seen.insert(*place), "{place} is in the table twice");
            }
            assert!(!setting.doc.trim().is_empty(), "{}", setting.name);
        }
    }

    #[test]
    fn the_environment_wins_over_the_file_over_the_default() {
        let text = "[defaults]\nforks = 7\nRemote_User = \"bob\" ; who\n# no\ninventory = hosts,\n  more/hosts\nroles_path: roles:~/r:/abs\n[privilege_escalation]\nbecome=Yes\n[tags]\nskip = a, b\n";
        let found = config(
            text,
            &[
                ("ANSIBLE_FORKS", "9"),
                ("NO_COLOR", "1"),
                ("ANSIBLE_TIMEOUT", ""),
            ],
        )
        .unwrap();
        assert_eq!(found.forks, 9);
        assert!(found.nocolor && found.r#become);
        assert_eq!(found.timeout, 10);
        assert_eq!(found.remote_user.as_deref(), Some("bob"));
        assert_eq!(found.skip_tags, ["a", "b"]);
        assert_eq!(found.inventory.0, ["/etc/x/hosts", "/etc/x/more/hosts"]);
        assert_eq!(found.roles_path.0[0], Path::new("/etc/x/roles"));
        assert_eq!(found.roles_path.0[2], Path::new("/abs"));
        assert_eq!(found.file.as_deref(), Some(Path::new("/etc/x/ansible.cfg")));
    }

    #[test]
    fn settings_are_found_by_ansibles_names() {
        let found = config("[defaults]\nforks = 7\nroles_path = /a:/b\n", &[]).unwrap();
        for (name, value) in [
            ("DEFAULT_FORKS", "7"),
            ("DEFAULT_ROLES_PATH", "['/a', '/b']"),
            ("DEFAULT_BECOME_USER", "'root'"),
            ("COLOR_OK", "'green'"),
            ("DIFF_CONTEXT", "3"),
            ("DEFAULT_GATHERING", "'implicit'"),
            ("DEFAULT_REMOTE_USER", "None"),
            ("CONFIG_FILE", "'/etc/x/ansible.cfg'"),
        ] {
            let got = found.by_name(name).map(|v| crate::python::repr(&v));
            assert_eq!(got.as_deref(), Some(value), "{name}");
        }
        assert!(found.by_name("NOSUCH").is_none());
    }

    #[test]
    fn bad_values_are_refused_where_they_stand() {
        for (text, env, message, place) in [
            (
                "[defaults]\n\nforks = abc",
                "",
                "'abc' for the setting forks: it must be a whole number",
                "ansible.cfg:3:9",
            ),
            (
                "[defaults]\nnocolor = perhaps",
                "",
                "yes or no",
                "ansible.cfg:2:11",
            ),
            (
                "[defaults]\ngathering = foo",
                "",
                "one of implicit, explicit, smart",
                "ansible.cfg:2:13",
            ),
            ("[defaults]\nforks = 0", "", "at least 1", "ansible.cfg:2:9"),
            (
                "[defaults]\nforks",
                "",
                "neither a [section] nor `key = value`",
                "ansible.cfg:2:1",
            ),
            (
                "forks = 1",
                "",
                "before the first [section]",
                "ansible.cfg:1:1",
            ),
            (
                "[defaults]\nforks=1\nforks=2",
                "",
                "forks is set twice",
                "ansible.cfg:3:1",
            ),
            ("[colors]\nok = blurb", "", "colour", "ansible.cfg:2:6"),
            ("", "abc", "'abc' for the setting forks", ""),
        ] {
            let error = config(text, &[("ANSIBLE_FORKS", env)]).err().unwrap();
            assert_eq!(error.kind(), Kind::Options);
            assert!(error.message().contains(message), "{error}");
            let at = error
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert_eq!(at.trim_start_matches("/etc/x/"), place, "{error}");
        }
    }
}
