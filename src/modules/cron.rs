//! Keeps a job or a variable in a crontab, or out of it.

use super::common::diff;
use super::common::text;
use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Content, Machine, errno_text, users};
use crate::modules::args::Path;
use crate::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path as StdPath, PathBuf};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/cron_module.html>
pub struct Cron;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["insertafter", "insertbefore"]]))]
pub struct Args {
    /// What the job is for: it is found again by that. With `env`, the variable's name.
    name: String,
    /// Whose crontab it is.
    user: Option<String>,
    /// The command; with `env`, the variable's value.
    #[schemars(extend("aliases" = ["value"]))]
    job: Option<String>,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    /// A file in `/etc/cron.d`, in place of a user's crontab.
    cron_file: Option<Path>,
    /// Copies the crontab to a file first.
    #[serde(default)]
    backup: bool,
    /// Minutes, as in a crontab.
    #[serde(default = "any")]
    minute: String,
    /// Hours.
    #[serde(default = "any")]
    hour: String,
    /// Day of the month.
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["dom"]))]
    day: String,
    /// Months.
    #[serde(default = "any")]
    month: String,
    /// Day of the week.
    #[serde(default = "any")]
    #[schemars(extend("aliases" = ["dow"]))]
    weekday: String,
    /// A time with a name, in place of the others.
    special_time: Option<Special>,
    /// Has the job there, but as a comment.
    #[serde(default)]
    disabled: bool,
    /// Whether it is a variable.
    #[serde(default)]
    env: bool,
    /// Puts a new variable after this one.
    insertafter: Option<String>,
    /// Puts a new variable before this one.
    insertbefore: Option<String>,
}

fn any() -> String {
    "*".to_string()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Special {
    Annually,
    Daily,
    Hourly,
    Monthly,
    Reboot,
    Weekly,
    Yearly,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// Names of the jobs that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<Vec<String>>,
    /// Names of the variables that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    envs: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron_file: Option<String>,
    /// The copy that `backup` made.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Value>,
}

impl Module for Cron {
    const NAME: &'static str = "cron";
    const EXAMPLES: &'static str = "
- name: Nobody has this job
  ansible.builtin.cron:
    name: no such job
    cron_file: rplay-example
    state: absent
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut table = Table::read(&args, machine)?;
        let before = table.text();
        let file = args.cron_file.as_ref().map(|f| f.0.clone());
        if file.as_deref() == Some("/etc/crontab") {
            return Err(Failure::new(
                "Will not manage /etc/crontab via cron_file, see documentation.",
            ));
        }
        let present = args.state == State::Present;
        let times = [
            &args.minute,
            &args.hour,
            &args.day,
            &args.month,
            &args.weekday,
        ];
        let wrong = if present && file.is_some() && args.user.is_none() {
            Some("To use cron_file=... parameter you must specify user=... as well")
        } else if args.special_time.is_some() && times.iter().any(|t| *t != "*") {
            Some("You cannot combine special_time with any of the time or day/date parameters.")
        } else if present && args.job.is_none() {
            Some("You must specify 'job' to install a new cron job or variable")
        } else if !args.env && (args.insertafter.is_some() || args.insertbefore.is_some()) {
            Some("Insertafter and insertbefore parameters are valid only with env=yes")
        } else {
            None
        };
        if let Some(msg) = wrong {
            return Err(Failure::new(msg));
        }
        let mut changed = match (args.env, present) {
            (true, true) => table.declare(&args)?,
            (true, false) => table.forget(&args.name),
            (false, true) => {
                let job = args.job.as_deref().unwrap_or_default();
                let job = job.trim_matches(['\r', '\n']);
                if job.contains(['\r', '\n']) {
                    let warning = "Job should not contain line breaks";
                    machine.warnings.push(warning.to_string());
                }
                table.put(&args.name, &args.line(job))
            }
            (false, false) => table.drop(&args.name),
        };
        // cron reads no last line without its end
        changed |= !before.is_empty() && !before.ends_with('\n');
        let mut returns = Returns {
            changed,
            cron_file: file.clone(),
            ..Returns::default()
        };
        let after = table.text();
        if changed && machine.mode.diff {
            let header = match (&table.file, &args.user) {
                (Some(path), _) => path.to_string_lossy().into_owned(),
                (None, Some(user)) => format!("crontab for user \"{user}\""),
                (None, None) => "crontab".to_string(),
            };
            // a file without jobs goes
            let goes = !present && !args.env && table.file.is_some() && after.trim().is_empty();
            let after_header = if goes { "/dev/null" } else { header.as_str() };
            returns.diff = Some(diff::content(
                &text::shown(&before),
                &text::shown(&after),
                &header,
                after_header,
            ));
        }
        if changed {
            if args.backup && !machine.mode.check {
                let copy = machine.scratch("", false).and_then(|copy| {
                    machine.fill_scratch(&copy, &text::encode(&before))?;
                    Ok(copy)
                });
                let copy = copy.map_err(|e| Failure::new(errno_text(&e)))?;
                returns.backup_file = Some(copy.to_string_lossy().into_owned());
            }
            if !present
                && !args.env
                && after.trim().is_empty()
                && let Some(path) = &table.file
            {
                machine
                    .remove(path)
                    .map_err(|e| Failure::new(format!("{}: {}", path.display(), errno_text(&e))))?;
                returns.state = Some("absent".to_string());
                return Ok(returns);
            }
            table.write(&args, machine)?;
        }
        returns.jobs = Some(table.jobs());
        returns.envs = Some(table.variables());
        Ok(returns)
    }
}

