//! Owner, group, mode, SELinux context and flags: the options that all modules with files have.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/file_module.html>.

use super::diff::Attributes;
use super::mode::ModeSpec;
use super::path_info::mode_text;
use crate::machine::{Machine, errno_text, reason, users};
use crate::modules::Failure;
use crate::value::Value;
use rustix::fs::IFlags;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::Path;

/// The common options of modules that make or change files.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct FileArgs {
    /// Permissions: octal digits in quotes (`'0644'`) or symbols (`u=rw,g=r,o=r`).
    pub mode: Option<Value>,
    /// Name or number of the user who is to own the file.
    pub owner: Option<String>,
    /// Name or number of the group that is to own the file.
    pub group: Option<String>,
    /// User part of the SELinux context.
    pub seuser: Option<String>,
    /// Role part of the SELinux context.
    pub serole: Option<String>,
    /// Level part of the SELinux context.
    pub selevel: Option<String>,
    /// Type part of the SELinux context.
    pub setype: Option<String>,
    /// Flags as `chattr` takes them: `+i`, `-a`, `=e`.
    #[schemars(extend("aliases" = ["attr"]))]
    pub attributes: Option<String>,
    /// Writes in place where the system refuses to replace the file, as with files mounted into containers.
    #[serde(default)]
    pub unsafe_writes: bool,
}

impl FileArgs {
    /// Makes the entry at `path` as the options say. `follow` means the end of a link.
    ///
    /// Differences are added to `diff`. Says whether there were any.
    pub fn apply(
        &self,
        machine: &mut Machine,
        path: &Path,
        follow: bool,
        diff: &mut Attributes,
    ) -> Result<bool, Failure> {
        let path = &match follow && machine.is_link(path) {
            true => machine.real_path(path),
            false => path.to_path_buf(),
        };
        let fail = |msg: String| Failure::new(msg).with("path", path.to_string_lossy().as_ref());
        let Ok(stat) = machine.lstat(path) else {
            // check mode: what a later change of a missing entry would be is not known
            return Ok(false);
        };
        let mut changed = self.apply_context(machine, path, diff).map_err(fail)?;
        if let Some(owner) = &self.owner {
            let uid = owner
                .parse()
                .ok()
                .or_else(|| users::user_by_name(owner).map(|u| u.uid));
            let uid =
                uid.ok_or_else(|| fail(format!("chown failed: failed to look up user {owner}")))?;
            if machine
                .chown(path, Some(uid), None)
                .map_err(|e| fail("chown failed".to_string()).because(errno_path(&e, path)))?
            {
                diff.set("owner", i64::from(stat.uid), i64::from(uid));
                changed = true;
            }
        }
        if let Some(group) = &self.group {
            let gid = group
                .parse()
                .ok()
                .or_else(|| users::group_by_name(group).map(|g| g.gid));
            let gid =
                gid.ok_or_else(|| fail(format!("chgrp failed: failed to look up group {group}")))?;
            if machine
                .chown(path, None, Some(gid))
                .map_err(|_| fail("chgrp failed".to_string()))?
            {
                diff.set("group", i64::from(stat.gid), i64::from(gid));
                changed = true;
            }
        }
        if let Some(mode) = &self.mode
            && mode.as_str() != Some("")
            && !stat.is_link()
        {
            let refuse = |details: String| {
                fail("mode must be in octal or symbolic form".to_string()).with("details", details)
            };
            // changing the owner clears the set-user-ID bit; so the mode is read after it
            let stat = machine.lstat(path).unwrap_or(stat);
            let wanted = ModeSpec::parse(mode)
                .and_then(|spec| spec.apply(&stat, machine.umask()))
                .map_err(refuse)?;
            if machine.chmod(path, wanted).map_err(|e| {
                if e.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error()) {
                    return Failure::uncaught(errno_path(&e, path));
                }
                fail("chmod failed".to_string()).with("details", errno_path(&e, path))
            })? {
                diff.set("mode", mode_text(stat.mode), mode_text(wanted));
                changed = true;
            }
        }
        changed |= self
            .apply_flags(machine, path, diff)
            .map_err(|why| fail("chattr failed".to_string()).with("details", why))?;
        Ok(changed)
    }

    /// Whether any attribute is asked for.
    pub fn is_empty(&self) -> bool {
        self.mode.is_none()
            && self.owner.is_none()
            && self.group.is_none()
            && self.attributes.is_none()
            && self.context_parts().iter().all(|p| p.is_none())
    }

    /// The mode for a new file, if it is asked for and does not depend on what is there.
    pub fn octal_mode(&self) -> Option<u32> {
        match ModeSpec::parse(self.mode.as_ref()?) {
            Ok(ModeSpec::Octal(mode)) => Some(mode),
            _ => None,
        }
    }

    fn context_parts(&self) -> [Option<&str>; 4] {
        [
            self.seuser.as_deref(),
            self.serole.as_deref(),
            self.setype.as_deref(),
            self.selevel.as_deref(),
        ]
    }

    /// Sets the given parts of the SELinux context; without SELinux there is nothing to set.
    fn apply_context(
        &self,
        machine: &mut Machine,
        path: &Path,
        diff: &mut Attributes,
    ) -> Result<bool, String> {
        let parts = self.context_parts();
        if parts.iter().all(|p| p.is_none()) || !machine.has_selinux() {
            return Ok(false);
        }
        let before = machine
            .selinux_context(path)
            .map_err(|e| format!("failed to retrieve selinux context: {}", reason(&e)))?;
        let mut fields: Vec<&str> = before.splitn(4, ':').collect();
        for (field, part) in fields.iter_mut().zip(parts) {
            if let Some(part) = part.filter(|p| *p != "_default") {
                *field = part;
            }
        }
        let after = fields.join(":");
        if !machine
            .set_selinux_context(path, &after)
            .map_err(|e| format!("set selinux context failed: {}", reason(&e)))?
        {
            return Ok(false);
        }
        let list = |context: &str| Value::list(context.splitn(4, ':').map(Value::str).collect());
        diff.set("secontext", list(&before), list(&after));
        Ok(true)
    }

    fn apply_flags(
        &self,
        machine: &mut Machine,
        path: &Path,
        diff: &mut Attributes,
    ) -> Result<bool, String> {
        let Some(wanted) = self.attributes.as_deref().filter(|a| !a.is_empty()) else {
            return Ok(false);
        };
        let before = machine.flags(path).unwrap_or(IFlags::empty());
        let (operator, letters) = match wanted.chars().next() {
            Some(c @ ('+' | '-' | '=')) => (c, &wanted[1..]),
            _ => ('=', wanted),
        };
        let mut flags = IFlags::empty();
        for c in letters.chars() {
            flags |= FLAGS
                .iter()
                .find(|(letter, _)| *letter == c)
                .map(|(_, flag)| *flag)
                .ok_or_else(|| {
                    format!("Error while setting attributes: there is no attribute '{c}'")
                })?;
        }
        let after = match operator {
            '+' => before | flags,
            '-' => before & !flags,
            // extents cannot be given up, so they are kept
            _ => flags | (before & IFlags::from_bits_retain(EXTENTS)),
        };
        if !machine
            .set_flags(path, after)
            .map_err(|e| format!("Error while setting attributes: {}", errno_text(&e)))?
        {
            return Ok(false);
        }
        diff.set("attributes", flag_letters(before), wanted);
        Ok(true)
    }
}

