//! Archives that `tar` unpacks, compressed or not.

use super::{Args, Found, Refusal, cannot, is_root};
use crate::machine::Machine;
use crate::modules::common::tool;

/// What is in the archive, and whether it is there already.
pub fn look(args: &Args, machine: &Machine) -> Result<Found, Refusal> {
    let program = ["gtar", "tar"]
        .iter()
        .find_map(|name| machine.program(name));
    let Some(program) = program.map(|p| p.to_string_lossy().into_owned()) else {
        return Err(Refusal::No(vec![
            "Unable to find required 'gtar' or 'tar' binary in the path".to_string(),
        ]));
    };
    let mut reasons = Vec::new();
    // without an option tar finds out itself how the archive is compressed
    for (handler, packed) in [("TgzArchive", Some("-z")), ("TarArchive", None)] {
        match list(args, &program, packed, machine)? {
            Ok(files) => {
                let unpacked = compare(args, &program, packed, machine)?;
                return Ok(Found {
                    handler,
                    files,
                    unpacked,
                    diff: None,
                    words: words(args, &program, packed),
                });
            }
            Err(why) => reasons.insert(
                0,
                cannot(
                    &program,
                    &format!("Unable to list files in the archive: {why}"),
                ),
            ),
        }
    }
    Err(Refusal::No(reasons))
}

/// Options that listing, comparing and unpacking have in common.
fn common(args: &Args, program: &str, action: &str, packed: Option<&str>) -> Vec<String> {
    let mut words = [program, action, "-C", args.dest.as_str()]
        .map(String::from)
        .to_vec();
    words.extend(packed.map(String::from));
    if !args.extra_opts.is_empty() {
        words.push("--show-transformed-names".to_string());
        words.extend(args.extra_opts.iter().cloned());
    }
    let file = &args.file;
    for (option, value) in [("--owner", &file.owner), ("--group", &file.group)] {
        words.extend(
            value
                .as_ref()
                .filter(|_| action != "--list")
                .map(|v| format!("{option}={v}")),
        );
    }
    if args.keep_newer {
        words.push("--keep-newer-files".to_string());
    }
    words.extend(args.exclude.iter().map(|e| format!("--exclude={e}")));
    words.extend(["-f".to_string(), args.src.0.clone()]);
    words.extend(args.include.iter().cloned());
    words
}

fn words(args: &Args, program: &str, packed: Option<&str>) -> Vec<String> {
    common(args, program, "--extract", packed)
}

fn list(
    args: &Args,
    program: &str,
    packed: Option<&str>,
    machine: &Machine,
) -> Result<Result<Vec<String>, String>, Refusal> {
    let output = tool::probe(machine, common(args, program, "--list", packed))?;
    if output.rc != 0 {
        return Ok(Err(output.stderr_text()));
    }
    let text = String::from_utf8_lossy(&unquoted(&output.stdout)).into_owned();
    let names = text
        .lines()
        .filter(|name| !name.is_empty() && excluded(args, name).is_none());
    let names: Vec<String> = names.map(String::from).collect();
    Ok(match names.is_empty() && args.exclude.is_empty() {
        true => Err("no files".to_string()),
        false => Ok(names),
    })
}

fn excluded<'a>(args: &'a Args, name: &str) -> Option<&'a String> {
    let matches = |pattern: &&String| crate::machine::glob::text_matches(pattern, name);
    args.exclude.iter().find(matches)
}

/// Names as they are: tar writes bytes that are no ASCII in octal digits.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|d| d.iter().all(|b| (b'0'..b'8').contains(b)));
        match (first, octal, after.first()) {
            (b'\\', Some(digits), _) => {
                let value = digits
                    .iter()
                    .fold(0_u32, |n, d| n * 8 + u32::from(d - b'0'));
                out.push(u8::try_from(value).unwrap_or(b'?'));
                rest = &after[3..];
            }
            (b'\\', None, Some(b'\\')) => {
                out.push(b'\\');
                rest = &after[1..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// Whether what `tar --diff` tells is no difference that counts.
fn compare(
    args: &Args,
    program: &str,
    packed: Option<&str>,
    machine: &Machine,
) -> Result<bool, Refusal> {
    let mut words = common(args, program, "--diff", packed);
    words.retain(|w| w != "--keep-newer-files");
    let output = tool::probe(machine, words)?;
    if output.rc == 0 {
        return Ok(true);
    }
    let file = &args.file;
    let both = output.stdout_text() + &output.stderr_text();
    for line in both.lines() {
        let of = |end: &str| line.contains(end);
        // what the task sets itself, or who unpacks cannot set, is no difference
        let counts = if of(": Uid differs") || of(": Invalid owner") {
            is_root() && file.owner.is_none()
        } else if of(": Gid differs") || of(": Invalid group") {
            is_root() && file.group.is_none()
        } else if of(": Mode differs") {
            file.mode.is_none()
        } else if of(": Mod time differs") {
            !args.keep_newer
        } else {
            // without a name before it, it is about the archive's own end
            !of(": : Warning: Cannot stat")
                && [
                    "Cannot stat: No such file or directory",
                    ": Contents differ",
                    ": Size differs",
                    ": Symlink differs",
                    ": Not linked to",
                    ": File type differs",
                ]
                .iter()
                .any(|end| of(end))
        };
        if counts {
            return Ok(false);
        }
    }
    Ok(true)
}
