//! The Python that is there. rplay needs none, but playbooks choose packages by its version.

use super::{Facts, dict};
use crate::machine::Command;
use crate::value::Value;

/// Where systems keep it, in the order in which it is looked for.
const PLACES: &[&str] = &[
    "/usr/bin/python3",
    "/usr/local/bin/python3",
    "/usr/libexec/platform-python",
    "/usr/bin/python",
];

pub fn gather(facts: &mut Facts<'_>) {
    let Some(executable) = PLACES.iter().find(|p| facts.exists(p)) else {
        return;
    };
    // the version alone is told without starting an interpreter
    let Ok(output) = facts
        .machine
        .probe(&Command::new([*executable, "--version"]))
    else {
        return;
    };
    // Python 2 says it on the other channel
    let text = output.stdout_text() + &output.stderr_text();
    let Some((version, numbers)) = parse(&text) else {
        return;
    };
    let [major, minor, micro] = numbers.map(Value::Int);
    facts.set("python_version", version);
    facts.set(
        "python",
        dict([
            ("executable", (*executable).into()),
            ("has_sslcontext", true.into()),
            ("type", "cpython".into()),
            (
                "version",
                dict([
                    ("major", major.clone()),
                    ("minor", minor.clone()),
                    ("micro", micro.clone()),
                    ("releaselevel", "final".into()),
                    ("serial", Value::Int(0)),
                ]),
            ),
            (
                "version_info",
                Value::list(vec![major, minor, micro, "final".into(), Value::Int(0)]),
            ),
        ]),
    );
}

/// `Python 3.11.2`: the version and its three numbers.
fn parse(text: &str) -> Option<(String, [i64; 3])> {
    let version = text
        .trim()
        .strip_prefix("Python ")?
        .split_whitespace()
        .next()?;
    let mut numbers = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    let mut next = || numbers.next()?;
    Some((version.to_string(), [next()?, next()?, next()?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read() {
        assert_eq!(
            parse("Python 3.11.2\n"),
            Some(("3.11.2".into(), [3, 11, 2]))
        );
        assert_eq!(parse("Python 2.7.18+\n").map(|v| v.1), Some([2, 7, 18]));
        assert_eq!(parse("sh: not found"), None);
    }
}
