//! What goes wrong with real hosts: the others finish, and the run says what happened.

use super::world::{World, cache};
use std::path::PathBuf;
use std::process::Output;

/// A world, and a folder with an inventory of its hosts.
struct Run {
    world: World,
    folder: PathBuf,
}

impl Run {
    fn new(name: &str, hosts: &[&str]) -> Run {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("faults")
            .join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("home")).expect("a folder");
        let mut inventory = String::new();
        for host in hosts {
            let (name, ip) = host.split_once('=').expect("NAME=IP");
            inventory += &format!("{name} ansible_host={ip}\n");
        }
        let key = cache().join("keys/id_ed25519");
        inventory += &format!(
            "[all:vars]\nansible_user=ubuntu\nansible_ssh_private_key_file={}\n\
             ansible_ssh_common_args='-o ServerAliveInterval=1 -o UserKnownHostsFile={}'\n",
            key.display(),
            folder.join("known_hosts").display()
        );
        std::fs::write(folder.join("inventory"), inventory).expect("the inventory");
        let world = World::up(name, hosts);
        Run { world, folder }
    }

    fn command(&self, playbook: &str, args: &[&str]) -> std::process::Command {
        std::fs::write(self.folder.join("play.yml"), playbook).expect("the playbook");
        let mut command = self.world.controller();
        command
            .args([env!("CARGO_BIN_EXE_rplay"), "-i", "inventory", "play.yml"])
            .args(args)
            .current_dir(&self.folder)
            .env("HOME", self.folder.join("home"))
            .env("ANSIBLE_HOST_KEY_CHECKING", "no")
            .env("TERM", "dumb")
            .env_remove("SSH_AUTH_SOCK");
        command
    }

    fn play(&self, playbook: &str, args: &[&str]) -> (i32, String) {
        said(self.command(playbook, args).output().expect("rplay"))
    }
}

fn said(output: Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// The line of the recap, with single spaces.
fn recap(text: &str, host: &str) -> String {
    let after = text.split("PLAY RECAP").nth(1).unwrap_or_default();
    let line = after
        .lines()
        .find(|l| l.starts_with(host))
        .unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

const PING: &str = "- hosts: all\n  gather_facts: no\n  tasks:\n    - ping:\n";

#[test]
fn a_host_that_is_down_is_unreachable_and_the_others_finish() {
    let run = Run::new("fdown", &["a=10.0.0.1", "bare=10.0.0.2"]);
    run.world.host("kill", "a");
    let (code, text) = run.play(PING, &["-T", "2"]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("fatal: [a]: UNREACHABLE!")
            && text.contains("ssh: connect to host 10.0.0.1 port 22"),
        "{text}"
    );
    assert!(
        recap(&text, "a").contains("ok=0 changed=0 unreachable=1 failed=0"),
        "{text}"
    );
    assert!(
        recap(&text, "bare").contains("ok=1 changed=0 unreachable=0 failed=0"),
        "{text}"
    );
    run.world.host("start", "a");
    assert_eq!(run.play(PING, &[]).0, 0, "a rerun heals");
}

#[test]
fn a_host_that_dies_in_a_task_is_unreachable_soon() {
    let run = Run::new("fdie", &["a=10.0.0.1", "bare=10.0.0.2"]);
    let play = "- hosts: all\n  gather_facts: no\n  tasks:\n    - shell: sleep {{ 60 if inventory_hostname == 'a' else 0 }}\n    - ping:\n";
    let mut child = run
        .command(play, &[])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("rplay");
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        if run.world.inside("a", "pgrep -x sleep").status.success() {
            break;
        }
    }
    run.world.host("kill", "a");
    child.stdin.take();
    let (code, text) = said(child.wait_with_output().expect("rplay"));
    assert_eq!(code, 4, "{text}");
    assert!(
        recap(&text, "a").contains("unreachable=1 failed=0"),
        "{text}"
    );
    assert!(
        recap(&text, "bare").contains("ok=2 changed=1 unreachable=0"),
        "{text}"
    );
}

#[test]
fn a_cut_connection_leaves_no_half_file_and_stops_what_ran() {
    let run = Run::new("fcut", &["a=10.0.0.1"]);
    let play =
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - shell: sleep 61; touch /tmp/after\n";
    let mut child = run
        .command(play, &[])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("rplay");
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        if run.world.inside("a", "pgrep -x sleep").status.success() {
            break;
        }
    }
    child.kill().expect("rplay killed");
    child.wait().expect("rplay's end");
    let mut left = true;
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        left = run
            .world
            .inside("a", "pgrep -x sleep || pgrep agent")
            .status
            .success();
        if !left {
            break;
        }
    }
    assert!(!left, "what ran was not stopped");
    let spool = run
        .world
        .inside("a", "ls -A /home/ubuntu/.ansible/tmp 2>/dev/null | wc -l");
    assert_eq!(String::from_utf8_lossy(&spool.stdout).trim(), "0");
}

