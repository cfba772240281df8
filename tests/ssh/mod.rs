//! rplay's ways to a host against a real sshd: keys, host keys, proxies, much data, and what breaks.

mod sshd;

use rplay::connection::{Channel, Event, Target, Transport, open};
use sshd::{Keys, Sshd, isolated, keygen};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WAIT: Option<Duration> = Some(Duration::from_secs(30));

fn connect(target: &Target) -> Result<Box<dyn Transport>, String> {
    open(target).map_err(|e| e.msg)
}

/// Output, errors and status of what a channel runs.
fn all(channel: &mut dyn Channel) -> (Vec<u8>, Vec<u8>, Option<i32>) {
    let (mut output, mut error) = (Vec::new(), Vec::new());
    loop {
        match channel.receive(WAIT).expect("the connection") {
            Event::Output(bytes) => output.extend(bytes),
            Event::Error(bytes) => error.extend(bytes),
            Event::Ended(rc) => return (output, error, rc),
            Event::Nothing => panic!("nothing came"),
        }
    }
}

fn run(target: &Target, command: &str) -> Result<String, String> {
    let mut transport = connect(target)?;
    let mut channel = transport.start(command, false).map_err(|e| e.msg)?;
    let (output, error, rc) = all(&mut *channel);
    assert_eq!(rc, Some(0), "{}", String::from_utf8_lossy(&error));
    Ok(String::from_utf8_lossy(&output).trim().to_string())
}

fn refusal(target: &Target) -> String {
    match connect(target) {
        Ok(_) => panic!("it connects"),
        Err(msg) => msg,
    }
}

#[test]
fn commands_have_output_errors_and_a_status_by_both_kinds_of_ssh() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    for connection in ["ssh2", "openssh"] {
        let mut target = sshd.target(&keys);
        target.connection = connection.to_string();
        let mut transport = connect(&target).unwrap();
        // several commands over one login, also at once
        let mut cat = transport.start("cat; echo end >&2; exit 7", false).unwrap();
        let mut other = transport.start("echo two", false).unwrap();
        cat.send(b"one").unwrap();
        assert_eq!(all(&mut *other).0, b"two\n");
        cat.close_input().unwrap();
        let expected = (b"one".to_vec(), b"end\n".to_vec(), Some(7));
        assert_eq!(all(&mut *cat), expected, "{connection}");
        let mut tty = transport.start("test -t 0 && echo yes", true).unwrap();
        let said = String::from_utf8_lossy(&all(&mut *tty).0).into_owned();
        assert_eq!(said, "yes\r\n", "{connection}");
        // output may end long before the command
        let mut late = transport
            .start("exec >&- 2>&-; sleep 0.5; exit 4", false)
            .unwrap();
        assert_eq!(all(&mut *late).2, Some(4), "{connection}");
        let waited = transport
            .start("sleep 5", false)
            .unwrap()
            .receive(Some(Duration::from_millis(50)))
            .unwrap();
        assert_eq!(waited, Event::Nothing);
        drop(transport);
        let logins = sshd.log().matches("Accepted publickey").count();
        assert_eq!(
            logins,
            1 + usize::from(connection == "openssh"),
            "{}",
            sshd.log()
        );
    }
}

#[test]
fn keys_of_all_kinds_log_in() {
    let keys = Keys::new();
    let ca = keys.generate("ca", &["-t", "ed25519"]);
    let sshd = Sshd::start(&keys, &format!("TrustedUserCAKeys {}.pub", ca.display()));
    let mut target = sshd.target(&keys);
    for (name, args) in [
        ("ecdsa", &["-t", "ecdsa"][..]),
        ("ecdsa521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    ] {
        target.private_key = Some(keys.generate(name, args));
        let refused = refusal(&target);
        assert!(
            refused.contains("Permission denied (publickey)."),
            "{refused}"
        );
        sshd.authorize(&keys.public(name));
        assert_eq!(run(&target, "echo in").as_deref(), Ok("in"), "{name}");
    }
    // a certificate beside a key that is not authorized itself
    let user = run(&target, "id -un").unwrap();
    let path = keys.generate("signed", &["-t", "ed25519"]);
    let public = format!("{}.pub", path.display());
    keygen(&[
        "-q",
        "-s",
        &ca.display().to_string(),
        "-I",
        "me",
        "-n",
        &user,
        &public,
    ]);
    target.private_key = Some(path);
    assert_eq!(run(&target, "echo in").as_deref(), Ok("in"));
}

#[test]
fn a_key_agent_has_the_password_that_nobody_can_be_asked_for() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let locked = keys.generate("locked", &["-t", "ed25519", "-N", "s3cret"]);
    sshd.authorize(&keys.public("locked"));
    let mut target = sshd.target(&keys);
    target.private_key = Some(locked.clone());
    let refused = refusal(&target);
    assert!(
        refused.contains("is encrypted, and its passphrase is not known"),
        "{refused}"
    );

    let socket = keys.path("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a", &socket.display().to_string()])
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent");
    let script = keys.write("ask", "#!/bin/sh\necho s3cret\n");
    let mut mode = std::fs::metadata(&script).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o700);
    std::fs::set_permissions(&script, mode).unwrap();
    let add = |file: &std::path::Path| {
        let done = Command::new("ssh-add")
            .arg(file)
            .env("SSH_AUTH_SOCK", &socket)
            .env("SSH_ASKPASS", &script)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("DISPLAY", ":0")
            .output()
            .expect("ssh-add");
        assert!(done.status.success(), "{done:?}");
    };
    for _ in 0..100 {
        if socket.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // others before it: the server takes two attempts only
    for name in ["a", "b", "c", "d", "e", "f"] {
        add(&keys.generate(name, &["-t", "ed25519"]));
    }
    add(&locked);
    let agent_option = format!("IdentityAgent={}", socket.display());
    target.ssh.common_args = target
        .ssh
        .common_args
        .replace("IdentityAgent=none", &agent_option);
    let result = run(&target, "echo in");
    target.ssh.common_args += " -o IdentitiesOnly=yes";
    target.private_key = Some(keys.path("a"));
    let only = refusal(&target);
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(result.as_deref(), Ok("in"));
    assert!(only.contains("Permission denied"), "{only}");
}

