//! Puts a file where it is to be: the target's side of `copy` and `template`.
//!
//! The controller's side finds the source, renders it, walks through folders, and hands over one file
//! at a time: as a path on the target, or as content. With `remote_src` all of it happens here.

use super::common::attributes::FileArgs;
use super::common::diff::Attributes;
use super::common::{backup, text, validate};
use super::{Failure, Module, yes};
use crate::machine::{Content, Machine, Stat, errno_text, md5_of, python_error, reason, sha1_of};
use crate::modules::args::Path;
use crate::value::{Map, Value};
use base64::Engine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/copy_module.html>
pub struct Copy;

#[derive(Clone, Deserialize, JsonSchema)]
pub struct Args {
    /// The file or folder to copy; with a slash at its end, what is in the folder.
    src: Option<Path>,
    /// Where it goes; with a slash at its end, into this folder, which is made if need be.
    dest: Path,
    /// What the file is to hold, instead of `src`.
    content: Option<String>,
    /// Whether `src` is on the target.
    #[serde(default)]
    remote_src: bool,
    /// Copies a file that is there already to another name first.
    #[serde(default)]
    backup: bool,
    /// Replaces a file that is there already.
    #[serde(default = "yes")]
    force: bool,
    /// A command that has to succeed on the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Mode of folders that are made.
    directory_mode: Option<Value>,
    /// Writes to what `dest` leads to, if it is a link.
    #[serde(default)]
    follow: bool,
    /// Copies what links in a folder lead to, not the links.
    local_follow: Option<bool>,
    /// SHA-1 that the file is to have.
    checksum: Option<String>,
    /// Whether to decrypt a source that is encrypted with vault.
    #[serde(default = "yes")]
    #[schemars(extend("hidden" = true))]
    #[allow(dead_code)] // the controller's side has done it
    decrypt: bool,
    /// Name of the source, for a `dest` that is a folder.
    #[serde(rename = "_original_basename")]
    original_basename: Option<String>,
    /// The content in base64.
    #[serde(rename = "_content")]
    #[schemars(extend("hidden" = true))]
    inline: Option<String>,
    /// What differences call the new file.
    #[serde(rename = "_header")]
    #[schemars(extend("hidden" = true))]
    header: Option<String>,
    /// Mode of the controller's source file, which `mode: preserve` means.
    #[serde(rename = "_mode")]
    #[schemars(extend("hidden" = true))]
    source_mode: Option<u32>,
    #[serde(flatten)]
    file: FileArgs,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5sum: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

const NOTDIR: i32 = rustix::io::Errno::NOTDIR.raw_os_error();

/// Files beyond this many bytes are not shown in differences.
const SHOWN_SIZE: u64 = 104_448;

/// How much of the old file tells whether it is text.
const PEEKED: usize = 8192;

impl Module for Copy {
    const NAME: &'static str = "copy";
    const SHOWN_NAME: &'static str = "ansible.legacy.copy";
    const EXAMPLES: &'static str = "
- name: Write a file
  ansible.builtin.copy:
    content: |
      [main]
      color = yes
    dest: '{{ folder }}/settings.ini'
    mode: '0640'

- name: Copy a file of the target
  ansible.builtin.copy:
    src: '{{ folder }}/settings.ini'
    dest: '{{ folder }}/settings.bak'
    remote_src: true
";
    type Args = Args;
    type Returns = Returns;

