//! Finds out about the target.

use super::{Failure, Module};
use crate::facts;
use crate::machine::{Machine, glob};
use crate::modules::args::Path;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/setup_module.html>
pub struct Setup;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to find out: `all`, `min`, `hardware`, `network`, `virtual` and others; with `!` what not to.
    #[serde(default = "all")]
    gather_subset: Vec<String>,
    /// Seconds that slow facts may take; rplay's do not.
    #[serde(default = "ten")]
    #[allow(dead_code)]
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
        let found =
            facts::gather(machine, &args.gather_subset, &args.fact_path).map_err(Failure::new)?;
        let named = found.into_iter().map(|(k, v)| (format!("ansible_{k}"), v));
        let wanted = |name: &str| {
            args.filter.iter().all(String::is_empty)
                || args.filter.iter().any(|f| {
                    let name = std::ffi::OsStr::new(name);
                    let full = match f.starts_with("ansible_") || f.starts_with('*') {
                        true => f.clone(),
                        false => format!("ansible_{f}"),
                    };
                    glob::name_matches(&full, name)
                })
        };
        let mut facts: Map = named
            .filter(|(k, _)| wanted(k))
            .map(|(k, v)| (k.into(), v))
            .collect();
        if args.filter.iter().all(String::is_empty) {
            let subsets = args.gather_subset.iter().map(Value::str).collect();
            facts.insert("gather_subset".into(), Value::list(subsets));
            facts.insert("module_setup".into(), true.into());
        }
        Ok(Returns {
            changed: false,
            ansible_facts: Value::map(facts),
            quiet: true,
        })
    }
}