#[test]
fn host_keys_are_checked() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let known = sshd.known_hosts();
    let mut target = sshd.target(&keys);
    for strict in ["ask", "yes"] {
        target.ssh.common_args = isolated(&known, strict);
        let refused = refusal(&target);
        assert!(
            refused.contains("Host key verification failed."),
            "{refused}"
        );
        assert!(refused.contains("shows SHA256:"), "{refused}");
    }
    // by Ansible's setting, and not against ssh's own
    target.ssh.host_key_checking = false;
    assert!(refusal(&target).contains("verification failed"));
    target.ssh.common_args = isolated(&known, "x").replace("-o StrictHostKeyChecking=x", "");
    run(&target, "true").unwrap();
    target.ssh.host_key_checking = true;
    run(&target, "true").unwrap();

    // another host at the same port
    let text = std::fs::read_to_string(&known).unwrap();
    let other = keys.public("id");
    let key = other.split_whitespace().nth(1).unwrap();
    let changed = format!(
        "# a comment\n{} ssh-ed25519 {key}\n",
        text.split(' ').next().unwrap()
    );
    std::fs::write(&known, changed).unwrap();
    let refused = refusal(&target);
    assert!(
        refused.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "{refused}"
    );
    assert!(refused.contains("known_hosts:2 has another"), "{refused}");
    // ssh's own tool finds and removes it, hashed or not
    keygen(&[
        "-q",
        "-f",
        &known.display().to_string(),
        "-R",
        &format!("[127.0.0.1]:{}", target.port.unwrap()),
    ]);
    target.ssh.common_args = isolated(&known, "accept-new") + " -o HashKnownHosts=yes";
    run(&target, "true").unwrap();
    assert!(std::fs::read_to_string(&known).unwrap().contains("|1|"));
    target.ssh.common_args = isolated(&known, "yes");
    run(&target, "true").unwrap();
}

#[test]
fn configuration_is_read_and_leads_through_jumphosts() {
    let keys = Keys::new();
    let (first, second, last) = (
        Sshd::start(&keys, ""),
        Sshd::start(&keys, ""),
        Sshd::start(&keys, ""),
    );
    let id = keys.path("id");
    let known = keys.path("known");
    let common = format!(
        "  HostName 127.0.0.1\n  IdentityFile {}\n  IdentityAgent none\n  UserKnownHostsFile {}\n  StrictHostKeyChecking accept-new\n",
        id.display(),
        known.display()
    );
    keys.write(
        "more",
        &format!(
            "Host one\n  Port {}\nHost two\n  Port {}\n",
            first.port, second.port
        ),
    );
    let config = keys.write(
        "config",
        &format!(
            "Include {}\nHost three*\n  Port {}\nHost three-jump\n  ProxyJump one,two\nHost three-command\n  \
             ProxyCommand ssh -F {} -W %h:%p one\nHost *\n{common}",
            keys.path("more").display(),
            last.port,
            keys.path("config").display(),
        ),
    );
    let mut target = Target::local("three");
    target.timeout = 10;
    target.ssh.host_key_checking = true;
    target.ssh.common_args = format!("-F {}", config.display());
    for (alias, through_first, through_second) in [
        ("three", 0, 0),
        ("three-command", 1, 0),
        ("three-jump", 2, 1),
    ] {
        for connection in ["ssh2", "openssh"] {
            target.connection = connection.to_string();
            target.address = alias.to_string();
            assert_eq!(run(&target, "echo in").as_deref(), Ok("in"), "{alias}");
        }
        let logins = |sshd: &Sshd| sshd.log().matches("Accepted publickey").count();
        assert!(logins(&first) >= through_first, "{alias}");
        assert!(logins(&second) >= through_second, "{alias}");
        if through_first == 0 {
            assert_eq!(logins(&first), 0);
        }
    }
    let text = "Host *\n  ProxyJump one\n";
    target.ssh.common_args = format!("-F {}", keys.write("loop", text).display());
    target.connection = "ssh2".to_string();
    assert!(refusal(&target).contains("jumphost loop via one"));
}

