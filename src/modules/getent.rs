//! Asks the system's databases (users, groups, hosts, services), and keeps the answers as facts.

use super::common::tool;
use super::{Failure, Module, yes};
use crate::machine::Machine;
use crate::value::{Key, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/getent_module.html>
pub struct Getent;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The database: `passwd`, `group`, `hosts`, `services` and so on.
    database: String,
    /// What to look for; all entries without it.
    key: Option<String>,
    /// The source to ask, in place of those that the system is set up for.
    service: Option<String>,
    /// What separates the fields of an entry, where that is neither blanks nor the database's own sign.
    split: Option<String>,
    /// Fails if there is no such entry.
    #[serde(default = "yes")]
    fail_key: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// `getent_DATABASE`: each entry by its first field, as the list of the others.
    #[schemars(with = "serde_json::Value")]
    ansible_facts: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

impl Module for Getent {
    const NAME: &'static str = "getent";
    const EXAMPLES: &'static str = "
- name: The user root as a fact
  ansible.builtin.getent:
    database: passwd
    key: root
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let mut words = vec![tool::find(machine, "getent")?, args.database.clone()];
        words.extend(args.key.clone());
        if let Some(service) = &args.service {
            words.extend(["-s".to_string(), service.clone()]);
        }
        let output = tool::probe(machine, words)?;
        const MISSING: &str = "One or more supplied key could not be found in the database.";
        match output.rc {
            0 => {
                let entries = entries(&args, &output.stdout_text());
                Ok(returns(&args, entries, None))
            }
            1 => Err(Failure::new("Missing arguments, or database unknown.")),
            2 if args.fail_key => Err(Failure::new(MISSING)),
            2 => {
                let key = args.key.as_deref().unwrap_or_default();
                let none = Map::from_iter([(Key::from(key), Value::Null)]);
                Ok(returns(&args, none, Some(MISSING)))
            }
            3 => Err(Failure::new("Enumeration not supported on this database.")),
            _ => Err(Failure::new("Unexpected failure!")),
        }
    }
}

fn returns(args: &Args, entries: Map, msg: Option<&'static str>) -> Returns {
    let name = format!("getent_{}", args.database);
    let facts = Map::from_iter([(Key::from(name.as_str()), Value::map(entries))]);
    Returns {
        ansible_facts: Value::map(facts),
        msg,
    }
}

fn entries(args: &Args, text: &str) -> Map {
    let colon = matches!(
        args.database.as_str(),
        "passwd" | "shadow" | "group" | "gshadow"
    );
    let separator = args.split.as_deref().or(colon.then_some(":"));
    let mut out = Map::default();
    let mut several = Vec::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = match separator {
            Some(separator) if !separator.is_empty() => line.split(separator).collect(),
            _ => line.split_whitespace().collect(),
        };
        if fields.is_empty() {
            continue;
        }
        let key = Key::from(fields.remove(0));
        let entry = Value::list(fields.into_iter().map(Value::str).collect());
        // an entry that comes again makes a list of all of them
        let value = match out.get(&key) {
            None => entry,
            Some(first) if !several.contains(&key) => {
                several.push(key.clone());
                Value::list(vec![first.clone(), entry])
            }
            Some(before) => {
                let mut all = before.as_list().unwrap_or_default().to_vec();
                all.push(entry);
                Value::list(all)
            }
        };
        out.insert(key, value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_split_by_what_the_database_has() {
        let cases = [
            ("group", None, "a:x:1:b,c\n", r#"{"a":["x","1","b,c"]}"#),
            ("group", Some(","), "a:x,b\n", r#"{"a:x":["b"]}"#),
            (
                "hosts",
                None,
                "::1  a b\n::1 c\n::1 d\n",
                r#"{"::1":[["a","b"],["c"],["d"]]}"#,
            ),
        ];
        for (database, split, text, expected) in cases {
            let args = Args {
                database: database.into(),
                key: None,
                service: None,
                split: split.map(String::from),
                fail_key: true,
            };
            let got = serde_json::to_string(&Value::map(entries(&args, text))).unwrap();
            assert_eq!(got, expected);
        }
    }
}
