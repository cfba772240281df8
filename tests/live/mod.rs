//! The lines of commands, shown while they run: beside the report, which stays what it is.

use crate::support::terminal;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

const PLAY: &str = "- hosts: localhost
  gather_facts: no
  tasks:
    - shell: echo one; sleep 1.5; printf 'two\\033[31m\\n'; sleep 0.3
    - raw: echo three
    - command: echo {{ item }}
      loop: [four, five]
    - shell: echo hidden
      no_log: yes
    - shell: echo hidden too
      no_log: \"{{ item }}\"
      loop: [yes]
    - file: {path: /, state: directory}
";

fn command(folder: &std::path::Path, args: &[&str]) -> Command {
    std::fs::write(folder.join("play.yml"), PLAY).expect("a playbook");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command
        .args(["-i", "localhost,", "-c", "local", "play.yml"])
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("TERM", "xterm")
        .env("ANSIBLE_NOCOLOR", "1")
        .stdin(Stdio::null());
    command
}

#[test]
fn lines_come_while_a_command_runs_and_the_report_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plain = command(folder.path(), &[]).output().unwrap();
    assert!(
        plain.status.success() && plain.stderr.is_empty(),
        "{plain:?}"
    );
    let mut child = command(folder.path(), &["--live"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "localhost | one");
    // the command still runs
    assert!(child.try_wait().unwrap().is_none());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let expected = ["two", "three", "four", "five"].map(|l| format!("localhost | {l}"));
    assert_eq!(rest, expected);
    let mut report = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut report)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(
        String::from_utf8_lossy(&report),
        String::from_utf8_lossy(&plain.stdout)
    );
}

#[test]
fn a_terminal_shows_the_latest_line_in_passing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, with) = terminal::run(&command(folder.path(), &[]), &[]);
    let mut quiet = command(folder.path(), &[]);
    let (_, without) = terminal::run(quiet.env("RPLAY_LIVE", "no"), &[]);
    assert_eq!(code, 0, "{with}");
    // shown, and taken away again before the result is printed
    let passing = "\r\x1b[Klocalhost | two\r\x1b[K";
    assert_eq!(with.matches('\x1b').count(), 2, "{with:?}");
    assert_eq!(with.replacen(passing, "", 1), without);
}
