//! The agent: that it ends, what it leaves, and that it comes again.

use super::{PING, Run, play};

#[test]
fn what_ran_ends_with_the_connection_and_leaves_nothing() {
    let run = Run::new("fgone", &["bare1=10.0.0.1"]);
    let tasks = [
        "copy: {src: small, dest: /srv/f}\nbecome: yes",
        "shell: sleep 61; touch /tmp/after",
    ];
    std::fs::write(run.folder.join("small"), "small").expect("a file");
    run.play(PING, &["-b"]).ends_with(0);
    // sudo has pipes, su a terminal that hangs up
    for args in [
        &["-b"][..],
        &[
            "-b",
            "-e",
            "ansible_user=bob ansible_become_method=su ansible_become_password=s3cret",
        ],
    ] {
        let child = run.start(&play(&tasks), args);
        run.wait_for("bare1", "pgrep -x sleep");
        child.kill();
        run.wait_for("bare1", "! pgrep -x sleep && ! pgrep agent-");
        let left = run.on(
            "bare1",
            "ls -A /home/*/.ansible/tmp /root/.ansible/tmp 2>/dev/null | grep rplay; test ! -e /tmp/after",
        );
        assert_eq!(left, "");
    }
}

#[test]
fn an_agent_that_is_killed_is_started_again() {
    let run = Run::new("fkill", &["bare1=10.0.0.1", "bare2=10.0.0.2"]);
    // in the middle of a task nobody knows how far it came
    let text = play(&[
        "shell: \"{{ 'kill -9 $PPID' if inventory_hostname == 'bare1' else 'true' }}\"",
        "ping:",
    ]);
    run.play(&text, &[])
        .ends_with(4)
        .says("the agent on the host has ended")
        .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare2", "ok=2 changed=1 unreachable=0 failed=0");
    run.play(PING, &[]).ends_with(0);
    // between two tasks it is none's loss; its end takes a moment to come
    let text = play(&["ping:", "raw: pkill -9 agent-; sleep 2", "ping:"]);
    run.play(&text, &[])
        .ends_with(0)
        .counts("bare1", "ok=3 changed=1 unreachable=0 failed=0");
}

#[test]
fn lines_of_commands_come_while_they_run() {
    let run = Run::new("flive", &["bare1=10.0.0.1"]);
    std::fs::write(run.folder.join("s.sh"), "echo three\n").expect("a script");
    let text = play(&[
        "shell: echo one; sleep 65; true",
        "raw: echo two",
        "script: s.sh",
    ]);
    let child = run.start(&text, &["--live"]);
    run.wait_for("bare1", "pgrep -x sleep");
    run.on("bare1", "pkill sleep");
    let said = child.end();
    said.ends_with(0)
        .says("bare1 | one\n")
        .says("bare1 | two\n")
        .says("bare1 | three\n");
}

#[test]
fn each_user_has_an_agent_and_nobody_else_can_read_what_it_holds() {
    let run = Run::new("fmode", &["bare1=10.0.0.1"]);
    std::fs::write(run.folder.join("secret"), "hush").expect("a file");
    std::fs::write(run.folder.join("s.sh"), "#!/bin/sh\nls -ld $0; sleep 64\n").expect("a file");
    let text = play(&[
        "ping:",
        "ping:\nbecome: yes",
        "ping:\nbecome: yes\nbecome_user: bob",
        "copy: {src: secret, dest: /home/bob/secret, mode: '600', validate: 'sh -c \"sleep 3; test -r %s\"'}\nbecome: yes\nbecome_user: bob",
        "command: ps -eo user=,comm=\nregister: ps",
        "assert: {that: \"ps.stdout_lines | select('search', 'agent-') | map('split') | map('first') | sort == ['bob', 'root', 'ubuntu']\"}",
        "script: s.sh\nbecome: yes\nbecome_user: bob",
    ]);
    let child = run.start(&text, &[]);
    // what is world-readable, or may be entered, of all that rplay has put there
    let open = "find / -xdev \\( -name '.rplay-*' -o -name 'rplay*' -o -name 'agent-*' -o -path '*/.ansible/tmp/*' \\) \
                -not -path '/proc/*' -not -path '/usr/*' -perm /077 -print";
    run.wait_for(
        "bare1",
        "pgrep -fx 'sh -c sleep 3; test -r .*' || pgrep -f 'sleep 3; test -r'",
    );
    assert_eq!(run.on("bare1", open), "");
    run.wait_for("bare1", "pgrep -fx 'sleep 64'");
    assert_eq!(run.on("bare1", open), "");
    run.on("bare1", "ls /home/ubuntu/.cache/rplay/agent-* /root/.cache/rplay/agent-* /home/bob/.cache/rplay/agent-*");
    run.on("bare1", "pkill -fx 'sleep 64'");
    child.end().ends_with(2);
    assert_eq!(
        run.on("bare1", "stat -c '%U %a' /home/bob/secret"),
        "bob 600"
    );
    let left = run.on(
        "bare1",
        "ls -A /home/*/.ansible/tmp /root/.ansible/tmp 2>/dev/null | grep rplay; true",
    );
    assert_eq!(left, "");
}
