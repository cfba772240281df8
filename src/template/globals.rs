//! The functions that every template has: `range`, `dict`, `lookup`, `now`, ...

use super::call::Call;
use super::compile::bare;
use super::interp::{Args, Interp};
use super::lookups;
use super::ops::failure;
use super::times::Moment;
use super::val::{Dict, Function, Obj, V};
use crate::error::Kind;
use crate::notice;
use crate::value::{Key, Value};
use crate::{Error, Result};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

impl Args {
    fn named(&mut self, name: &str) -> Option<V> {
        let i = self.kw.iter().position(|(k, _)| **k == *name)?;
        Some(self.kw.remove(i).1)
    }
}

/// What `undef()` without a hint says.
pub const UNNAMED: &str = "Mandatory variable has not been overridden";

impl Interp<'_> {
    fn integer(&self, v: &V) -> Result<i64> {
        match self.defined_value(v)? {
            Value::Int(i) => Ok(i),
            Value::Bool(b) => Ok(i64::from(b)),
            other => Err(failure(format_args!(
                "'{}' object cannot be interpreted as an integer",
                other.type_name()
            ))),
        }
    }

    /// Calls a function that every template has.
    pub fn function(&self, function: Function, mut args: Args) -> Result<V> {
        match function {
            Function::Range => {
                let n = args
                    .pos
                    .iter()
                    .map(|v| self.integer(v))
                    .collect::<Result<Vec<i64>>>()?;
                let (start, stop, step) = match n[..] {
                    [stop] => (0, stop, 1),
                    [start, stop] => (start, stop, 1),
                    [start, stop, step] => (start, stop, step),
                    _ => {
                        return Err(failure(format_args!(
                            "range expected at least 1 argument, got {}",
                            n.len()
                        )));
                    }
                };
                if step == 0 {
                    return Err(failure("range() arg 3 must not be zero"));
                }
                // Jinja2 has no limit here; a loop over more is a mistake
                if super::val::range_len(start, stop, step) > 10_000_000 {
                    return Err(failure("the range is too long"));
                }
                Ok(V::obj(Obj::Range(start, stop, step)))
            }
            Function::Dict => self.new_dict(args).map(V::dict),
            Function::Namespace => {
                let entries = self.new_dict(args)?;
                Ok(V::obj(Obj::Namespace(RefCell::new(entries))))
            }
            Function::Cycler => {
                if args.pos.is_empty() {
                    return Err(failure("at least one item has to be provided"));
                }
                Ok(V::obj(Obj::Cycler(args.pos, Cell::new(0))))
            }
            Function::Joiner => {
                let separator = match args.pos.first().cloned().or_else(|| args.named("sep")) {
                    Some(v) => self.text(&v)?,
                    None => ", ".into(),
                };
                Ok(V::obj(Obj::Joiner(separator, Cell::new(false))))
            }
            Function::Undef => {
                let hint = args.pos.first().cloned().or_else(|| args.named("hint"));
                Ok(V::undefined(match hint {
                    Some(V::Data(Value::Null)) | None => UNNAMED.to_string(),
                    Some(v) => self.text(&v)?,
                }))
            }
            Function::Now => self.now(args),
            Function::Lipsum => self.lipsum(args),
            Function::Lookup => self.lookup(args, false),
            Function::Query => self.lookup(args, true),
        }
    }

    fn new_dict(&self, args: Args) -> Result<Dict> {
        let mut entries = Dict::default();
        if args.pos.len() > 1 {
            return Err(failure(format_args!(
                "dict expected at most 1 argument, got {}",
                args.pos.len()
            )));
        }
        if let Some(from) = args.pos.first() {
            entries = self.entries_of(from)?;
        }
        for (name, v) in args.kw {
            entries.insert(Key::Str(name), v);
        }
        Ok(entries)
    }

    /// The entries of a mapping or of a list of pairs, as Python's `dict()` takes them.
    pub fn entries_of(&self, from: &V) -> Result<Dict> {
        let mut entries = Dict::default();
        let mapping = match from {
            V::Data(Value::Map(_) | Value::Dynamic(_)) | V::Lazy(Value::Map(_)) | V::Dict(_) => {
                true
            }
            V::Obj(o) => matches!(**o, Obj::Namespace(_) | Obj::Vars),
            _ => false,
        };
        for (i, item) in self.iterate(from)?.into_iter().enumerate() {
            if mapping {
                let key = self.key(self.defined_value(&item)?)?;
                if let Some(v) = self.entry(from, &key)? {
                    entries.insert(key, v);
                }
                continue;
            }
            let pair = self.iterate(&item).map_err(|_| {
                failure(format_args!(
                    "cannot convert dictionary update sequence element #{i} to a sequence"
                ))
            })?;
            let [key, v] = &pair[..] else {
                return Err(failure(format_args!(
                    "dictionary update sequence element #{i} has length {}; 2 is required",
                    pair.len()
                )));
            };
            entries.insert(self.key(self.defined_value(key)?)?, v.clone());
        }
        Ok(entries)
    }

    fn now(&self, mut args: Args) -> Result<V> {
        let utc = args
            .pos
            .first()
            .cloned()
            .or_else(|| args.named("utc"))
            .is_some_and(|v| v.is_truthy());
        let format = args.pos.get(1).cloned().or_else(|| args.named("fmt"));
        let now = if utc {
            jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC)
        } else {
            jiff::Zoned::now()
        };
        let moment = Moment::of(&now);
        match format {
            None | Some(V::Data(Value::Null)) => Ok(V::obj(Obj::Time(moment))),
            Some(format) => moment.strftime(&self.text(&format)?).map(V::str),
        }
    }

    fn lipsum(&self, mut args: Args) -> Result<V> {
        const WORDS: &str = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor \
            incididunt ut labore et dolore magna aliqua ut enim ad minim veniam quis nostrud exercitation";
        let count = match args.pos.first().cloned().or_else(|| args.named("n")) {
            Some(v) => self.integer(&v)?.clamp(0, 1000),
            None => 5,
        };
        let html = args
            .pos
            .get(1)
            .cloned()
            .or_else(|| args.named("html"))
            .is_none_or(|v| v.is_truthy());
        let paragraph = {
            let text = WORDS.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut chars = text.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            format!("{}{}.", first.unwrap_or('L'), chars.as_str())
        };
        let paragraphs: Vec<String> = (0..count)
            .map(|_| {
                if html {
                    format!("<p>{paragraph}</p>")
                } else {
                    paragraph.clone()
                }
            })
            .collect();
        Ok(V::str(paragraphs.join(if html { "\n" } else { "\n\n" })))
    }

    /// `lookup(name, terms, options)` and `query(...)`.
    ///
    /// Follows <https://docs.ansible.com/ansible/latest/plugins/lookup.html>.
    fn lookup(&self, mut args: Args, query: bool) -> Result<V> {
        if args.pos.is_empty() {
            return Err(failure(
                "lookup() missing 1 required positional argument: 'plugin_name'",
            ));
        }
        let name = self.text(&args.pos.remove(0))?;
        let wantlist = args.named("wantlist").map_or(query, |v| v.is_truthy());
        let errors = match args.named("errors") {
            Some(v) => self.text(&v)?,
            None => "strict".into(),
        };
        if !matches!(&*errors, "strict" | "warn" | "ignore") {
            return Err(failure(format_args!(
                "errors expected one of 'strict', 'warn' or 'ignore', but got '{errors}'"
            )));
        }
        let Some(lookup) = lookups::ALL.find(bare(&name)) else {
            let error = Error::new(
                Kind::Template,
                format!("The lookup plugin '{name}' was not found."),
            );
            return Err(
                match crate::error::did_you_mean(bare(&name), lookups::ALL.names()) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error,
                },
            );
        };
        let result = args
            .pos
            .iter()
            .map(|v| self.to_value(v))
            .collect::<Result<Vec<Value>>>()
            .and_then(|terms| {
                let kwargs = args
                    .kw
                    .iter()
                    .map(|(k, v)| Ok((Key::Str(Arc::clone(k)), self.to_value(v)?)))
                    .collect::<Result<_>>()?;
                lookups::call(
                    lookup,
                    Call {
                        name: bare(&name),
                        value: Value::Null,
                        args: terms,
                        kwargs,
                        templar: self.templar,
                    },
                )
            });
        let items = match result {
            Ok(items) => items,
            Err(error) if error.kind() == Kind::Undefined || errors == "strict" => {
                return Err(
                    if error.kind() == Kind::Template
                        && !error.message().starts_with("The lookup plugin")
                        && !error.message().starts_with("Syntax error in template")
                    {
                        error.context(format!("The lookup plugin '{name}' failed"))
                    } else {
                        error
                    },
                );
            }
            Err(error) => {
                let message = format!(
                    "An error occurred while running the lookup plugin '{}': {error}",
                    bare(&name)
                );
                if errors == "warn" {
                    notice::warning(message);
                } else {
                    notice::verbose(1, message);
                }
                return Ok(if wantlist {
                    V::Data(Value::list(Vec::new()))
                } else {
                    V::null()
                });
            }
        };
        if wantlist {
            return Ok(V::Data(Value::list(items)));
        }
        let texts = items.iter().all(|v| matches!(v, Value::Str(_)));
        Ok(V::Data(match items.len() {
            0 => Value::list(Vec::new()),
            1 => items.into_iter().next().unwrap_or_default(),
            _ if texts => Value::from(
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
            ),
            _ => Value::list(items),
        }))
    }
}
