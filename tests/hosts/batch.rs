//! A batch: playbooks that run one after the other on hosts that are new for the batch.
//!
//! It is a folder below `cases/`. Its `*.yml` are the cases; what else lies there (`files/`, `templates/`, `roles/`) and
//! the files of `shared/` lie beside the playbooks when they run. A file `batch`, if there, says how:
//!
//! ```text
//! # a comment
//! args: -v --diff            arguments of both programs; these are the default
//! hosts: box=10.0.9.1        the hosts; the first is the one that @host@ stands for
//! root: bare                 the root of rplay's hosts: bare (the default) has no Python; ansible-core's has.
//!                            With full, which has pip, dnf and svn too, both have it; with docker, theirs has dockerpython
//! prepare: touch /etc/x      a shell command in every host before the run, by root; may be there several times
//! vars: ansible_user=root    variables of all hosts; may be there several times
//! serve: apt                 HTTP at 10.0.255.254:8000: `apt` is the repository of testbed/aptrepo.sh, `pip` the index of
//!                            testbed/pipindex.py, `rpm` the repositories of testbed/rpmrepo.sh, `www` the folder
//!                            shared/www with the answers of server.py; a folder `www` of the batch is served too;
//!                            `registry` is one for Docker's images, at port 5000, see testbed/docker.sh
//! noise: var/lib/dpkg        a path that may differ at the end; may be there several times
//! pattern: [0-9.]+ kB        what may differ in the output, put as <...>; may be there several times
//! ```

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A batch and how it is run.
pub struct Batch {
    pub name: String,
    pub folder: PathBuf,
    /// The playbooks by name, without extension.
    pub cases: Vec<(String, String)>,
    pub args: Vec<String>,
    pub hosts: Vec<String>,
    pub root: String,
    pub prepare: Vec<String>,
    pub vars: Vec<String>,
    pub serve: Vec<String>,
    pub noise: Vec<String>,
    pub patterns: Vec<String>,
}

/// All batches with the cases whose `BATCH/CASE` contains `wanted`.
pub fn all(cases: &Path, wanted: &str) -> Vec<Batch> {
    let mut batches: Vec<Batch> = entries(cases)
        .into_iter()
        .filter(|p| p.is_dir())
        .map(|p| Batch::read(p, wanted))
        .filter(|b| !b.cases.is_empty())
        .collect();
    // the longest first: two run at a time
    batches.sort_by_key(|b| std::cmp::Reverse(b.cases.len()));
    batches
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|e| e.expect("a folder's entry").path())
        .collect();
    found.sort();
    found
}

fn words(text: &str) -> Vec<String> {
    shell_words::split(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

impl Batch {
    fn read(folder: PathBuf, wanted: &str) -> Batch {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut batch = Batch {
            cases: Vec::new(),
            args: words("-v --diff"),
            hosts: vec!["box=10.0.9.1".into()],
            root: "bare".into(),
            prepare: Vec::new(),
            vars: Vec::new(),
            serve: Vec::new(),
            noise: Vec::new(),
            patterns: Vec::new(),
            folder,
            name,
        };
        for path in entries(&batch.folder) {
            let case = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.extension().is_some_and(|e| e == "yml")
                && format!("{}/{case}", batch.name).contains(wanted)
            {
                let text = std::fs::read_to_string(&path)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                batch.cases.push((case, text));
            }
        }
        let options = batch.folder.join("batch");
        let text = if options.exists() {
            std::fs::read_to_string(&options)
                .unwrap_or_else(|e| panic!("{}: {e}", options.display()))
        } else {
            String::new()
        };
        for line in text
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let refuse = |what: &str| -> ! { panic!("{}: {line}: {what}", options.display()) };
            let Some((key, value)) = line.split_once(": ") else {
                refuse("KEY: VALUE is expected")
            };
            let value = value.trim().to_string();
            match key {
                "args" => batch.args = words(&value),
                "hosts" => batch.hosts = words(&value),
                "root" => batch.root = value,
                "prepare" => batch.prepare.push(value),
                "vars" => batch.vars.push(value),
                "serve" => batch.serve.extend(words(&value)),
                "noise" => batch.noise.push(value),
                "pattern" => batch.patterns.push(value),
                _ => refuse("no such option"),
            }
        }
        batch
    }

    /// The root of ansible-core's hosts.
    pub fn theirs(&self) -> &str {
        match self.root.as_str() {
            "full" => "full",
            "docker" => "dockerpython",
            _ => "python",
        }
    }

    /// The names of the batch's hosts; the first is the one of the cases.
    pub fn host_names(&self) -> Vec<&str> {
        self.hosts
            .iter()
            .map(|h| h.split('=').next().unwrap_or(h))
            .collect()
    }

    /// Copies what the playbooks need into the folder that they run in.
    pub fn lay_out(&self, shared: &Path, work: &Path) {
        for from in [shared, &self.folder] {
            for path in entries(from) {
                let name = path.file_name().unwrap_or_default();
                if name != "batch" && path.extension().is_none_or(|e| e != "yml") {
                    copy(&path, &work.join(name));
                }
            }
        }
    }

    /// Stands for everything that the outcome depends on, but the program.
    pub fn hash(&self, shared: &Path) -> Sha256 {
        let mut hash = Sha256::new();
        for (case, text) in &self.cases {
            hash.update(case);
            hash.update(text);
        }
        for folder in [shared, &self.folder] {
            for path in entries(folder) {
                // what may differ is looked at when outcomes are compared
                if path.extension().is_none_or(|e| e != "yml") && !path.ends_with("batch") {
                    add(&path, &mut hash);
                }
            }
        }
        hash.update(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            self.args,
            self.hosts,
            self.prepare,
            self.vars,
            self.serve,
            self.theirs()
        ));
        hash
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for path in entries(from) {
            copy(&path, &to.join(path.file_name().unwrap_or_default()));
        }
    } else {
        std::fs::copy(from, to).expect("a file copied");
    }
}

fn add(path: &Path, hash: &mut Sha256) {
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    if path.is_dir() {
        entries(path).iter().for_each(|p| add(p, hash));
    } else {
        hash.update(std::fs::read(path).expect("a file of a batch"));
    }
}
