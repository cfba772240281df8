//! Playbooks on real hosts over SSH, by rplay and by ansible-core: what they print, and what the hosts are like
//! afterwards, must be equal.
//!
//! A folder below `cases/` is a batch: its playbooks run one after the other in one process of each program, on
//! one host that is new for the batch. `@host@` in a playbook stands for an alias of that host, another in each,
//! so that a case that fails does not lose the host for the next. rplay and ansible-core have a world each, with
//! a host of the same name and address. Files of `shared/` lie beside the playbooks.

mod faults;
mod tree;
mod world;

use crate::support::normal::normal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::TextDiff;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use world::World;

const HOST: &str = "box=10.0.9.1";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

/// What a batch came to: the output of each case, and the host's state.
#[derive(Serialize, Deserialize)]
struct Outcome {
    cases: BTreeMap<String, String>,
    state: String,
}

#[test]
fn rplay_and_ansible_agree_on_real_hosts() {
    let wanted = std::env::var("RPLAY_CASES").unwrap_or_default();
    let mut batches: Vec<PathBuf> = std::fs::read_dir(root().join("cases"))
        .expect("the cases")
        .map(|e| e.expect("a batch").path())
        .filter(|p| p.is_dir())
        .collect();
    batches.sort();
    let (mut passed, mut failed) = (0, Vec::new());
    for batch in batches {
        let name = batch
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.contains(&wanted) && !wanted.starts_with(&name) {
            continue;
        }
        let theirs = oracle(&batch, &name);
        let ours = run(
            &batch,
            &name,
            "rph",
            &[env!("CARGO_BIN_EXE_rplay").to_string()],
        );
        for (case, expected) in &theirs.cases {
            let got = ours.cases.get(case).map_or("", String::as_str);
            match compare(case, expected, got) {
                None => passed += 1,
                Some(problem) => failed.push((case.clone(), problem)),
            }
        }
        match compare("state", &theirs.state, &ours.state) {
            None => passed += 1,
            Some(problem) => failed.push((format!("{name}: the host's state"), problem)),
        }
    }
    let mut report = String::new();
    for (case, problem) in &failed {
        report += &format!("FAILED {case}\n{problem}\n");
    }
    report += &format!("hosts: {passed} passed, {} failed\n", failed.len());
    let _ = std::io::stderr().lock().write_all(report.as_bytes());
    assert!(failed.is_empty(), "cases on real hosts that differ");
}

fn compare(what: &str, theirs: &str, ours: &str) -> Option<String> {
    if theirs == ours {
        return None;
    }
    let diff = TextDiff::from_lines(theirs, ours);
    let mut diff = diff.unified_diff();
    let (theirs, ours) = (format!("{what}: ansible"), format!("{what}: rplay"));
    Some(diff.header(&theirs, &ours).to_string())
}

/// The playbooks of a batch, by name.
fn playbooks(batch: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(batch)
        .expect("a batch")
        .map(|e| e.expect("a case").path())
        .filter(|p| p.extension().is_some_and(|e| e == "yml"))
        .map(|p| {
            let name = p
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read_to_string(&p).expect("a case"))
        })
        .collect();
    found.sort();
    found
}

