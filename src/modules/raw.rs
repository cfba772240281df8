//! Runs a line of shell with nothing around it.

use super::{Failure, Module};
use crate::machine::{Command, Machine};
use crate::modules::args::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/raw_module.html>
pub struct Raw;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The line, as free-form text.
    #[serde(rename = "_raw_params")]
    raw: String,
    /// The shell to use instead of `/bin/sh`; an absolute path.
    executable: Option<Path>,
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

impl Module for Raw {
    const NAME: &'static str = "raw";
    const EXAMPLES: &'static str = "
- name: Look without any help of the target
  ansible.builtin.raw: uptime
  changed_when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let shell = args
            .executable
            .map_or_else(|| "/bin/sh".to_string(), |e| e.0);
        let command = Command::new([shell, "-c".to_string(), args.raw]);
        let ran = machine
            .run(&command, "raw")
            .map_err(|e| Failure::new(crate::machine::errno_text(&e)).with("rc", 2))?;
        let Some(output) = ran else {
            return Ok(Returns {
                skipped: true,
                ..Returns::default()
            });
        };
        if output.rc != 0 {
            let mut failure = Failure::new("non-zero return code")
                .with("changed", true)
                .with("rc", output.rc)
                .with("stdout", output.stdout_text())
                .with("stderr", output.stderr_text());
            // there is no module on the target that could have failed
            failure.words = Some(format!("Task failed: Action failed: {}", failure.msg));
            return Err(failure);
        }
        Ok(Returns {
            changed: true,
            rc: Some(output.rc),
            stdout: Some(output.stdout_text()),
            stderr: Some(output.stderr_text()),
            ..Returns::default()
        })
    }
}