#[test]
fn a_jumphost_carries_much_and_its_end_is_noticed() {
    let keys = Keys::new();
    let (jump, sshd) = (Sshd::start(&keys, ""), Sshd::start(&keys, ""));
    let mut target = sshd.target(&keys);
    let way = |port: u16| {
        format!(
            " -o ProxyCommand='ssh -F none -o IdentityAgent=none -o UserKnownHostsFile={} \
             -o StrictHostKeyChecking=accept-new -i {} -p {port} -W %h:%p -q 127.0.0.1'",
            jump.known_hosts().display(),
            keys.path("id").display()
        )
    };
    let own = target.ssh.common_args.clone();
    target.ssh.common_args = own.clone() + &way(jump.port);
    let mut transport = connect(&target).unwrap();
    let sent: Vec<u8> = (0..20_000_000u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    let mut channel = transport
        .start("tee /dev/null; echo end >&2", false)
        .unwrap();
    channel.send(&sent).unwrap();
    channel.close_input().unwrap();
    let (output, error, rc) = all(&mut *channel);
    assert!(
        output == sent && error == b"end\n" && rc == Some(0),
        "{}",
        output.len()
    );

    // one that has nothing to say for long is there all the same, and so is the jumphost
    let alive = "-o ServerAliveInterval=1 -o ServerAliveCountMax=1";
    let quick = way(jump.port).replace("ssh -F", &format!("ssh {alive} -F"));
    target.ssh.common_args = format!("{own} {alive} {quick}");
    assert_eq!(run(&target, "sleep 8; echo end").as_deref(), Ok("end"));

    let mut channel = transport.start("sleep 60", false).unwrap();
    jump.end_sessions();
    let start = Instant::now();
    let lost = channel.receive(WAIT).unwrap_err().to_string();
    assert!(lost.contains("closed by remote host"), "{lost}");
    assert!(start.elapsed() < Duration::from_secs(3));

    target.port = Some(1);
    let refused = refusal(&target);
    assert!(refused.contains("port 1 through 127.0.0.1"), "{refused}");
    target.ssh.common_args = own + &way(1);
    let refused = refusal(&target);
    assert!(
        refused.contains("connect to host 127.0.0.1 port 1: Connection refused"),
        "{refused}"
    );
    assert!(refused.contains("on the way to"), "{refused}");
}

/// Run by hand: what ten logins and commands cost, in process and by ssh.
#[test]
#[ignore = "prints times"]
fn times_of_ten_logins() {
    let keys = Keys::new();
    let (jump, sshd) = (Sshd::start(&keys, ""), Sshd::start(&keys, ""));
    let direct = sshd.target(&keys);
    let mut jumping = direct.clone();
    let way = format!(
        "ssh {} -i {} -p {} -W %h:%p 127.0.0.1",
        isolated(&jump.known_hosts(), "accept-new"),
        keys.path("id").display(),
        jump.port
    );
    jumping.ssh.common_args += &format!(" -o ProxyCommand='{way}'");
    let mut spawned = jumping.clone();
    // not alone: the shell is asked
    spawned.ssh.common_args = spawned.ssh.common_args.replace("127.0.0.1'", "127.0.0.1;'");
    for (what, target, connection) in [
        ("in process", &direct, "ssh2"),
        ("system's ssh", &direct, "openssh"),
        ("in process, jumphost in process", &jumping, "ssh2"),
        ("in process, ssh -W", &spawned, "ssh2"),
    ] {
        let mut target = target.clone();
        target.connection = connection.to_string();
        run(&target, "true").unwrap();
        let (start, before) = (Instant::now(), cpu());
        for _ in 0..10 {
            run(&target, "true").unwrap();
        }
        let (wall, after) = (start.elapsed(), cpu());
        eprintln!("{what}: {wall:?}, CPU {} ms", (after - before) * 10);
    }
}

/// Hundredths of seconds that this process and its children that have ended used.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11..15]
        .iter()
        .map(|f| f.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn what_a_proxy_says_is_told() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let mut target = sshd.target(&keys);
    target.ssh.common_args += " -o ProxyCommand='echo no way to %h >&2; exit 3'";
    let refused = refusal(&target);
    assert!(refused.contains("no way to 127.0.0.1"), "{refused}");
    assert!(refused.contains("ProxyCommand"), "{refused}");
}

#[test]
fn what_only_the_systems_ssh_does_it_does() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let mut target = sshd.target(&keys);
    target.ssh.common_args += " -A";
    let refused = refusal(&target);
    assert!(
        refused.contains("ForwardAgent") && refused.contains("openssh"),
        "{refused}"
    );
    target.connection = "ssh".to_string();
    assert_eq!(run(&target, "echo in").as_deref(), Ok("in"));
    target.ssh.executable = "/nowhere/ssh".to_string();
    assert!(refusal(&target).contains("'/nowhere/ssh' was not found"));
}

