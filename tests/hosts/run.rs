//! A batch run by one program in a world of its own.

use super::batch::Batch;
use super::world::{World, cache};
use super::{root, tree};
use crate::support::normal::normal;
use fancy_regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Child;

/// Seconds that a batch may take, on a busy machine too.
const LONGEST: &str = "1200";

/// rplay or ansible-core.
pub struct Program {
    /// Tells the worlds of the two apart.
    pub letter: char,
    pub path: PathBuf,
    /// Whether its hosts have the root that the batch asks for; else they have that of ansible-core's.
    pub ours: bool,
    pub env: Vec<(&'static str, String)>,
}

/// What a program printed, and what it made of the hosts.
#[derive(Serialize, Deserialize)]
pub struct Outcome {
    stdout: String,
    stderr: String,
    /// Each host's files that differ from its root: path and description.
    hosts: BTreeMap<String, BTreeMap<String, String>>,
}

/// The folder that a batch runs in: the same for both programs, since it shows in what they print.
fn place(batch: &Batch) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("hosts")
        .join(&batch.name)
}

/// Runs a batch in a new world.
pub fn run(batch: &Batch, program: &Program) -> Outcome {
    let place = place(batch);
    let _ = std::fs::remove_dir_all(&place);
    let (work, home) = (place.join("work"), place.join("home"));
    for folder in [&work, &home] {
        std::fs::create_dir_all(folder).expect("a folder to work in");
    }
    batch.lay_out(&root().join("shared"), &work);
    write_playbooks(batch, &work);

    let root_of_hosts = match program.ours {
        true => &batch.root,
        false => batch.theirs(),
    };
    let hosts: Vec<String> = batch
        .hosts
        .iter()
        .map(|host| format!("{host}@{root_of_hosts}"))
        .collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let world = World::up(
        &format!("{}{}", program.letter, batch.name.replace('_', "")),
        &hosts,
    );
    let _server = Server::start(batch, &world);
    for host in batch.host_names() {
        for line in PREPARE
            .iter()
            .copied()
            .chain(batch.prepare.iter().map(String::as_str))
        {
            let done = world.inside(host, line);
            assert!(
                done.status.success(),
                "{}: {line}: {}",
                batch.name,
                String::from_utf8_lossy(&done.stderr)
            );
        }
    }
    let output = world
        .controller()
        .args(["timeout", LONGEST])
        .arg(&program.path)
        .args(["-i", "inventory", "all.yml"])
        .args(&batch.args)
        .current_dir(&work)
        .env_clear()
        .env("HOME", &home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("USER", "root")
        .env("TERM", "dumb")
        .env("ANSIBLE_HOST_KEY_CHECKING", "no")
        .env("ANSIBLE_PIPELINING", "yes")
        .env("ANSIBLE_SSH_CONTROL_PATH_DIR", world.sockets())
        .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
        .envs(program.env.iter().map(|(k, v)| (k, v)))
        .output()
        .expect("the program");
    let base = cache().join(root_of_hosts);
    Outcome {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        hosts: batch
            .host_names()
            .into_iter()
            .map(|host| (host.to_string(), tree::of(&world.state(host), &base)))
            .collect(),
    }
}

/// Before each run, in each host: Ansible warns where it has to make these itself.
const PREPARE: &[&str] = &[
    "for user in ubuntu alice bob; do mkdir -p -m 700 /home/$user/.ansible/tmp; chown -R $user: /home/$user/.ansible; done",
    "mkdir -p -m 700 /root/.ansible/tmp",
];

/// One playbook that imports all cases, each after a play that marks it, and an inventory with an alias for each.
fn write_playbooks(batch: &Batch, work: &Path) {
    let write =
        |name: &str, text: &str| std::fs::write(work.join(name), text).expect("a file of a batch");
    let mut inventory = String::new();
    let mut all = String::new();
    let address = |host: &str| {
        host.split_once('=')
            .map_or(String::new(), |(_, ip)| ip.to_string())
    };
    for (number, (case, text)) in batch.cases.iter().enumerate() {
        let alias = format!("h{number}");
        inventory += &format!("{alias} ansible_host={}\n", address(&batch.hosts[0]));
        let mark = format!("- name: '=== {case}'\n  hosts: localhost\n  gather_facts: no\n");
        write(&format!("mark-{case}.yml"), &mark);
        write(&format!("{case}.yml"), &lenient(case, text, &alias));
        all += &format!("- import_playbook: mark-{case}.yml\n- import_playbook: {case}.yml\n");
    }
    for host in batch.hosts.iter().skip(1) {
        let name = host.split('=').next().unwrap_or(host);
        inventory += &format!("{name} ansible_host={}\n", address(host));
    }
    inventory += &format!(
        "[all:vars]\nansible_user=ubuntu\nansible_ssh_private_key_file={}\n\
         ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'\n",
        cache().join("keys/id_ed25519").display()
    );
    inventory += &batch
        .vars
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    write("inventory", &inventory);
    write("all.yml", &all);
}

/// A case for its alias. Failures are ignored: a play all of whose hosts failed would be the last one to run.
fn lenient(case: &str, text: &str, alias: &str) -> String {
    let hosts = "- hosts: \"@host@\"\n";
    assert!(
        text.contains(hosts),
        "{case}: a play of a case begins with {hosts}"
    );
    let ignore = format!("- hosts: {alias}\n  ignore_errors: yes\n  ignore_unreachable: yes\n");
    text.replace(hosts, &ignore).replace("@host@", alias)
}

impl Outcome {
    /// The text without what depends on where it ran, to be kept.
    pub fn to_json(&self, batch: &Batch) -> String {
        let text = serde_json::to_string(self).expect("an outcome as JSON");
        text.replace(&place(batch).display().to_string(), "@PLACE@")
    }

    pub fn from_json(text: &str, batch: &Batch) -> Option<Outcome> {
        serde_json::from_str(&text.replace("@PLACE@", &place(batch).display().to_string())).ok()
    }

    /// What was printed for each case.
    pub fn cases(&self, batch: &Batch) -> BTreeMap<String, String> {
        let mut stdout = normal(&self.stdout, &place(batch).join("work"));
        for pattern in &batch.patterns {
            let pattern = Regex::new(pattern).unwrap_or_else(|e| panic!("{}: {e}", batch.name));
            stdout = pattern.replace_all(&stdout, "<...>").into_owned();
        }
        let (stdout, _) = stdout.split_once("PLAY RECAP").unwrap_or((&stdout, ""));
        let mut found = BTreeMap::new();
        for part in stdout.split("PLAY [=== ").skip(1) {
            let (case, rest) = part.split_once(']').unwrap_or((part, ""));
            let said = rest.split_once('\n').map_or("", |(_, said)| said);
            found.insert(case.to_string(), said.trim().to_string() + "\n");
        }
        found
    }

    /// The state of all hosts at the end, a line for each file.
    pub fn state(&self, batch: &Batch) -> String {
        let mut out = String::new();
        for (host, files) in &self.hosts {
            for (path, what) in files {
                let noise = |n: &String| {
                    path == n
                        || path.trim_end_matches('/') == n
                        || path.starts_with(&format!("{n}/"))
                };
                if !batch.noise.iter().any(noise) {
                    out += &format!("{host}:/{path} {what}\n");
                }
            }
        }
        normal(&out, &place(batch).join("work"))
    }

    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// All that was printed, for whoever writes a case.
    pub fn show(&self) -> String {
        format!("{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// The controller's servers, ended when dropped.
struct Server(Vec<Child>);

impl Server {
    fn start(batch: &Batch, world: &World) -> Server {
        let mut server = Server(Vec::new());
        let mut folders = Vec::new();
        for what in &batch.serve {
            folders.push(match what.as_str() {
                "apt" => super::world::apt_repository(),
                "pip" => super::world::pip_index(),
                "rpm" => super::world::rpm_repositories(),
                "www" => root().join("shared/www"),
                "registry" => {
                    server.0.push(Server::registry(batch, world));
                    continue;
                }
                other => panic!("{}: serve: no such thing as {other}", batch.name),
            });
        }
        let own = batch.folder.join("www");
        if own.is_dir() {
            folders.push(own);
        }
        if folders.is_empty() {
            return server;
        }
        let mut command = world.controller();
        command
            .args(["python3", "-S"])
            .arg(root().join("server.py"))
            .args(folders);
        let mut child = command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("python3");
        let mut ready = [0; 1];
        let stdout = child.stdout.as_mut().expect("its output");
        std::io::Read::read_exact(stdout, &mut ready)
            .expect("the HTTP server's word that it is ready");
        server.0.push(child);
        server
    }

    /// A registry of images, from the hosts' own root.
    fn registry(batch: &Batch, world: &World) -> Child {
        world
            .controller()
            .arg("chroot")
            .arg(cache().join(&batch.root))
            .args(["docker-registry", "serve", "/opt/images/registry.yml"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("chroot")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
