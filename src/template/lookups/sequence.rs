//! `with_sequence`: numbers as text.
//!
//! Follows <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/sequence_lookup.html>.

use super::Lookup;
use super::terms::{self, no_more_options};
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::percent;
use crate::template::python;
use crate::template::regex::{self, Flags};
use crate::value::Value;

/// So many numbers are more than a playbook can mean.
const LIMIT: usize = 1_000_000;

struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

fn number(name: &str, text: &str) -> Result<i64> {
    text.trim().parse().map_err(|_| {
        error(format!(
            "Config '{name}' for 'sequence' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {}",
            python::quote(text)
        ))
    })
}

impl Sequence {
    fn new() -> Sequence {
        Sequence {
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".into(),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name {
            "start" => self.start = number(name, value)?,
            "end" => self.end = Some(number(name, value)?),
            "count" => self.count = Some(number(name, value)?),
            "stride" => self.stride = number(name, value)?,
            "format" => self.format = value.to_string(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `[start-]end[/stride][:format]`. False if the text is not of that form.
    fn shortcut(&mut self, text: &str) -> Result<bool> {
        const FORM: &str =
            r"(?i)^(?:(0?x?[0-9a-f]+)\s*-\s*)?(0?x?[0-9a-f]+)(?:/(0?x?[0-9a-f]+))?(?::(.+))?$";
        let form = regex::compile(FORM, Flags::default())?;
        let Some(found) = regex::search(&form, text)? else {
            return Ok(false);
        };
        for (i, name) in ["start", "end", "stride", "format"].iter().enumerate() {
            if let Some(part) = found.get(i + 1) {
                self.set(name, part.as_str())?;
            }
        }
        Ok(true)
    }

    fn numbers(&self) -> Result<Vec<Value>> {
        let mut stride = self.stride;
        let end = match (self.count, self.end) {
            (None, None) => {
                return Err(error("must specify count or end in with_sequence"));
            }
            (Some(_), Some(_)) => {
                return Err(error("can't specify both count and end in with_sequence"));
            }
            (Some(0), None) => return Ok(Vec::new()),
            (Some(count), None) => self.start + count * stride - 1,
            (None, Some(end)) => end,
        };
        if self.count.is_none() {
            if stride > 0 && end < self.start {
                return Err(error("to count backwards make stride negative"));
            }
            if stride < 0 && end > self.start {
                return Err(error("to count forward don't make stride negative"));
            }
        }
        if self.format.matches('%').count() != 1 {
            return Err(error(format!("bad formatting string: {}", self.format)));
        }
        if stride == 0 {
            return Ok(Vec::new());
        }
        if end < self.start && self.count.is_some() {
            stride = -stride.abs();
        }
        let mut out = Vec::new();
        let mut at = self.start;
        while if stride > 0 { at <= end } else { at >= end } {
            if out.len() == LIMIT {
                return Err(error(format!(
                    "with_sequence gives more than {LIMIT} items"
                )));
            }
            let text = percent::format(&self.format, &percent::Values::One(Value::Int(at)))
                .map_err(|_| {
                    error(format!(
                        "problem formatting {at} with {}",
                        python::quote(&self.format)
                    ))
                })?;
            out.push(Value::from(text));
            at += stride;
        }
        Ok(out)
    }
}

fn sequence(mut call: Call) -> Result<Vec<Value>> {
    let mut base = Vec::new();
    for name in ["start", "end", "count", "stride", "format"] {
        if let Some(value) = terms::take(&mut call, name) {
            base.push((name.to_string(), python::str(&value)));
        }
    }
    no_more_options(&call)?;
    let mut out = Vec::new();
    if call.args.is_empty() && !base.is_empty() {
        call.args.push("".into());
    }
    for term in &call.args {
        let text = python::str(term);
        let mut sequence = Sequence::new();
        for (name, value) in &base {
            sequence.set(name, value)?;
        }
        if !sequence.shortcut(&text)? {
            let parsed = terms::split(term)?;
            let mut unknown = Vec::new();
            for (name, value) in &parsed.pairs {
                if !sequence.set(name, value)? {
                    unknown.push(python::quote(name));
                }
            }
            if !unknown.is_empty() {
                return Err(error(format!(
                    "unrecognized arguments to with_sequence: [{}]",
                    unknown.join(", ")
                )));
            }
            if !parsed.word.is_empty() {
                return Err(error(format!(
                    "can't parse arguments for with_sequence: {}",
                    python::quote(&text)
                )));
            }
        }
        out.extend(sequence.numbers()?);
    }
    Ok(out)
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("sequence", sequence)];