#[test]
fn passwords_and_refusals_of_become() {
    let run = Run::new("fsudo", &["bare=10.0.0.2"]);
    let play = "- hosts: all\n  gather_facts: no\n  become: yes\n  tasks:\n    - command: id -un\n      register: me\n    - debug: msg='I am {{ me.stdout }}'\n";
    let cases: &[(&[&str], i32, &str)] = &[
        (&["-u", "alice"], 2, "Missing sudo password"),
        (
            &["-e", "ansible_user=alice ansible_become_password=s3cret"],
            0,
            "I am root",
        ),
        (
            &["-e", "ansible_user=alice ansible_become_password=wrong"],
            2,
            "Incorrect sudo password",
        ),
        (
            &["-e", "ansible_user=bob ansible_become_password=s3cret"],
            2,
            "not in the sudoers file",
        ),
        (
            &[
                "-e",
                "ansible_user=bob ansible_become_method=su ansible_become_password=s3cret",
            ],
            0,
            "I am root",
        ),
        (
            &[
                "-e",
                "ansible_user=bob ansible_become_method=su ansible_become_password=wrong",
            ],
            2,
            "Incorrect su password",
        ),
        (
            &[
                "-e",
                "ansible_user=bob ansible_become_method=su ansible_become_user=alice ansible_become_password=s3cret",
            ],
            0,
            "I am alice",
        ),
        (
            &["-e", "ansible_user=bob ansible_become_method=runas"],
            2,
            "rplay has sudo, su, doas",
        ),
        (
            &[
                "-e",
                "ansible_user=bob ansible_become=no ansible_password=s3cret ansible_ssh_private_key_file=/none",
            ],
            0,
            "I am bob",
        ),
        (
            &[
                "-e",
                "ansible_user=bob ansible_password=wrong ansible_ssh_private_key_file=/none",
            ],
            4,
            "Permission denied (publickey,password",
        ),
    ];
    for (args, expected, words) in cases {
        let args: Vec<&str> = match args[0] {
            "-u" => vec!["-e", "ansible_user=alice"],
            _ => args.to_vec(),
        };
        let (code, text) = run.play(play, &args);
        assert_eq!(code, *expected, "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
        assert!(!text.contains("s3cret"), "{args:?}: {text}");
    }
}

#[test]
fn unknown_and_changed_host_keys_are_refused() {
    let run = Run::new("fkey", &["bare=10.0.0.2"]);
    let checked = |args: &[&str]| {
        let mut command = run.command(PING, args);
        said(
            command
                .env("ANSIBLE_HOST_KEY_CHECKING", "yes")
                .stdin(std::process::Stdio::null())
                .output()
                .expect("rplay"),
        )
    };
    let (code, text) = checked(&[]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("Host key verification failed") && text.contains("SHA256:"),
        "{text}"
    );
    let (code, text) = checked(&["--ssh-extra-args", "-o StrictHostKeyChecking=accept-new"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = checked(&[]);
    assert_eq!(code, 0, "{text}");
    let new = run.world.inside(
        "bare",
        "rm /etc/ssh/ssh_host_*; ssh-keygen -A; kill -HUP $(pgrep -o sshd)",
    );
    assert!(
        new.status.success(),
        "{}",
        String::from_utf8_lossy(&new.stderr)
    );
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (code, text) = checked(&[]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("HAS CHANGED") && text.contains("known_hosts:"),
        "{text}"
    );
}

#[test]
fn a_place_for_the_agent_is_found_or_the_lack_of_one_explained() {
    let run = Run::new("fhome", &["bare=10.0.0.2"]);
    let on = |line: &str| {
        let done = run.world.inside("bare", line);
        assert!(
            done.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    on("chown root /home/ubuntu && chmod 755 /home/ubuntu");
    let (code, text) = run.play(PING, &[]);
    assert_eq!(code, 0, "a home that cannot be written to: {text}");
    on("ls /var/tmp/.rplay-1000/agent-*");
    on(
        "mount -t tmpfs -o noexec,mode=1777 tmpfs /var/tmp; mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp",
    );
    let (code, text) = run.play(PING, &[]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("no program can be started from /var/tmp/.rplay-1000"),
        "{text}"
    );
    on("umount /tmp; mount -t tmpfs -o size=100k,mode=1777 tmpfs /tmp");
    let (code, text) = run.play(PING, &[]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("is the disk full?"), "{text}");
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let run = Run::new("ffull", &["bare=10.0.0.2"]);
    let full = run.world.inside("bare", "mkdir /small; mount -t tmpfs -o size=200k tmpfs /small; chmod 777 /small; echo old >/small/f");
    assert!(full.status.success());
    let play =
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - copy: {src: big, dest: /small/f}\n";
    std::fs::write(run.folder.join("big"), vec![b'x'; 1_000_000]).expect("a file");
    let (code, text) = run.play(play, &[]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("No space left on device"), "{text}");
    let left = run.world.inside("bare", "cat /small/f; ls -A /small");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "old\nf\n");
}

#[test]
fn an_agent_that_is_killed_is_started_again_by_the_next_run() {
    let run = Run::new("fkill", &["bare=10.0.0.2"]);
    let play =
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - shell: kill -9 $PPID\n    - ping:\n";
    let (code, text) = run.play(play, &[]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("the agent on the host has ended"), "{text}");
    assert_eq!(run.play(PING, &[]).0, 0);
}
