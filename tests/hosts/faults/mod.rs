//! What goes wrong with real hosts: the others finish, the run says what happened, and a rerun heals.

mod agent;
mod become_;
mod login;
mod place;
mod power;
mod transfer;

use super::world::{World, cache};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A world, and a folder with an inventory of its hosts.
struct Run {
    world: World,
    folder: PathBuf,
}

impl Run {
    /// Starts hosts, each `NAME=IP`.
    fn new(name: &str, hosts: &[&str]) -> Run {
        let mut inventory = String::new();
        for host in hosts {
            let (name, ip) = host.split_once('=').expect("NAME=IP");
            inventory += &format!("{name} ansible_host={ip}\n");
        }
        Run::with_inventory(name, hosts, &inventory)
    }

    /// The same with an inventory of its own; `arguments` are those of `testbed.sh up`. In it, `@key@` is a key that
    /// lets in everywhere, and `@known@` a file for host keys.
    fn with_inventory(name: &str, arguments: &[&str], inventory: &str) -> Run {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("faults")
            .join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("home")).expect("a folder");
        let known = folder.join("known_hosts");
        let text = format!(
            "{inventory}[all:vars]\nansible_user=ubuntu\nansible_ssh_private_key_file=@key@\n\
             ansible_ssh_common_args='{ALIVE} -o UserKnownHostsFile=@known@'\n"
        );
        let text = text
            .replace(
                "@key@",
                &cache().join("keys/id_ed25519").display().to_string(),
            )
            .replace("@known@", &known.display().to_string());
        std::fs::write(folder.join("inventory"), text).expect("the inventory");
        let world = World::up(name, arguments);
        Run { world, folder }
    }

    fn command(&self, playbook: &str, args: &[&str]) -> Command {
        std::fs::write(self.folder.join("play.yml"), playbook).expect("the playbook");
        let mut command = self.world.controller();
        command
            .args([env!("CARGO_BIN_EXE_rplay"), "-i", "inventory", "play.yml"])
            .args(args)
            .current_dir(&self.folder)
            .env("HOME", self.folder.join("home"))
            .env("ANSIBLE_HOST_KEY_CHECKING", "no")
            .env("TERM", "dumb")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null());
        command
    }

    fn play(&self, playbook: &str, args: &[&str]) -> Said {
        Said::of(self.command(playbook, args).output().expect("rplay"))
    }

    /// Starts a play that goes on while the test does something to the hosts.
    fn start(&self, playbook: &str, args: &[&str]) -> Going {
        let file = self.folder.join("said");
        let output = std::fs::File::create(&file).expect("a file");
        let mut command = self.command(playbook, args);
        command
            .stdout(output.try_clone().expect("a file"))
            .stderr(output);
        Going {
            child: command.spawn().expect("rplay"),
            file,
        }
    }

    /// Runs a line inside a host, which must succeed; what it says.
    fn on(&self, host: &str, line: &str) -> String {
        let done = self.world.inside(host, line);
        assert!(
            done.status.success(),
            "{host}: {line}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).trim().to_string()
    }

    /// Waits until a line succeeds inside a host.
    fn wait_for(&self, host: &str, line: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.world.inside(host, line).status.success() {
            if Instant::now() > end {
                let said = std::fs::read_to_string(self.folder.join("said"));
                panic!("{host}: never true: {line}: {}", said.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Options of ssh that have a silent host noticed within seconds.
const ALIVE: &str = "-o ServerAliveInterval=1 -o ServerAliveCountMax=1";

const PING: &str = "- hosts: all\n  gather_facts: no\n  tasks:\n    - ping:\n";

/// A play on all hosts; the tasks are lines.
fn play(tasks: &[&str]) -> String {
    let mut text = "- hosts: all\n  gather_facts: no\n  tasks:\n".to_string();
    for task in tasks {
        text += &format!("    - {}\n", task.replace('\n', "\n      "));
    }
    text
}

/// A play that goes on.
struct Going {
    child: Child,
    file: PathBuf,
}

impl Going {
    fn end(mut self) -> Said {
        let code = self.child.wait().expect("rplay").code();
        Said {
            code: code.unwrap_or(-1),
            text: std::fs::read_to_string(self.file).expect("what it said"),
        }
    }

    /// Ends rplay as if its machine had failed.
    fn kill(mut self) {
        // `ip netns exec` becomes rplay
        self.child.kill().expect("rplay killed");
        self.child.wait().expect("rplay's end");
    }
}

/// What a run printed, and its exit code.
struct Said {
    code: i32,
    text: String,
}

impl Said {
    fn of(output: Output) -> Said {
        Said {
            code: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        }
    }

    #[track_caller]
    fn ends_with(&self, code: i32) -> &Said {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    #[track_caller]
    fn says(&self, words: &str) -> &Said {
        assert!(
            self.text.contains(words),
            "not said: {words}\n{}",
            self.text
        );
        self
    }

    /// The host's line of the recap begins with these counts.
    #[track_caller]
    fn counts(&self, host: &str, counts: &str) -> &Said {
        let after = self.text.split("PLAY RECAP").nth(1).unwrap_or_default();
        let line = after
            .lines()
            .find(|l| l.split_whitespace().next() == Some(host))
            .unwrap_or_default();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            line.starts_with(&format!("{host} : {counts}")),
            "not {counts}: {line}\n{}",
            self.text
        );
        self
    }
}
