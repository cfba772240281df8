//! Archives that `unzip` unpacks.

use super::{Args, Found, Refusal, cannot, io};
use crate::machine::{Machine, glob};
use crate::modules::common::tool;
use std::path::Path;

/// What is in the archive, and whether it is there already.
pub fn look(args: &Args, machine: &Machine) -> Result<Found, Refusal> {
    let program = machine.program("unzip");
    let Some(program) = program.map(|p| p.to_string_lossy().into_owned()) else {
        return Err(Refusal::No(vec![
            "Unable to find required 'unzip' or 'zipinfo' binary in the path.".to_string(),
        ]));
    };
    let listed = tool::probe(machine, [program.as_str(), "-Z1", args.src.as_str()])?;
    if listed.rc != 0 {
        let why = listed.stdout_text() + &listed.stderr_text();
        return Err(Refusal::No(vec![cannot(&program, &why)]));
    }
    let text = listed.stdout_text();
    let matches =
        |patterns: &[String], name: &str| patterns.iter().any(|p| glob::text_matches(p, name));
    let wanted = |name: &&str| {
        (args.include.is_empty() || matches(&args.include, name)) && !matches(&args.exclude, name)
    };
    let files: Vec<String> = text.lines().filter(wanted).map(String::from).collect();
    let diff = compare(args, &program, &files, machine)?;
    Ok(Found {
        handler: "ZipArchive",
        unpacked: diff.is_empty(),
        diff: Some(diff),
        words: words(args, &program, args.dest.as_str()),
        files,
    })
}

fn words(args: &Args, program: &str, dest: &str) -> Vec<String> {
    let mut words = vec![program.to_string(), "-o".to_string()];
    words.extend(args.extra_opts.iter().cloned());
    if args.keep_newer {
        words.push("-u".to_string());
    }
    words.push(args.src.0.clone());
    words.extend(args.include.iter().cloned());
    if !args.exclude.is_empty() {
        words.push("-x".to_string());
        words.extend(args.exclude.iter().cloned());
    }
    words.extend(["-d".to_string(), dest.to_string()]);
    words
}

/// The differences between the archive, unpacked elsewhere, and what is there: in rsync's short form.
fn compare(
    args: &Args,
    program: &str,
    files: &[String],
    machine: &Machine,
) -> Result<String, Refusal> {
    let scratch = machine.scratch("", true).map_err(io)?;
    let told = unpacked_differences(args, program, files, &scratch, machine);
    // what was unpacked to compare goes again, whatever came of it
    let _ = tool::probe(machine, ["rm", "-rf", "--", &scratch.to_string_lossy()]);
    told
}

fn unpacked_differences(
    args: &Args,
    program: &str,
    files: &[String],
    scratch: &Path,
    machine: &Machine,
) -> Result<String, Refusal> {
    let output = tool::probe(machine, words(args, program, &scratch.to_string_lossy()))?;
    if output.rc != 0 {
        let why = output.stdout_text() + &output.stderr_text();
        return Err(Refusal::No(vec![cannot(program, &why)]));
    }
    let mut told = String::new();
    for name in files {
        let (new, old) = (scratch.join(name), args.dest.join(name));
        let Ok(new_stat) = machine.lstat(&new) else {
            continue;
        };
        let kind = match (new_stat.is_dir(), new_stat.is_link()) {
            (true, _) => 'd',
            (_, true) => 'L',
            _ => 'f',
        };
        let Ok(old_stat) = machine.lstat(&old) else {
            told.push_str(&format!(">{kind}++++++.?? {name}\n"));
            continue;
        };
        if new_stat.kind != old_stat.kind {
            told.push_str(&format!(">{kind}++++++.?? {name}\n"));
            continue;
        }
        // folders have no content of their own
        if kind == 'd' {
            continue;
        }
        let newer = old_stat.mtime.secs > new_stat.mtime.secs;
        if args.keep_newer && newer {
            continue;
        }
        let size = new_stat.size != old_stat.size;
        let content = match kind {
            'L' => machine.read_link(&new).ok() != machine.read_link(&old).ok(),
            _ => machine.sha1(&new).ok() != machine.sha1(&old).ok(),
        };
        let time = new_stat.mtime.secs != old_stat.mtime.secs && kind == 'f';
        let mode = args.file.mode.is_none() && kind == 'f' && new_stat.mode != old_stat.mode;
        if size || content || time || mode {
            let letter = |differs: bool, letter: char| if differs { letter } else { '.' };
            told.push_str(&format!(
                ".{kind}{}{}{}{}...?? {name}\n",
                letter(content, 'c'),
                letter(size, 's'),
                letter(time, 't'),
                letter(mode, 'p')
            ));
        }
    }
    Ok(told)
}
