//! The same playbook by rplay and by ansible-core: exit code, standard output and files must be equal.
//!
//! A case is a file below `cases/` (or a folder with a `main.yml`); adding one is adding a file. The lines
//! at its top are explained in `support/case.rs`. Every case finds the files of `shared/` beside it.
//!
//! `RPLAY_ORACLE_VENV` names the Python environment that ansible-core is installed in. What it printed is
//! kept in `.cache/parity`, until the case, the harness or ansible-core changes. `RPLAY_CASES=loop` runs the
//! cases with `loop` in their name; `RPLAY_SHOW=1` prints what ansible-core made of them.

use crate::support::case::{self, Case};
use crate::support::normal::normal;
use crate::support::sandbox::{Outcome, Sandbox};
use sha2::{Digest, Sha256};
use similar::TextDiff;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts in the cache's key: what is kept changes with how it is made.
const HARNESS: &str = "2";
/// Stands for the folder that cases run in, so that what is kept serves every checkout.
const PLACE: &str = "@TMPDIR@";
const THREADS: usize = 2;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

#[test]
fn rplay_and_ansible_agree() {
    let oracle = Oracle::new();
    let cases = case::all(&root().join("cases"));
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // a case that cannot be run is a failure of that case alone
                    let problem = std::panic::catch_unwind(|| run(case, &oracle))
                        .unwrap_or_else(|_| Some("the case could not be run\n".into()));
                    if let Some(problem) = problem {
                        print_all(&format!("FAILED {}\n{problem}", case.name));
                        let mut failures = failures.lock().unwrap_or_else(|e| e.into_inner());
                        failures.push(case.name.clone());
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_else(|e| e.into_inner());
    failures.sort();
    print_all(&format!(
        "parity: {} passed, {} failed\n",
        cases.len() - failures.len(),
        failures.len()
    ));
    assert!(
        failures.is_empty(),
        "cases that differ: {}",
        failures.join(" ")
    );
}

/// Runs a case by both, and says how they differ.
fn run(case: &Case, oracle: &Oracle) -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity");
    let sandbox = Sandbox::new(folder.join(&case.name));
    let theirs = oracle.outcome(case, &sandbox);
    if std::env::var_os("RPLAY_SHOW").is_some() {
        print_all(&format!(
            "=== {}\n{}--- stderr\n{}--- exit {:?}\n",
            case.name, theirs.stdout, theirs.stderr, theirs.exit
        ));
    }
    let ours = sandbox.run(case, &root().join("shared"), &program, &[]);
    compare(case, &theirs, &tidy(case, ours, &sandbox))
}

