//! Files and folders. Every change is compared first, and journalled; check mode changes the overlay only.

use super::overlay::{Body, Node};
use super::running;
use super::stat::{Kind, Stat, Time};
use super::{Change, Machine};
use rustix::fs::{AtFlags, CWD, IFlags, Timespec, Timestamps, XattrFlags};
use sha1::Digest;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What a file is to hold.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// What another file of the machine holds.
    File(&'a Path),
}

impl Machine {
    /// Whether reads have to look at the overlay.
    fn imagined(&self) -> bool {
        !self.overlay.is_empty()
    }

    /// The entry's own metadata; a link's own, not its target's.
    pub fn lstat(&self, path: &Path) -> io::Result<Stat> {
        if !self.imagined() {
            return fs::symlink_metadata(path).map(Stat::from);
        }
        Ok(self.overlay.node(&self.overlay.locate(path, false)?)?.stat)
    }

    /// The metadata of what the path leads to.
    pub fn stat(&self, path: &Path) -> io::Result<Stat> {
        if !self.imagined() {
            return fs::metadata(path).map(Stat::from);
        }
        Ok(self.overlay.node(&self.overlay.locate(path, true)?)?.stat)
    }

    /// What really is at the path, whatever check mode pretends; none if it leads nowhere.
    pub fn actual(&self, path: &Path) -> Option<Stat> {
        fs::metadata(path).ok()?;
        fs::symlink_metadata(path).map(Stat::from).ok()
    }

    /// Whether the path leads to something.
    pub fn exists(&self, path: &Path) -> bool {
        self.stat(path).is_ok()
    }
    pub fn is_dir(&self, path: &Path) -> bool {
        self.stat(path).is_ok_and(|s| s.is_dir())
    }
    pub fn is_file(&self, path: &Path) -> bool {
        self.stat(path).is_ok_and(|s| s.is_file())
    }
    pub fn is_link(&self, path: &Path) -> bool {
        self.lstat(path).is_ok_and(|s| s.is_link())
    }