/// Runs a batch in a new world, and reads what it printed and left.
fn run(batch: &Path, name: &str, world: &str, program: &[String]) -> Outcome {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("hosts")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let (work, home) = (folder.join("work"), folder.join("home"));
    for folder in [&work, &home] {
        std::fs::create_dir_all(folder).expect("a folder to work in");
    }
    let shared = std::fs::read_dir(root().join("shared")).expect("the shared files");
    for file in shared.map(|e| e.expect("a shared file").path()) {
        std::fs::copy(&file, work.join(file.file_name().unwrap_or_default())).expect("a copy");
    }
    let address = HOST.split_once('=').map_or("", |(_, ip)| ip);
    let key = world::cache().join("keys/id_ed25519");
    let mut inventory = "[all]\n".to_string();
    let mut names = String::new();
    let cases = playbooks(batch);
    for (number, (case, text)) in cases.iter().enumerate() {
        let alias = format!("h{number}");
        inventory += &format!("{alias} ansible_host={address}\n");
        let mark = format!("mark-{case}.yml");
        let said = format!("- name: '=== {case}'\n  hosts: localhost\n  gather_facts: no\n");
        std::fs::write(work.join(&mark), said).expect("a mark");
        let file = format!("{case}.yml");
        std::fs::write(work.join(&file), lenient(&text, &alias)).expect("a case");
        names += &format!("- import_playbook: {mark}\n- import_playbook: {file}\n");
    }
    inventory += &format!(
        "[all:vars]\nansible_user=ubuntu\nansible_ssh_private_key_file={}\n\
         ansible_ssh_common_args=-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR\n",
        key.display()
    );
    // two lines that no inventory can hold as they are
    let inventory = inventory.replace(
        "ansible_ssh_common_args=-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        "ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'",
    );
    std::fs::write(work.join("inventory"), inventory).expect("the inventory");
    std::fs::write(work.join("all.yml"), names).expect("the playbook of all");

    let up = World::up(world, &[HOST]);
    // Ansible warns where it has to make these itself
    for user in ["ubuntu", "alice"] {
        let dirs = format!(
            "mkdir -p -m 700 /home/{user}/.ansible/tmp; chown -R {user}: /home/{user}/.ansible"
        );
        up.inside("box", &dirs);
    }
    up.inside("box", "mkdir -p -m 700 /root/.ansible/tmp");
    let output = up
        .controller()
        .args(["timeout", "900"])
        .args(program)
        .args(["-i", "inventory", "all.yml"])
        .current_dir(&work)
        .env_clear()
        .env("HOME", &home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("USER", "root")
        .env("TERM", "dumb")
        .env("ANSIBLE_HOST_KEY_CHECKING", "no")
        .env("ANSIBLE_PIPELINING", "yes")
        .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
        .env("PYTHONHASHSEED", "0")
        .envs(std::env::var_os("RPLAY_AGENT_DIR").map(|v| ("RPLAY_AGENT_DIR", v)))
        .output()
        .expect("the program");
    let stdout = normal(&String::from_utf8_lossy(&output.stdout), &work);
    if std::env::var_os("RPLAY_SHOW").is_some() {
        eprintln!(
            "{stdout}\n--- stderr\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let mut found = BTreeMap::new();
    let (stdout, _) = stdout.split_once("PLAY RECAP").unwrap_or((&stdout, ""));
    for part in stdout.split("PLAY [=== ").skip(1) {
        let (case, rest) = part.split_once(']').unwrap_or((part, ""));
        let said = rest.split_once('\n').map_or("", |(_, said)| said);
        found.insert(format!("{name}/{case}"), said.trim().to_string() + "\n");
    }
    assert_eq!(
        found.len(),
        cases.len(),
        "{name}: not all cases ran: {stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Outcome {
        cases: found,
        state: tree::of(&up.state("box")),
    }
}

/// A case for its alias. Failures are ignored: a playbook with a failed host would be the last one to run.
fn lenient(text: &str, alias: &str) -> String {
    let hosts = "- hosts: \"@host@\"\n";
    assert!(text.contains(hosts), "a play of a case begins with {hosts}");
    text.replace(hosts, &format!("- hosts: {alias}\n  ignore_errors: yes\n"))
        .replace("@host@", alias)
}

/// What ansible-core makes of a batch; kept until the batch, the harness or ansible-core changes.
fn oracle(batch: &Path, name: &str) -> Outcome {
    let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
        "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
    );
    let program = PathBuf::from(venv).join("bin/ansible-playbook");
    let version = std::process::Command::new(&program)
        .arg("--version")
        .output()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let mut hash = Sha256::new();
    hash.update(include_str!("mod.rs"));
    hash.update(include_str!("tree.rs"));
    hash.update(
        String::from_utf8_lossy(&version.stdout)
            .lines()
            .next()
            .unwrap_or_default(),
    );
    hash.update(env!("CARGO_TARGET_TMPDIR").len().to_le_bytes());
    for (case, text) in playbooks(batch) {
        hash.update(case);
        hash.update(text);
    }
    let mut shared: Vec<PathBuf> = std::fs::read_dir(root().join("shared"))
        .expect("the shared files")
        .map(|e| e.expect("a shared file").path())
        .collect();
    shared.sort();
    for file in shared {
        hash.update(std::fs::read(file).expect("a shared file"));
    }
    let key: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect();
    let kept =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(".cache/parity/hosts-{key}.json"));
    if let Ok(text) = std::fs::read_to_string(&kept)
        && let Ok(outcome) = serde_json::from_str(&text)
    {
        return outcome;
    }
    let outcome = run(batch, name, "ora", &[program.display().to_string()]);
    std::fs::create_dir_all(kept.parent().unwrap_or(&kept)).expect("a folder to keep outcomes in");
    std::fs::write(&kept, serde_json::to_string(&outcome).expect("JSON")).expect("an outcome kept");
    outcome
}
