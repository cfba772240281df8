//! The folder of the files that the controller has sent: private, and gone with the agent.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// See the module's documentation. The folder is made when first needed.
#[derive(Default)]
pub struct Spool {
    /// Where it shall be, if that can be.
    wanted: Option<String>,
    dir: Option<TempDir>,
    files: usize,
}

impl Spool {
    pub fn new(wanted: Option<String>) -> Spool {
        Spool {
            wanted,
            ..Spool::default()
        }
    }

    /// A new empty file, whose name ends with `name`.
    pub fn create(&mut self, name: &str) -> io::Result<(PathBuf, File)> {
        let name = Path::new(name).file_name().unwrap_or("file".as_ref());
        self.files += 1;
        let number = self.files;
        let mut file = format!("{number}-").into_bytes();
        file.extend_from_slice(name.as_encoded_bytes());
        // a name may be as long as the system allows, and has become longer
        file.truncate(200);
        let path = self.dir()?.join(String::from_utf8_lossy(&file).as_ref());
        let file = File::options()
            .mode(0o600)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok((path, file))
    }

    /// Removes a file that is in it; others are left alone.
    pub fn discard(&self, path: &Path) {
        let Some(dir) = &self.dir else { return };
        if path.parent() == Some(dir.path()) {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.dir = None;
    }

    fn dir(&mut self) -> io::Result<&Path> {
        if self.dir.is_none() {
            self.dir = Some(self.make()?);
        }
        match &self.dir {
            Some(dir) => Ok(dir.path()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn make(&self) -> io::Result<TempDir> {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let builder = builder
            .prefix(".rplay-")
            .rand_bytes(12)
            .permissions(private);
        if let Some(wanted) = &self.wanted {
            let parent = crate::expand::home(wanted);
            let made = std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&parent)
                .and_then(|()| builder.tempdir_in(&parent));
            if let Ok(dir) = made {
                return Ok(dir);
            }
        }
        builder
            .tempdir_in("/var/tmp")
            .or_else(|_| builder.tempdir_in(std::env::temp_dir()))
    }
}
