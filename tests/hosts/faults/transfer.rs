//! Files on their way: connections that are cut, disks that are full, and what memory it takes.

use super::{PING, Run, play};

/// A file that takes a while.
fn big(run: &Run, bytes: usize) {
    let content: Vec<u8> = (0..bytes as u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    std::fs::write(run.folder.join("big"), content).expect("a file");
}

#[test]
fn a_copy_that_is_cut_leaves_the_old_file_and_nothing_else() {
    let run = Run::new(
        "fcut",
        &["bare1=10.0.0.1", "bare2=10.0.0.2", "bare3=10.0.0.3"],
    );
    big(&run, 3_000_000);
    run.play(PING, &[]).ends_with(0);
    for host in ["bare1", "bare2"] {
        run.on(host, "mkdir /srv/d; chmod 777 /srv/d; echo old >/srv/d/f");
        run.world.rate(host, "4000");
    }
    run.on("bare3", "mkdir -m 777 /srv/d");
    let text = play(&["copy: {src: big, dest: /srv/d/f}"]);
    let child = run.start(&text, &[]);
    for host in ["bare1", "bare2"] {
        run.wait_for(host, "ls /home/ubuntu/.ansible/tmp/.rplay-*/1-big");
    }
    // the end of one connection comes through, that of the other does not
    run.on("bare1", "pkill -KILL -u ubuntu sshd");
    run.world.link("bare2", "down");
    child
        .end()
        .ends_with(4)
        .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare2", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare3", "ok=1 changed=1 unreachable=0 failed=0");
    for host in ["bare1", "bare2"] {
        assert_eq!(run.on(host, "cat /srv/d/f; ls -A /srv/d"), "old\nf");
    }
    run.wait_for("bare1", "test -z \"$(ls -A /home/ubuntu/.ansible/tmp)\"");
    run.world.link("bare2", "up");
    for host in ["bare1", "bare2"] {
        run.world.rate(host, "off");
    }
    run.play(&text, &[])
        .ends_with(0)
        .counts("bare1", "ok=1 changed=1")
        .counts("bare2", "ok=1 changed=1")
        .counts("bare3", "ok=1 changed=0");
    assert_eq!(
        run.on("bare2", "wc -c </srv/d/f; ls -A /srv/d"),
        "3000000\nf"
    );
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let run = Run::new("ffull", &["bare1=10.0.0.1", "bare2=10.0.0.2"]);
    big(&run, 1_000_000);
    run.play(PING, &[]).ends_with(0);
    let small = |at: &str, size: &str| {
        run.on(
            "bare1",
            &format!("mkdir -p {at}; mount -t tmpfs -o size={size},mode=1777 tmpfs {at}"),
        );
    };
    run.on("bare2", "mkdir -m 777 /srv/small");
    small("/srv/small", "200k");
    run.on("bare1", "echo old >/srv/small/f; chmod 666 /srv/small/f");
    let text = play(&["copy: {src: big, dest: /srv/small/f}", "ping:"]);
    run.play(&text, &[])
        .ends_with(2)
        .says("No space left on device")
        .counts("bare1", "ok=0 changed=0 unreachable=0 failed=1")
        .counts("bare2", "ok=2 changed=1 unreachable=0 failed=0");
    assert_eq!(
        run.on("bare1", "cat /srv/small/f; ls -A /srv/small"),
        "old\nf"
    );
    // there is room for the file, but not for what is on its way
    run.on("bare1", "umount /srv/small; chmod 777 /srv/small");
    small("/home/ubuntu/.ansible/tmp", "200k");
    run.play(&text, &[])
        .ends_with(2)
        .says("failed to transfer file to the remote host")
        .says("No space left on device")
        .counts("bare1", "ok=0 changed=0 unreachable=0 failed=1");
    assert_eq!(
        run.on("bare1", "ls -A /home/ubuntu/.ansible/tmp /srv/small"),
        "/home/ubuntu/.ansible/tmp:\n\n/srv/small:"
    );
    run.on("bare1", "umount /home/ubuntu/.ansible/tmp");
    run.play(&text, &[])
        .ends_with(0)
        .counts("bare1", "ok=2 changed=1");
}

#[test]
fn the_size_of_a_file_costs_no_memory() {
    let run = Run::new("fmem", &["bare1=10.0.0.1"]);
    let file = std::fs::File::create(run.folder.join("big")).expect("a file");
    file.set_len(48_000_000).expect("its length");
    let memory =
        "shell: sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status\nregister: it";
    let here = "delegate_to: localhost\nvars: {ansible_connection: local}";
    let text = play(&[
        "ping:",
        &format!("{memory}\n{here}"),
        "set_fact: {here: '{{ it.stdout }}'}",
        memory,
        "set_fact: {there: '{{ it.stdout }}'}",
        "copy: {src: big, dest: /home/ubuntu/big}",
        "fetch: {src: /home/ubuntu/big, dest: back, flat: yes}",
        "file: {path: /home/ubuntu/big, state: absent}",
        &format!("{memory}\n{here}"),
        "debug: msg='here +{{ it.stdout | int - here | int }}'",
        "assert: {that: it.stdout | int - here | int < 24000}",
        memory,
        "debug: msg='there +{{ it.stdout | int - there | int }}'",
        "assert: {that: it.stdout | int - there | int < 24000}",
    ]);
    run.play(&text, &[]).ends_with(0);
    let back = std::fs::metadata(run.folder.join("back")).expect("the file");
    assert_eq!(back.len(), 48_000_000);
}
