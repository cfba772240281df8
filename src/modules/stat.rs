//! Tells what is known of a file.

use super::common::attributes::flag_letters;
use super::common::digest::Algorithm;
use super::common::path_info::{number, stat_facts};
use super::{Failure, Module, yes};
use crate::machine::{Machine, python_error, reason};
use crate::modules::args::{Path, map};
use crate::value::{Map, Value};
use rustix::fs::Access;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/stat_module.html>
pub struct Stat;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    path: Path,
    /// Follows links.
    #[serde(default)]
    follow: bool,
    /// Reads the whole file for its checksum.
    #[serde(default = "yes")]
    get_checksum: bool,
    /// Asks `file` for the MIME type.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["mime", "mime_type", "mime-type"]))]
    get_mime: bool,
    /// Reads the flags that `lsattr` shows.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["attr", "attributes"]))]
    get_attributes: bool,
    /// How the checksum is made.
    #[serde(default)]
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    checksum_algorithm: Algorithm,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// `exists`, and if so all that is known.
    stat: Value,
}

impl Module for Stat {
    const NAME: &'static str = "stat";
    const EXAMPLES: &'static str = "
- name: See what /etc/passwd is
  ansible.builtin.stat:
    path: /etc/passwd
  register: passwd

- ansible.builtin.assert:
    that: passwd.stat.isreg and passwd.stat.pw_name == 'root'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let path: &std::path::Path = &args.path;
        let got = match args.follow {
            true => machine.stat(path),
            false => machine.lstat(path),
        };
        let stat = match got {
            Ok(stat) => stat,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Returns {
                    changed: false,
                    stat: Value::map(map([("exists", Value::Bool(false))])),
                });
            }
            Err(e) => {
                return Err(Failure::new(reason(&e)).because(python_error(&e, path)));
            }
        };
        let mut out = Map::default();
        let mut set = |key: &str, value: Value| {
            out.insert(key.into(), value);
        };
        set("exists", true.into());
        set("path", Value::str(args.path.as_str()));
        stat_facts(&mut out, &stat);
        let mut set = |key: &str, value: Value| {
            out.insert(key.into(), value);
        };
        set("blocks", number(stat.blocks));
        set("block_size", number(stat.block_size));
        set("device_type", number(stat.rdev));
        set("readable", machine.access(path, Access::READ_OK).into());
        set("writeable", machine.access(path, Access::WRITE_OK).into());
        set("executable", machine.access(path, Access::EXEC_OK).into());
        if stat.is_link() {
            let source = machine.real_path(path);
            set("lnk_source", source.to_string_lossy().as_ref().into());
            if let Ok(target) = machine.read_link(path) {
                set("lnk_target", target.to_string_lossy().as_ref().into());
            }
        }
        if args.get_checksum && stat.is_file() && machine.access(path, Access::READ_OK) {
            let digest = args.checksum_algorithm.of_file(machine, path);
            if let Ok(digest) = digest {
                set("checksum", digest.into());
            }
        }
        if args.get_mime {
            let (mime, charset) = mime(machine, path, args.follow);
            set("mimetype", mime.into());
            set("charset", charset.into());
        }
        if args.get_attributes {
            let flags = machine.flags(path);
            let letters = flags.map(flag_letters).unwrap_or_default();
            let names = letters.chars().filter_map(flag_name).map(Value::str);
            set("attributes", Value::list(names.collect()));
            set("attr_flags", letters.as_str().into());
            set(
                "version",
                machine
                    .generation(path)
                    .map_or(Value::Null, |v| v.to_string().into()),
            );
        }
        Ok(Returns {
            changed: false,
            stat: Value::map(out),
        })
    }
}

/// MIME type and character set as the `file` program has them; `unknown` without it.
fn mime(machine: &Machine, path: &std::path::Path, follow: bool) -> (String, String) {
    let unknown = || ("unknown".to_string(), "unknown".to_string());
    let mut words: Vec<std::ffi::OsString> = vec!["file".into(), "--mime-type".into()];
    words.push("--mime-encoding".into());
    if follow {
        words.push("-L".into());
    }
    words.push("--".into());
    words.push(path.into());
    let Ok(output) = machine.probe(&crate::machine::Command::new(words)) else {
        return unknown();
    };
    let text = output.stdout_text();
    let known = text.trim_end().rsplit_once(": ").and_then(|(_, both)| {
        let (mime, charset) = both.trim().split_once("; charset=")?;
        Some((mime.to_string(), charset.to_string()))
    });
    match output.rc {
        0 => known.unwrap_or_else(unknown),
        _ => unknown(),
    }
}

/// What a letter of `lsattr` means.
fn flag_name(letter: char) -> Option<&'static str> {
    Some(match letter {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}
