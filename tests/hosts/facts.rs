//! The facts of one host by rplay and by ansible-core, key by key.
//!
//! `facts.yml` says what cannot be equal since it changes while one looks, which differences are known and why they are
//! there, and as what the host is disguised. The share of equal facts is printed; it must be 97%, and a
//! difference that is not in the list fails the test whatever the share is.

use super::print_all;
use super::world::{World, cache};
use fancy_regex::Regex;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Known {
    /// Patterns of facts that differ from moment to moment: they count neither way.
    varying: Vec<String>,
    exceptions: Vec<Exception>,
    disguises: Vec<Disguise>,
}

#[derive(Deserialize)]
struct Exception {
    facts: String,
    why: String,
}

#[derive(Deserialize)]
struct Disguise {
    name: String,
    /// A shell command by root at the host, which was put back before.
    prepare: String,
}

/// What a disguise may have changed.
const RESET: &str = "cd /etc && rm -f os-release lsb-release *-release .dockerenv /.dockerenv /run/.containerenv \
    && ln -s ../usr/lib/os-release os-release && echo 12.11 >debian_version";

const PLAY: &str = "- hosts: box
  gather_facts: no
  tasks:
    - setup: {gather_subset: '{{ subset }}'}
      register: as_user
    - setup: {gather_subset: '{{ subset }}'}
      become: yes
      register: as_root
    - copy:
        content: '{{ {\"as_user\": as_user.ansible_facts, \"as_root\": as_root.ansible_facts} | to_json }}'
        dest: '{{ out }}'
      delegate_to: localhost
";

/// The same host, asked by both programs.
struct Asked {
    world: World,
    folder: PathBuf,
}

impl Asked {
    fn new() -> Asked {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("facts");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("home")).expect("a folder");
        let inventory = format!(
            "box ansible_host=10.0.9.1 ansible_user=ubuntu ansible_ssh_private_key_file={} \
             ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'\n",
            cache().join("keys/id_ed25519").display()
        );
        std::fs::write(folder.join("inventory"), inventory).expect("the inventory");
        std::fs::write(folder.join("play.yml"), PLAY).expect("the playbook");
        let world = World::up("facts", &["box=10.0.9.1"]);
        // a new link-local address counts after a second: whoever asks first would not see it
        let settled = "for i in $(seq 100); do grep -q '^fe80.* 20 80 ' /proc/net/if_inet6 && exit; sleep 0.1; done";
        world.inside("box", settled);
        Asked { world, folder }
    }

    fn facts(&self, program: &Path, subset: &str) -> BTreeMap<String, Json> {
        let out = self.folder.join("out.json");
        let _ = std::fs::remove_file(&out);
        let said = self
            .world
            .controller()
            .arg(program)
            .args(["-i", "inventory", "play.yml", "-e"])
            .arg(serde_json::json!({"subset": subset, "out": out}).to_string())
            .current_dir(&self.folder)
            .env("HOME", self.folder.join("home"))
            .env("ANSIBLE_HOST_KEY_CHECKING", "no")
            .env("ANSIBLE_PIPELINING", "yes")
            .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
            .env("ANSIBLE_SSH_CONTROL_PATH_DIR", self.world.sockets())
            .env_remove("SSH_AUTH_SOCK")
            .output()
            .expect("the program");
        let text = std::fs::read_to_string(&out).unwrap_or_else(|e| {
            panic!(
                "{}: {e}\n{}{}",
                program.display(),
                String::from_utf8_lossy(&said.stdout),
                String::from_utf8_lossy(&said.stderr)
            )
        });
        let facts: Json = serde_json::from_str(&text).expect("facts");
        let mut leaves = BTreeMap::new();
        flatten("", &facts, &mut leaves);
        leaves
    }
}

/// Every value that is no container, under its path.
fn flatten(path: &str, value: &Json, out: &mut BTreeMap<String, Json>) {
    let below = |key: &str| match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    match value {
        Json::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(k, v)| flatten(&below(k), v, out))
        }
        Json::Array(items) if !items.is_empty() => items
            .iter()
            .enumerate()
            .for_each(|(n, v)| flatten(&below(&n.to_string()), v, out)),
        leaf => {
            out.insert(path.to_string(), leaf.clone());
        }
    }
}

#[test]
fn facts_are_those_of_ansible() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/facts.yml");
    let text = std::fs::read_to_string(&file).expect("facts.yml");
    let known: Known = serde_yaml::from_str(&text).expect("facts.yml");
    let pattern = |text: &String| Regex::new(&format!("^(?:{text})$")).expect("a pattern");
    let varying: Vec<Regex> = known.varying.iter().map(pattern).collect();
    let excused: Vec<Regex> = known.exceptions.iter().map(|e| pattern(&e.facts)).collect();
    let fits = |patterns: &[Regex], fact: &str| {
        // the first word says who asked
        let fact = fact.split_once('.').map_or(fact, |(_, fact)| fact);
        patterns
            .iter()
            .position(|p| p.is_match(fact).unwrap_or(false))
    };
    let oracle = PathBuf::from(
        std::env::var_os("RPLAY_ORACLE_VENV").expect("RPLAY_ORACLE_VENV, as script/test makes it"),
    )
    .join("bin/ansible-playbook");
    let asked = Asked::new();
    let plain = Disguise {
        name: "the test host".to_string(),
        prepare: String::new(),
    };
    let wanted = std::env::var("RPLAY_CASES").unwrap_or_default();
    let mut wrong = Vec::new();
    for disguise in std::iter::once(&plain).chain(&known.disguises) {
        if !disguise.name.contains(&wanted) {
            continue;
        }
        let mut subset = "all";
        if !disguise.prepare.is_empty() {
            subset = "min,virtual";
            let line = format!("({RESET}) && ({})", disguise.prepare.trim());
            let done = asked.world.inside("box", &line);
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "{}: {said}", disguise.name);
        }
        let theirs = asked.facts(&oracle, subset);
        let ours = asked.facts(env!("CARGO_BIN_EXE_rplay").as_ref(), subset);
        let all: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        let (mut equal, mut compared) = (0, 0);
        for fact in all {
            if fits(&varying, fact).is_some() {
                continue;
            }
            compared += 1;
            if theirs.get(fact) == ours.get(fact) {
                equal += 1;
                continue;
            }
            let shown = |v: Option<&Json>| match v {
                Some(value) => value.to_string().chars().take(100).collect(),
                None => "nothing".to_string(),
            };
            let (theirs, ours) = (shown(theirs.get(fact)), shown(ours.get(fact)));
            let said = format!("{}: {fact}: ansible {theirs}, rplay {ours}", disguise.name);
            match fits(&excused, fact) {
                Some(n) => print_all(&format!("{said} ({})\n", known.exceptions[n].why)),
                None => wrong.push(said),
            }
        }
        let share = f64::from(equal) * 100.0 / f64::from(compared.max(1));
        print_all(&format!(
            "facts of {}: {equal} of {compared} are equal, {share:.1}%\n",
            disguise.name
        ));
        if share < 97.0 {
            wrong.push(format!("{}: only {share:.1}% are equal", disguise.name));
        }
    }
    assert!(wrong.is_empty(), "facts that differ:\n{}", wrong.join("\n"));
}
