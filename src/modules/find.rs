//! Lists files by what they are.

use super::common::digest::Algorithm;
use super::common::encoding::{self, Unreadable};
use super::common::mode::ModeSpec;
use super::common::path_info::stat_facts;
use super::{Failure, Module, yes};
use crate::machine::{Kind, Machine, Stat, Time, errno_text, glob, python_error};
use crate::modules::args::Path;
use crate::python;
use crate::regex::{self, Flags};
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/find_module.html>
pub struct Find;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The folders to look in.
    #[schemars(extend("aliases" = ["name", "path"]))]
    paths: Vec<Path>,
    /// Patterns of the names wanted: those of the shell, or with `use_regex` regular expressions. All if there is none.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pattern"]))]
    patterns: Vec<String>,
    /// Patterns of names that are not wanted.
    #[schemars(extend("aliases" = ["exclude"]))]
    excludes: Option<Vec<String>>,
    /// A regular expression that the file has to contain: at the beginning of a line, or with
    /// `read_whole_file` anywhere. For files alone.
    contains: Option<String>,
    /// Whether `contains` is looked for in the whole file at once.
    #[serde(default)]
    read_whole_file: bool,
    /// The kind of things wanted.
    #[serde(default)]
    file_type: FileType,
    /// Least age, in seconds or with one of the letters s, m, h, d, w; a negative one is the greatest.
    age: Option<String>,
    /// Which time the age is counted from.
    #[serde(default)]
    age_stamp: Stamp,
    /// Least size, in bytes or with one of the letters b, k, m, g, t; a negative one is the greatest.
    size: Option<String>,
    /// Looks in folders of folders too.
    #[serde(default)]
    recurse: bool,
    /// How deep, with `recurse`.
    depth: Option<i64>,
    /// Tells hidden files too.
    #[serde(default)]
    hidden: bool,
    /// Permissions: octal digits in quotes, or symbols.
    mode: Option<Value>,
    /// Whether the permissions are to be those of `mode`, not only include them.
    #[serde(default = "yes")]
    exact_mode: bool,
    /// Goes into folders that links lead to.
    #[serde(default)]
    follow: bool,
    /// Whether the checksum is told.
    #[serde(default)]
    get_checksum: bool,
    /// How the checksum is computed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["checksum", "checksum_algo"]))]
    checksum_algorithm: Algorithm,
    /// Whether patterns are regular expressions.
    #[serde(default)]
    use_regex: bool,
    /// Encoding of the files that `contains` looks into.
    encoding: Option<String>,
    /// Ends the search after this many.
    limit: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileType {
    Any,
    Directory,
    #[default]
    File,
    Link,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Stamp {
    Atime,
    Ctime,
    #[default]
    Mtime,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// What was found, each with what `stat` knows of it.
    files: Vec<Value>,
    /// How many were found.
    matched: usize,
    /// How many were looked at.
    examined: usize,
    /// Why something could not be looked at.
    skipped_paths: Value,
    msg: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Find {
    const NAME: &'static str = "find";
    const EXAMPLES: &'static str = "
- name: Find the accounts' files
  ansible.builtin.find:
    paths: /etc
    patterns: 'passwd,group'
  register: found

- ansible.builtin.assert:
    that: found.matched == 2
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let quantity = |text: &Option<String>, name: &str, units: &str, of: fn(char) -> i64| {
            let Some(text) = text else { return Ok(None) };
            scaled(text, units, of).map(Some).ok_or_else(|| {
                Failure::new(format!("failed to process {name}")).with(name, text.as_str())
            })
        };
        let age = quantity(&args.age, "age", "smhdw", seconds)?;
        let size = quantity(&args.size, "size", "bkmgt", bytes)?;
        if args.limit == Some(0) {
            return Err(Failure::new("limit cannot be 0 (use None for unlimited)"));
        }
        let mode = match &args.mode {
            None => None,
            Some(Value::Str(_)) => args.mode.as_ref().and_then(|m| ModeSpec::parse(m).ok()),
            Some(other) => {
                let kind = other.type_name();
                return Err(Failure::new(format!(
                    "argument 'mode' is not a string and conversion is not allowed, value is of type {kind}"
                )));
            }
        };
        let mut search = Search {
            args: &args,
            machine,
            age,
            size,
            mode,
            now: Time::now().as_f64(),
            files: Vec::new(),
            examined: 0,
            skipped: Map::default(),
            warnings: Vec::new(),
        };
        for path in &args.paths {
            let walked = match search.machine.is_dir(path) {
                true => search.walk(path, 1),
                false => Err(format!(
                    "{} is not a directory",
                    python::quote(path.as_str())
                )),
            };
            if let Err(why) = walked {
                search.skip(path.as_str(), "path", &why);
            }
            if search.full() {
                break;
            }
        }
        let msg = match (search.warnings.is_empty(), search.full()) {
            (false, _) => "Not all paths examined, check warnings for details",
            (true, true) => "Limit of matches reached",
            (true, false) => "All paths examined",
        };
        Ok(Returns {
            changed: false,
            matched: search.files.len(),
            files: search.files,
            examined: search.examined,
            skipped_paths: Value::map(search.skipped),
            msg: msg.to_string(),
            warnings: search.warnings,
        })
    }
}

/// `-2d` as a number: digits with a unit after them.
fn scaled(text: &str, units: &str, of: fn(char) -> i64) -> Option<i64> {
    let text = text.to_lowercase();
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if units.contains(unit) => (&text[..at], Some(unit)),
        _ => (text.as_str(), None),
    };
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(unit.map_or(1, of))
}

