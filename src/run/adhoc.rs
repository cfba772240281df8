//! Ad-hoc commands: one task, in a play that is in no file.
//!
//! <https://docs.ansible.com/ansible/latest/command_guide/intro_adhoc.html>

use super::Start;
use super::options::Options;
use crate::config::Config;
use crate::error::Kind;
use crate::playbook::{FREE_FORM, Play, bare};
use crate::report::Reporter;
use crate::source::Location;
use crate::value::{Key, Map, Value};
use crate::yaml::{Data, Node};
use crate::{Error, Result, kv, python};
use std::path::PathBuf;

/// A task and its hosts, as a command line has them.
#[derive(Clone, Debug)]
pub struct AdHoc {
    pub pattern: String,
    pub module: String,
    /// Where the name of the module is from.
    pub module_at: Location,
    /// `key=value` or free text, or a dictionary in JSON.
    pub args: Option<String>,
    /// What messages call the place that they are from.
    pub args_from: String,
    /// Seconds that the task may run in the background, and between two looks at it; 0 for not at all.
    pub background: i64,
    pub poll: i64,
    /// Seconds that the task may take; 0 for no limit.
    pub timeout: i64,
    /// The folder that stands for the playbook's.
    pub dir: PathBuf,
}

/// Modules that are nothing without arguments.
const NEED_ARGS: &[&str] = &[
    "command",
    "shell",
    "raw",
    "script",
    "win_command",
    "win_shell",
];

/// Runs an ad-hoc command, or lists its hosts; returns the exit code, as [`super::playbooks`] does.
///
/// Errors are those that end the run: a command that makes no sense, a bad inventory.
pub fn adhoc(
    command: &AdHoc,
    options: &Options,
    config: &Config,
    reporter: Box<dyn Reporter>,
) -> Result<i32> {
    let start = Start::new(options, config, std::slice::from_ref(&command.dir));
    let mut runner = start.runner(&command.dir, reporter)?;
    let inventory = runner.world.inventory();
    let limit = runner.limit.as_ref();
    if options.list.hosts {
        let hosts = inventory.listed(&command.pattern, limit)?;
        println!("  hosts ({}):", hosts.len());
        hosts.iter().for_each(|host| println!("    {host}"));
        return Ok(0);
    }
    let hosts = inventory.targets(&command.pattern, limit)?;
    command.check()?;
    let mut loader = start.loader(&command.dir);
    loader.any_module = true;
    let play = Play::of_node(&command.play()?, &loader)?;
    runner.open_fact_cache();
    // the pattern's warnings and those of an inventory without hosts have been given
    if !hosts.is_empty() {
        runner.play_there(&play, &loader)?;
    }
    runner.finish();
    Ok(runner.exit_code())
}

impl AdHoc {
    /// Refuses what is no task by itself.
    fn check(&self) -> Result<()> {
        let refused = |words: String| Err(Error::new(Kind::Options, words));
        let without = self.args.as_ref().is_none_or(String::is_empty);
        if without && NEED_ARGS.contains(&bare(&self.module)) {
            let playbook = self.pattern.ends_with(".yml") || self.pattern.ends_with(".yaml");
            return refused(format!(
                "No argument passed to {} module{}",
                self.module,
                match playbook {
                    true => " (did you mean to run a playbook?)",
                    false => "",
                }
            ));
        }
        if bare(&self.module) == "import_playbook" {
            return refused(format!(
                "'{}' is not a valid action for ad-hoc commands",
                self.module
            ));
        }
        Ok(())
    }

    /// The play, as if it had been read from a file.
    fn play(&self) -> Result<Node> {
        let args = self.arguments()?;
        // those that bring in others take less
        let brings_in = ["include_role", "include_tasks"].contains(&bare(&self.module));
        let in_background = (self.background != 0 || self.poll != 0) && !brings_in;
        let mut shown = vec![
            ("action", Value::str(&*self.module)),
            ("args", args.to_value()),
            ("timeout", self.timeout.into()),
        ];
        if in_background {
            shown.push(("async_val", self.background.into()));
            shown.push(("poll", self.poll.into()));
        }
        let shown: Map = shown.into_iter().map(|(k, v)| (Key::from(k), v)).collect();
        let at = Location::loose(
            format!("<adhoc '{}' task>", self.module),
            python::repr(&Value::map(shown)),
        );
        let scalar = |value: Value| node(Data::Scalar(value), &at);
        let entry = |key: &str, value: Node| (scalar(Value::str(key)), value);
        let module = Value::user_text(&self.module, Some(&self.module_at));
        let module = node(Data::Scalar(module), &self.module_at);
        let action = Data::Map(vec![entry("module", module), entry("args", args)]);
        let mut task = vec![
            entry("action", node(action, &self.module_at)),
            entry("timeout", scalar(self.timeout.into())),
        ];
        if in_background {
            task.push(entry("async", scalar(self.background.into())));
            task.push(entry("poll", scalar(self.poll.into())));
        }
        let tasks = Data::Seq(vec![node(Data::Map(task), &at)]);
        let play = vec![
            entry("name", scalar(Value::str("Ansible Ad-Hoc"))),
            entry("hosts", scalar(Value::str(&*self.pattern))),
            entry("gather_facts", scalar(false.into())),
            entry("tasks", node(tasks, &at)),
        ];
        Ok(node(Data::Map(play), &at))
    }

    /// The arguments as a dictionary; free text is under `_raw_params`.
    fn arguments(&self) -> Result<Node> {
        let (args, from) = (self.args.as_deref().unwrap_or(""), self.args_from.as_str());
        let at = Location::loose(from, args);
        let text = args.trim();
        // a template looks like JSON, and is none
        if text.starts_with('{') && text.ends_with('}') && !text.starts_with("{{") {
            let json = serde_json::from_str::<serde_json::Value>(text).map_err(|e| {
                Error::new(Kind::Options, format!("the arguments are no JSON: {e}"))
                    .at(&at)
                    .hint("write -a 'key=value ...' or -a '{\"key\": \"value\"}'")
            })?;
            return Ok(Node::from_option(json, from));
        }
        let free = FREE_FORM.contains(&bare(&self.module));
        let pairs = kv::parse(args, free)?.into_iter().map(|(key, value)| {
            let name = Data::Scalar(Value::str(&*key));
            let name = node(name, &Location::loose(from, key));
            (name, Node::text_of_option(&value, from))
        });
        Ok(node(Data::Map(pairs.collect()), &at))
    }
}

fn node(data: Data, at: &Location) -> Node {
    Node {
        data,
        at: at.clone(),
    }
}
