//! Makes one file of the files in a folder.

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::common::{backup, validate};
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text};
use crate::modules::args::Path;
use crate::regex::{self, Flags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/assemble_module.html>
pub struct Assemble;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The folder. Its files are taken in the order of their names.
    src: Path,
    /// The file to make.
    dest: Path,
    /// What to put between the files, on lines of its own; `\\n` is a line break.
    delimiter: Option<String>,
    /// Whether the folder is on the target; if not, it is looked for on the controller.
    #[serde(default = "super::yes")]
    #[expect(dead_code, reason = "read on the controller")]
    remote_src: bool,
    /// Takes only files whose names this pattern matches, in Python's syntax.
    regexp: Option<String>,
    /// Leaves out files whose names begin with a dot.
    #[serde(default)]
    ignore_hidden: bool,
    /// Copies the file to another name first.
    #[serde(default)]
    backup: bool,
    /// A command that has to succeed on the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Decrypts the controller's files that are encrypted.
    #[serde(default = "super::yes")]
    #[expect(dead_code, reason = "read on the controller")]
    decrypt: bool,
    #[serde(flatten)]
    file: FileArgs,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    src: String,
    dest: String,
    /// SHA-1 of what the files give.
    checksum: String,
    md5sum: String,
    msg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    /// What the command `validate` said.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Validation>,
}

#[derive(Serialize, JsonSchema)]
pub struct Validation {
    rc: i64,
    stdout: String,
    stderr: String,
}

/// Which of a folder's files are taken.
pub struct Choice {
    pattern: Option<std::sync::Arc<regex::Regex>>,
    ignore_hidden: bool,
}

impl Choice {
    /// The error says what is wrong with the pattern.
    pub fn new(pattern: Option<&str>, ignore_hidden: bool) -> Result<Choice, String> {
        let compile = |text: &str| {
            regex::compile(text, Flags::default())
                .map_err(|e| format!("Invalid Regexp ({}) in \"{text}\"", e.message()))
        };
        let pattern = pattern.filter(|p| !p.is_empty()).map(compile);
        Ok(Choice {
            pattern: pattern.transpose()?,
            ignore_hidden,
        })
    }

    pub fn takes(&self, name: &str) -> bool {
        let hidden = self.ignore_hidden && name.starts_with('.');
        let matches = |pattern| regex::search(pattern, name).is_ok_and(|found| found.is_some());
        !hidden && self.pattern.as_deref().is_none_or(matches)
    }
}

/// What pieces become in one file. Each begins on a new line, and so does the delimiter between them.
pub fn join(pieces: &[Vec<u8>], delimiter: Option<&str>) -> Vec<u8> {
    let mut between = String::new();
    if let Some(delimiter) = delimiter.filter(|d| !d.is_empty()) {
        crate::python::unescape(delimiter, &mut between);
        if !between.ends_with('\n') {
            between.push('\n');
        }
    }
    let mut all = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            if pieces[index - 1].last() != Some(&b'\n') {
                all.push(b'\n');
            }
            all.extend_from_slice(between.as_bytes());
        }
        all.extend_from_slice(piece);
    }
    all
}

impl Module for Assemble {
    const NAME: &'static str = "assemble";
    const EXAMPLES: &'static str = "
- name: A folder for the pieces
  ansible.builtin.file:
    path: '{{ folder }}/conf.d'
    state: directory

- name: Write the pieces
  ansible.builtin.copy:
    dest: '{{ folder }}/conf.d/{{ item }}'
    content: '{{ item }}'
  loop: [10-first, 20-second]

- name: Put them together
  ansible.builtin.assemble:
    src: '{{ folder }}/conf.d'
    dest: '{{ folder }}/conf'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let (src, dest) = (args.src.as_str(), args.dest.as_str());
        let problem = match (machine.exists(&args.src), machine.is_dir(&args.src)) {
            (false, _) => Some("does not exist"),
            (_, false) => Some("is not a directory"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Failure::new(format!("Source ({src}) {problem}")));
        }
        let choice =
            Choice::new(args.regexp.as_deref(), args.ignore_hidden).map_err(Failure::new)?;
        if let Some(command) = args.validate.as_deref().filter(|c| !c.contains("%s")) {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let content = join(&pieces(&args, &choice, machine)?, args.delimiter.as_deref());
        let checksum = crate::machine::sha1_of(&content);
        if machine.is_dir(&args.dest) {
            let msg = format!("attempted to take checksum of directory: {dest}");
            return Err(Failure::new(msg));
        }
        let (mut backup_file, mut validation) = (None, None);
        if machine.sha1(&args.dest).ok().as_deref() != Some(&checksum) {
            if let Some(command) = &args.validate {
                validation = Some(validated(machine, command, &content)?);
            }
            if args.backup {
                backup_file = backup::backup(machine, &args.dest).map_err(|e| {
                    Failure::new(format!(
                        "Could not make backup of {dest}: {}",
                        errno_text(&e)
                    ))
                })?;
            }
            let mode = args.file.octal_mode();
            machine
                .replace(
                    &args.dest,
                    Content::Bytes(&content),
                    mode,
                    args.file.unsafe_writes,
                )
                .map_err(|e| {
                    let cause = errno_text(&e);
                    Failure::uncaught_by(format!("Could not replace '{dest}'"), cause)
                })?;
        }
        args.file
            .apply(machine, &args.dest, true, &mut Attributes::default())?;
        Ok(Returns {
            changed: machine.changed(),
            src: src.to_string(),
            dest: dest.to_string(),
            checksum,
            md5sum: crate::machine::md5_of(&content),
            msg: "OK",
            backup_file,
            validation,
        })
    }
}

/// Runs the user's command on the new content. Fails if it does.
fn validated(machine: &Machine, command: &str, content: &[u8]) -> Result<Validation, Failure> {
    let output = validate::outcome(machine, command, content)?;
    let said = Validation {
        rc: output.rc,
        stdout: output.stdout_text(),
        stderr: output.stderr_text(),
    };
    match said.rc {
        0 => Ok(said),
        rc => Err(Failure::new(format!(
            "failed to validate: rc:{rc} error:{}",
            said.stderr
        ))),
    }
}

/// The contents of the files that are taken, in order.
fn pieces(args: &Args, choice: &Choice, machine: &Machine) -> Result<Vec<Vec<u8>>, Failure> {
    let unreadable = |path: &std::path::Path, e: &std::io::Error| {
        let quoted = crate::python::quote(&path.to_string_lossy());
        Failure::uncaught(format!("{}: {quoted}", errno_text(e)))
    };
    let mut names = machine
        .names(&args.src)
        .map_err(|e| unreadable(&args.src, &e))?;
    names.sort();
    let mut pieces = Vec::new();
    for name in names {
        let path = args.src.join(&name);
        if choice.takes(&name.to_string_lossy()) && machine.is_file(&path) {
            pieces.push(machine.read(&path).map_err(|e| unreadable(&path, &e))?);
        }
    }
    Ok(pieces)
}
