//! A case: a playbook, what it brings along, and the lines at its top that say how it is run.
//!
//! ```yaml
//! # args: -i hosts --check     arguments before the playbook's name
//! # env: ANSIBLE_FORKS=5       an environment variable; may be there several times
//! # files: results             what is in tests/parity/files/results is there too
//! # collections: yes           ansible-core has the collections of the oracle's environment
//! # setup: mkdir sub           a shell command that prepares the folder; may be there several times
//! # stdin: yes                 a line that is typed; may be there several times
//! # runs: 2                    how often it is run in the same folder
//! # exit: 2                    the exit code it must have
//! # stderr: compare            compare standard error, too
//! # places: own              errors: compare the first line only, not where they are said to be
//! # program: inventory         not a playbook's run, but `rplay inventory`; or `vault`, `adhoc`
//! # command: adhoc all -m ping  as `program` and `args`; may be there several times: one after the other
//! ```

use std::path::{Path, PathBuf};

/// How a case is run.
#[derive(Debug, Clone)]
pub struct Case {
    /// Path below the cases' folder, without extension.
    pub name: String,
    /// The file, or the folder with a `main.yml`.
    pub source: PathBuf,
    /// The playbook's name in the folder that it runs in.
    pub playbook: String,
    /// A folder whose files are there too.
    pub files: Option<PathBuf>,
    /// Whether ansible-core needs collections.
    pub collections: bool,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub setup: Vec<String>,
    pub stdin: String,
    pub runs: usize,
    pub exit: Option<i32>,
    pub compare_stderr: bool,
    pub own_places: bool,
    pub program: Option<String>,
    /// A subcommand and its arguments each; run instead of the playbook if there are any.
    pub commands: Vec<Vec<String>>,
}

/// All cases below `folder` whose name contains the value of `RPLAY_CASES`, in order.
pub fn all(folder: &Path) -> Vec<Case> {
    let wanted = std::env::var("RPLAY_CASES").unwrap_or_default();
    let mut found = Vec::new();
    collect(folder, folder, &mut found);
    found.retain(|case| case.name.contains(&wanted));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Case>) {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|e| e.expect("a folder's entry").path());
    for path in entries {
        if path.is_dir() {
            if path.join("main.yml").is_file() {
                found.push(Case::read(root, &path, &path.join("main.yml")));
            } else {
                collect(root, &path, found);
            }
        } else if path.extension().is_some_and(|e| e == "yml") {
            found.push(Case::read(root, &path, &path));
        }
    }
}

impl Case {
    /// What is run, in order: a subcommand, none for a playbook's run, and its arguments.
    pub fn runs(&self) -> Vec<(Option<&str>, Vec<String>)> {
        if self.commands.is_empty() {
            let mut args = self.args.clone();
            if self.program.is_none() {
                args.push(self.playbook.clone());
            }
            return vec![(self.program.as_deref(), args); self.runs];
        }
        self.commands
            .iter()
            .map(|words| {
                let (first, args) = words.split_first().expect("a subcommand");
                (Some(first.as_str()), args.to_vec())
            })
            .collect()
    }

    fn read(root: &Path, source: &Path, playbook: &Path) -> Case {
        let name = source
            .strip_prefix(root)
            .unwrap_or(source)
            .with_extension("");
        let file_name = playbook.file_name().unwrap_or_default();
        let mut case = Case {
            name: name.display().to_string(),
            source: source.to_path_buf(),
            playbook: file_name.to_string_lossy().into_owned(),
            files: None,
            collections: false,
            args: Vec::new(),
            env: Vec::new(),
            setup: Vec::new(),
            stdin: String::new(),
            runs: 1,
            exit: None,
            compare_stderr: false,
            own_places: false,
            program: None,
            commands: Vec::new(),
        };
        let text =
            std::fs::read(playbook).unwrap_or_else(|e| panic!("{}: {e}", playbook.display()));
        for line in String::from_utf8_lossy(&text).lines() {
            let Some(line) = line.strip_prefix('#') else {
                break;
            };
            let Some((key, value)) = line.trim().split_once(": ") else {
                continue;
            };
            let value = value.trim();
            let refuse = |what: &str| -> ! { panic!("{}: {key}: {what}", case.name) };
            match key {
                "args" => match shell_words::split(value) {
                    Ok(words) => case.args.extend(words),
                    Err(e) => refuse(&e.to_string()),
                },
                "command" => match shell_words::split(value) {
                    Ok(words) => case.commands.push(words),
                    Err(e) => refuse(&e.to_string()),
                },
                "env" => match value.split_once('=') {
                    Some((name, value)) => case.env.push((name.into(), value.into())),
                    None => refuse("no ="),
                },
                "files" => {
                    let all = root.parent().unwrap_or(root).join("files");
                    case.files = Some(all.join(value));
                }
                "collections" => case.collections = value == "yes",
                "setup" => case.setup.push(value.into()),
                "stdin" => case.stdin.push_str(&format!("{value}\n")),
                "runs" => match value.parse() {
                    Ok(n) => case.runs = n,
                    Err(_) => refuse("not a number"),
                },
                "exit" => match value.parse() {
                    Ok(n) => case.exit = Some(n),
                    Err(_) => refuse("not a number"),
                },
                "stderr" => case.compare_stderr = value == "compare",
                "places" => case.own_places = value == "own",
                "program" => case.program = Some(value.into()),
                _ => {}
            }
        }
        case
    }
}
