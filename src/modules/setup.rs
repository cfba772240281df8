//! Finds out about the target.

use super::{Failure, Module};
use crate::facts::{self, Wanted};
use crate::machine::{Machine, glob};
use crate::modules::args::Path;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/setup_module.html>
pub struct Setup;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to find out: `all`, `min`, `hardware`, `network`, `virtual` and others; with `!` what not to.
    #[serde(default = "all")]
    gather_subset: Vec<String>,
    /// Seconds that file systems of servers may take to tell their size.
    #[serde(default = "ten")]
    gather_timeout: i64,
    /// Gives only facts whose name matches one of these patterns.
    #[serde(default)]
    filter: Vec<String>,
    /// The folder with the target's own facts.
    #[serde(default = "fact_path")]
    fact_path: Path,
}

fn all() -> Vec<String> {
    vec!["all".to_string()]
}
fn ten() -> i64 {
    10
}
fn fact_path() -> Path {
    Path("/etc/ansible/facts.d".to_string())
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    ansible_facts: Value,
    /// Facts are not shown at -v.
    #[serde(rename = "_ansible_verbose_override")]
    quiet: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Module for Setup {
    const NAME: &'static str = "setup";
    const EXAMPLES: &'static str = "
- name: Find out about the distribution only
  ansible.builtin.setup:
    gather_subset: [min]
    filter: ansible_distribution*
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let wanted = Wanted {
            subsets: &args.gather_subset,
            fact_path: Some(&args.fact_path),
            timeout: Duration::from_secs(u64::try_from(args.gather_timeout).unwrap_or(0)),
        };
        let found = facts::gather(machine, &wanted)?;
        let subsets = args.gather_subset.iter().map(Value::str).collect();
        let facts: Map = found
            .facts
            .into_iter()
            .map(|(k, v)| (format!("ansible_{k}"), v))
            .chain([
                ("gather_subset".to_string(), Value::list(subsets)),
                ("module_setup".to_string(), true.into()),
            ])
            .filter(|(name, _)| passes(&args.filter, name))
            .map(|(k, v)| (k.into(), v))
            .collect();
        Ok(Returns {
            changed: false,
            ansible_facts: Value::map(facts),
            quiet: true,
            warnings: found.warnings,
        })
    }
}

/// Whether a fact's name matches one of the patterns, with or without the prefix.
fn passes(patterns: &[String], name: &str) -> bool {
    let fits = |pattern: &str, name: &str| glob::name_matches(pattern, std::ffi::OsStr::new(name));
    let short = name.strip_prefix("ansible_");
    patterns.iter().all(String::is_empty)
        || patterns
            .iter()
            .any(|p| fits(p, name) || short.is_some_and(|short| fits(p, short)))
}
