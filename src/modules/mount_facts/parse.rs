//! The tables of mounts that systems have, each in a form of its own. A text has one of the forms as a whole or none.

use crate::facts::mounts::unescape;
use crate::modules::args::map;
use crate::value::{Map, Value};

/// A mount: the text that says so, and what it says.
pub type Mount = (String, Map);

/// What is in a file.
pub fn file(path: &str, text: &str) -> Vec<Mount> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let stanzas = || match path {
        "/etc/filesystems" => stanzas(text),
        _ => None,
    };
    all(&lines, fstab)
        .or_else(|| all(&lines, vfstab))
        .or_else(stanzas)
        .unwrap_or_default()
}

/// What the program `mount` says.
pub fn program(text: &str) -> Vec<Mount> {
    let lines: Vec<&str> = text.lines().collect();
    all(&lines, of_linux)
        .or_else(|| {
            let lines: Vec<&str> = lines
                .iter()
                .copied()
                .filter(|line| !line.starts_with("map "))
                .collect();
            all(&lines, of_bsd)
        })
        .or_else(|| all(lines.get(2..)?, of_aix))
        .unwrap_or_default()
}

/// All lines, if each of them has the form.
fn all(lines: &[&str], parse: fn(&str) -> Option<Map>) -> Option<Vec<Mount>> {
    let parsed = lines.iter();
    parsed
        .map(|line| parse(line).map(|mount| (line.to_string(), mount)))
        .collect()
}

fn mount(device: &str, at: &str, fstype: &str) -> Map {
    map([
        ("device", Value::str(device)),
        ("mount", Value::str(at)),
        ("fstype", Value::str(fstype)),
    ])
}

/// `device mount type options dump pass`, as in fstab and mtab; the numbers may be missing.
fn fstab(line: &str) -> Option<Map> {
    let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
    let [device, at, fstype, options, numbers @ ..] = fields.as_slice() else {
        return None;
    };
    let mut out = mount(device, at, fstype);
    out.insert("options".into(), options.as_str().into());
    if numbers.len() > 2 {
        return None;
    }
    for (name, number) in ["dump", "passno"].into_iter().zip(numbers) {
        out.insert(name.into(), Value::Int(number.parse().ok()?));
    }
    Some(out)
}

/// `device device-to-check mount type pass at-boot options`, as in vfstab.
fn vfstab(line: &str) -> Option<Map> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [device, check, at, fstype, pass, boot, options, ..] = fields.as_slice() else {
        return None;
    };
    let mut out = mount(device, at, fstype);
    let pass = match *pass {
        "-" => Value::str("-"),
        number => Value::Int(number.parse().ok()?),
    };
    out.insert("passno".into(), pass);
    for (name, value) in [
        ("device_to_fsck", check),
        ("mount_at_boot", boot),
        ("options", options),
    ] {
        out.insert(name.into(), (*value).into());
    }
    Some(out)
}

/// AIX: `/mount:`, then lines `attribute = value`.
fn stanzas(text: &str) -> Option<Vec<Mount>> {
    let mut found: Vec<(Vec<&str>, &str, Map)> = Vec::new();
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('*') {
            continue;
        }
        match (words.strip_suffix(':'), found.last_mut()) {
            (Some(at), _) if !words.contains('=') => {
                found.push((vec![line.trim_end()], at, Map::default()));
            }
            (_, Some((lines, _, attributes))) => {
                let (name, value) = words.split_once('=')?;
                attributes.insert(name.trim().into(), value.trim().into());
                lines.push(line.trim_end());
            }
            _ => return None,
        }
    }
    let mounts = found.into_iter().map(|(lines, at, attributes)| {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str);
        let device = match (text("nodename"), text("dev")) {
            (Some(host), Some(device)) => format!("{host}:{device}"),
            (one, other) => one.or(other).unwrap_or("unknown").to_string(),
        };
        let mut out = mount(&device, at, text("vfs").unwrap_or("unknown"));
        out.insert("attributes".into(), Value::map(attributes));
        (lines.join("\n"), out)
    });
    Some(mounts.collect())
}

/// `device on mount type fstype (options)`
fn of_linux(line: &str) -> Option<Map> {
    let (before, options) = line.strip_suffix(')')?.split_once(" (")?;
    let words: Vec<&str> = before.split(' ').collect();
    let [device, "on", at, "type", fstype] = words.as_slice() else {
        return None;
    };
    let mut out = mount(device, at, fstype);
    out.insert("options".into(), options.into());
    (!options.is_empty()).then_some(out)
}