const EXTENTS: u32 = 0x0008_0000;

/// Letters of `lsattr`, in the order in which it shows them, with the names that `stat` gives.
const FLAGS: &[(char, IFlags)] = &[
    ('s', IFlags::from_bits_retain(0x1)),
    ('u', IFlags::from_bits_retain(0x2)),
    ('S', IFlags::from_bits_retain(0x8)),
    ('D', IFlags::from_bits_retain(0x0001_0000)),
    ('i', IFlags::from_bits_retain(0x10)),
    ('a', IFlags::from_bits_retain(0x20)),
    ('d', IFlags::from_bits_retain(0x40)),
    ('A', IFlags::from_bits_retain(0x80)),
    ('c', IFlags::from_bits_retain(0x4)),
    ('E', IFlags::from_bits_retain(0x800)),
    ('j', IFlags::from_bits_retain(0x4000)),
    ('I', IFlags::from_bits_retain(0x1000)),
    ('t', IFlags::from_bits_retain(0x8000)),
    ('T', IFlags::from_bits_retain(0x0002_0000)),
    ('e', IFlags::from_bits_retain(EXTENTS)),
    ('C', IFlags::from_bits_retain(0x0080_0000)),
    ('N', IFlags::from_bits_retain(0x1000_0000)),
    ('P', IFlags::from_bits_retain(0x2000_0000)),
];

/// The flags as `lsattr` shows them, without its dashes.
pub fn flag_letters(flags: IFlags) -> String {
    FLAGS
        .iter()
        .filter(|(_, f)| flags.contains(*f))
        .map(|(c, _)| *c)
        .collect()
}

/// `[Errno 1] Operation not permitted: b'/x'`
pub fn errno_path(e: &std::io::Error, path: &Path) -> String {
    crate::machine::python_error(e, path)
}
