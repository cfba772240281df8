//! Home folders that rplay makes itself: those of users who lack one, and those with missing parents, which
//! `useradd` does not make.

use super::args::Args;
use crate::machine::users::User as Account;
use crate::machine::{Content, Machine, python_error};
use crate::modules::Failure;
use std::path::Path;

/// Makes a home folder from the skeleton, with the folders above it.
pub fn make(args: &Args, home: &Path, machine: &mut Machine) -> Result<(), Failure> {
    let mut missing: Vec<&Path> = home
        .ancestors()
        .take_while(|p| !p.as_os_str().is_empty() && !machine.exists(p))
        .collect();
    missing.reverse();
    if missing.is_empty() {
        let quoted = crate::python::quote(&home.to_string_lossy());
        let msg = format!("[Errno 2] No such file or directory: {quoted}");
        return Err(Failure::new(msg));
    }
    for folder in missing {
        machine
            .mkdir(folder)
            .map_err(|e| Failure::new(python_error(&e, folder)))?;
    }
    let skeleton = Path::new(args.skeleton.as_deref().unwrap_or("/etc/skel"));
    if machine.is_dir(skeleton) {
        copy(skeleton, home, machine).map_err(|e| Failure::new(python_error(&e, skeleton)))?;
    }
    let mode = mode(args, machine);
    let set = machine.chmod(home, mode);
    set.map_err(|e| Failure::new(python_error(&e, home)))?;
    Ok(())
}

/// The mode of a new home folder: by the option `umask`, else as the system's `login.defs` has it.
fn mode(args: &Args, machine: &Machine) -> u32 {
    let octal = |text: &str| u32::from_str_radix(text, 8).ok();
    let defined = |name: &str| octal(&login_definition(machine, name)?);
    match args.umask.as_deref().and_then(octal) {
        Some(umask) => 0o777 & !umask,
        None => defined("HOME_MODE")
            .or_else(|| defined("UMASK").map(|umask| 0o777 & !umask))
            .unwrap_or(0o777 & !machine.umask()),
    }
}

fn login_definition(machine: &Machine, name: &str) -> Option<String> {
    let text = machine.read(Path::new("/etc/login.defs")).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(name)).then(|| words.next().map(String::from))?
    })
}

/// Copies what is in a folder into another.
fn copy(from: &Path, to: &Path, machine: &mut Machine) -> std::io::Result<()> {
    for name in machine.list(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        let stat = machine.lstat(&source)?;
        if stat.is_link() {
            let says = machine.read_link(&source)?;
            machine.symlink(&says, &target)?;
        } else if stat.is_dir() {
            machine.mkdir(&target)?;
            copy(&source, &target, machine)?;
            machine.chmod(&target, stat.mode)?;
            machine.set_times(&target, stat.atime, stat.mtime)?;
        } else if stat.is_file() {
            let content = Content::File(&source);
            machine.write(&target, content, Some(stat.mode), false)?;
            machine.set_times(&target, stat.atime, stat.mtime)?;
        }
    }
    let stat = machine.stat(from)?;
    machine.set_times(to, stat.atime, stat.mtime)?;
    Ok(())
}

/// Gives a home folder and all in it to the user.
pub fn own(account: &Account, home: &Path, machine: &mut Machine) -> Result<(), Failure> {
    let mut todo = vec![home.to_path_buf()];
    while let Some(path) = todo.pop() {
        let fail = |e: std::io::Error| Failure::new(python_error(&e, &path));
        machine
            .chown(&path, Some(account.uid), Some(account.gid))
            .map_err(fail)?;
        if machine.lstat(&path).map_err(fail)?.is_dir() {
            let names = machine.list(&path).map_err(fail)?;
            todo.extend(names.iter().map(|n| path.join(n)));
        }
    }
    Ok(())
}