/// `device on mount (fstype, options)`, of the BSDs and macOS.
fn of_bsd(line: &str) -> Option<Map> {
    let (before, about) = line.strip_suffix(')')?.split_once(" (")?;
    let words: Vec<&str> = before.split(' ').collect();
    let [device, "on", at] = words.as_slice() else {
        return None;
    };
    let (fstype, options) = match about.split_once(',') {
        Some((fstype, options)) => (fstype, Some(options.trim_start())),
        None => (about, None),
    };
    let mut out = mount(device, at, fstype);
    if let Some(options) = options {
        out.insert("options".into(), options.into());
    }
    Some(out)
}

/// `[host] device mount fstype Nov 11 12:11 options`, below a head of two lines.
fn of_aix(line: &str) -> Option<Map> {
    let mut words = line.split_whitespace();
    let host = match line.starts_with(char::is_whitespace) {
        true => None,
        false => Some(words.next()?),
    };
    let (device, at, fstype) = (words.next()?, words.next()?, words.next()?);
    let time = [words.next()?, words.next()?, words.next()?].join(" ");
    let options: Vec<&str> = words.collect();
    if options.is_empty() {
        return None;
    }
    let device = host.map_or(device.to_string(), |host| format!("{host}:{device}"));
    let mut out = mount(&device, at, fstype);
    out.insert("time".into(), time.into());
    out.insert("options".into(), options.join(" ").into());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mounts: Vec<Mount>) -> String {
        let maps = mounts
            .into_iter()
            .map(|(text, map)| format!("{text:?} {:?}\n", Value::map(map)));
        maps.collect()
    }

    #[test]
    fn a_text_has_one_form_or_none() {
        let aix =
            "  node  mounted  mounted over  vfs  date  options\n---- ---- ---- ---- ---- ----\n";
        for (path, text, expected) in [
            (
                "/x",
                "# c\n /dev/a /\\040x ext4 rw 0 1\nb / ufs -\n",
                &["/ x", "/"][..],
            ),
            ("/x", "/dev/a / ext4 rw 0 x\n", &[]),
            ("/x", "/dev/a / ext4 rw 0 1\nb /\n", &[]),
            (
                "/x",
                "fd - /dev/fd fd - no -\na b / ufs 1 no -\n",
                &["/dev/fd", "/"],
            ),
            ("/x", "/:\n dev = a\n", &[]),
            (
                "/etc/filesystems",
                "* c\n/:\n dev = a\n\n/b:\n vfs=nfs\n",
                &["/", "/b"],
            ),
            ("/etc/filesystems", "nodev\tproc\n\text4\n", &[]),
            ("", "/dev/a on / type ext4 (rw (x))\n", &["/"]),
            ("", "/dev/a on / type ext4 (rw)\n\n", &[]),
            ("", "/dev/a on / type ext4 (rw) [label]\n", &[]),
            (
                "",
                "map auto on /h (autofs)\n/dev/a on / (ufs, rw, x)\nb on /b (apfs)\n",
                &["/", "/b"],
            ),
            (
                "",
                &format!(
                    "{aix}     /dev/hd4  /  jfs2  Nov 11 12:11 rw, log=x\nh /e /n nfs3 Nov 1 1:1 ro\n"
                ),
                &["/", "/n"],
            ),
            (
                "",
                &format!("{aix}     /dev/hd4  /  jfs2  Nov 11 12:11\n"),
                &[],
            ),
        ] {
            let mounts = match path {
                "" => program(text),
                path => file(path, text),
            };
            let at: Vec<&str> = mounts
                .iter()
                .filter_map(|(_, m)| m.get("mount")?.as_str())
                .collect();
            assert_eq!(at, expected, "{text} {}", shown(mounts.clone()));
        }
        let (text, of_host) =
            &stanzas("/b:\n  vfs = nfs\n  nodename = h\n  dev = /e\n\n").unwrap()[0];
        assert_eq!(text, "/b:\n  vfs = nfs\n  nodename = h\n  dev = /e");
        assert_eq!(of_host.get("device"), Some(&Value::str("h:/e")));
    }
}
