//! What the modules that edit text files have in common.

use super::attributes::FileArgs;
use super::diff::{self, Attributes};
use super::{backup, text};
use crate::machine::{Command, Content, Machine, errno_text, python_error};
use crate::modules::Failure;
use crate::regex::Flags;
use crate::value::Value;
use std::path::{Path, PathBuf};

/// A text file before and after.
pub struct Edit<'a> {
    /// The path as the user wrote it.
    pub path: &'a Path,
    pub before: &'a str,
    pub after: &'a str,
    pub file: &'a FileArgs,
    pub backup: bool,
    pub validate: Option<&'a str>,
}

/// What came of it.
#[derive(Default)]
pub struct Done {
    pub content_changed: bool,
    pub attributes_changed: bool,
    pub backup_file: Option<String>,
    pub attributes: Attributes,
}

impl Edit<'_> {
    /// Writes what changed and sets the attributes.
    pub fn apply(&self, machine: &mut Machine) -> Result<Done, Failure> {
        let mut done = Done::default();
        let real = self.target(machine);
        if self.before != self.after || !machine.exists(&real) {
            done.content_changed = true;
            let bytes = text::encode(self.after);
            self.validate(machine, &bytes)?;
            if self.backup {
                done.backup_file = backup::backup(machine, &real)
                    .map_err(|e| Failure::new(python_error(&e, &real)))?;
            }
            machine
                .replace(&real, Content::Bytes(&bytes), None, self.file.unsafe_writes)
                .map_err(|e| unwritable(&e, &real))?;
        }
        done.attributes_changed = self
            .file
            .apply(machine, &real, true, &mut done.attributes)?;
        Ok(done)
    }

    /// A link is written through.
    fn target(&self, machine: &Machine) -> PathBuf {
        match machine.is_link(self.path) {
            true => machine.real_path(self.path),
            false => self.path.to_path_buf(),
        }
    }

    fn validate(&self, machine: &Machine, bytes: &[u8]) -> Result<(), Failure> {
        // check mode writes nothing that could be looked at
        let Some(command) = self.validate.filter(|_| !machine.mode.check) else {
            return Ok(());
        };
        if !command.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let io = |e: std::io::Error| Failure::new(errno_text(&e));
        let file = machine.scratch("", false).map_err(io)?;
        let ran = machine
            .fill_scratch(&file, bytes)
            .map_err(io)
            .and_then(|()| {
                let line = command.replace("%s", &file.to_string_lossy());
                let words = super::command::split(&line)?;
                machine.probe(&Command::new(words)).map_err(io)
            });
        machine.drop_scratch(&file);
        let output = ran?;
        match output.rc {
            0 => Ok(()),
            rc => Err(Failure::new(format!(
                "failed to validate: rc:{rc} error:{}",
                output.stderr_text()
            ))),
        }
    }

    /// The message with what is to be said of attributes.
    pub fn message(msg: &str, done: &Done) -> String {
        const ATTRIBUTES: &str = "ownership, perms or SE linux context changed";
        match (msg.is_empty(), done.attributes_changed) {
            (_, false) => msg.to_string(),
            (true, true) => ATTRIBUTES.to_string(),
            (false, true) => format!("{msg} and {ATTRIBUTES}"),
        }
    }

    /// Both differences, of content and of attributes.
    pub fn diff(&self, machine: &Machine, done: &Done) -> Value {
        let path = self.path.display();
        let header = format!("{path} (content)");
        let (before, after) = match machine.mode.diff {
            true => (text::shown(self.before), text::shown(self.after)),
            false => (String::new(), String::new()),
        };
        let content = diff::content(&before, &after, &header, &header);
        let mut attributes = done.attributes.to_value();
        if let Value::Map(map) = &mut attributes {
            let map = std::sync::Arc::make_mut(map);
            map.retain(|_, side| side.is_truthy());
            for key in ["before_header", "after_header"] {
                map.insert(key.into(), format!("{path} (file attributes)").into());
            }
        }
        Value::list(vec![content, attributes])
    }
}

/// Why a file could not be replaced. A folder that cannot be written to is named with the temporary file in it, as
/// Ansible's module names it.
fn unwritable(e: &std::io::Error, path: &Path) -> Failure {
    if e.kind() != std::io::ErrorKind::PermissionDenied {
        let why = errno_text(e);
        return Failure::new(format!("Could not replace '{}': {why}", path.display()));
    }
    let folder = path.parent().unwrap_or(path);
    let random = crate::secret::random_name();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let scratch = folder.join(format!(".ansible_tmp{}{name}", &random[..8]));
    Failure::uncaught_by(
        format!(
            "The destination directory '{}' is not writable by the current user",
            folder.display()
        ),
        python_error(e, &scratch),
    )
}

/// Patterns that see bytes.
pub const BYTES: Flags = Flags {
    ignorecase: false,
    multiline: false,
    dotall: false,
    bytes: true,
};

/// The text of a file that may be missing.
pub fn read(machine: &Machine, path: &Path) -> Result<String, Failure> {
    match machine.read(path) {
        Ok(bytes) => Ok(text::decode(&bytes)),
        // what is in a folder that cannot be entered is as good as missing
        Err(_) if !machine.exists(path) => Ok(String::new()),
        Err(e) => Err(Failure::new(python_error(&e, path))),
    }
}

/// Makes the folders above a file that is to be made.
pub fn make_parents(machine: &mut Machine, path: &Path) -> Result<(), Failure> {
    let missing: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|p| !p.as_os_str().is_empty() && !machine.exists(p))
        .collect();
    for dir in missing.into_iter().rev() {
        machine.mkdir(dir).map_err(|e| {
            Failure::new(format!(
                "Error creating {}: {}",
                dir.display(),
                errno_text(&e)
            ))
        })?;
    }
    Ok(())
}

/// The lines of a text, each with its line break.
pub fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A pattern in Python's syntax.
pub fn pattern(text: &str, flags: Flags) -> Result<std::sync::Arc<crate::regex::Regex>, Failure> {
    crate::regex::compile(text, flags).map_err(|e| Failure::uncaught(e.message()))
}
