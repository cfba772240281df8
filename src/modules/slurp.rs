//! Brings what a file holds to the controller.

use super::{Failure, Module};
use crate::machine::{Machine, errno_text, reason};
use crate::modules::args::Path;
use base64::Engine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/slurp_module.html>
pub struct Slurp;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["path"]))]
    src: Path,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// What the file holds, in base64.
    content: String,
    encoding: &'static str,
    /// The file's path.
    source: String,
}

impl Module for Slurp {
    const NAME: &'static str = "slurp";
    const EXAMPLES: &'static str = "
- name: Read a file of the target
  ansible.builtin.slurp:
    src: /etc/hostname
  register: hostname

- ansible.builtin.debug:
    msg: '{{ hostname.content | b64decode }}'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let path = args.src.as_str();
        let bytes = machine.read(&args.src).map_err(|e| {
            let quoted = crate::python::quote(path);
            let cause = format!("{}: {quoted}", errno_text(&e));
            Failure::new(match e.kind() {
                ErrorKind::NotFound => format!("File not found: {path}"),
                ErrorKind::PermissionDenied => format!("File is not readable: {path}"),
                ErrorKind::IsADirectory => {
                    format!("Source is a directory and must be a file: {path}")
                }
                _ => format!("Unable to slurp file: {path}: {}", reason(&e)),
            })
            .because(cause)
        })?;
        Ok(Returns {
            content: base64::engine::general_purpose::STANDARD.encode(bytes),
            encoding: "base64",
            source: args.src.0,
        })
    }
}