#[test]
fn nobody_there() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let mut target = sshd.target(&keys);
    target.port = Some(1);
    for connection in ["ssh2", "openssh"] {
        target.connection = connection.to_string();
        let refused = refusal(&target);
        let expected = "Failed to connect to the host via ssh: ssh: connect to host 127.0.0.1 port 1: Connection refused";
        assert!(refused.starts_with(expected), "{refused}");
    }
    // one that takes connections and says nothing
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    target.port = Some(silent.local_addr().unwrap().port());
    target.connection = "ssh2".to_string();
    target.timeout = 1;
    let start = Instant::now();
    let refused = refusal(&target);
    assert!(refused.contains("Connection timed out"), "{refused}");
    assert!(start.elapsed() < Duration::from_secs(5));
    target.address = "no-such-host.invalid".to_string();
    let refused = refusal(&target);
    assert!(
        refused.contains("Could not resolve hostname no-such-host.invalid"),
        "{refused}"
    );
}

#[test]
fn much_goes_both_ways_unchanged() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let mut transport = connect(&sshd.target(&keys)).unwrap();
    let length = 30_000_000;
    let sent: Vec<u8> = (0..length as u32)
        .map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8)
        .collect();
    let mut channel = transport.start("cat", false).unwrap();
    channel.send(&sent).unwrap();
    channel.close_input().unwrap();
    let (output, _, rc) = all(&mut *channel);
    assert!(
        output == sent && rc == Some(0),
        "{} bytes came back",
        output.len()
    );

    let noise = "i=0; while [ $i -lt 500 ]; do head -c 60000 /dev/zero; head -c 60000 /dev/zero | tr '\\0' e >&2; i=$((i+1)); done";
    let mut channel = transport.start(noise, false).unwrap();
    let (output, error, rc) = all(&mut *channel);
    assert_eq!((output.len(), error.len(), rc), (length, length, Some(0)));
    assert!(output.iter().all(|b| *b == 0) && error.iter().all(|b| *b == b'e'));
}

#[test]
fn a_cut_connection_and_a_silent_host_are_noticed() {
    let keys = Keys::new();
    let sshd = Sshd::start(&keys, "");
    let mut target = sshd.target(&keys);
    target.ssh.common_args += " -o ServerAliveInterval=1 -o ServerAliveCountMax=1";
    // one that was left alone for long lives, and may be silent while it works
    let mut transport = connect(&target).unwrap();
    let mut channel = transport
        .start("read line; sleep 3; echo $line", false)
        .unwrap();
    std::thread::sleep(Duration::from_secs(4));
    channel.send(b"late\n").unwrap();
    assert_eq!(all(&mut *channel).0, b"late\n");
    for connection in ["ssh2", "openssh"] {
        // what is stopped is the process of the connection, parent of the shell's
        for (signal, bound) in [("KILL", 3), ("STOP", 10)] {
            target.connection = connection.to_string();
            let mut transport = connect(&target).unwrap();
            let mut channel = transport
                .start("echo $PPID; exec sleep 100", false)
                .unwrap();
            let Event::Output(pid) = channel.receive(WAIT).unwrap() else {
                panic!("no process id");
            };
            let pid = String::from_utf8_lossy(&pid).trim().to_string();
            let kill = |signal: &str| {
                let line = format!("kill -s {signal} {pid} 2>/dev/null");
                Command::new("sh").args(["-c", &line]).status().expect("sh");
            };
            kill(signal);
            let start = Instant::now();
            let end = channel.receive(WAIT);
            if signal == "STOP" {
                kill("CONT");
                kill("KILL");
            }
            let text = match end {
                Err(e) => e.to_string(),
                Ok(event) => panic!("{connection} {signal}: {event:?}"),
            };
            assert!(
                text.contains("closed by remote host") || text.contains("not responding"),
                "{connection} {signal}: {text}"
            );
            assert!(
                start.elapsed() < Duration::from_secs(bound),
                "{connection} {signal}"
            );
        }
    }
}
