//! A folder of its own for each run, made anew, and what is left in it afterwards.

use super::case::Case;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run printed, how it ended, and what it left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub exit: Vec<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Every file below the folder: path, mode and content, as text to be compared.
    pub tree: String,
}

/// Where a case runs. The path is the same for every program, since it shows in what they print.
pub struct Sandbox {
    root: PathBuf,
}

impl Sandbox {
    pub fn new(root: PathBuf) -> Sandbox {
        Sandbox { root }
    }

    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Lays out the case's files, runs on them what the case says, and cleans up.
    ///
    /// `program` is what a subcommand is started with, none being a playbook's run.
    pub fn run(
        &self,
        case: &Case,
        shared: &Path,
        program: &dyn Fn(Option<&str>) -> Vec<String>,
        env: &[(&str, String)],
    ) -> Outcome {
        self.remove();
        let work = self.work();
        let home = self.root.join("home");
        fs::create_dir_all(&work).expect("a folder to work in");
        fs::create_dir_all(&home).expect("a home folder");
        copy_tree(shared, &work);
        if let Some(files) = &case.files {
            copy_tree(files, &work);
        }
        if case.source.is_dir() {
            copy_tree(&case.source, &work);
        } else {
            fs::copy(&case.source, work.join(&case.playbook)).expect("the playbook copied");
        }
        let base = |program: &str| {
            let mut command = Command::new(program);
            command
                .current_dir(&work)
                .env_clear()
                .env("HOME", &home)
                .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
                .env("LANG", "C.UTF-8")
                .env("LC_ALL", "C.UTF-8")
                .env("USER", "root")
                .env("TERM", "dumb")
                .env("ANSIBLE_FORKS", "1")
                .envs(env.iter().map(|(k, v)| (k, v)))
                .envs(case.env.iter().map(|(k, v)| (k, v)));
            command
        };
        for line in &case.setup {
            let done = base("/bin/sh").args(["-ec", line]).status().expect("sh");
            assert!(done.success(), "{}: setup failed: {line}", case.name);
        }
        let mut outcome = Outcome {
            exit: Vec::new(),
            stdout: String::new(),
            stderr: String::new(),
            tree: String::new(),
        };
        for (subcommand, args) in case.runs() {
            let program = program(subcommand);
            // a case that hangs fails, and does not hold up the others
            let mut command = base("timeout");
            command.arg(LONGEST).args(&program).args(&args);
            if !case.commands.is_empty() {
                outcome.stdout += &format!("$ {}\n", shell_words::join(&args));
            }
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|e| panic!("{}: {e}", program[0]));
            if let Some(mut stdin) = child.stdin.take() {
                // a program that does not read closes the pipe, which is no failure
                let _ = stdin.write_all(case.stdin.as_bytes());
            }
            let output = child.wait_with_output().expect("a finished run");
            outcome.exit.push(output.status.code().unwrap_or(-1));
            outcome.stdout += &String::from_utf8_lossy(&output.stdout);
            outcome.stderr += &String::from_utf8_lossy(&output.stderr);
        }
        list(&work, &work, &mut outcome.tree);
        self.remove();
        outcome
    }

    fn remove(&self) {
        if self.root.exists() {
            fs::remove_dir_all(&self.root).expect("the folder of a case removed");
        }
    }
}

/// Seconds that one run of a case may take, on a busy machine too.
const LONGEST: &str = "600";

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|e| e.expect("a folder's entry").path())
        .collect();
    paths.sort();
    paths
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for path in sorted(from) {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file copied");
        }
    }
}

fn list(root: &Path, folder: &Path, out: &mut String) {
    for path in sorted(folder) {
        let meta = fs::symlink_metadata(&path).expect("a file's attributes");
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_symlink() {
            let target = fs::read_link(&path).expect("a link's target");
            out.push_str(&format!("{name} -> {}\n", target.display()));
        } else if meta.is_dir() {
            out.push_str(&format!("{name}/ {mode:04o}\n"));
            list(root, &path, out);
        } else if !meta.is_file() {
            // a pipe would never end
            out.push_str(&format!("{name} {mode:04o} (special)\n"));
        } else {
            let content = fs::read(&path).expect("a file's content");
            out.push_str(&format!("{name} {mode:04o}\n"));
            for line in String::from_utf8_lossy(&content).split_inclusive('\n') {
                out.push_str("  | ");
                out.push_str(line);
            }
            if !content.is_empty() && !content.ends_with(b"\n") {
                out.push_str("\n  (no line break at the end)\n");
            }
        }
    }
}