    /// What a file holds.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.imagined()
            && let Body::Bytes(bytes) = self.node(path)?.body
        {
            return Ok(bytes.to_vec());
        }
        fs::read(self.real(path)?)
    }

    /// What a file holds, up to `limit` bytes.
    pub fn read_start(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.open(path)?.take(limit).read_to_end(&mut out)?;
        Ok(out)
    }

    /// A file to read from in pieces.
    pub fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        if self.imagined()
            && let Body::Bytes(bytes) = self.node(path)?.body
        {
            return Ok(Box::new(io::Cursor::new(bytes.to_vec())));
        }
        Ok(Box::new(File::open(self.real(path)?)?))
    }

    /// The digest of a file's content in hexadecimal digits.
    pub fn digest<D: Digest>(&self, path: &Path) -> io::Result<String> {
        digest_of_reader::<D>(self.open(path)?)
    }

    /// The file's SHA-1, which results call `checksum`.
    pub fn sha1(&self, path: &Path) -> io::Result<String> {
        self.digest::<sha1::Sha1>(path)
    }

    /// Names in a folder, sorted.
    pub fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names = self.names(path)?;
        names.sort();
        Ok(names)
    }

    /// Names in a folder, in the order that the file system has.
    pub fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        if self.imagined() {
            return self.overlay.list(&self.overlay.locate(path, true)?);
        }
        fs::read_dir(path)?.map(|e| Ok(e?.file_name())).collect()
    }

    /// What a link says, unresolved.
    pub fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        if !self.imagined() {
            return fs::read_link(path);
        }
        match self.overlay.node(&self.overlay.locate(path, false)?)?.body {
            Body::Link(target) => Ok(target),
            _ => Err(io::Error::from_raw_os_error(
                rustix::io::Errno::INVAL.raw_os_error(),
            )),
        }
    }

    /// The path with all links followed as far as they go, absolute; the end need not exist.
    pub fn real_path(&self, path: &Path) -> PathBuf {
        self.overlay
            .locate(path, true)
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_path_buf())
    }

    /// Whether this process may use the path so (`access(2)`).
    pub fn access(&self, path: &Path, access: rustix::fs::Access) -> bool {
        if self.imagined() && !matches!(self.node(path).map(|n| n.body), Ok(Body::Real(_))) {
            return self.exists(path);
        }
        rustix::fs::access(path, access).is_ok()
    }

    /// Puts `content` in the file at `path`, which may be new.
    ///
    /// The file is replaced as a whole: by a temporary file in the same folder with the owner, mode and
    /// extended attributes (the SELinux context among them) of the old one, synced, then renamed. A new file
    /// gets `mode`, or what the umask allows. A link at `path` is replaced, not followed. `unsafe_writes`
    /// writes in place where a rename is refused, as with files mounted into containers.
    /// Says whether anything changed.
    pub fn write(
        &mut self,
        path: &Path,
        content: Content<'_>,
        mode: Option<u32>,
        unsafe_writes: bool,
    ) -> io::Result<bool> {
        let before = self.lstat(path).ok();
        if before.as_ref().is_some_and(Stat::is_file) && self.same(path, content)? {
            return Ok(false);
        }
        self.replace(path, content, mode, unsafe_writes)?;
        Ok(true)
    }

    /// As [`Machine::write`], even if the content is the same.
    pub fn replace(
        &mut self,
        path: &Path,
        content: Content<'_>,
        mode: Option<u32>,
        unsafe_writes: bool,
    ) -> io::Result<()> {
        let before = self.lstat(path).ok();
        if before.as_ref().is_some_and(Stat::is_dir) {
            return Err(io::Error::from_raw_os_error(
                rustix::io::Errno::ISDIR.raw_os_error(),
            ));
        }
        let mode = mode.unwrap_or(0o666 & !umask());
        if self.mode.check {
            let location = self.overlay.locate(path, false)?;
            let bytes = match content {
                Content::Bytes(bytes) => bytes.to_vec(),
                Content::File(file) => self.read(file)?,
            };
            let mut stat = Stat::imagined(Kind::File, mode, bytes.len() as u64);
            if let Some(old) = before.as_ref().filter(|s| s.is_file()) {
                (stat.mode, stat.uid, stat.gid, stat.nlink) = (old.mode, old.uid, old.gid, 1);
            }
            self.overlay.put(
                location,
                Node {
                    stat,
                    body: Body::Bytes(bytes.into()),
                },
            );
        } else {
            let old = before.as_ref().filter(|s| s.is_file());
            match replace_file(path, content, mode, old) {
                Err(e) if unsafe_writes && cannot_rename(&e) => write_in_place(path, content)?,
                done => done?,
            }
        }
        self.note(match before {
            Some(_) => Change::Written(path.to_path_buf()),
            None => Change::Created(path.to_path_buf()),
        });
        Ok(())
    }

    fn same(&self, path: &Path, content: Content<'_>) -> io::Result<bool> {
        match content {
            Content::Bytes(bytes) => {
                if self.lstat(path)?.size != bytes.len() as u64 {
                    return Ok(false);
                }
                match self.read(path) {
                    Ok(old) => Ok(old == bytes),
                    // may be replaced although it may not be read
                    Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(false),
                    Err(e) => Err(e),
                }
            }
            Content::File(other) => Ok(self.stat(other)?.size == self.lstat(path)?.size
                && self.sha1(path).ok() == Some(self.sha1(other)?)),
        }
    }

    /// Writes to one of the kernel's own files, which take it as an order.
    pub fn write_kernel(&mut self, path: &Path, order: &[u8]) -> io::Result<()> {
        if !self.mode.check {
            fs::write(path, order)?;
        }
        self.note(Change::Written(path.to_path_buf()));
        Ok(())
    }

    /// Makes one folder; its parent exists. Mode as the umask allows if none is given.
    pub fn mkdir(&mut self, path: &Path) -> io::Result<()> {
        let mode = 0o777 & !umask();
        if self.mode.check {
            let location = self.overlay.locate(path, false)?;
            let stat = Stat::imagined(Kind::Directory, mode, 4096);
            self.overlay.put(
                location,
                Node {
                    stat,
                    body: Body::Nothing,
                },
            );
        } else {
            fs::create_dir(path)?;
        }
        self.note(Change::Created(path.to_path_buf()));
        Ok(())
    }

    /// Makes `path` a link that says `target`; what is there but a folder is replaced.
    pub fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        if self.read_link(path).is_ok_and(|old| old == target) {
            return Ok(());
        }
        let exists = self.lstat(path).is_ok();
        if self.mode.check {
            let location = self.overlay.locate(path, false)?;
            let size = target.as_os_str().len() as u64;
            let stat = Stat::imagined(Kind::Link, 0o777, size);
            self.overlay.put(
                location,
                Node {
                    stat,
                    body: Body::Link(target.to_path_buf()),
                },
            );
        } else if exists {
            over(path, |temporary| {
                std::os::unix::fs::symlink(target, temporary)
            })?;
        } else {
            std::os::unix::fs::symlink(target, path)?;
        }
        self.note(Change::Created(path.to_path_buf()));
        Ok(())
    }

    /// Makes `path` another name of the file `target`; what is there but a folder is replaced.
    pub fn hardlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let (new, old) = (self.stat(target)?, self.lstat(path).ok());
        if old
            .as_ref()
            .is_some_and(|o| (o.dev, o.ino) == (new.dev, new.ino) && o.ino != 0)
        {
            return Ok(());
        }
        if self.mode.check {
            let location = self.overlay.locate(path, false)?;
            let mut node = self.node(target)?;
            node.stat.nlink += 1;
            self.overlay.put(location, node);
        } else if old.is_some() {
            over(path, |temporary| fs::hard_link(target, temporary))?;
        } else {
            fs::hard_link(target, path)?;
        }
        self.note(Change::Created(path.to_path_buf()));
        Ok(())
    }

    /// Removes a file, a link, or a folder with all that is in it; nothing if there is nothing.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        let stat = match self.lstat(path) {
            Ok(stat) => stat,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        if self.mode.check {
            let location = self.overlay.locate(path, false)?;
            self.overlay.remove(&location);
        } else if stat.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
        self.note(Change::Removed(path.to_path_buf()));
        Ok(())
    }

    /// Sets permission bits; a link's target's. Says whether they were others.
    pub fn chmod(&mut self, path: &Path, mode: u32) -> io::Result<bool> {
        if self.stat(path)?.mode == mode {
            return Ok(false);
        }
        if self.mode.check {
            self.imagine(path, true, |stat| stat.mode = mode)?;
        } else {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(true)
    }

    /// Sets owner and group of the entry itself. Says whether they were others.
    pub fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<bool> {
        let stat = self.lstat(path)?;
        if uid.is_none_or(|u| u == stat.uid) && gid.is_none_or(|g| g == stat.gid) {
            return Ok(false);
        }
        if self.mode.check {
            self.imagine(path, false, |stat| {
                stat.uid = uid.unwrap_or(stat.uid);
                stat.gid = gid.unwrap_or(stat.gid);
            })?;
        } else {
            std::os::unix::fs::lchown(path, uid, gid)?;
        }
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(true)
    }

    /// Sets access and modification time. Says whether they were others.
    pub fn set_times(&mut self, path: &Path, atime: Time, mtime: Time) -> io::Result<bool> {
        let stat = self.stat(path)?;
        if (stat.atime, stat.mtime) == (atime, mtime) {
            return Ok(false);
        }
        if self.mode.check {
            self.imagine(path, true, |stat| (stat.atime, stat.mtime) = (atime, mtime))?;
        } else {
            let spec = |t: Time| Timespec {
                tv_sec: t.secs,
                tv_nsec: t.nanos.into(),
            };
            let times = Timestamps {
                last_access: spec(atime),
                last_modification: spec(mtime),
            };
            rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?;
        }
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(true)
    }

    /// Sets access and modification time to the moment of the call.
    pub fn set_times_now(&mut self, path: &Path) -> io::Result<()> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?;
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(())
    }

    /// The flags that `lsattr` shows; none where the file system has none.
    pub fn flags(&self, path: &Path) -> Option<IFlags> {
        let stat = self.lstat(path).ok()?;
        if !(stat.is_file() || stat.is_dir()) {
            return None;
        }
        rustix::fs::ioctl_getflags(File::open(path).ok()?.as_fd()).ok()
    }

    /// Sets the flags that `chattr` sets. Says whether they were others.
    pub fn set_flags(&mut self, path: &Path, flags: IFlags) -> io::Result<bool> {
        if self.flags(path) == Some(flags) {
            return Ok(false);
        }
        if !self.mode.check {
            rustix::fs::ioctl_setflags(File::open(path)?.as_fd(), flags)?;
        }
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(true)
    }

    /// A new file or folder with an unpredictable name, for the user alone. Made in check mode too: it is
    /// for what the module itself needs to work with.
    pub fn scratch(&self, suffix: &str, dir: bool) -> io::Result<PathBuf> {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix("rplay-")
            .suffix(suffix)
            .disable_cleanup(true);
        match dir {
            true => Ok(builder
                .permissions(Permissions::from_mode(0o700))
                .tempdir()?
                .keep()),
            false => Ok(builder.tempfile()?.into_temp_path().keep()?),
        }
    }

    /// Fills a file made by [`Machine::scratch`]; no change of the machine.
    pub fn fill_scratch(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        fs::write(path, content)
    }

    /// A new file as [`Machine::scratch`] makes it, in a folder of its own choice, with what `content` gives.
    /// Nothing is left of it if that fails.
    pub fn scratch_from(&self, dir: Option<&Path>, content: &mut dyn Read) -> io::Result<PathBuf> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("rplay-");
        let mut file = match dir {
            Some(dir) => builder.tempfile_in(dir)?,
            None => builder.tempfile()?,
        };
        io::copy(content, &mut file)?;
        Ok(file.into_temp_path().keep()?)
    }

    /// Removes what [`Machine::scratch`] made.
    pub fn drop_scratch(&self, path: &Path) {
        let _ = fs::remove_file(path);
    }

    /// Removes an empty folder that [`Machine::scratch`] made.
    pub fn drop_scratch_folder(&self, path: &Path) {
        let _ = fs::remove_dir(path);
    }

    /// Gives a file or folder another name, on another file system too. Not for check mode.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::rename(from, to) {
            Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
                let copy = super::Command::new([
                    "cp".as_ref(),
                    "-a".as_ref(),
                    from.as_os_str(),
                    to.as_os_str(),
                ]);
                if self.probe(&copy)?.rc != 0 {
                    return Err(e);
                }
                self.remove(from)?;
            }
            done => done?,
        }
        self.note(Change::Created(to.to_path_buf()));
        Ok(())
    }

    /// A new, empty file or folder for the user (the `tempfile` module); no path in check mode.
    pub fn make_temporary(
        &mut self,
        parent: &Path,
        prefix: &str,
        suffix: &str,
        dir: bool,
    ) -> io::Result<Option<PathBuf>> {
        fs::metadata(parent)?;
        let mut made = None;
        if !self.mode.check {
            let mut builder = tempfile::Builder::new();
            builder
                .prefix(prefix)
                .suffix(suffix)
                .rand_bytes(8)
                .disable_cleanup(true);
            made = Some(match dir {
                true => builder
                    .permissions(Permissions::from_mode(0o700))
                    .tempdir_in(parent)?
                    .keep(),
                false => builder.tempfile_in(parent)?.into_temp_path().keep()?,
            });
        }
        self.note(Change::Created(parent.join(prefix)));
        Ok(made)
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        self.overlay.node(&self.overlay.locate(path, true)?)
    }

    /// Where the content of `path` really is.
    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        if !self.imagined() {
            return Ok(path.to_path_buf());
        }
        match self.node(path)?.body {
            Body::Real(path) => Ok(path),
            _ => Ok(path.to_path_buf()),
        }
    }

    fn imagine(&mut self, path: &Path, follow: bool, set: impl Fn(&mut Stat)) -> io::Result<()> {
        let location = self.overlay.locate(path, follow)?;
        let mut node = self.overlay.node(&location)?;
        set(&mut node.stat);
        self.overlay.put(location, node);
        Ok(())
    }
}

