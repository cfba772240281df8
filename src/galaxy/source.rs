//! Getting hold of files: clones of git repositories and the content of archives, in temporary folders.

use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder whose name begins with a dot, beside where its content will go: moving it there is one step.
pub fn beside(target: &Path) -> Result<tempfile::TempDir> {
    let parent = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .map_err(|e| Error::from(e).context(format!("cannot make {}", parent.display())))?;
    tempfile::Builder::new()
        .prefix(".rplay-")
        .tempdir_in(parent)
        .map_err(|e| Error::from(e).context(format!("cannot write in {}", parent.display())))
}

/// Clones a repository at a branch, tag or commit into a new folder; an empty version is the default branch.
pub fn clone(url: &str, version: &str, folder: &Path) -> Result<()> {
    git(None, &["clone", "--quiet", "--", url], Some(folder), url)?;
    if !version.is_empty() {
        if version.starts_with('-') {
            return Err(Error::general(format!(
                "'{version}' is no version of {url}"
            )));
        }
        git(Some(folder), &["checkout", "--quiet", version], None, url)?;
    }
    Ok(())
}

fn git(cwd: Option<&Path>, args: &[&str], last: Option<&Path>, url: &str) -> Result<()> {
    let mut command = Command::new("git");
    command.args(args).args(last).stdin(Stdio::null());
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let output = command
        .output()
        .map_err(|e| Error::general(format!("cannot run git, which {url} needs: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::general(format!(
        "git {} {url} failed: {}",
        args[0],
        said.trim()
    )))
}

/// The local file that a source means: a path, or `file://` and one. None for what lies elsewhere.
pub fn local(source: &str) -> Option<PathBuf> {
    if let Some(path) = source.strip_prefix("file://") {
        return Some(PathBuf::from(path));
    }
    let path = crate::search::expand_home(source);
    path.exists().then_some(path)
}

/// Unpacks a tar archive, compressed by gzip or not, into a folder. Nothing is written outside of it.
pub fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let cannot = |e: std::io::Error| {
        let why = crate::machine::reason(&e);
        Error::general(format!("cannot unpack {}: {why}", archive.display()))
    };
    let mut file = BufReader::new(File::open(archive).map_err(cannot)?);
    let mut magic = [0; 2];
    let read = file.read(&mut magic).map_err(cannot)?;
    file.seek(SeekFrom::Start(0)).map_err(cannot)?;
    let content: Box<dyn Read> = match read == 2 && magic == [0x1f, 0x8b] {
        true => Box::new(GzDecoder::new(file)),
        false => Box::new(file),
    };
    tar::Archive::new(content).unpack(folder).map_err(cannot)
}

/// The shallowest folder below `folder` that holds one of these files.
pub fn find_root(folder: &Path, marks: &[&str]) -> Option<PathBuf> {
    let mut level = vec![folder.to_path_buf()];
    while !level.is_empty() {
        level.sort();
        if let Some(found) = level
            .iter()
            .find(|f| marks.iter().any(|mark| f.join(mark).is_file()))
        {
            return Some(found.clone());
        }
        level = level.iter().flat_map(|f| folders(f)).collect();
    }
    None
}

/// The folders in a folder, links and `.git` left out.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()) && e.file_name() != ".git")
        .map(|e| e.path())
        .collect()
}

/// Puts a folder where it belongs, in place of what is there.
pub fn put(from: &Path, to: &Path) -> Result<()> {
    let cannot =
        |e: std::io::Error| Error::from(e).context(format!("cannot write {}", to.display()));
    if to.symlink_metadata().is_ok() {
        match to.is_dir() && !to.is_symlink() {
            true => std::fs::remove_dir_all(to).map_err(cannot)?,
            false => std::fs::remove_file(to).map_err(cannot)?,
        }
    }
    std::fs::rename(from, to).map_err(cannot)
}
