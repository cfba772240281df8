//! `rplay config`: the settings that ansible-config shows too have the same name, value and origin.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const FILE: &str = "[defaults]
forks = 9
roles_path = a:~/b
gathering = smart
retry_files_enabled = yes
[privilege_escalation]
become = yes
[inventory]
enable_plugins = yaml, ini
";

const ENV: &[(&str, &str)] = &[
    ("ANSIBLE_TIMEOUT", "4"),
    ("ANSIBLE_HOST_KEY_CHECKING", "no"),
    ("ANSIBLE_BECOME_PASS", "s3cret-of-tests"),
];

fn said(program: &Path, args: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8")
        .envs(ENV.iter().copied())
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn settings(json: &str) -> BTreeMap<String, (Value, Value)> {
    let entries: Vec<Value> = serde_json::from_str(json).expect("JSON");
    let entry = |e: Value| {
        Some((
            e["name"].as_str()?.to_string(),
            (e["origin"].clone(), e["value"].clone()),
        ))
    };
    entries.into_iter().filter_map(entry).collect()
}

#[test]
fn settings_are_those_of_ansible_config() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("ansible.cfg"), FILE).expect("a file");
    let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
        "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
    );
    let ansible = PathBuf::from(venv).join("bin/ansible-config");
    let rplay = Path::new(env!("CARGO_BIN_EXE_rplay"));
    let theirs = settings(&said(
        &ansible,
        &["dump", "--format", "json"],
        folder.path(),
    ));
    let ours = settings(&said(
        rplay,
        &["config", "dump", "--format", "json"],
        folder.path(),
    ));
    // what rplay's own defaults are, on purpose or for want of Python
    let own = [
        "ALLOW_BROKEN_CONDITIONALS",
        // what Ansible shows is not what its jsonfile does
        "CACHE_PLUGIN_PREFIX",
        "DEFAULT_BECOME_FLAGS",
        "DEFAULT_LOCAL_TMP",
        // a role's own word counts where this is not set
        "DEFAULT_PRIVATE_ROLE_VARS",
        "DEFAULT_STDOUT_CALLBACK",
    ];
    let mut compared = 0;
    let mut differ = Vec::new();
    for (name, value) in &ours {
        let Some(expected) = theirs.get(name) else {
            continue;
        };
        compared += 1;
        if !own.contains(&name.as_str()) && value != expected {
            differ.push(format!("{name}: ansible {expected:?}, rplay {value:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(
        compared > 80,
        "only {compared} have names that Ansible knows"
    );
}

#[test]
fn secrets_are_not_shown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rplay = Path::new(env!("CARGO_BIN_EXE_rplay"));
    for args in [
        &["config", "dump"][..],
        &["config", "dump", "--format", "yaml"],
        &["config", "list"],
        &["config", "list", "--format", "json"],
    ] {
        let text = said(rplay, args, folder.path());
        assert!(!text.contains("s3cret"), "{args:?}");
        assert!(text.contains("BECOME_PASSWORD"), "{args:?}");
        assert!(!text.contains("R#"), "{args:?}");
    }
}
