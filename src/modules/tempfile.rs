//! Makes a temporary file or folder.

use super::{Failure, Module};
use crate::machine::{Machine, errno_text};
use crate::modules::args::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/tempfile_module.html>
pub struct Tempfile;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to make.
    #[serde(default)]
    state: State,
    /// The folder to make it in, instead of the system's own for that.
    path: Option<Path>,
    /// How the name begins.
    #[serde(default = "prefix")]
    prefix: String,
    /// How the name ends.
    #[serde(default)]
    suffix: String,
}

fn prefix() -> String {
    "ansible.".to_string()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    File,
    Directory,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// What was made.
    path: Option<String>,
}

impl Module for Tempfile {
    const NAME: &'static str = "tempfile";
    const CHECK_MODE: bool = false;
    const EXAMPLES: &'static str = "
- name: Make a folder to work in
  ansible.builtin.tempfile:
    state: directory
    path: '{{ folder }}'
    suffix: build
  register: work

- ansible.builtin.file:
    path: '{{ work.path }}'
    state: absent
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        for (name, part) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
            if part.contains('/') {
                return Err(Failure::new(format!(
                    "{name} must be a valid file name component, got '{part}'"
                )));
            }
        }
        let parent = match args.path {
            Some(path) => path.to_path_buf(),
            None => std::env::temp_dir(),
        };
        let dir = args.state == State::Directory;
        let made = machine
            .make_temporary(&parent, &args.prefix, &args.suffix, dir)
            .map_err(|e| {
                let random = &crate::secret::random_name()[..8];
                let path = parent.join(format!("{}{random}{}", args.prefix, args.suffix));
                let shown = crate::python::quote(&path.to_string_lossy());
                Failure::new(format!("{}: {shown}", errno_text(&e)))
            })?;
        Ok(Returns {
            changed: true,
            path: made.map(|p| p.to_string_lossy().into_owned()),
        })
    }
}
