//! The real ansible-core, and what it made of batches.

use super::batch::Batch;
use super::root;
use super::run::{Outcome, Program, run};
use sha2::Digest;
use std::path::{Path, PathBuf};

/// Counts in the key of what is kept: it changes with how it is made.
const HARNESS: &str = "6";

pub struct Oracle {
    program: Program,
    version: String,
}

impl Oracle {
    pub fn new() -> Oracle {
        let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
            "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
        );
        let venv = PathBuf::from(venv);
        let path = venv.join("bin/ansible-playbook");
        let version = std::process::Command::new(&path)
            .arg("--version")
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let version = String::from_utf8_lossy(&version.stdout);
        Oracle {
            version: version.lines().next().unwrap_or_default().to_string(),
            program: Program {
                letter: 'o',
                path,
                ours: false,
                env: vec![
                    (
                        "ANSIBLE_COLLECTIONS_PATH",
                        venv.join("collections").display().to_string(),
                    ),
                    ("PYTHONHASHSEED", "0".into()),
                ],
            },
        }
    }

    /// What ansible-core makes of a batch; kept until the batch, the harness or ansible-core changes.
    pub fn outcome(&self, batch: &Batch) -> Outcome {
        let mut hash = batch.hash(&root().join("shared"));
        hash.update(HARNESS);
        hash.update(&self.version);
        let key: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|b| format!("{b:02x}"))
            .collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/parity");
        let kept = folder.join(format!("hosts-{}-{key}.json", batch.name));
        if let Ok(text) = std::fs::read_to_string(&kept)
            && let Some(outcome) = Outcome::from_json(&text, batch)
        {
            return outcome;
        }
        let outcome = run(batch, &self.program);
        std::fs::create_dir_all(&folder).expect("a folder to keep outcomes in");
        // one that did not come to its end is made again
        if outcome.cases(batch).len() == batch.cases.len() {
            std::fs::write(&kept, outcome.to_json(batch)).expect("an outcome kept");
        }
        outcome
    }
}
