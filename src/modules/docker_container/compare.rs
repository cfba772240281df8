//! When what a container has is as good as what it should have.

use super::super::Failure;
use super::super::common::docker::Options;
use crate::modules::args;
use serde_json::{Map, Value as Json};

/// How values of an option are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Value,
    /// In order.
    List,
    Set,
    /// A set of dictionaries, in which a container may have more entries.
    Dicts,
    Dict,
}

/// What the option `comparisons` says of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Strict,
    Ignore,
    AllowMorePresent,
}

/// The modes of all options.
pub struct Modes {
    all: Option<Mode>,
    each: Vec<(String, Mode)>,
}

/// Options whose values are single ones, which the message about a mode that does not fit names.
fn is_value(kind: Option<Kind>) -> bool {
    matches!(kind, None | Some(Kind::Value))
}

impl Modes {
    /// Fails if the option `comparisons` says what cannot be. `kind` knows the options that are compared.
    pub fn read(
        options: &Options,
        kind: impl Fn(&str) -> Option<Option<Kind>>,
    ) -> Result<Modes, Failure> {
        let mut modes = Modes {
            all: None,
            each: Vec::new(),
        };
        for (key, value) in options.map("comparisons").into_iter().flatten() {
            let (key, word) = (key.to_string(), args::text(value));
            let mode = match word.as_str() {
                "strict" => Mode::Strict,
                "ignore" => Mode::Ignore,
                "allow_more_present" => Mode::AllowMorePresent,
                _ => {
                    let msg = format!("Unknown comparison mode '{word}'!");
                    return Err(Failure::new(msg));
                }
            };
            if key == "*" {
                if mode == Mode::AllowMorePresent {
                    return Err(Failure::new(
                        "The wildcard can only be used with comparison modes 'strict' and 'ignore'!",
                    ));
                }
                modes.all = Some(mode);
                continue;
            }
            let key = match key.as_str() {
                "exposed" | "expose" => "exposed_ports",
                "forcekill" => "force_kill",
                "log_opt" => "log_options",
                "ports" => "published_ports",
                key => key,
            };
            let Some(kind) = kind(key) else {
                let msg = format!("Unknown module option '{key}' in comparisons dict!");
                return Err(Failure::new(msg));
            };
            if mode == Mode::AllowMorePresent && is_value(kind) {
                return Err(Failure::new(format!(
                    "Option '{key}' is a value and not a set/list/dict, so its comparison cannot be allow_more_present"
                )));
            }
            modes.each.push((key.to_string(), mode));
        }
        Ok(modes)
    }

    /// What was said of this very option.
    pub fn said(&self, option: &str) -> Option<Mode> {
        let found = self.each.iter().find(|(name, _)| name == option);
        found.map(|(_, mode)| *mode)
    }

    /// The mode of an option that nothing is said of depends on its kind.
    pub fn of(&self, option: &str, kind: Kind) -> Mode {
        self.said(option).or(self.all).unwrap_or(match kind {
            Kind::Value | Kind::List => Mode::Strict,
            Kind::Set | Kind::Dicts | Kind::Dict => Mode::AllowMorePresent,
        })
    }
}

/// Whether `have` will do for `want`.
pub fn fits(want: &Json, have: &Json, kind: Kind, mode: Mode) -> bool {
    if mode == Mode::Ignore {
        return true;
    }
    let strict = mode == Mode::Strict;
    let (wanted, there) = (items(want), items(have));
    match kind {
        Kind::Value => want == have,
        Kind::List if strict => wanted == there,
        Kind::List => {
            let mut rest = there.iter();
            wanted.iter().all(|w| rest.any(|h| h == w))
        }
        Kind::Set => {
            let all = |a: &[Json], b: &[Json]| a.iter().all(|x| b.contains(x));
            all(wanted, there) && (!strict || all(there, wanted))
        }
        Kind::Dicts => {
            let found = |w: &Json| there.iter().any(|h| contains(h, w));
            wanted.iter().all(found)
                && (!strict || there.iter().all(|h| wanted.iter().any(|w| contains(h, w))))
        }
        Kind::Dict => match (want.as_object(), have.as_object()) {
            (Some(w), Some(h)) => contains(have, want) && (!strict || w.len() == h.len()),
            (Some(w), None) => w.is_empty(),
            _ => want == have,
        },
    }
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// Whether `all` has every entry of `some`.
fn contains(all: &Json, some: &Json) -> bool {
    let none = Map::new();
    let some = some.as_object().unwrap_or(&none);
    some.iter().all(|(key, value)| all.get(key) == Some(value))
}

/// A value as differences show it: sets in order.
pub fn shown(json: &Json, kind: Kind) -> Json {
    match (json, kind) {
        (Json::Array(items), Kind::Set) => {
            let mut items = items.clone();
            items.sort_by_key(text);
            Json::Array(items)
        }
        (Json::Array(items), Kind::Dicts) => {
            let mut items = items.clone();
            items.sort_by_key(|item| {
                let mut entries: Vec<(String, String)> = item
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(k, v)| (k.clone(), text(v)))
                    .collect();
                entries.sort();
                entries
            });
            Json::Array(items)
        }
        _ => json.clone(),
    }
}

fn text(json: &Json) -> String {
    args::text(&crate::Value::from_json(json.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_may_have_more_unless_it_is_strict() {
        use Kind::*;
        use Mode::*;
        for (want, have, kind, strict, more) in [
            (json!(1), json!(1), Value, true, true),
            (json!(1), json!(null), Value, false, false),
            (json!(["a", "b"]), json!(["a", "x", "b"]), List, false, true),
            (json!(["b", "a"]), json!(["a", "b"]), List, false, false),
            (json!(["b", "a"]), json!(["a", "b"]), Set, true, true),
            (json!(["a"]), json!(["a", "b"]), Set, false, true),
            (json!([]), json!(null), Set, true, true),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), Dict, false, true),
            (json!({"a": 1}), json!({"a": 2}), Dict, false, false),
            (json!({}), json!(null), Dict, true, true),
            (
                json!([{"a": 1}]),
                json!([{"a": 1, "b": 2}]),
                Dicts,
                true,
                true,
            ),
            (
                json!([{"a": 1}]),
                json!([{"a": 1}, {"a": 2}]),
                Dicts,
                false,
                true,
            ),
        ] {
            assert_eq!(fits(&want, &have, kind, Strict), strict, "{want} {have}");
            assert_eq!(
                fits(&want, &have, kind, AllowMorePresent),
                more,
                "{want} {have}"
            );
            assert!(fits(&want, &have, kind, Ignore));
        }
    }
}
