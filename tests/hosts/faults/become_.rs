//! Becoming another user: passwords that are right, wrong or missing, and refusals.

use super::{PING, Run, play};

#[test]
fn passwords_and_refusals_of_become() {
    let run = Run::new("fsudo", &["bare1=10.0.0.2"]);
    run.world.install("bare1", "opendoas");
    run.on(
        "bare1",
        "printf 'permit nopass ubuntu\\npermit alice\\npermit nopass bob as alice\\n' >/etc/doas.conf",
    );
    run.play(PING, &[]).ends_with(0);
    run.play(PING, &["-b"]).ends_with(0);
    let text = play(&[
        "command: id -un\nregister: me",
        "debug: msg='I am {{ me.stdout }}'",
    ]);
    let cases: &[(&str, i32, &str)] = &[
        (
            "ansible_user=alice",
            2,
            "Task failed: Missing sudo password",
        ),
        (
            "ansible_user=alice ansible_become_password=s3cret",
            0,
            "I am root",
        ),
        (
            "ansible_user=alice ansible_become_password=wrong",
            2,
            "Task failed: Incorrect sudo password",
        ),
        (
            "ansible_user=alice ansible_become_flags='-H -S'",
            2,
            "Task failed: Missing sudo password",
        ),
        (
            "ansible_user=bob ansible_become_password=s3cret",
            2,
            "Task failed: bob is not in the sudoers file",
        ),
        ("ansible_become_user=nosuch", 2, "unknown user nosuch"),
        ("ansible_become_exe=/no/sudo", 2, "/no/sudo"),
        ("ansible_sudo_chdir=/nosuch", 2, "/nosuch"),
        (
            "ansible_become_user=root ansible_sudo_user=bob",
            0,
            "I am bob",
        ),
        (
            "ansible_user=bob ansible_become_method=su ansible_become_password=s3cret",
            0,
            "I am root",
        ),
        (
            "ansible_user=bob ansible_become_method=su ansible_become_password=wrong",
            2,
            "Task failed: Incorrect su password",
        ),
        (
            "ansible_user=bob ansible_become_method=su",
            2,
            "Task failed: Missing su password",
        ),
        (
            "ansible_user=bob ansible_become_method=su ansible_become_user=alice ansible_become_password=s3cret",
            0,
            "I am alice",
        ),
        (
            "ansible_become_method=community.general.doas",
            0,
            "I am root",
        ),
        (
            "ansible_user=alice ansible_become_method=doas ansible_doas_pass=s3cret",
            0,
            "I am root",
        ),
        (
            "ansible_user=alice ansible_become_method=doas ansible_become_password=wrong",
            2,
            "Task failed: Incorrect doas password",
        ),
        (
            "ansible_user=alice ansible_become_method=doas",
            2,
            "Task failed: Missing doas password",
        ),
        (
            "ansible_user=bob ansible_become_method=doas",
            2,
            "doas: Operation not permitted",
        ),
        (
            "ansible_user=bob ansible_become_method=doas ansible_become_user=alice",
            0,
            "I am alice",
        ),
        ("ansible_become_method=runas", 2, "rplay has sudo, su, doas"),
        (
            "ansible_user=bob ansible_become=no ansible_password=s3cret ansible_ssh_private_key_file=/none",
            0,
            "I am bob",
        ),
        (
            "ansible_user=bob ansible_password=wrong ansible_ssh_private_key_file=/none",
            4,
            "Permission denied (publickey,password",
        ),
    ];
    // of the environment, what speaks of one method wins
    let mut command = run.command(&text, &["-b", "-e", "ansible_user=alice"]);
    command.envs([
        ("ANSIBLE_BECOME_PASS", "wrong"),
        ("ANSIBLE_SUDO_PASS", "s3cret"),
    ]);
    let said = super::Said::of(command.output().expect("rplay"));
    said.ends_with(0).says("I am root");
    for (vars, expected, words) in cases {
        let said = run.play(&text, &["-b", "-e", vars]);
        assert_eq!(said.code, *expected, "{vars}: {}", said.text);
        assert!(said.text.contains(words), "{vars}: {}", said.text);
        assert!(!said.text.contains("s3cret"), "{vars}: {}", said.text);
    }
}

#[test]
fn a_refusal_fails_the_task_whatever_it_is_and_not_the_host() {
    let run = Run::new("frefuse", &["bare1=10.0.0.2", "bare2=10.0.0.3"]);
    std::fs::write(run.folder.join("s.sh"), "echo no\n").expect("a script");
    let tasks = [
        "command: id",
        "copy: {src: s.sh, dest: /srv/x}",
        "copy: {content: x, dest: /srv/x}",
        "fetch: {src: /etc/hostname, dest: got}",
        "raw: id",
        "script: s.sh",
        "reboot: {reboot_timeout: 1}",
    ];
    let mut all: Vec<String> = tasks
        .iter()
        .map(|task| {
            format!("{task}\nbecome: yes\nwhen: inventory_hostname == 'bare1'\nignore_errors: yes")
        })
        .collect();
    all.push("ping:".to_string());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let said = run.play(&play(&all), &["-e", "ansible_user=alice"]);
    said.ends_with(0)
        .counts(
            "bare1",
            "ok=8 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=7",
        )
        .counts("bare2", "ok=1 changed=0 unreachable=0 failed=0 skipped=7");
    let fatal = "fatal: [bare1]: FAILED! => {\"changed\": false, \"msg\": \"Task failed: Missing sudo password\"}";
    assert_eq!(said.text.matches(fatal).count(), 7, "{}", said.text);
    run.play(
        &play(&all),
        &[
            "-e",
            "ansible_user=alice",
            "-e",
            "ansible_become_password=s3cret",
            "-l",
            "bare2",
        ],
    )
    .ends_with(0);
}