    fn run(mut args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        if let Some(inline) = &args.inline {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(inline)
                .map_err(|e| Failure::new(format!("the content is not base64: {e}")))?;
            preserve(&mut args, None);
            return copy_file(&args, Source::Content(&bytes), machine);
        }
        if let Some(content) = args.content.clone() {
            preserve(&mut args, None);
            return copy_file(&args, Source::Content(content.as_bytes()), machine);
        }
        let Some(src) = args.src.clone() else {
            return Err(Failure::new("src (or content) is required"));
        };
        let Ok(stat) = machine.stat(&src) else {
            return Err(Failure::new(format!("Source {} not found", src.as_str())));
        };
        if stat.is_dir() {
            preserve(&mut args, Some(stat.mode));
            return copy_tree(&args, &src, machine);
        }
        if args.remote_src && !stat.is_file() {
            let shown = crate::python::quote(src.as_str());
            return Err(Failure::new(format!(
                "Cannot copy invalid source {shown}: not a file"
            )));
        }
        let text = args.dest.as_str();
        if text.ends_with('/') && !machine.exists(&args.dest) && args.remote_src {
            make_folders(&args, &args.dest.clone(), machine)?;
        }
        preserve(&mut args, Some(stat.mode));
        copy_file(&args, Source::File(&src), machine)
    }
}

/// Replaces the mode `preserve` by that of the source.
fn preserve(args: &mut Args, mode: Option<u32>) {
    if args.file.mode.as_ref().and_then(Value::as_str) == Some("preserve") {
        let mode = args.source_mode.or(mode);
        args.file.mode = mode.map(|m| Value::from(format!("0{m:03o}")));
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Content(&'a [u8]),
    File(&'a StdPath),
}

fn copy_file(args: &Args, source: Source<'_>, machine: &mut Machine) -> Result<Returns, Failure> {
    let io = |e: std::io::Error, path: &StdPath| Failure::new(python_error(&e, path));
    let content = match source {
        Source::Content(bytes) => Content::Bytes(bytes),
        Source::File(path) => Content::File(path),
    };
    let (checksum, md5) = match source {
        Source::Content(bytes) => (sha1_of(bytes), md5_of(bytes)),
        Source::File(path) => (
            machine
                .sha1(path)
                .map_err(|_| Failure::new(format!("Source {} not readable", path.display())))?,
            machine.digest::<md5::Md5>(path).map_err(|e| io(e, path))?,
        ),
    };
    let sum = |failure: Failure| failure.with("checksum", checksum.as_str());
    let mut dest = PathBuf::from(args.dest.as_str());
    // the controller's side of Ansible does not see through it, so the result has another form
    let by_link = !args.dest.as_str().ends_with('/')
        && !args.follow
        && machine.is_link(&dest)
        && machine.is_dir(&dest);
    if args.dest.as_str().ends_with('/') && !machine.exists(&dest) {
        reachable(
            args,
            &dest.join(args.original_basename.as_deref().unwrap_or_default()),
            machine,
        )?;
        make_folders(args, &dest.clone(), machine)?;
    }
    if machine.is_dir(&dest) || args.dest.as_str().ends_with('/') {
        let name = args.original_basename.clone().or_else(|| match source {
            Source::File(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()),
            Source::Content(_) => None,
        });
        let name = name.ok_or_else(|| Failure::new("can not use content with a dir as dest"))?;
        let base = StdPath::new(&name).file_name().unwrap_or(name.as_ref());
        dest.push(base);
        if machine.is_dir(&dest) && !args.remote_src {
            dest.push(base);
        }
        if machine.is_dir(&dest) {
            return Err(Failure::new(format!(
                "cannot copy a file over the folder {}",
                dest.display()
            )));
        }
    }
    let named = dest.clone();
    if args.follow && machine.is_link(&dest) && machine.exists(&dest) {
        dest = machine.real_path(&dest);
    }
    let shown = dest.to_string_lossy().into_owned();
    let src = args
        .src
        .as_ref()
        .map(|s| s.0.clone())
        .or_else(|| args.header.clone());
    let old = reachable(args, &dest, machine)?;
    // the controller's side of a check ends before the file is made
    let checked = machine.mode.check && !args.remote_src;
    if old.is_none() && !checked {
        let folder = dest.parent().filter(|p| !p.as_os_str().is_empty());
        if let Some(folder) = folder
            && !machine.is_dir(folder)
        {
            let problem = match machine.stat(folder) {
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                    format!(
                        "Destination directory {} is not accessible",
                        folder.display()
                    )
                }
                _ => format!("Destination directory {} does not exist", folder.display()),
            };
            return Err(sum(Failure::new(problem)));
        }
    } else if old.is_some() && !args.force {
        return Ok(Returns {
            dest: Some(shown),
            src,
            msg: args.remote_src.then(|| "file already exists".to_string()),
            ..Returns::default()
        });
    }
    let is_link = machine.is_link(&dest);
    let same = !is_link
        && old.as_ref().is_some_and(|o| o.is_file())
        && machine.sha1(&dest).ok().as_deref() == Some(&checksum);
    if same {
        let mut diff = Attributes::of_path(&shown);
        args.file
            .apply(machine, &dest, args.follow, &mut diff)
            .map_err(sum)?;
        if args.remote_src || by_link {
            return Ok(Returns {
                changed: machine.changed(),
                dest: Some(shown),
                src,
                checksum: Some(checksum.into()),
                md5sum: Some(md5.into()),
                ..Returns::default()
            });
        }
        return Ok(Returns {
            changed: machine.changed(),
            dest: Some(shown.clone()),
            path: Some(shown),
            checksum: Some(checksum.into()),
            diff: Some(diff.to_value()),
            ..Returns::default()
        });
    }
    if let Some(expected) = &args.checksum
        && !expected.eq_ignore_ascii_case(&checksum)
    {
        return Err(Failure::new(
            "Copied file does not match the expected checksum. Transfer failed.",
        )
        .with("checksum", checksum)
        .with("expected_checksum", expected.as_str()));
    }
    let diff = match machine.mode.diff && !args.remote_src {
        true => Some(difference(args, source, (&dest, &named), machine)),
        false => None,
    };
    if checked {
        return Ok(Returns {
            changed: true,
            diff,
            ..Returns::default()
        });
    }
    if let Some(command) = &args.validate {
        match source {
            Source::Content(bytes) => validate::content(machine, Some(command), bytes),
            Source::File(path) => validate::run(machine, command, path),
        }
        .map_err(sum)?;
    }
    let backup_file = match args.backup {
        true => backup::backup(machine, &dest).map_err(|e| {
            Failure::new(format!(
                "Could not make backup of {shown}: {}",
                errno_text(&e)
            ))
        })?,
        false => None,
    };
    let written = machine.replace(
        &dest,
        content,
        args.file.octal_mode(),
        args.file.unsafe_writes,
    );
    written.map_err(|e| {
        let folder = dest.parent().unwrap_or(&dest);
        sum(Failure::new(match e.kind() {
            std::io::ErrorKind::PermissionDenied => {
                format!("Destination {} not writable", folder.display())
            }
            _ => format!(
                "The destination directory '{}' is not writable by the current user: {}",
                folder.display(),
                errno_text(&e)
            ),
        }))
    })?;
    let mut ignored = Attributes::default();
    args.file
        .apply(machine, &dest, args.follow, &mut ignored)
        .map_err(sum)?;
    Ok(Returns {
        changed: true,
        dest: Some(match shown.contains('/') {
            true => shown,
            false => format!("./{shown}"),
        }),
        src,
        checksum: Some(checksum.into()),
        md5sum: Some(md5.into()),
        backup_file,
        diff,
        ..Returns::default()
    })
}

/// What is at `dest` now. Fails if that cannot be said, since a file is on its way.
fn reachable(args: &Args, dest: &StdPath, machine: &Machine) -> Result<Option<Stat>, Failure> {
    match machine.stat(dest) {
        Ok(stat) => Ok(Some(stat)),
        Err(e)
            if !args.remote_src
                && (e.raw_os_error() == Some(NOTDIR)
                    || e.kind() == std::io::ErrorKind::PermissionDenied) =>
        {
            Err(Failure::new(format!(
                "Task failed: Failed to get information on remote file ({}): {}",
                dest.display(),
                reason(&e)
            )))
        }
        Err(_) => Ok(None),
    }
}

/// Old and new content, unless they are too large or no text.
fn difference(
    args: &Args,
    source: Source<'_>,
    (dest, named): (&StdPath, &StdPath),
    machine: &Machine,
) -> Value {
    let mut diff = Map::default();
    let mut set = |key: &str, value: Value| {
        diff.insert(key.into(), value);
    };
    let limit = |text: &[u8]| text.len() as u64 > SHOWN_SIZE;
    let binary = |text: &[u8]| text.contains(&0);
    let old = match machine.is_file(dest) {
        true => machine.read_start(dest, SHOWN_SIZE + 1).unwrap_or_default(),
        false => Vec::new(),
    };
    if machine.is_file(dest) {
        // its beginning is looked at first
        if binary(&old[..old.len().min(PEEKED)]) {
            set("dst_binary", Value::Int(1));
        } else if limit(&old) {
            set("dst_larger", Value::Int(SHOWN_SIZE as i64));
        } else {
            set("before_header", named.to_string_lossy().as_ref().into());
            set("before", text::shown(&text::decode(&old)).into());
        }
    } else {
        set("before", "".into());
    }
    let new = match source {
        Source::Content(bytes) => bytes.to_vec(),
        Source::File(path) => machine.read_start(path, SHOWN_SIZE + 1).unwrap_or_default(),
    };
    if limit(&new) {
        set("src_larger", Value::Int(SHOWN_SIZE as i64));
    } else if binary(&new) {
        set("src_binary", Value::Int(1));
    } else {
        let header = match (&args.header, source) {
            (Some(header), _) => header.clone(),
            (None, Source::File(path)) => path.to_string_lossy().into_owned(),
            (None, Source::Content(_)) => named.to_string_lossy().into_owned(),
        };
        set("after_header", header.into());
        set("after", text::shown(&text::decode(&new)).into());
    }
    Value::list(vec![Value::map(diff)])
}

/// Makes `dir` and the folders above it.
fn make_folders(args: &Args, dir: &StdPath, machine: &mut Machine) -> Result<(), Failure> {
    let missing: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|p| !p.as_os_str().is_empty() && !machine.exists(p))
        .map(StdPath::to_path_buf)
        .collect();
    let attributes = FileArgs {
        mode: args.directory_mode.clone(),
        ..args.file.clone()
    };
    for folder in missing.iter().rev() {
        machine.mkdir(folder).map_err(|e| {
            Failure::new(format!(
                "Failed to create folder: {}",
                python_error(&e, folder)
            ))
        })?;
        attributes.apply(machine, folder, false, &mut Attributes::default())?;
    }
    Ok(())
}

/// Copies a folder of the target.
fn copy_tree(args: &Args, src: &Path, machine: &mut Machine) -> Result<Returns, Failure> {
    if !args.remote_src {
        return Err(Failure::new(format!(
            "Remote copy of the folder {} needs remote_src",
            src.as_str()
        )));
    }
    let mut dest = PathBuf::from(args.dest.as_str());
    if machine.exists(&dest) && !machine.is_dir(&dest) {
        return Err(Failure::new(format!(
            "cannot copy the folder {} over the file {}",
            src.as_str(),
            dest.display()
        )));
    }
    let exists = machine.is_dir(&dest);
    let (mut inner, mut shown) = (dest.clone(), args.dest.0.clone());
    match (src.as_str().ends_with('/'), src.file_name()) {
        (false, Some(name)) => {
            inner.push(name);
            if exists {
                dest.push(name);
                shown = dest.to_string_lossy().into_owned();
            }
        }
        _ if exists && !shown.ends_with('/') => shown.push('/'),
        _ => {}
    }
    let top: PathBuf = src.components().collect();
    // the mode is for the folder itself; what is in it keeps its modes
    let inside = Args {
        directory_mode: None,
        file: FileArgs {
            mode: None,
            ..args.file.clone()
        },
        ..args.clone()
    };
    match (src.as_str().ends_with('/'), dest.parent()) {
        // the new folder gets the mode of the one whose content it gets
        (true, Some(parent)) => make_folders(&inside, parent, machine)?,
        _ => make_folders(&inside, &dest, machine)?,
    }
    tree_level(&inside, &top, &inner, machine)?;
    args.file
        .apply(machine, &dest, false, &mut Attributes::default())?;
    Ok(Returns {
        changed: machine.changed(),
        dest: Some(shown),
        src: Some(src.0.clone()),
        checksum: Some(Value::Null),
        md5sum: Some(Value::Null),
        ..Returns::default()
    })
}

/// Copies what is in the folder `from` to the folder `to`, which is made if need be.
fn tree_level(
    args: &Args,
    from: &StdPath,
    to: &StdPath,
    machine: &mut Machine,
) -> Result<(), Failure> {
    let fail = |e: std::io::Error, path: &StdPath| Failure::new(python_error(&e, path));
    let own = |machine: &mut Machine, path: &StdPath| {
        args.file
            .apply(machine, path, false, &mut Attributes::default())
    };
    if !machine.exists(to) {
        let mode = machine.stat(from).map_err(|e| fail(e, from))?.mode;
        machine.mkdir(to).map_err(|e| fail(e, to))?;
        machine.chmod(to, mode).map_err(|e| fail(e, to))?;
    }
    own(machine, to)?;
    let follow = args.local_follow.unwrap_or(false);
    for name in machine.list(from).map_err(|e| fail(e, from))? {
        let (source, target) = (from.join(&name), to.join(&name));
        let stat = machine.lstat(&source).map_err(|e| fail(e, &source))?;
        let stat = match stat.is_link() && follow {
            true => machine.stat(&source).map_err(|e| fail(e, &source))?,
            false => stat,
        };
        if stat.is_link() {
            let says = machine.read_link(&source).map_err(|e| fail(e, &source))?;
            machine
                .symlink(&says, &target)
                .map_err(|e| fail(e, &target))?;
            own(machine, &target)?;
        } else if stat.is_dir() {
            tree_level(args, &source, &target, machine)?;
        } else if args.force || !machine.exists(&target) {
            machine
                .write(
                    &target,
                    Content::File(&source),
                    Some(stat.mode),
                    args.file.unsafe_writes,
                )
                .map_err(|e| fail(e, &target))?;
            own(machine, &target)?;
        }
    }
    Ok(())
}
