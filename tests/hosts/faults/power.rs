//! Hosts, cables and jumphosts that fail, and hosts that are slow.

use super::{ALIVE, PING, Run, play};
use std::time::{Duration, Instant};

#[test]
fn a_host_that_is_down_is_unreachable_and_the_others_finish() {
    let run = Run::new("fdown", &["a=10.0.0.1", "bare1=10.0.0.2", "bare2=10.0.0.3"]);
    run.world.host("kill", "a");
    run.world.link("bare1", "down");
    let said = run.play(PING, &["-T", "2"]);
    said.ends_with(4)
        .says("fatal: [a]: UNREACHABLE!")
        .says("ssh: connect to host 10.0.0.1 port 22")
        .says("ssh: connect to host 10.0.0.2 port 22: Connection timed out")
        .counts("a", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare2", "ok=1 changed=0 unreachable=0 failed=0");
    run.world.host("start", "a");
    run.world.link("bare1", "up");
    run.play(PING, &[]).ends_with(0);
}

#[test]
fn a_host_that_dies_in_a_task_is_unreachable_soon() {
    let run = Run::new("fdie", &["a=10.0.0.1", "bare1=10.0.0.2", "bare2=10.0.0.3"]);
    let text = play(&[
        "shell: sleep {{ 0 if inventory_hostname == 'bare2' else 62 }}",
        "ping:",
    ]);
    let child = run.start(&text, &[]);
    run.wait_for("a", "pgrep -x sleep");
    run.wait_for("bare1", "pgrep -x sleep");
    // one says goodbye, one does not
    run.world.host("kill", "a");
    run.world.link("bare1", "down");
    let start = Instant::now();
    child
        .end()
        .ends_with(4)
        .says("server 10.0.0.2 not responding")
        .counts("a", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("bare2", "ok=2 changed=1 unreachable=0 failed=0");
    assert!(start.elapsed() < Duration::from_secs(30));
    run.world.host("start", "a");
    run.world.link("bare1", "up");
    run.play(PING, &[]).ends_with(0);
}

#[test]
fn a_connection_that_ends_between_two_tasks_is_opened_again() {
    let run = Run::new("fidle", &["bare1=10.0.0.2"]);
    let go = run.folder.join("go");
    let text = play(&[
        "ping:",
        &format!(
            "shell: touch waits; until [ -e {} ]; do sleep 0.1; done\ndelegate_to: localhost\n\
             vars: {{ansible_connection: local}}",
            go.display()
        ),
        "ping:",
    ]);
    let child = run.start(&text, &[]);
    let end = Instant::now() + Duration::from_secs(60);
    while !run.folder.join("waits").exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    run.on("bare1", "pkill -KILL -u ubuntu sshd");
    std::fs::write(go, "").expect("a file");
    child
        .end()
        .ends_with(0)
        .counts("bare1", "ok=3 changed=1 unreachable=0 failed=0");
}

#[test]
fn a_jumphost_that_dies_takes_the_hosts_behind_it_along_and_no_others() {
    let way = format!(
        "ssh -i @key@ {ALIVE} -o UserKnownHostsFile=@known@ -o StrictHostKeyChecking=no -W %h:%p -q ubuntu@192.0.2.10"
    );
    let inventory = format!(
        "bare1 ansible_host=10.0.0.1\nhere ansible_connection=local\n[in]\nbare1\n[in:vars]\n\
         ansible_ssh_common_args=\"-o UserKnownHostsFile=@known@ {ALIVE} -o ProxyCommand='{way}'\"\n"
    );
    let hosts = ["--jump", "jump", "jump=10.0.0.9", "bare1=10.0.0.1"];
    let run = Run::with_inventory("fjump", &hosts, &inventory);
    let text = play(&[
        "shell: sleep {{ 0 if inventory_hostname == 'here' else 63 }}",
        "ping:",
    ]);
    let child = run.start(&text, &[]);
    run.wait_for("bare1", "pgrep -x sleep");
    run.world.host("kill", "jump");
    child
        .end()
        .ends_with(4)
        .says("Connection to 192.0.2.10 closed by remote host")
        .counts("bare1", "ok=0 changed=0 unreachable=1 failed=0")
        .counts("here", "ok=2 changed=1 unreachable=0 failed=0");
    run.play(PING, &["-T", "2"])
        .ends_with(4)
        .says("connect to host 192.0.2.10 port 22")
        .says("(on the way to 10.0.0.1 port 22)")
        .counts("here", "ok=1");
    run.world.host("start", "jump");
    run.play(PING, &[]).ends_with(0);
}

#[test]
fn one_slow_host_of_ten_holds_up_nobodys_result() {
    let hosts: Vec<String> = (1..=10).map(|n| format!("bare{n}=10.0.0.{n}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let run = Run::new("fslow", &hosts);
    run.play(PING, &["-f", "10"]).ends_with(0);
    run.world.rate("bare1", "96");
    let text = play(&["shell: \"true {{ 'x' * 40000 }}\"", "ping:"]);
    let said = run.play(&text, &["-f", "10"]);
    said.ends_with(0);
    let order: Vec<&str> = said
        .text
        .lines()
        .filter(|l| l.starts_with("changed: "))
        .collect();
    assert_eq!(order.len(), 10, "{}", said.text);
    // told last, though it is the first in the inventory
    assert_eq!(order[9], "changed: [bare1]", "{}", said.text);
    for n in 1..=10 {
        said.counts(&format!("bare{n}"), "ok=2 changed=1 unreachable=0 failed=0");
    }
}
