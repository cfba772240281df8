//! What an inventory does beyond what Ansible's command line shows: settings, changes while a play
//! runs, reading anew.

use super::*;
use crate::notice::capture;
use options::{GroupChars, Mismatch};
use std::fs;

fn load(sources: &[&str], options: Options) -> Result<Inventory> {
    let sources: Vec<String> = sources.iter().map(|s| s.to_string()).collect();
    capture(|| Inventory::load(&sources, options, None)).0
}

fn hosts(inventory: &Inventory, pattern: &str) -> String {
    let hosts = Pattern::parse(pattern).and_then(|p| inventory.hosts_for(&p, None));
    match hosts {
        Ok(hosts) => hosts.join(" "),
        Err(error) => format!("error: {error}"),
    }
}

fn temp(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

#[test]
fn localhost_exists_without_being_a_member() {
    let inventory = load(&["h1,"], Options::default()).unwrap();
    assert_eq!(hosts(&inventory, "all"), "h1");
    assert_eq!(hosts(&inventory, "localhost"), "localhost");
    assert_eq!(hosts(&inventory, "127.0.0.1"), "127.0.0.1");
    let localhost = inventory.host("localhost").unwrap();
    assert!(localhost.implicit);
    assert_eq!(
        localhost.vars.get("ansible_connection"),
        Some(&"local".into())
    );
    assert!(inventory.group_names("localhost").is_empty());
    let named = load(&["127.0.0.1,"], Options::default()).unwrap();
    assert_eq!(hosts(&named, "localhost"), "127.0.0.1");
    assert!(!named.host("localhost").unwrap().implicit);
}

#[test]
fn settings_decide_what_is_an_error() {
    let strict = Options {
        mismatch: Mismatch::Error,
        ..Options::default()
    };
    let inventory = load(&["h1,"], strict).unwrap();
    assert_eq!(
        hosts(&inventory, "nope"),
        "error: Could not match supplied host pattern, ignoring: nope"
    );
    let any = Options {
        any_unparsed_is_failed: true,
        ..Options::default()
    };
    let error = load(&["h1,", "/nowhere/hosts"], any).unwrap_err();
    assert_eq!(
        error.message(),
        "Unable to parse /nowhere/hosts as an inventory source"
    );
    let all = Options {
        unparsed_is_failed: true,
        ..Options::default()
    };
    let error = load(&["/nowhere/hosts"], all.clone()).unwrap_err();
    assert!(error.message().starts_with("No inventory was parsed"));
    assert!(load(&["h1,", "/nowhere/hosts"], all).is_ok());
}

#[test]
fn settings_decide_how_sources_are_read() {
    let dir = temp(&[("a.ini", "[web-1]\nh1"), ("b.skip", "h2"), ("c.x", "h3")]);
    let source = dir.path().to_str().unwrap();
    let options = Options {
        ignore_extensions: vec![".skip".into()],
        ignore_patterns: vec!["^c".into()],
        group_chars: GroupChars::Silently,
        ..Options::default()
    };
    let inventory = load(&[source], options).unwrap();
    assert_eq!(hosts(&inventory, "all"), "h1");
    assert_eq!(hosts(&inventory, "web_1"), "h1");
    let ranges = Options {
        enabled: vec!["ansible.builtin.advanced_host_list".into()],
        ..Options::default()
    };
    let inventory = load(&["w[1:3]:22,x"], ranges).unwrap();
    assert_eq!(hosts(&inventory, "all"), "w1 w2 w3 x");
    let only_yaml = Options {
        enabled: vec!["yaml".into()],
        ..Options::default()
    };
    let ini = dir.path().join("a.ini");
    let inventory = load(&[ini.to_str().unwrap()], only_yaml).unwrap();
    assert_eq!(hosts(&inventory, "all"), "");
}

#[test]
fn what_rplay_lacks_is_refused_by_name() {
    let dir = temp(&[("x.aws_ec2.yml", "plugin: amazon.aws.aws_ec2\nregions: []\n")]);
    let source = dir.path().join("x.aws_ec2.yml");
    let error = load(&[source.to_str().unwrap()], Options::default()).unwrap_err();
    let part = "inventory plugin 'amazon.aws.aws_ec2'";
    assert!(error.message().contains(part), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn a_source_with_a_mistake_adds_nothing() {
    let dir = temp(&[("bad.ini", "[a]\nh1\nh2 oops\n")]);
    let source = dir.path().join("bad.ini");
    let sources = [source.to_str().unwrap().to_string(), "ok,".into()];
    let (inventory, said) = capture(|| Inventory::load(&sources, Options::default(), None));
    let inventory = inventory.unwrap();
    assert_eq!(hosts(&inventory, "all"), "ok");
    assert!(inventory.group("a").is_none());
    assert!(said[0].1.contains("got: oops"), "{said:?}");
    assert!(said[0].1.contains("bad.ini:3:1"), "{said:?}");
    assert!(said[1].1.starts_with("Unable to parse"), "{said:?}");
}

#[test]
fn a_plugin_says_what_is_wrong_with_its_file_without_hosts_too() {
    for (text, place, words) in [
        ("keyed_groups: 3\n", "x.yml:2:15", "'list': 3"),
        ("compose: [a]\n", "x.yml:2:10", "'dict': ['a']"),
        ("groups: web\n", "x.yml:2:9", "'dict': 'web'"),
        ("strict: maybe\n", "x.yml:2:9", "'bool': 'maybe'"),
        ("keyed: []\n", "x.yml", "has no option 'keyed'"),
    ] {
        let dir = temp(&[("x.yml", &format!("plugin: constructed\n{text}"))]);
        let sources = [dir.path().join("x.yml").display().to_string()];
        let (inventory, said) = capture(|| Inventory::load(&sources, Options::default(), None));
        inventory.unwrap();
        assert!(said[0].1.contains(words), "{text}: {said:?}");
        assert!(said[0].1.contains(place), "{text}: {said:?}");
    }
}

#[test]
fn hosts_and_groups_come_while_a_play_runs_and_outlive_a_refresh() {
    let dir = temp(&[("hosts", "[a]\nh1\n"), ("group_vars/a", "x: 1\n")]);
    let source = dir.path().join("hosts");
    let mut inventory = load(&[source.to_str().unwrap()], Options::default()).unwrap();
    let mut vars = Map::default();
    vars.insert("v".into(), 1.into());
    let groups = ["a".to_string(), "new".into()];
    assert!(inventory.add_host("h2:2222", &groups, &vars).unwrap());
    assert!(!inventory.add_host("h2", &groups, &vars).unwrap());
    let known = inventory.host("h2").unwrap();
    assert_eq!(known.vars.get("ansible_port"), Some(&2222.into()));
    assert_eq!(hosts(&inventory, "a"), "h1 h2");
    assert!(inventory.add_host("lone", &[], &Map::default()).unwrap());
    assert_eq!(hosts(&inventory, "ungrouped"), "lone");

    let parents = ["top".to_string()];
    assert!(inventory.group_by("lone", "os_x", &parents).unwrap());
    assert!(!inventory.group_by("lone", "os_x", &parents).unwrap());
    assert_eq!(hosts(&inventory, "top"), "lone");
    assert_eq!(hosts(&inventory, "ungrouped"), "");
    assert_eq!(inventory.group_names("lone").join(" "), "os_x top");
    assert_eq!(hosts(&inventory, "all"), "h1 h2 lone");
    inventory.remove_host("h1");
    assert_eq!(hosts(&inventory, "all"), "h2 lone");

    assert_eq!(
        inventory.vars_of("h2", None).unwrap().get("x"),
        Some(&1.into())
    );
    fs::write(&source, "[a]\nh1\nh3\n").unwrap();
    fs::write(dir.path().join("group_vars/a"), "x: 2\n").unwrap();
    inventory.refresh().unwrap();
    assert_eq!(hosts(&inventory, "all"), "h1 h3 h2 lone");
    assert_eq!(hosts(&inventory, "top"), "lone");
    assert_eq!(
        inventory.vars_of("h3", None).unwrap().get("x"),
        Some(&2.into())
    );
}

#[test]
fn layers_are_in_the_order_of_precedence() {
    let dir = temp(&[
        (
            "inv/hosts",
            "[g]\nh v=host\n[g:vars]\nv=group\n[all:vars]\nv=all\n",
        ),
        ("inv/group_vars/all.yml", "v: all file"),
        ("inv/group_vars/g.yml", "v: group file"),
        ("inv/host_vars/h.yml", "v: host file"),
        ("play/group_vars/all.yml", "v: all play"),
        ("play/group_vars/g.yml", "v: group play"),
        ("play/host_vars/h.yml", "v: host play"),
    ]);
    let source = dir.path().join("inv/hosts");
    let inventory = load(&[source.to_str().unwrap()], Options::default()).unwrap();
    let play = dir.path().join("play");
    let layers = inventory.layers("h", Some(&play)).unwrap();
    let values: Vec<&str> = layers
        .iter()
        .filter_map(|l| l.vars.get("v")?.as_str())
        .collect();
    assert_eq!(
        values,
        [
            "all",
            "group",
            "all file",
            "all play",
            "group file",
            "group play",
            "host",
            "host file",
            "host play"
        ]
    );
    assert!(layers.is_sorted_by_key(|l| l.kind));
    // one map for all hosts of a group
    let again = inventory.layers("h", Some(&play)).unwrap();
    assert!(
        layers
            .iter()
            .zip(&again)
            .all(|(a, b)| Arc::ptr_eq(&a.vars, &b.vars))
    );
}

#[test]
fn dictionaries_are_merged_where_configured() {
    let dir = temp(&[
        ("hosts.ini", "h d=\"{'b': 1}\"\n"),
        ("group_vars/all", "d: {a: 1, c: {x: 1}}"),
        ("host_vars/h", "d: {c: {y: 1}}"),
    ]);
    let source = dir.path().join("hosts.ini");
    for (merge, json) in [
        (false, r#"{"c":{"y":1}}"#),
        (true, r#"{"a":1,"c":{"x":1,"y":1},"b":1}"#),
    ] {
        let options = Options {
            merge,
            ..Options::default()
        };
        let inventory = load(&[source.to_str().unwrap()], options).unwrap();
        let vars = inventory.vars_of("h", None).unwrap();
        assert_eq!(vars["d"].to_json().to_string(), json);
    }
}

#[test]
fn orders_are_those_of_the_keyword() {
    let inventory = load(&["b,a,c"], Options::default()).unwrap();
    for (order, expected) in [
        ("inventory", "b a c"),
        ("reverse_inventory", "c a b"),
        ("sorted", "a b c"),
        ("reverse_sorted", "c b a"),
    ] {
        let mut hosts = inventory.hosts_of("all");
        Order::parse(order).unwrap().apply(&mut hosts);
        assert_eq!(hosts.join(" "), expected, "{order}");
    }
    assert!(Order::parse("random").is_err());
}