fn digest_of_reader<D: Digest>(mut reader: impl Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// The SHA-1 of what a reader gives, in hexadecimal digits.
pub fn sha1_of_reader(reader: impl Read) -> io::Result<String> {
    digest_of_reader::<sha1::Sha1>(reader)
}

/// The MD5 of bytes, in hexadecimal digits.
pub fn md5_of(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

/// The SHA-1 of bytes, in hexadecimal digits.
pub fn sha1_of(bytes: &[u8]) -> String {
    hex(&sha1::Sha1::digest(bytes))
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The process's umask, read without setting it.
pub(super) fn umask() -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|l| l.strip_prefix("Umask:"))
            .and_then(|m| u32::from_str_radix(m.trim(), 8).ok())
            .unwrap_or(0o022)
    })
}

impl Machine {
    /// The umask that new files and folders get.
    pub fn umask(&self) -> u32 {
        umask()
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// An error about a temporary file without that file's path, which users have never heard of.
fn plain(e: io::Error) -> io::Error {
    // the number is in the text only
    let text = e.to_string();
    let number = text
        .split_once("(os error ")
        .and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
    number.map_or(e, io::Error::from_raw_os_error)
}

/// Makes something under a temporary name beside `path`, and renames it to `path`.
fn over(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let made = tempfile::Builder::new()
        .prefix(".rplay-")
        .make_in(parent(path), |p| make(p))
        .map_err(plain)?;
    made.into_temp_path().persist(path).map_err(|e| e.error)
}

fn replace_file(
    path: &Path,
    content: Content<'_>,
    mode: u32,
    old: Option<&Stat>,
) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".rplay-")
        .tempfile_in(parent(path))
        .map_err(plain)?;
    let _unfinished = running::Unfinished::new(file.path());
    match content {
        Content::Bytes(bytes) => file.write_all(bytes)?,
        Content::File(source) => {
            io::copy(&mut File::open(source)?, file.as_file_mut())?;
        }
    }
    if let Some(old) = old {
        let me = (
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
        );
        if me != (old.uid, old.gid) {
            // not allowed to everybody; then the file becomes the writer's, as with any editor
            let _ = std::os::unix::fs::fchown(file.as_file(), Some(old.uid), Some(old.gid));
        }
        copy_xattrs(path, file.as_file());
    }
    let mode = old.map_or(mode, |o| o.mode);
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Gives `file` the extended attributes of the file at `path`, as far as that is allowed.
fn copy_xattrs(path: &Path, file: &File) {
    let mut names = vec![0u8; 4096];
    let Ok(length) = rustix::fs::listxattr(path, &mut names[..]) else {
        return;
    };
    let mut value = vec![0u8; 65536];
    for name in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        if let Ok(n) = rustix::fs::getxattr(path, name, &mut value[..]) {
            let _ = rustix::fs::fsetxattr(file, name, &value[..n], XattrFlags::empty());
        }
    }
}

