//! Values to YAML text, byte for byte as PyYAML writes them for `to_yaml` and `to_nice_yaml`.
//!
//! Where Python writes an anchor for an object that occurs twice, the object is written twice here: values
//! have no identity.

use super::scalar;
use crate::error::{Error, Kind, Result};
use crate::python;
use crate::value::{Key, Map, Value};
use fancy_regex::Regex;
use libyaml_safer::{
    BOOL_TAG, Emitter, Encoding, Event, FLOAT_TAG, INT_TAG, MAP_TAG, MappingStyle, NULL_TAG,
    SEQ_TAG, STR_TAG, ScalarStyle, SequenceStyle,
};
use std::borrow::Cow;
use std::sync::LazyLock;

/// How text is laid out; the names are those of `yaml.dump` in Python.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns per level, 2 to 9.
    pub indent: i32,
    /// The column from which on lines are folded; below 0 for never.
    pub width: i32,
    /// `[a, b]` and `{a: b}` always, never, or (none) where all children are scalars.
    pub default_flow_style: Option<bool>,
    /// The quote, `|` or `>`, that all scalars get.
    pub default_style: Option<char>,
    /// Text of several lines gets `|`, as Ansible shows results.
    pub block_text: bool,
    pub sort_keys: bool,
    /// Write `---` and `...`.
    pub explicit_start: bool,
    pub explicit_end: bool,
}

impl Options {
    /// The defaults of `to_yaml`.
    pub fn plain() -> Options {
        Options {
            indent: 2,
            width: 80,
            default_flow_style: None,
            default_style: None,
            block_text: false,
            sort_keys: true,
            explicit_start: false,
            explicit_end: false,
        }
    }

    /// The defaults of `to_nice_yaml`.
    pub fn nice() -> Options {
        Options {
            indent: 4,
            default_flow_style: Some(false),
            ..Options::plain()
        }
    }
}

/// `value` as a YAML document.
///
/// Fails only if a value that is computed when asked for fails.
pub fn emit(value: &Value, options: &Options) -> Result<String> {
    let mut out = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut out);
    emitter.set_unicode(true);
    emitter.set_indent(options.indent);
    emitter.set_width(options.width);
    let mut writer = Writer { emitter, options };
    writer.send(Event::stream_start(Encoding::Utf8))?;
    writer.send(Event::document_start(None, &[], !options.explicit_start))?;
    writer.value(value)?;
    writer.send(Event::document_end(!options.explicit_end))?;
    writer.send(Event::stream_end())?;
    drop(writer);
    let text = String::from_utf8(out).map_err(|e| Error::new(Kind::Unexpected, e.to_string()))?;
    Ok(escape_astral(text))
}

/// Whether PyYAML's libyaml takes `c` for unprintable where the Rust one does not.
fn is_astral(c: char) -> bool {
    c >= '\u{10000}'
}

