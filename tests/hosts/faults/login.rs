//! Logging in: host keys that are unknown or have changed, and what is asked at a terminal.

use super::{PING, Run, Said};
use crate::hosts::world::cache;
use crate::support::terminal;
use std::process::Command;

fn checking(mut command: Command) -> Command {
    command.env("ANSIBLE_HOST_KEY_CHECKING", "yes");
    command
}

#[test]
fn unknown_and_changed_host_keys_are_refused() {
    let run = Run::new("fkey", &["bare1=10.0.0.2", "bare2=10.0.0.3"]);
    let checked =
        |args: &[&str]| Said::of(checking(run.command(PING, args)).output().expect("rplay"));
    checked(&[])
        .ends_with(4)
        .says("Host key verification failed. No ssh-ed25519 host key is known for 10.0.0.2; the host shows SHA256:");
    // at a terminal it is asked; once for a host
    let asked = terminal::run(
        &checking(run.command(PING, &["-l", "bare1"])),
        &[("continue connecting", "perhaps"), ("Please type", "no")],
    );
    assert!(
        asked.0 == 4 && asked.1.contains("key fingerprint is SHA256:"),
        "{}",
        asked.1
    );
    let asked = terminal::run(
        &checking(run.command(PING, &["-l", "bare1"])),
        &[("continue connecting", "yes")],
    );
    assert_eq!(asked.0, 0, "{}", asked.1);
    checked(&["-l", "bare1"]).ends_with(0);
    checked(&["--ssh-extra-args", "-o StrictHostKeyChecking=accept-new"]).ends_with(0);
    run.on(
        "bare1",
        "rm /etc/ssh/ssh_host_*; ssh-keygen -A; kill -HUP $(pgrep -o sshd)",
    );
    run.wait_for("bare1", "pgrep -o sshd && ss -ltn | grep -q ':22 '");
    for _ in 0..2 {
        checked(&[])
            .ends_with(4)
            .says("HAS CHANGED")
            .says("known_hosts:1 has another")
            .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
            .counts("bare2", "ok=1 changed=0 unreachable=0 failed=0");
    }
    let known = run.folder.join("known_hosts");
    let forget = Command::new("ssh-keygen")
        .arg("-q")
        .arg("-f")
        .arg(&known)
        .args(["-R", "10.0.0.2"])
        .output();
    assert!(forget.expect("ssh-keygen").status.success());
    checked(&["--ssh-extra-args", "-o StrictHostKeyChecking=accept-new"]).ends_with(0);
}

#[test]
fn passwords_are_asked_for_at_a_terminal_or_given() {
    let run = Run::new("fpass", &["bare1=10.0.0.2"]);
    run.play(PING, &[]).ends_with(0);
    let locked = cache().join("keys/id_locked").display().to_string();
    let key = format!("ansible_ssh_private_key_file={locked}");
    run.play(PING, &["-e", &key])
        .ends_with(4)
        .says("id_locked is encrypted, and its passphrase is not known");
    let (code, text) = terminal::run(
        &run.command(PING, &["-e", &key]),
        &[
            ("Enter passphrase for key", "wrong"),
            ("Enter passphrase for key", "s3cret"),
        ],
    );
    assert_eq!(code, 0, "{text}");
    for connection in ["ssh2", "openssh"] {
        let given = |passphrase: &str| {
            let passphrase = format!("ansible_private_key_passphrase={passphrase}");
            run.play(PING, &["-c", connection, "-e", &key, "-e", &passphrase])
        };
        given("s3cret").ends_with(0);
        given("wrong").ends_with(4).says("Permission denied");
        let itself = std::fs::read_to_string(cache().join("keys/id_ecdsa")).expect("a key");
        let mut command = run.command(
            PING,
            &["-c", connection, "-e", "ansible_ssh_private_key_file=/none"],
        );
        let said = Said::of(
            command
                .env("ANSIBLE_PRIVATE_KEY", itself)
                .output()
                .expect("rplay"),
        );
        said.ends_with(0);
    }
    // a server that asks questions of its own
    run.on(
        "bare1",
        "/usr/sbin/sshd -p 2222 -o UsePAM=yes -o KbdInteractiveAuthentication=yes -o PasswordAuthentication=no",
    );
    let bob = "ansible_user=bob ansible_ssh_private_key_file=/none";
    for (port, password, code, words) in [
        ("2222", "s3cret", 0, ""),
        (
            "2222",
            "wrong",
            4,
            "Permission denied (publickey,keyboard-interactive). (the password was refused)",
        ),
        ("22", "s3cret", 0, ""),
    ] {
        let (got, text) = terminal::run(
            &run.command(
                PING,
                &["-k", "-e", bob, "-e", &format!("ansible_port={port}")],
            ),
            &[("SSH password: ", password)],
        );
        assert_eq!(got, code, "{text}");
        assert!(text.contains(words), "{text}");
    }
    let (code, text) = terminal::run(
        &run.command(
            PING,
            &[
                "-k",
                "-K",
                "-b",
                "-e",
                "ansible_user=alice ansible_ssh_private_key_file=/none",
            ],
        ),
        &[
            ("SSH password: ", "s3cret"),
            ("BECOME password[defaults to SSH password]: ", ""),
        ],
    );
    assert_eq!(code, 0, "{text}");
}
