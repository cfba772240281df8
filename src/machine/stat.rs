//! What is known of a file without reading it.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::{SystemTime, UNIX_EPOCH};

/// The type of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Link,
    Fifo,
    Socket,
    Block,
    Char,
}

/// A moment, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    pub secs: i64,
    pub nanos: u32,
}

impl Time {
    pub fn now() -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        }
    }
    /// Seconds with a fraction, as Python's `os.stat` gives them.
    pub fn as_f64(self) -> f64 {
        self.secs as f64 + 1e-9 * f64::from(self.nanos)
    }
}

/// The metadata of a directory entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    pub kind: Kind,
    /// Permission bits, with set-user-ID, set-group-ID and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub dev: u64,
    pub ino: u64,
    pub nlink: u64,
    pub rdev: u64,
    pub block_size: u64,
    pub blocks: u64,
    pub atime: Time,
    pub mtime: Time,
    pub ctime: Time,
}

impl Stat {
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }
    pub fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }

    /// Something that exists only in check mode's view.
    pub(super) fn imagined(kind: Kind, mode: u32, size: u64) -> Stat {
        let now = Time::now();
        Stat {
            kind,
            mode,
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            size,
            dev: 0,
            ino: 0,
            nlink: 1,
            rdev: 0,
            block_size: 4096,
            blocks: 0,
            atime: now,
            mtime: now,
            ctime: now,
        }
    }
}

impl From<Metadata> for Stat {
    fn from(m: Metadata) -> Stat {
        let t = m.file_type();
        let kind = if t.is_dir() {
            Kind::Directory
        } else if t.is_symlink() {
            Kind::Link
        } else if t.is_fifo() {
            Kind::Fifo
        } else if t.is_socket() {
            Kind::Socket
        } else if t.is_block_device() {
            Kind::Block
        } else if t.is_char_device() {
            Kind::Char
        } else {
            Kind::File
        };
        let time = |secs, nanos: i64| Time {
            secs,
            nanos: u32::try_from(nanos).unwrap_or(0),
        };
        Stat {
            kind,
            mode: m.mode() & 0o7777,
            uid: m.uid(),
            gid: m.gid(),
            size: m.size(),
            dev: m.dev(),
            ino: m.ino(),
            nlink: m.nlink(),
            rdev: m.rdev(),
            block_size: m.blksize(),
            blocks: m.blocks(),
            atime: time(m.atime(), m.atime_nsec()),
            mtime: time(m.mtime(), m.mtime_nsec()),
            ctime: time(m.ctime(), m.ctime_nsec()),
        }
    }
}
