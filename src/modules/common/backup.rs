//! Copies of files that are about to change.

use crate::clock::Moment;
use crate::machine::{Content, Machine};
use std::io;
use std::path::Path;

/// Copies the file to `<name>.<process>.<time>~` beside it, owner and mode kept. The name it got, or
/// none if there is no file or in check mode.
pub fn backup(machine: &mut Machine, path: &Path) -> io::Result<Option<String>> {
    let Ok(stat) = machine.stat(path) else {
        return Ok(None);
    };
    if machine.mode.check {
        return Ok(None);
    }
    let now = Moment::now().local().format("%Y-%m-%d@%H:%M:%S");
    // two in a second are two
    let mut process = std::process::id();
    let mut name = format!("{}.{process}.{now}~", path.display());
    while machine.exists(Path::new(&name)) {
        process += 1;
        name = format!("{}.{process}.{now}~", path.display());
    }
    let copy = Path::new(&name);
    machine.replace(copy, Content::File(path), Some(stat.mode), false)?;
    machine.chown(copy, Some(stat.uid), Some(stat.gid))?;
    machine.set_times(copy, stat.atime, stat.mtime)?;
    Ok(Some(name))
}
