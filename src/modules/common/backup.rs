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
    let name = format!("{}.{}.{now}~", path.display(), std::process::id());
    let copy = Path::new(&name);
    machine.replace(copy, Content::File(path), Some(stat.mode), false)?;
    machine.chown(copy, Some(stat.uid), Some(stat.gid))?;
    machine.set_times(copy, stat.atime, stat.mtime)?;
    Ok(Some(name))
}
