//! `rplay config`: the settings that there are, and what they are in this folder, as ansible-config shows them.
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-config.html>

use crate::config::{self, SETTINGS, Shown};
use crate::template::python;
use crate::value::{Map, Value};
use crate::yaml::{EmitOptions, emit};
use crate::{Error, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Shows the settings, of ansible.cfg and the environment.
#[derive(Parser, Debug)]
#[command(name = "rplay config", infer_long_args = true)]
struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// All settings: what they mean, and where they can be set
    List(List),
    /// The settings' values, and where each comes from
    Dump(Dump),
    /// The file that is read
    View(File),
}

#[derive(Args, Debug)]
struct File {
    /// The file, in place of the one that would be found
    #[arg(short, long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    file: File,

    #[arg(short, long, value_enum, default_value = "yaml")]
    format: ListFormat,
}

#[derive(Args, Debug)]
struct Dump {
    #[command(flatten)]
    file: File,

    /// Only those that are not at their default
    #[arg(long, visible_alias = "changed-only")]
    only_changed: bool,

    #[arg(short, long, value_enum, default_value = "display")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum ListFormat {
    Yaml,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    Display,
    Yaml,
    Json,
}

/// Runs the subcommand; `args` are those after its name. Returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args: ConfigArgs = match super::arguments("rplay config", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let text = match args.what {
        What::List(list) => match list.format {
            ListFormat::Yaml => yaml(&all())?,
            ListFormat::Json => json(&all()),
        },
        What::Dump(dump) => {
            let mut shown = config::shown(dump.file.config.as_deref())?;
            shown.sort_by(|a, b| a.name.cmp(&b.name));
            shown.retain(|s| !dump.only_changed || s.origin.is_some());
            match dump.format {
                Format::Display => shown.iter().map(line).collect(),
                Format::Yaml => yaml(&entries(&shown))?,
                Format::Json => json(&entries(&shown)),
            }
        }
        What::View(file) => match config::file(file.config.as_deref()) {
            Some(path) => std::fs::read_to_string(&path)
                .map_err(|e| Error::from(e).context(format!("cannot read {}", path.display())))?,
            None => {
                return Err(Error::general(
                    "there is no ansible.cfg here, in the home folder or in /etc/ansible",
                ));
            }
        },
    };
    use std::io::Write;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(0)
}

fn line(shown: &Shown) -> String {
    let origin = shown.origin.as_deref().unwrap_or("default");
    let value = python::str(&shown.value);
    format!("{}({origin}) = {value}\n", shown.name)
}

fn entries(shown: &[Shown]) -> Value {
    let entry = |shown: &Shown| {
        let origin = shown.origin.as_deref().unwrap_or("default");
        Value::map(Map::from_iter([
            ("name".into(), Value::str(&*shown.name)),
            ("origin".into(), Value::str(origin)),
            ("value".into(), shown.value.clone()),
        ]))
    };
    Value::list(shown.iter().map(entry).collect())
}

/// The table of the settings: by Ansible's name, with the default, what it means, and where it can be set.
fn all() -> Value {
    let named = |name: &str| Value::map(Map::from_iter([("name".into(), Value::str(name))]));
    let mut all: Vec<(String, Value)> = SETTINGS
        .iter()
        .map(|setting| {
            let ini = setting.ini.iter().map(|ini| {
                let (section, key) = ini.split_once('.').unwrap_or(("defaults", ini));
                Value::map(Map::from_iter([
                    ("key".into(), Value::str(key)),
                    ("section".into(), Value::str(section)),
                ]))
            });
            let env = setting.env.iter().map(|env| named(env));
            let what = setting.doc.trim().replace('\n', " ");
            let entry = Map::from_iter([
                ("default".into(), Value::str(setting.default)),
                ("description".into(), Value::str(what.replace("  ", " "))),
                ("env".into(), Value::list(env.collect())),
                ("ini".into(), Value::list(ini.collect())),
                ("type".into(), Value::str(setting.kind)),
            ]);
            (config::names::of(setting.name), Value::map(entry))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let all = all
        .into_iter()
        .map(|(name, entry)| (name.as_str().into(), entry));
    Value::map(all.collect())
}

fn yaml(value: &Value) -> Result<String> {
    let options = EmitOptions {
        default_flow_style: Some(false),
        ..EmitOptions::plain()
    };
    emit(value, &options)
}

fn json(value: &Value) -> String {
    let json = value.to_json();
    let text = serde_json::to_string_pretty(&json).unwrap_or_default();
    format!("{text}\n")
}