impl Args {
    /// The job's line.
    fn line(&self, job: &str) -> String {
        let off = if self.disabled { "#" } else { "" };
        let user = match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!("{user} "),
            _ => String::new(),
        };
        let when = match self.special_time {
            Some(special) => format!("@{}", format!("{special:?}").to_lowercase()),
            None => [
                &self.minute,
                &self.hour,
                &self.day,
                &self.month,
                &self.weekday,
            ]
            .map(String::as_str)
            .join(" "),
        };
        format!("{off}{when} {user}{job}")
    }
}

/// Stands before a job of ours, with its name.
const MARK: &str = "#Ansible: ";

/// A crontab.
struct Table {
    lines: Vec<String>,
    /// Whether the last line has an end.
    ends: bool,
    /// Where it is, if it is no user's.
    file: Option<PathBuf>,
}

impl Table {
    fn read(args: &Args, machine: &Machine) -> Result<Table, Failure> {
        let file = args.cron_file.as_ref().map(|f| {
            let path = StdPath::new("/etc/cron.d").join(f.as_str());
            machine.real_path(&path)
        });
        let bytes = match &file {
            Some(path) => match machine.read(path) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(e) => return Err(Failure::new(crate::machine::python_error(&e, path))),
            },
            None => {
                let words = crontab(args, machine, &["-l"])?;
                let output = tool::probe(machine, words)?;
                match output.rc {
                    // there is none
                    0 | 1 => output.stdout,
                    _ => return Err(Failure::new("Unable to read crontab")),
                }
            }
        };
        Ok(Table::parse(&text::decode(&bytes), file))
    }

    fn parse(text: &str, file: Option<PathBuf>) -> Table {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        let heads = |line: &String| {
            line.starts_with("# DO NOT EDIT THIS FILE - edit the master and reinstall.")
                || line.starts_with("# (/tmp/") && line.contains("installed on")
                || line.starts_with("# (") && line.contains("version")
        };
        let head = lines.iter().take(3).take_while(|l| heads(l)).count();
        lines.drain(..head);
        Table {
            ends: text.is_empty() || text.ends_with('\n'),
            lines,
            file,
        }
    }

    fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        if self.ends && !self.lines.is_empty() {
            text.push('\n');
        }
        text
    }

    /// The place of a job's mark.
    fn job(&self, name: &str) -> Option<usize> {
        let named = |l: &String| l.strip_prefix(MARK) == Some(name);
        let at = self.lines.iter().position(named)?;
        (at + 1 < self.lines.len()).then_some(at)
    }

    fn put(&mut self, name: &str, line: &str) -> bool {
        self.ends = true;
        let mark = format!("{MARK}{name}");
        if let Some(at) = self.job(name) {
            let differs = self.lines[at + 1] != line;
            self.lines[at + 1] = line.to_string();
            return differs;
        }
        // one that somebody wrote by hand gets a name
        let by_hand = self.lines.iter().position(|l| l == line);
        match by_hand {
            Some(at) if at > 0 && self.lines[at - 1].starts_with(MARK) => self.lines[at - 1] = mark,
            Some(at) => self.lines.insert(at, mark),
            None => self.lines.extend([mark, line.to_string()]),
        }
        true
    }

    fn drop(&mut self, name: &str) -> bool {
        match self.job(name) {
            Some(at) => {
                self.lines.drain(at..at + 2);
                self.ends = true;
                true
            }
            None => false,
        }
    }

    fn variable(&self, name: &str) -> Option<usize> {
        let of = |l: &String| {
            l.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        };
        self.lines.iter().position(of)
    }

    fn declare(&mut self, args: &Args) -> Result<bool, Failure> {
        self.ends = true;
        let value = args.job.as_deref().unwrap_or_default();
        let line = format!("{}=\"{value}\"", args.name);
        if let Some(at) = self.variable(&args.name) {
            let differs = self.lines[at] != line;
            self.lines[at] = line;
            return Ok(differs);
        }
        let beside = args.insertafter.as_ref().or(args.insertbefore.as_ref());
        let at = match beside {
            None => 0,
            Some(other) => self
                .variable(other)
                .ok_or_else(|| Failure::new(format!("Variable named '{other}' not found.")))?,
        };
        let at = at + usize::from(args.insertafter.is_some());
        self.lines.insert(at, line);
        Ok(true)
    }

    fn forget(&mut self, name: &str) -> bool {
        match self.variable(name) {
            Some(at) => {
                self.lines.remove(at);
                true
            }
            None => false,
        }
    }

    fn jobs(&self) -> Vec<String> {
        let marks = self.lines.iter().filter_map(|l| l.strip_prefix(MARK));
        marks.map(String::from).collect()
    }

    fn variables(&self) -> Vec<String> {
        let names = self.lines.iter().filter_map(|line| {
            let (name, _) = line.split_once('=')?;
            (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_string())
        });
        names.collect()
    }

    fn write(&self, args: &Args, machine: &mut Machine) -> Result<(), Failure> {
        let bytes = text::encode(&self.text());
        if let Some(path) = &self.file {
            let done = machine.replace(path, Content::Bytes(&bytes), Some(0o644), false);
            return done.map_err(|e| Failure::new(crate::machine::python_error(&e, path)));
        }
        let io = |e: std::io::Error| Failure::new(errno_text(&e));
        let file = machine.scratch("", false).map_err(io)?;
        machine.fill_scratch(&file, &bytes).map_err(io)?;
        let shown = file.to_string_lossy().into_owned();
        let ran = crontab(args, machine, &[&shown])
            .and_then(|words| tool::run(machine, words, "a crontab is installed"));
        machine.drop_scratch(&file);
        let output = ran?;
        match output.rc {
            0 => Ok(()),
            rc => Err(
                Failure::new(format!("Failed to install new cronfile: {shown}"))
                    .with("rc", rc)
                    .with("stdout", output.stdout_text())
                    .with("stderr", output.stderr_text()),
            ),
        }
    }
}

/// A call of `crontab` for the user.
fn crontab(args: &Args, machine: &Machine, more: &[&str]) -> Result<Vec<String>, Failure> {
    let mut words = vec![tool::find(machine, "crontab")?];
    if let Some(user) = &args.user
        && users::name_of_self().as_ref() != Some(user)
    {
        words.extend(["-u".to_string(), user.clone()]);
    }
    words.extend(more.iter().map(|w| w.to_string()));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_and_variables_have_their_places() {
        let mut table = Table::parse("A=\"1\"\n0 5 * * * mine\n#Ansible: x\n* * * * * y\n", None);
        assert!(!table.put("x", "* * * * * y"));
        assert!(table.put("x", "@daily y") && table.put("m", "0 5 * * * mine"));
        let text = "A=\"1\"\n#Ansible: m\n0 5 * * * mine\n#Ansible: x\n@daily y\n";
        assert_eq!(table.text(), text);
        assert_eq!(
            (table.jobs(), table.variables()),
            (vec!["m".into(), "x".into()], vec!["A".into()])
        );
        assert!(table.drop("m") && !table.drop("m") && table.forget("A"));
        assert_eq!(table.text(), "#Ansible: x\n@daily y\n");
    }
}