fn cannot_rename(e: &io::Error) -> bool {
    use rustix::io::Errno;
    let refusals = [
        Errno::PERM,
        Errno::XDEV,
        Errno::ACCESS,
        Errno::TXTBSY,
        Errno::BUSY,
    ];
    refusals
        .iter()
        .any(|r| e.raw_os_error() == Some(r.raw_os_error()))
}

fn write_in_place(path: &Path, content: Content<'_>) -> io::Result<()> {
    let mut file = File::create(path)?;
    match content {
        Content::Bytes(bytes) => file.write_all(bytes)?,
        Content::File(source) => {
            io::copy(&mut File::open(source)?, &mut file)?;
        }
    }
    file.sync_all()
}

/// SELinux, as far as it concerns files.
impl Machine {
    /// Whether SELinux is on.
    pub fn has_selinux(&self) -> bool {
        Path::new("/sys/fs/selinux/enforce").exists()
    }

    /// The context of the entry itself: `user:role:type:level`.
    pub fn selinux_context(&self, path: &Path) -> io::Result<String> {
        let mut value = vec![0u8; 4096];
        let n = rustix::fs::lgetxattr(path, "security.selinux", &mut value[..])?;
        let text = String::from_utf8_lossy(&value[..n]);
        Ok(text.trim_end_matches('\0').to_string())
    }