fn seconds(unit: char) -> i64 {
    match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => 1,
    }
}

fn bytes(unit: char) -> i64 {
    1 << match unit {
        'k' => 10,
        'm' => 20,
        'g' => 30,
        't' => 40,
        _ => 0,
    }
}

struct Search<'a> {
    args: &'a Args,
    machine: &'a Machine,
    age: Option<i64>,
    size: Option<i64>,
    mode: Option<ModeSpec>,
    now: f64,
    files: Vec<Value>,
    examined: usize,
    skipped: Map,
    warnings: Vec<String>,
}

impl Search<'_> {
    fn full(&self) -> bool {
        self.args
            .limit
            .is_some_and(|limit| self.files.len() as i64 >= limit)
    }

    fn skip(&mut self, path: &str, what: &str, why: &str) {
        self.warnings.push(format!(
            "Skipped {} {what} due to this access issue: {why}\n",
            python::quote(path)
        ));
        self.skipped.insert(path.into(), why.into());
    }

    /// Looks at what is in a folder, files before folders, then into its folders. The error is why no more of the
    /// path is looked at.
    fn walk(&mut self, dir: &StdPath, depth: i64) -> Result<(), String> {
        let names = match self.machine.names(dir) {
            Ok(names) => names,
            Err(e) => {
                let shown = dir.to_string_lossy();
                let why = format!("{}: {}", errno_text(&e), python::quote(&shown));
                self.skipped.insert((&*shown).into(), why.into());
                return Ok(());
            }
        };
        self.examined += names.len();
        let too_deep = self.args.depth.is_some_and(|d| d != 0 && depth > d);
        if self.args.recurse && too_deep {
            return Ok(());
        }
        let paths = names.iter().map(|name| normal(&dir.join(name)));
        let (folders, others): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.partition(|path| self.machine.is_dir(path));
        for path in others.iter().chain(&folders) {
            self.examine(path)?;
            if self.full() {
                return Ok(());
            }
        }
        for folder in folders.iter().filter(|_| self.args.recurse) {
            if self.args.follow || !self.machine.is_link(folder) {
                self.walk(folder, depth + 1)?;
            }
            if self.full() {
                break;
            }
        }
        Ok(())
    }

    fn examine(&mut self, path: &StdPath) -> Result<(), String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && !self.args.hidden {
            return Ok(());
        }
        let stat = match self.machine.lstat(path) {
            Ok(stat) => stat,
            Err(e) => {
                let shown = path.to_string_lossy();
                self.skip(&shown, "entry", &python_error(&e, path));
                return Ok(());
            }
        };
        let kind = match self.args.file_type {
            FileType::Any => None,
            FileType::Directory => Some(Kind::Directory),
            FileType::File => Some(Kind::File),
            FileType::Link => Some(Kind::Link),
        };
        if kind.is_some_and(|kind| kind != stat.kind)
            || !self.name_fits(&name)?
            || !self.age_fits(&stat)
        {
            return Ok(());
        }
        let file = self.args.file_type == FileType::File;
        if (file || kind.is_none()) && !self.size_fits(&stat)
            || file && !self.content_fits(path)?
            || !self.mode_fits(&stat)?
        {
            return Ok(());
        }
        let mut found = Map::default();
        found.insert("path".into(), path.to_string_lossy().as_ref().into());
        stat_facts(&mut found, &stat);
        if self.args.get_checksum && stat.is_file() {
            let sum = self.args.checksum_algorithm.of_file(self.machine, path);
            found.insert(
                "checksum".into(),
                sum.map_err(|e| python_error(&e, path))?.into(),
            );
        }
        self.files.push(Value::map(found));
        Ok(())
    }

    fn name_fits(&self, name: &str) -> Result<bool, String> {
        let any = |patterns: &[String]| -> Result<bool, String> {
            for pattern in patterns {
                let fits = match self.args.use_regex {
                    true => at_start(pattern, name)?,
                    false => glob::text_matches(pattern, name),
                };
                if fits {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let wanted = self.args.patterns.is_empty() || any(&self.args.patterns)?;
        match &self.args.excludes {
            Some(excludes) if wanted => Ok(!any(excludes)?),
            _ => Ok(wanted),
        }
    }

    fn age_fits(&self, stat: &Stat) -> bool {
        let time = match self.args.age_stamp {
            Stamp::Atime => stat.atime,
            Stamp::Ctime => stat.ctime,
            Stamp::Mtime => stat.mtime,
        };
        self.age.is_none_or(|age| {
            let limit = self.now - age.unsigned_abs() as f64;
            match age >= 0 {
                true => time.as_f64() <= limit,
                false => time.as_f64() >= limit,
            }
        })
    }

    fn size_fits(&self, stat: &Stat) -> bool {
        stat.is_dir()
            || self.size.is_none_or(|size| match size >= 0 {
                true => stat.size >= size.unsigned_abs(),
                false => stat.size <= size.unsigned_abs(),
            })
    }

    fn mode_fits(&self, stat: &Stat) -> Result<bool, String> {
        let Some(spec) = &self.mode else {
            return Ok(true);
        };
        // symbols say what a mode is made of, from nothing
        let bare = Stat {
            mode: 0,
            ..stat.clone()
        };
        let mode = spec.apply(&bare, self.machine.umask())?;
        Ok(match self.args.exact_mode {
            true => stat.mode == mode,
            false => stat.mode & mode != 0,
        })
    }

    fn content_fits(&self, path: &StdPath) -> Result<bool, String> {
        let Some(pattern) = &self.args.contains else {
            return Ok(true);
        };
        let bytes = self.machine.read(path).map_err(|e| {
            format!(
                "{}: {}",
                errno_text(&e),
                python::quote(&path.to_string_lossy())
            )
        })?;
        let encoding = self.args.encoding.as_deref();
        let text = encoding::decode(self.machine, bytes, encoding.unwrap_or("utf-8"));
        let text = text.map_err(|why| match (why, encoding) {
            (Unreadable::Unknown, _) => {
                format!("unknown encoding: {}", encoding.unwrap_or_default())
            }
            (Unreadable::Failed(failure), _) => failure.msg,
            (Unreadable::Damaged, _) => format!(
                "Failed to read the file {} due to an encoding error. current encoding: {}",
                path.display(),
                encoding.unwrap_or(
                    "None (default determined by the Python built-in function \"open\")"
                )
            ),
        })?;
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if self.args.read_whole_file {
            return matches(pattern, &text).map(|at| at.is_some());
        }
        for line in text.split_inclusive('\n') {
            if at_start(pattern, line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Where the pattern is found first.
fn matches(pattern: &str, text: &str) -> Result<Option<usize>, String> {
    let regex = regex::compile(pattern, Flags::default()).map_err(|e| e.message().to_string())?;
    let found = regex::search(&regex, text).map_err(|e| e.message().to_string())?;
    Ok(found.and_then(|f| f.get(0).map(|m| m.start())))
}

fn at_start(pattern: &str, text: &str) -> Result<bool, String> {
    Ok(matches(pattern, text)? == Some(0))
}

/// A path without `.` and doubled slashes, `..` taken by the letter: Python's `os.path.normpath`.
fn normal(path: &StdPath) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        use std::path::Component;
        match (part, out.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                out.pop();
            }
            _ => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_have_units() {
        let cases = [
            ("2d", Some(172_800)),
            ("-1W", Some(-604_800)),
            ("90", Some(90)),
            ("1.5d", None),
            ("5 m", None),
            ("", None),
            ("d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(scaled(text, "smhdw", seconds), expected, "{text}");
        }
        assert_eq!(scaled("-3k", "bkmgt", bytes), Some(-3072));
    }
}