/// Escapes what [`is_astral`]; such characters are in double quotes already.
fn escape_astral(text: String) -> String {
    if !text.contains(is_astral) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_astral(c) {
            out.push_str(&format!("\\U{:08X}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

struct Writer<'o, 'w> {
    emitter: Emitter<'w>,
    options: &'o Options,
}

impl Writer<'_, '_> {
    fn send(&mut self, event: Event) -> Result<()> {
        self.emitter
            .emit(event)
            .map_err(|e| Error::new(Kind::Unexpected, format!("cannot write YAML: {e}")))
    }

    fn value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::List(items) => {
                let flow = self.is_flow(items.iter().all(is_scalar));
                let style = if flow {
                    SequenceStyle::Flow
                } else {
                    SequenceStyle::Block
                };
                self.send(Event::sequence_start(None, Some(SEQ_TAG), true, style))?;
                for item in items.iter() {
                    self.value(item)?;
                }
                self.send(Event::sequence_end())
            }
            Value::Map(map) => self.map(map),
            Value::Dynamic(dynamic) => {
                let mut map = Map::default();
                for key in dynamic.keys() {
                    if let Some(value) = dynamic.get(&key)? {
                        map.insert(Key::Str(key), value);
                    }
                }
                self.map(&map)
            }
            Value::Vault(vault) => self.send(Event::scalar(
                None,
                Some("!vault"),
                &vault.text,
                false,
                false,
                ScalarStyle::Literal,
            )),
            scalar => self.scalar(scalar),
        }
    }

    fn map(&mut self, map: &Map) -> Result<()> {
        let flow = self.is_flow(map.values().all(is_scalar));
        let style = if flow {
            MappingStyle::Flow
        } else {
            MappingStyle::Block
        };
        self.send(Event::mapping_start(None, Some(MAP_TAG), true, style))?;
        let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
        if self.options.sort_keys {
            python::sort_keys(&mut entries);
        }
        for (key, value) in entries {
            self.value(&key.to_value())?;
            self.value(value)?;
        }
        self.send(Event::mapping_end())
    }

    fn is_flow(&self, only_scalars: bool) -> bool {
        self.options
            .default_flow_style
            .unwrap_or(only_scalars && self.options.default_style.is_none())
    }

    fn scalar(&mut self, value: &Value) -> Result<()> {
        let (tag, text): (&str, Cow<'_, str>) = match value {
            Value::Null | Value::Omit => (NULL_TAG, "null".into()),
            Value::Bool(b) => (BOOL_TAG, if *b { "true" } else { "false" }.into()),
            Value::Int(i) => (INT_TAG, i.to_string().into()),
            Value::BigInt(digits) => (INT_TAG, digits.as_ref().into()),
            Value::Float(f) => (FLOAT_TAG, float(*f).into()),
            other => (STR_TAG, other.as_str().unwrap_or("").into()),
        };
        let text_tag = tag == STR_TAG;
        let style = match self.options.default_style {
            _ if text.contains(is_astral) => ScalarStyle::DoubleQuoted,
            Some('"') => ScalarStyle::DoubleQuoted,
            Some('\'') => ScalarStyle::SingleQuoted,
            Some('|') => ScalarStyle::Literal,
            Some('>') => ScalarStyle::Folded,
            _ if self.options.block_text && has_line_break(&text) => ScalarStyle::Literal,
            _ => ScalarStyle::Any,
        };
        let plain = !text_tag || !means_something_else(&text);
        self.send(Event::scalar(
            None,
            Some(tag),
            &text,
            plain,
            text_tag,
            style,
        ))
    }
}

/// Whether a text has a line break, by Unicode's idea of it.
fn has_line_break(text: &str) -> bool {
    text.contains([
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
        '\u{2029}',
    ])
}

fn is_scalar(value: &Value) -> bool {
    !matches!(
        value,
        Value::List(_) | Value::Map(_) | Value::Dynamic(_) | Value::Vault(_)
    )
}

/// Whether a text would be read as something else if it stood there without quotes.
fn means_something_else(text: &str) -> bool {
    static TIMESTAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)$",
        )
        .ok()
    });
    let digit = text.bytes().next().is_some_and(|b| b.is_ascii_digit());
    let timestamp = |t: &Regex| t.is_match(text).unwrap_or(false);
    matches!(text, "<<" | "=")
        || scalar::resolve(text).is_some()
        || digit && TIMESTAMP.as_ref().is_some_and(timestamp)
}

fn float(f: f64) -> String {
    match python::float(f).as_str() {
        "nan" => ".nan".into(),
        "inf" => ".inf".into(),
        "-inf" => "-.inf".into(),
        // YAML 1.1 wants a point in front of an exponent
        text if !text.contains('.') => text.replacen('e', ".0e", 1),
        text => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared, with 20000 random values more, with what ansible-core's filters write.
    #[test]
    fn text_is_what_pyyaml_writes() {
        let nice = Options::nice();
        let plain = Options::plain();
        let narrow = Options {
            width: 20,
            ..Options::plain()
        };
        let started = Options {
            indent: 2,
            explicit_start: true,
            sort_keys: false,
            ..Options::nice()
        };
        for (yaml, options, want) in [
            ("abc", &nice, "abc\n"),
            ("[]", &nice, "[]\n"),
            (
                "{b: [1, {c: x}], a: {}}",
                &nice,
                "a: {}\nb:\n- 1\n-   c: x\n",
            ),
            ("{b: [1, 2], a: {c: x}}", &plain, "a: {c: x}\nb: [1, 2]\n"),
            ("{b: 1, a: ~}", &started, "---\nb: 1\na: null\n"),
            (
                "['yes', '0644', '1:30', '2020-01-01', '', '=', 0o1]",
                &nice,
                "- 'yes'\n- '0644'\n- '1:30'\n- '2020-01-01'\n- ''\n- '='\n- 0o1\n",
            ),
            (
                "[true, 1.5, 1.0e+17, 1.0e-7, .inf, .nan]",
                &nice,
                "- true\n- 1.5\n- 1.0e+17\n- 1.0e-07\n- .inf\n- .nan\n",
            ),
            (
                "[\"a: b\", \"# x\", \"it's\", \"'q'\", \"{x}\", \"- a\", '@b']",
                &nice,
                "- 'a: b'\n- '# x'\n- it's\n- '''q'''\n- '{x}'\n- '- a'\n- '@b'\n",
            ),
            (
                "[\"a\\nb\\n\", \"a\\tb\", é, \"\\x07\", \"\\U0001F600\", \"trail \"]",
                &nice,
                "- 'a\n\n    b\n\n    '\n- \"a\\tb\"\n- é\n- \"\\a\"\n- \"\\U0001F600\"\n- 'trail '\n",
            ),
            (
                "a: long long long long long",
                &narrow,
                "{a: long long long long\n    long}\n",
            ),
            ("{2: b, 1: a}", &nice, "1: a\n2: b\n"),
        ] {
            let value = crate::yaml::load_str("t", yaml).unwrap().to_value();
            assert_eq!(emit(&value, options).unwrap(), want, "{yaml}");
        }
    }
}
