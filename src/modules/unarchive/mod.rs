//! Unpacks an archive.

mod tar;
mod zip;

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::{Failure, Module, yes};
use crate::machine::http::{self, Request, Settings};
use crate::machine::{Machine, Output, errno_text};
use crate::modules::args::{Path, map};
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/unarchive_module.html>
pub struct Unarchive;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["include", "exclude"]]))]
pub struct Args {
    /// The archive, or where it is downloaded.
    src: Path,
    /// The folder that it is unpacked in.
    dest: Path,
    /// Whether the archive is on the target.
    #[serde(default)]
    #[allow(dead_code)] // the controller's side has looked at it
    remote_src: bool,
    /// Does nothing if this exists.
    #[allow(dead_code)] // the controller's side has looked for it
    creates: Option<Path>,
    /// Tells what is in the archive.
    #[serde(default)]
    list_files: bool,
    /// Keeps files that are newer than those of the archive.
    #[serde(default)]
    keep_newer: bool,
    /// What is unpacked, if not all.
    #[serde(default)]
    include: Vec<String>,
    /// What is not unpacked.
    #[serde(default)]
    exclude: Vec<String>,
    /// Further options of the program that unpacks.
    #[serde(default)]
    extra_opts: Vec<String>,
    /// Whether the server of an archive must have a certificate that the system trusts.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// How much of the archive is read at once. It makes no difference here.
    #[serde(default = "buffer")]
    #[allow(dead_code)] // nothing is read in one piece
    io_buffer_size: i64,
    #[serde(flatten)]
    file: FileArgs,
}

fn buffer() -> i64 {
    65_536
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    dest: String,
    src: String,
    /// What unpacked it.
    handler: String,
    /// The program's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    extract_results: Option<Value>,
    /// What is in the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Unarchive {
    const NAME: &'static str = "unarchive";
    const SHOWN_NAME: &'static str = "ansible.legacy.unarchive";
    const EXAMPLES: &'static str = "
- name: Unpack an archive of the target
  ansible.builtin.unarchive:
    src: /opt/files.tar.gz
    dest: '{{ folder }}'
    remote_src: true
  when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(mut args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut downloaded = None;
        if args.src.as_str().contains("://") {
            let file = download(&args, machine)?;
            args.src = Path(file.to_string_lossy().into_owned());
            downloaded = Some(file);
        }
        let done = unpack(&args, machine);
        if let Some(file) = downloaded {
            machine.drop_scratch(&file);
        }
        done
    }
}

fn download(args: &Args, machine: &Machine) -> Result<PathBuf, Failure> {
    let url = args.src.as_str();
    let settings = Settings {
        validate_certs: args.validate_certs,
        ..Settings::new(machine)
    };
    let fail =
        |why: String| Failure::new(format!("Failure downloading {}, {why}", http::shown(url)));
    let mut response =
        http::fetch(Request::new("GET", url), &settings).map_err(|e| fail(e.to_string()))?;
    if response.status != 200 {
        return Err(fail(response.message()));
    }
    machine
        .scratch_from(None, &mut response.body)
        .map_err(|e| fail(http::in_words(&e)))
}

/// What is known of an archive before it is unpacked.
struct Found {
    handler: &'static str,
    files: Vec<String>,
    /// Whether all of it is there already.
    unpacked: bool,
    /// What is different.
    diff: Option<String>,
    /// What unpacks it.
    words: Vec<String>,
}

fn unpack(args: &Args, machine: &mut Machine) -> Result<Returns, Failure> {
    let (src, dest) = (args.src.as_str(), args.dest.as_str());
    if !machine.exists(&args.src) {
        return Err(Failure::new(format!("Source '{src}' does not exist")));
    }
    if !machine.access(&args.src, rustix::fs::Access::READ_OK) {
        return Err(Failure::new(format!("Source '{src}' not readable")));
    }
    if machine.stat(&args.src).is_ok_and(|s| s.size == 0) {
        return Err(Failure::new(format!(
            "Invalid archive '{src}', the file is 0 bytes"
        )));
    }
    if !machine.is_dir(&args.dest) {
        return Err(Failure::new(format!(
            "Destination '{dest}' is not a directory"
        )));
    }
    let found = match zip::look(args, machine) {
        Ok(found) => found,
        Err(zip) => match tar::look(args, machine) {
            Ok(found) => found,
            Err(Refusal::Failed(failure)) => return Err(failure),
            Err(Refusal::No(mut reasons)) => {
                if let Refusal::No(more) = zip {
                    reasons.extend(more);
                }
                return Err(Failure::new(format!(
                    "Failed to find handler for \"{src}\". Make sure the required command to extract the file \
                     is installed.\n{}",
                    reasons.join("\n")
                )));
            }
        },
    };
    if machine.mode.check && found.handler != "ZipArchive" {
        let msg =
            "remote module (ansible.legacy.unarchive) does not support check mode when using gtar";
        return Err(Failure::new(msg)
            .with("skipped", true)
            .with("failed", false));
    }
    let mut returns = Returns {
        changed: !found.unpacked,
        dest: dest.to_string(),
        src: src.to_string(),
        handler: found.handler.to_string(),
        ..Returns::default()
    };
    if machine.mode.diff {
        returns.diff = found
            .diff
            .map(|text| Value::map(map([("prepared", text.into())])));
    }
    if !found.unpacked && !machine.mode.check {
        let words: Vec<Value> = found.words.iter().map(Value::str).collect();
        let command = super::common::tool::command(&found.words);
        let output = super::common::tool::perform(machine, &command, "an archive is unpacked")?;
        let Output { rc, .. } = output;
        let results = Value::map(map([
            ("out", output.stdout_text().into()),
            ("err", output.stderr_text().into()),
            ("rc", Value::Int(rc)),
            ("cmd", Value::list(words)),
        ]));
        if rc != 0 {
            return Err(Failure::new(format!("failed to unpack {src} to {dest}"))
                .with("dest", dest)
                .with("src", src)
                .with("handler", found.handler)
                .with("extract_results", results));
        }
        returns.extract_results = Some(results);
    }
    if !machine.mode.check && !args.file.is_empty() {
        returns.changed |= attributes(args, &found.files, machine)?;
    }
    if args.list_files {
        returns.files = Some(found.files);
    }
    Ok(returns)
}

/// Gives everything that was unpacked, and the folders it is in, the attributes that are asked for.
fn attributes(args: &Args, files: &[String], machine: &mut Machine) -> Result<bool, Failure> {
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    for file in files {
        let inside = StdPath::new(file.trim_start_matches('/'));
        let parts = inside.ancestors().filter(|p| {
            let text = p.as_os_str();
            !text.is_empty() && text != "."
        });
        paths.extend(parts.map(|p| args.dest.join(p)));
    }
    let mut changed = false;
    for path in paths {
        changed |= args
            .file
            .apply(machine, &path, false, &mut Attributes::default())
            .map_err(|f| {
                let msg = format!("Unexpected error when accessing exploded file: {}", f.msg);
                Failure { msg, ..f }
            })?;
    }
    Ok(changed)
}

/// Why an archive cannot be unpacked by a program.
enum Refusal {
    /// It is no archive of this kind, or the program is missing.
    No(Vec<String>),
    Failed(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failed(failure)
    }
}

/// What an archive's program says that it cannot do.
fn cannot(program: &str, why: &str) -> String {
    format!("Command \"{program}\" could not handle archive: {why}")
}

/// Whether the task's user is root, who keeps owners.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// An error of the machine's, as a failure.
fn io(e: std::io::Error) -> Failure {
    Failure::new(errno_text(&e))
}
