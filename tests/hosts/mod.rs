//! Playbooks on real hosts over SSH, by rplay and by ansible-core: what they print, and what the hosts are like
//! afterwards, must be equal.
//!
//! A folder below `cases/` is a batch, see `batch.rs`: its playbooks run in one process of each program, on hosts that
//! are new for the batch. `@host@` in a playbook stands for an alias of the first host, another in each, so that a
//! case that fails does not lose the host for the next. rplay and ansible-core have a world each, with hosts of the same
//! names and addresses; rplay's have no Python unless the batch asks for it.
//!
//! `RPLAY_CASES=files/copy` runs the cases with that in their `BATCH/CASE`; `RPLAY_SHOW=1` prints what
//! the programs printed.

mod batch;
mod containers;
mod facts;
mod faults;
mod oracle;
mod run;
mod tree;
mod world;

use batch::Batch;
use oracle::Oracle;
use run::{Program, run};
use similar::TextDiff;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 2;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

#[test]
fn rplay_and_ansible_agree_on_real_hosts() {
    let wanted = std::env::var("RPLAY_CASES").unwrap_or_default();
    let batches = batch::all(&root().join("cases"), &wanted);
    let oracle = Oracle::new();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // a batch that cannot be run is a failure of that batch alone
                    let problems = std::panic::catch_unwind(|| differences(batch, &oracle))
                        .unwrap_or_else(|_| {
                            vec![(batch.name.clone(), "the batch could not be run\n".into())]
                        });
                    for (case, problem) in &problems {
                        print_all(&format!("FAILED {case}\n{problem}"));
                    }
                    let mut failures = failures.lock().unwrap_or_else(|e| e.into_inner());
                    failures.extend(problems.into_iter().map(|(case, _)| case));
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_else(|e| e.into_inner());
    failures.sort();
    // the state of a batch's hosts is a check like a case
    let checks: usize = batches.iter().map(|b| b.cases.len() + 1).sum();
    print_all(&format!(
        "hosts: {} passed, {} failed\n",
        checks.saturating_sub(failures.len()),
        failures.len()
    ));
    assert!(
        failures.is_empty(),
        "cases on real hosts that differ: {}",
        failures.join(" ")
    );
}

/// Runs a batch by both; the cases that differ, and how.
fn differences(batch: &Batch, oracle: &Oracle) -> Vec<(String, String)> {
    let theirs = oracle.outcome(batch);
    let ours = run(
        batch,
        &Program {
            letter: 'r',
            path: env!("CARGO_BIN_EXE_rplay").into(),
            ours: true,
            env: std::env::var("RPLAY_AGENT_DIR")
                .map(|folder| vec![("RPLAY_AGENT_DIR", folder)])
                .unwrap_or_default(),
        },
    );
    if std::env::var_os("RPLAY_SHOW").is_some() {
        print_all(&format!(
            "=== {}: ansible\n{}=== rplay\n{}",
            batch.name,
            theirs.show(),
            ours.show()
        ));
    }
    let mut problems = Vec::new();
    let (expected, got) = (theirs.cases(batch), ours.cases(batch));
    for (case, _) in &batch.cases {
        let of = |found: &std::collections::BTreeMap<String, String>| {
            found
                .get(case)
                .cloned()
                .unwrap_or_else(|| "(did not run)\n".into())
        };
        let (theirs, ours) = (of(&expected), of(&got));
        if theirs != ours || !got.contains_key(case) {
            problems.push((format!("{}/{case}", batch.name), difference(&theirs, &ours)));
        }
    }
    let (expected, got) = (theirs.state(batch), ours.state(batch));
    if expected != got {
        problems.push((
            format!("{}: what is on the hosts", batch.name),
            difference(&expected, &got),
        ));
    }
    if !problems.is_empty() && !ours.stderr().is_empty() {
        print_all(&format!(
            "{}: rplay's stderr:\n{}\n",
            batch.name,
            ours.stderr()
        ));
    }
    problems
}

fn difference(theirs: &str, ours: &str) -> String {
    TextDiff::from_lines(theirs, ours)
        .unified_diff()
        .header("ansible", "rplay")
        .to_string()
}

/// Past the capture of the test's output, so that progress is seen.
fn print_all(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
