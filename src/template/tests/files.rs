//! Tests on the controller's files.

use super::Test;
use crate::Result;
use crate::expand;
use crate::template::call::Call;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

fn path(call: &mut Call) -> Result<PathBuf> {
    call.no_args()?;
    Ok(PathBuf::from(call.text()))
}

fn directory(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.is_dir())
}

fn file(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.is_file())
}

fn exists(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.exists())
}

fn link(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.is_symlink())
}

fn link_exists(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.symlink_metadata().is_ok())
}

fn abs(mut call: Call) -> Result<bool> {
    Ok(path(&mut call)?.is_absolute())
}

/// Whether something is mounted there: another device than the folder above, or the root itself.
fn mount(mut call: Call) -> Result<bool> {
    let path = path(&mut call)?;
    let Ok(here) = path.symlink_metadata() else {
        return Ok(false);
    };
    if here.is_symlink() {
        return Ok(false);
    }
    let Ok(above) = path.join("..").metadata() else {
        return Ok(false);
    };
    Ok(here.dev() != above.dev() || here.ino() == above.ino())
}

fn same_file(mut call: Call) -> Result<bool> {
    let args = call.bind(&["path2"])?;
    args.need("path2")?;
    let (a, b) = (call.text(), args.text("path2", ""));
    let same =
        |a: std::fs::Metadata, b: std::fs::Metadata| a.dev() == b.dev() && a.ino() == b.ino();
    Ok(same(
        PathBuf::from(a).metadata()?,
        PathBuf::from(b).metadata()?,
    ))
}

/// Whether the file's first line is that of a vault.
fn vaulted_file(mut call: Call) -> Result<bool> {
    call.no_args()?;
    let path = PathBuf::from(expand::path(&call.text()));
    let data = std::fs::read(&path).map_err(|e| {
        crate::template::call::error(format!(
            "Cannot test if the file {} is a vault: {e}",
            path.display()
        ))
    })?;
    Ok(data.starts_with(b"$ANSIBLE_VAULT;"))
}

pub static TESTS: &[(&str, Test)] = &[
    ("abs", abs),
    ("directory", directory),
    ("exists", exists),
    ("file", file),
    ("is_abs", abs),
    ("is_dir", directory),
    ("is_file", file),
    ("is_link", link),
    ("is_mount", mount),
    ("is_same_file", same_file),
    ("link", link),
    ("link_exists", link_exists),
    ("mount", mount),
    ("same_file", same_file),
    ("vaulted_file", vaulted_file),
];