    /// Sets the context of the entry itself. Says whether it was another.
    pub fn set_selinux_context(&mut self, path: &Path, context: &str) -> io::Result<bool> {
        if self.selinux_context(path)? == context {
            return Ok(false);
        }
        if !self.mode.check {
            let value = context.as_bytes();
            rustix::fs::lsetxattr(path, "security.selinux", value, XattrFlags::empty())?;
        }
        self.note(Change::Attributes(path.to_path_buf()));
        Ok(true)
    }
}

impl Machine {
    /// The inode's generation number, which `lsattr -v` shows; none where the file system has none.
    pub fn generation(&self, path: &Path) -> Option<u32> {
        let stat = self.lstat(path).ok()?;
        if !(stat.is_file() || stat.is_dir()) {
            return None;
        }
        let file = File::open(path).ok()?;
        // FS_IOC_GETVERSION, defined with `long`, which its size is part of the number of; the kernel writes an int
        const GETVERSION: rustix::ioctl::Opcode =
            rustix::ioctl::opcode::read::<std::ffi::c_long>(b'v', 1);
        // SAFETY: the request reads nothing and writes 4 bytes, which the 8 (or 4) of a `c_long` hold;
        // those are zero before, so all of them are set.
        let value = unsafe {
            let getter = rustix::ioctl::Getter::<GETVERSION, std::ffi::c_long>::new();
            rustix::ioctl::ioctl(&file, getter)
        };
        value.ok().map(|v| v as u32)
    }
}
