//! Hosts that have no place for the agent, or none that fits.

use super::{PING, Run, play};
use std::path::PathBuf;

#[test]
fn a_place_for_the_agent_is_found_or_the_lack_of_one_explained() {
    let run = Run::new("fhome", &["bare1=10.0.0.2", "bare2=10.0.0.3"]);
    let on = |line: &str| run.on("bare1", line);
    on("mount --bind /home/ubuntu /home/ubuntu; mount -o remount,ro,bind /home/ubuntu");
    run.play(PING, &[]).ends_with(0);
    on("ls /var/tmp/.rplay-1000/agent-*");
    assert_eq!(
        on("stat -c '%a %U' /var/tmp/.rplay-1000 /var/tmp/.rplay-1000/agent-*"),
        "700 ubuntu\n700 ubuntu"
    );
    on("rm -r /var/tmp/.rplay-1000; mkdir -m 1777 /srv/own");
    run.play(PING, &["-e", "ansible_remote_tmp=/srv/own"])
        .ends_with(0);
    on("ls /srv/own/rplay-agent/agent-*; ! ls /var/tmp/.rplay-1000");
    on(
        "mount -t tmpfs -o noexec,mode=1777 tmpfs /var/tmp; mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp",
    );
    std::fs::write(run.folder.join("s.sh"), "echo by script\n").expect("a script");
    let agentless = play(&[
        "raw: echo by raw\nregister: it",
        "debug: var=it.stdout",
        "script: s.sh\nargs: {executable: /bin/sh}\nregister: it",
        "debug: var=it.stdout",
        "ping:",
    ]);
    run.play(&agentless, &[])
        .ends_with(4)
        .says("by raw")
        .says("by script")
        .says("/home/ubuntu/.cache/rplay cannot be written")
        .says("no program can be started from /var/tmp/.rplay-1000")
        .says("no program can be started from /tmp/.rplay-1000")
        .counts("bare1", "ok=4 changed=2 unreachable=1 failed=0")
        .counts("bare2", "ok=5 changed=2 unreachable=0 failed=0");
    on("umount /tmp; mount -t tmpfs -o size=100k,mode=1777 tmpfs /tmp");
    run.play(PING, &[])
        .ends_with(4)
        .says("is the disk full?")
        .counts("bare2", "ok=1");
    on("umount /tmp");
    run.play(PING, &[]).ends_with(0);
}

#[test]
fn another_kind_of_machine_gets_its_own_agent_or_is_named() {
    let run = Run::new("farch", &["bare1=10.0.0.2"]);
    let fake = "#!/bin/sh\\n[ \"$1\" != -m ] && exec /usr/bin/uname \"$@\"\\necho aarch64\\n";
    run.on(
        "bare1",
        &format!("printf '{fake}' >/usr/local/bin/uname; chmod 755 /usr/local/bin/uname"),
    );
    let text = play(&[
        "raw: uname -m\nregister: it",
        "debug: var=it.stdout",
        "ping:",
    ]);
    run.play(&text, &[])
        .ends_with(4)
        .says("aarch64")
        .says("there is no agent for a machine of the kind aarch64")
        .says("rplay-agent-aarch64")
        .counts("bare1", "ok=2 changed=1 unreachable=1 failed=0");
    // one for it is beside the other; it is the same here, so that it runs
    let own = std::env::var_os("RPLAY_AGENT_DIR").map(|dir| PathBuf::from(dir).join("rplay-agent"));
    let own = own.unwrap_or_else(|| env!("CARGO_BIN_EXE_rplay-agent").into());
    let folder = run.folder.join("agents");
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(own, folder.join("rplay-agent-aarch64")).expect("a link");
    let mut command = run.command(PING, &[]);
    let output = command.env("RPLAY_AGENT_DIR", &folder).output();
    super::Said::of(output.expect("rplay")).ends_with(0);
}
