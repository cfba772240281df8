//! Inventories and patterns against what Ansible answers.
//!
//! Each `*.case` holds files and commands, its `*.expected` the answers of ansible-inventory (for
//! `inventory`) and `ansible --list-hosts` (for `hosts`), written by
//! `script/regenerate-inventory-expectations`. A new test is a new `*.case`.

use clap::Parser;
use rplay::Result;
use rplay::cli::inventory::{InventoryArgs, answer};
use rplay::inventory::{Inventory, Options, Pattern};
use rplay::notice::{self, Level};
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn answers_are_those_of_ansible() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory");
    let mut count = 0;
    let mut wrong = String::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "case") {
            continue;
        }
        let case = std::fs::read_to_string(&path).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        for command in unpack(&case, &dir) {
            count += 1;
            let found = run(command, &dir);
            let expected = expected_of(&expected, command);
            if found != expected {
                let name = path.file_name().unwrap().display();
                write!(
                    wrong,
                    "=== {name}: {command}\n--- expected\n{expected}--- found\n{found}"
                )
                .unwrap();
            }
        }
    }
    assert!(count > 100, "only {count} commands");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Writes the files of a case and gives its commands.
fn unpack<'a>(case: &'a str, dir: &Path) -> Vec<&'a str> {
    let mut commands = Vec::new();
    let mut file: Option<(&str, String)> = None;
    let write = |file: Option<(&str, String)>| {
        let Some((name, content)) = file else { return };
        let (name, mode) = match name.strip_suffix(" (executable)") {
            Some(name) => (name, 0o755),
            None => (name, 0o644),
        };
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut in_commands = false;
    for line in case.lines() {
        let header = line.strip_prefix("-- ").and_then(|l| l.strip_suffix(" --"));
        if let Some(name) = header {
            write(file.take());
            in_commands = name == "run";
            file = (!in_commands).then(|| (name, String::new()));
        } else if in_commands {
            commands.push(line);
        } else if let Some((_, content)) = &mut file {
            content.push_str(line);
            content.push('\n');
        }
    }
    commands
}

/// The part of the expectations that answers `command`.
fn expected_of<'a>(all: &'a str, command: &str) -> &'a str {
    let header = format!("$ {command}\n");
    let start = if all.starts_with(&header) {
        0
    } else {
        match all.find(&format!("\n{header}")) {
            Some(at) => at + 1,
            None => return "(nothing: regenerate the expectations)\n",
        }
    };
    let answer = &all[start + header.len()..];
    answer.find("\n$ ").map_or(answer, |end| &answer[..=end])
}

/// What rplay answers: notices, output, exit code.
fn run(command: &str, dir: &Path) -> String {
    let words = shell_words::split(&command.replace("$DIR", &dir.display().to_string())).unwrap();
    let (result, said) = notice::capture(|| match words[0].as_str() {
        "inventory" => InventoryArgs::try_parse_from(&words)
            .map_err(|e| rplay::Error::general(e.to_string()))
            .and_then(|args| answer(&args, Options::default(), None)),
        _ => hosts(&words[1..]),
    });
    let mut out = String::new();
    for (level, text) in said {
        let first = text.lines().next().unwrap_or_default();
        if level == Level::Warning && !first.starts_with("Failed to parse") {
            writeln!(out, "[WARNING]: {first}").unwrap();
        }
    }
    match result {
        Ok(text) => {
            out.push_str(&text);
            if !text.ends_with('\n') {
                out.push('\n');
            }
        }
        Err(error) => {
            writeln!(out, "[ERROR]: {error}").unwrap();
            writeln!(out, "exit code {}", error.kind().exit_code()).unwrap();
        }
    }
    out.replace(&dir.display().to_string(), "$DIR")
}

/// `ansible --list-hosts [-i SOURCE] [-l LIMIT] PATTERN`
fn hosts(words: &[String]) -> Result<String> {
    let (mut sources, mut limit, mut pattern) = (Vec::new(), None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-i" => sources.extend(words.next().cloned()),
            "-l" => limit = words.next(),
            _ => pattern = Some(word),
        }
    }
    let inventory = Inventory::load(&sources, Options::default(), None)?;
    let limit = limit.map(|l| Pattern::limit(l)).transpose()?;
    let hosts = inventory.listed(pattern.map_or("all", String::as_str), limit.as_ref())?;
    let mut out = format!("  hosts ({}):\n", hosts.len());
    for host in hosts {
        writeln!(out, "    {host}").unwrap();
    }
    Ok(out)
}
