//! What ansible-core says that it has.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The lists that ansible-core prints, by what was asked for.
pub struct Lists(serde_json::Map<String, Value>);

/// Kinds of plugins, as `ansible-doc -t` names them.
const DOCUMENTED: &[&str] = &["keyword", "module", "filter", "test", "lookup", "become"];

impl Lists {
    /// Asks ansible-core, once per version: what it says is kept in `.cache/parity`.
    pub fn get() -> Lists {
        let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
            "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
        );
        let bin = PathBuf::from(venv).join("bin");
        let version = said(&bin, "ansible", &["--version"]);
        let version = version.lines().next().unwrap_or_default();
        let version: String = version
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/parity");
        let kept = folder.join(format!("lists-1-{version}.json"));
        if let Ok(text) = std::fs::read_to_string(&kept)
            && let Ok(Value::Object(lists)) = serde_json::from_str(&text)
        {
            return Lists(lists);
        }
        let mut lists = serde_json::Map::new();
        for kind in DOCUMENTED {
            let text = said(&bin, "ansible-doc", &["-t", kind, "-l", "--json"]);
            lists.insert(kind.to_string(), json(&text));
        }
        let settings = said(&bin, "ansible-config", &["list", "--format", "json"]);
        lists.insert("settings".into(), json(&settings));
        let help = said(&bin, "ansible-playbook", &["--help"]);
        lists.insert("help".into(), Value::String(help));
        std::fs::create_dir_all(&folder).expect("a folder to keep the lists in");
        let text = Value::Object(lists.clone()).to_string();
        std::fs::write(&kept, text).expect("the lists kept");
        Lists(lists)
    }

    /// The names of a kind, without `ansible.builtin.`; those of other collections are left out.
    pub fn documented(&self, kind: &str) -> BTreeSet<String> {
        let names = self.0[kind].as_object().expect("names with a text each");
        names
            .keys()
            .map(|name| name.strip_prefix("ansible.builtin.").unwrap_or(name))
            .filter(|name| !name.contains('.'))
            .map(String::from)
            .collect()
    }

    pub fn options(&self) -> BTreeSet<String> {
        options(self.0["help"].as_str().expect("a text"))
    }

    pub fn settings(&self) -> BTreeSet<String> {
        let settings = self.0["settings"].as_object().expect("settings by name");
        settings.keys().cloned().collect()
    }

    /// The settings that are known by any of these names, of variables of the environment and `section.key` of the file.
    pub fn settings_of(&self, known: &BTreeSet<String>) -> BTreeSet<String> {
        let settings = self.0["settings"].as_object().expect("settings by name");
        let is_known = |setting: &Value| {
            let list = |kind: &str| setting[kind].as_array().cloned().unwrap_or_default();
            let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_string();
            let env = list("env").into_iter().map(|e| text(&e, "name"));
            let ini = list("ini")
                .into_iter()
                .map(|i| format!("{}.{}", text(&i, "section"), text(&i, "key")));
            env.chain(ini).any(|name| known.contains(&name))
        };
        settings
            .iter()
            .filter(|(_, setting)| is_known(setting))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// The long options that a `--help` names.
pub fn options(help: &str) -> BTreeSet<String> {
    help.split(|c: char| c.is_whitespace() || "[],=|/.".contains(c))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(String::from)
        .collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON of ansible-core")
}

fn said(bin: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(bin.join(program))
        .args(args)
        .env("COLUMNS", "200")
        .env("ANSIBLE_COLLECTIONS_PATH", "/nonexistent")
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {args:?} failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