/// Past the capture of the test's output, so that progress is seen.
fn print_all(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn program(subcommand: Option<&str>) -> Vec<String> {
    let rplay = env!("CARGO_BIN_EXE_rplay");
    let words = std::iter::once(rplay).chain(subcommand);
    words.map(str::to_string).collect()
}

/// The first way in which the outcomes differ, as a text.
fn compare(case: &Case, theirs: &Outcome, ours: &Outcome) -> Option<String> {
    let mut problem = String::new();
    if theirs.exit != ours.exit {
        problem += &format!(
            "exit code: ansible {:?}, rplay {:?}\n",
            theirs.exit, ours.exit
        );
    }
    if let Some(exit) = case.exit
        && ours.exit.last() != Some(&exit)
    {
        problem += &format!(
            "exit code: {exit} is expected, rplay's is {:?}\n",
            ours.exit
        );
    }
    problem += &difference("stdout", &theirs.stdout, &ours.stdout);
    problem += &difference("files", &theirs.tree, &ours.tree);
    if case.compare_stderr {
        problem += &difference("stderr", &theirs.stderr, &ours.stderr);
    }
    if problem.is_empty() {
        return None;
    }
    if !case.compare_stderr && !ours.stderr.is_empty() {
        problem += &format!("rplay's stderr:\n{}\n", ours.stderr);
    }
    Some(problem)
}

fn difference(what: &str, theirs: &str, ours: &str) -> String {
    if theirs == ours {
        return String::new();
    }
    TextDiff::from_lines(theirs, ours)
        .unified_diff()
        .header(&format!("{what}: ansible"), &format!("{what}: rplay"))
        .to_string()
}

fn tidy(case: &Case, outcome: Outcome, sandbox: &Sandbox) -> Outcome {
    let work = sandbox.work();
    Outcome {
        exit: outcome.exit,
        stdout: if case.own_places {
            without_places(&normal(&outcome.stdout, &work))
        } else {
            normal(&outcome.stdout, &work)
        },
        stderr: normal(&outcome.stderr, &work),
        tree: normal(&outcome.tree, &work),
    }
}

/// `text` without what follows an error's first line: where it is, and what caused it.
///
/// rplay points at the very template where ansible-core points at the task; `tests/errors` covers that.
fn without_places(text: &str) -> String {
    let goes_on = |line: &str| {
        [
            "fatal: ",
            "failed: ",
            "...ignoring",
            "PLAY ",
            "TASK ",
            "RUNNING HANDLER ",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    };
    let mut inside = false;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("[ERROR]: ") {
            inside = true;
            out.push_str(line);
        } else if inside && !goes_on(line) {
            continue;
        } else {
            inside = false;
            out.push_str(line);
        }
    }
    out
}

/// The real ansible-core.
struct Oracle {
    bin: PathBuf,
    version: String,
    cache: PathBuf,
}

impl Oracle {
    fn new() -> Oracle {
        let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
            "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
        );
        let bin = PathBuf::from(venv).join("bin");
        let output = std::process::Command::new(bin.join("ansible-playbook"))
            .arg("--version")
            .output()
            .unwrap_or_else(|e| panic!("{}/ansible-playbook: {e}", bin.display()));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/parity");
        std::fs::create_dir_all(&cache).expect("a folder to keep outcomes in");
        Oracle {
            bin,
            version: text.lines().next().unwrap_or("").to_string(),
            cache,
        }
    }

    /// What ansible-core makes of the case, from the cache if it is there.
    fn outcome(&self, case: &Case, sandbox: &Sandbox) -> Outcome {
        let file = self.cache.join(format!("{}.json", self.key(case)));
        if let Ok(text) = std::fs::read_to_string(&file)
            && let Ok(outcome) =
                serde_json::from_str::<Outcome>(&text.replace(PLACE, env!("CARGO_TARGET_TMPDIR")))
            && !outcome.exit.contains(&124)
        {
            return tidy(case, outcome, sandbox);
        }
        let bin = |name: &str| self.bin.join(name).display().to_string();
        let mut env = vec![
            ("ANSIBLE_PYTHON_INTERPRETER", bin("python")),
            // where a set shows in what is printed
            ("PYTHONHASHSEED", "0".into()),
        ];
        if case.collections {
            env.push(("ANSIBLE_COLLECTIONS_PATH", bin("../collections")));
        }
        let program = |subcommand: Option<&str>| {
            vec![match subcommand {
                None => bin("ansible-playbook"),
                Some("adhoc") => bin("ansible"),
                Some(other) => bin(&format!("ansible-{other}")),
            }]
        };
        let outcome = sandbox.run(case, &root().join("shared"), &program, &env);
        // one that ran out of time (`timeout` ends with 124) says nothing of the case: it is made again
        if !outcome.exit.contains(&124) {
            let text = serde_json::to_string(&outcome).expect("an outcome as JSON");
            std::fs::write(&file, text.replace(env!("CARGO_TARGET_TMPDIR"), PLACE))
                .expect("an outcome kept");
        }
        tidy(case, outcome, sandbox)
    }

    fn key(&self, case: &Case) -> String {
        let mut hash = Sha256::new();
        hash.update(HARNESS);
        hash.update(&self.version);
        // the size of a link is the length of its target's path
        hash.update(env!("CARGO_TARGET_TMPDIR").len().to_le_bytes());
        hash.update(&case.name);
        hash_tree(&case.source, &mut hash);
        hash_tree(&root().join("shared"), &mut hash);
        if let Some(files) = &case.files {
            hash_tree(files, &mut hash);
        }
        hash.finalize()
            .iter()
            .take(16)
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

fn hash_tree(path: &Path, hash: &mut Sha256) {
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .expect("a case's folder")
            .map(|e| e.expect("a folder's entry").path())
            .collect();
        entries.sort();
        for entry in entries {
            hash_tree(&entry, hash);
        }
    } else {
        hash.update(std::fs::read(path).expect("a case's file"));
    }
}
