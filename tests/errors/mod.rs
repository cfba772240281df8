//! What rplay says of bad input: each case's output and exit code, word for word.
//!
//! A case is a file below `cases/` (or a folder with a `main.yml`), and beside it (or in it) what is expected,
//! with the ending `.expected`. `RPLAY_UPDATE=1` writes the expected texts anew; look at what changed.

use crate::support::case;
use crate::support::normal::normal;
use crate::support::sandbox::Sandbox;
use similar::TextDiff;
use std::path::Path;

#[test]
fn bad_input_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let update = std::env::var_os("RPLAY_UPDATE").is_some();
    let mut problems = Vec::new();
    for case in case::all(&root.join("cases")) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("errors")
            .join(&case.name);
        let sandbox = Sandbox::new(folder);
        let program = |subcommand: Option<&str>| {
            let words = std::iter::once(env!("CARGO_BIN_EXE_rplay")).chain(subcommand);
            words.map(str::to_string).collect()
        };
        let outcome = sandbox.run(&case, &root.join("shared"), &program, &[]);
        let exit = outcome.exit.last().copied().unwrap_or(-1);
        let got = normal(
            &format!(
                "exit {exit}\n--- stdout\n{}--- stderr\n{}",
                outcome.stdout, outcome.stderr
            ),
            &sandbox.work(),
        );
        let file = if case.source.is_dir() {
            case.source.join("main.expected")
        } else {
            case.source.with_extension("expected")
        };
        let want = std::fs::read_to_string(&file).unwrap_or_default();
        if got == want {
            continue;
        }
        if update {
            std::fs::write(&file, &got).expect("the expected text written");
            continue;
        }
        let diff = TextDiff::from_lines(&want, &got);
        problems.push(format!(
            "FAILED {}\n{}",
            case.name,
            diff.unified_diff().header("expected", "rplay")
        ));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
