//! Parser events to [`Node`]s: anchors, aliases, merge keys, tags, duplicate keys.
//!
//! Built with a stack of its own, and with bounds on depth and on what aliases may multiply, so that no
//! text can exhaust the stack or the memory.

use super::{Data, Duplicates, Node, problem, scalar};
use crate::error::{Error, Result, did_you_mean};
use crate::notice;
use crate::source::{Location, Source};
use crate::value::{Key, Template, Text, Value, Vault, is_template};
use libyaml_safer::{Event, EventData, Mark, Parser, ScalarStyle};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How deep lists and mappings may be nested.
const MAX_DEPTH: usize = 256;
/// How many nodes all aliases of a text together may stand for.
const MAX_ALIASED: usize = 1_000_000;
const CORE: &str = "tag:yaml.org,2002:";

/// What texts with a template in them become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Templates: the text is the user's own.
    Templates,
    /// Inert text: the data comes from elsewhere, such as through the `from_yaml` filter.
    Inert,
}

/// All documents of `text`, which `source` names. With `single`, a second document is an error.
pub(super) fn compose(
    text: &str,
    source: &Arc<Source>,
    trust: Trust,
    single: bool,
) -> Result<Vec<Node>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    parser.set_encoding(libyaml_safer::Encoding::Utf8);
    let mut composer = Composer {
        text,
        source,
        lines: line_starts(text),
        inert: trust == Trust::Inert,
        anchors: HashMap::new(),
        made: 0,
        aliased: 0,
        frames: Vec::new(),
        documents: Vec::new(),
    };
    loop {
        let event = parser
            .parse()
            .map_err(|e| problem::explain(&e, text, source))?;
        match event.data {
            EventData::StreamEnd => return Ok(composer.documents),
            EventData::DocumentStart { .. } if single && !composer.documents.is_empty() => {
                return Err(composer.error(
                    event.start_mark,
                    "Expected a single document in the stream but found another document.",
                ));
            }
            EventData::DocumentStart { .. } => composer.anchors.clear(),
            EventData::StreamStart { .. } | EventData::DocumentEnd { .. } => {}
            _ => composer.event(event)?,
        }
    }
}

/// Byte offset of every line's first character, with YAML's idea of a line break.
fn line_starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = match c {
            '\r' => match chars.next_if(|(_, n)| *n == '\n') {
                Some(_) => at + 2,
                None => at + 1,
            },
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => at + c.len_utf8(),
            _ => continue,
        };
        starts.push(end);
    }
    starts
}

struct Composer<'t> {
    text: &'t str,
    source: &'t Arc<Source>,
    lines: Vec<usize>,
    /// Whether the texts read now are never templates.
    inert: bool,
    /// Anchored nodes with their size; none while the node is still being read.
    anchors: HashMap<String, Option<(Node, usize)>>,
    /// Nodes made so far, to know a node's size.
    made: usize,
    aliased: usize,
    frames: Vec<Frame>,
    documents: Vec<Node>,
}

/// A list or mapping that is being read.
struct Frame {
    at: Location,
    mark: Mark,
    anchor: Option<String>,
    made_before: usize,
    inert_before: bool,
    kind: Collection,
    content: Content,
}

/// What a collection is made into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Collection {
    Plain,
    /// `!!omap` and `!!pairs`: a list of pairs.
    Pairs,
    /// `!!set`: a list of the keys.
    Set,
}

enum Content {
    Seq(Vec<Node>),
    Map {
        entries: Vec<(Node, Node)>,
        /// Entries that came through `<<`, weakest first.
        merged: Vec<(Node, Node)>,
        key: Option<PendingKey>,
    },
}

enum PendingKey {
    Merge,
    Key(Node),
}

/// A finished node on its way to its parent.
struct Done {
    node: Node,
    mark: Mark,
    /// Whether it is a `<<` that means a merge where it is a key.
    merge: bool,
}

impl Composer<'_> {
    fn event(&mut self, event: Event) -> Result<()> {
        let start = event.start_mark;
        match event.data {
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                style,
                ..
            } => {
                self.made += 1;
                let marked = anchor.is_some() || tag.is_some();
                let done =
                    self.scalar(start, tag.as_deref(), value, plain_implicit, style, marked)?;
                if let Some(anchor) = anchor {
                    self.remember(anchor, &done.node, 1, start)?;
                }
                self.add(done)
            }
            EventData::Alias { anchor } => {
                let (node, size) = match self.anchors.get(&anchor) {
                    Some(Some((node, size))) => (node.clone(), *size),
                    Some(None) => {
                        return Err(self.error(
                            start,
                            format!("The alias *{anchor} is inside the value that it stands for."),
                        ));
                    }
                    None => {
                        let known = self.anchors.keys().map(String::as_str);
                        let error = self.error(start, format!("Found undefined alias *{anchor}."));
                        return Err(match did_you_mean(&anchor, known) {
                            Some(near) => error.hint(format!("did you mean *{near}?")),
                            None => error.hint(format!(
                                "no value before this has the anchor &{anchor}; text that begins with * must be quoted"
                            )),
                        });
                    }
                };
                self.count_copy(size, start)?;
                self.made += size;
                self.add(Done {
                    node,
                    mark: start,
                    merge: false,
                })
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.open(start, anchor, tag.as_deref(), true)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.open(start, anchor, tag.as_deref(), false)
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn place(&self, mark: Mark) -> Location {
        problem::place(self.source, mark)
    }

    fn error(&self, mark: Mark, message: impl Into<String>) -> Error {
        Error::parse(format!("YAML parsing failed: {}", message.into())).at(&self.place(mark))
    }

    fn count_copy(&mut self, size: usize, mark: Mark) -> Result<()> {
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            return Err(self.error(
                mark,
                format!("The aliases stand for more than {MAX_ALIASED} values."),
            ));
        }
        Ok(())
    }

    fn remember(&mut self, anchor: String, node: &Node, size: usize, mark: Mark) -> Result<()> {
        self.count_copy(size, mark)?;
        self.anchors.insert(anchor, Some((node.clone(), size)));
        Ok(())
    }

    fn open(
        &mut self,
        mark: Mark,
        anchor: Option<String>,
        tag: Option<&str>,
        sequence: bool,
    ) -> Result<()> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.error(
                mark,
                format!("Lists and mappings are nested more than {MAX_DEPTH} levels deep."),
            ));
        }
        let inert_before = self.inert;
        let found = if sequence { "sequence" } else { "mapping" };
        let expected = |what: &str| {
            Err(self.error(mark, format!("Expected a {what} node, but found {found}.")))
        };
        let core = tag.and_then(|t| t.strip_prefix(CORE));
        let kind = match (tag, core) {
            (None | Some("!"), _) => Collection::Plain,
            (_, Some("seq")) if sequence => Collection::Plain,
            (_, Some("map")) if !sequence => Collection::Plain,
            (_, Some("omap" | "pairs")) if sequence => Collection::Pairs,
            (_, Some("set")) if !sequence => Collection::Set,
            (_, Some("seq" | "omap" | "pairs")) => return expected("sequence"),
            (_, Some("map" | "set")) => return expected("mapping"),
            (_, Some("str" | "int" | "float" | "bool" | "null" | "timestamp" | "binary")) => {
                return expected("scalar");
            }
            (Some("!unsafe"), _) => {
                self.inert = true;
                Collection::Plain
            }
            (Some(tag @ ("!vault" | "!vault-encrypted")), _) => {
                return Err(self.error(mark, format!("The '{tag}' tag requires a string value.")));
            }
            (Some(tag), _) => return Err(self.unknown_tag(mark, tag)),
        };
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), None);
        }
        self.made += 1;
        self.frames.push(Frame {
            at: self.place(mark),
            mark,
            anchor,
            made_before: self.made - 1,
            inert_before,
            kind,
            content: if sequence {
                Content::Seq(Vec::new())
            } else {
                Content::Map {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    key: None,
                }
            },
        });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        self.inert = frame.inert_before;
        let data = match (frame.content, frame.kind) {
            (Content::Seq(items), Collection::Pairs) => {
                let mut pairs = Vec::with_capacity(items.len());
                for item in items {
                    let at = item.at.clone();
                    match item.data {
                        Data::Map(mut entries) if entries.len() == 1 => {
                            let (key, value) = entries.remove(0);
                            pairs.push(Node {
                                data: Data::Seq(vec![key, value]),
                                at,
                            });
                        }
                        _ => {
                            return Err(Error::parse(
                                "YAML parsing failed: Expected a mapping of length 1.",
                            )
                            .at(&at));
                        }
                    }
                }
                Data::Seq(pairs)
            }
            (Content::Seq(items), _) => Data::Seq(items),
            (
                Content::Map {
                    entries, merged, ..
                },
                kind,
            ) => {
                let entries = self.unique(entries, merged)?;
                match kind {
                    Collection::Set => Data::Seq(entries.into_iter().map(|(k, _)| k).collect()),
                    _ => Data::Map(entries),
                }
            }
        };
        let node = Node { data, at: frame.at };
        if let Some(anchor) = frame.anchor {
            let size = self.made - frame.made_before;
            self.remember(anchor, &node, size, frame.mark)?;
        }
        self.add(Done {
            node,
            mark: frame.mark,
            merge: false,
        })
    }

    /// Gives a finished node to the collection it is in.
    fn add(&mut self, done: Done) -> Result<()> {
        let Done { node, mark, merge } = done;
        let stray_merge = |this: &Self| {
            Err(this
                .error(mark, "Found << where it is not a key.")
                .hint("text that is just << must be quoted"))
        };
        let Some(mut frame) = self.frames.pop() else {
            if merge {
                return stray_merge(self);
            }
            self.documents.push(node);
            return Ok(());
        };
        match &mut frame.content {
            Content::Seq(_) if merge => return stray_merge(self),
            Content::Seq(items) => items.push(node),
            Content::Map {
                entries,
                merged,
                key,
            } => match key.take() {
                None if merge => *key = Some(PendingKey::Merge),
                None if matches!(node.data, Data::Scalar(_)) => *key = Some(PendingKey::Key(node)),
                None => return Err(problem::complex_key(self.text, &node.at)),
                Some(_) if merge => return stray_merge(self),
                Some(PendingKey::Key(key)) => entries.push((key, node)),
                Some(PendingKey::Merge) => merge_from(node, merged)?,
            },
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Entries with unique keys: merged ones first, a later value for a key replacing an earlier one.
    ///
    /// A key given twice in the mapping itself is warned about. Replacing a merged key is what merging is
    /// for, and is not.
    fn unique(
        &self,
        entries: Vec<(Node, Node)>,
        merged: Vec<(Node, Node)>,
    ) -> Result<Vec<(Node, Node)>> {
        if merged.is_empty() && !has_duplicates(&entries) {
            return Ok(entries);
        }
        let own_from = merged.len();
        let mut out: Vec<(Node, Node)> = Vec::with_capacity(own_from + entries.len());
        let mut places: HashMap<Key, (usize, Option<Location>), foldhash::fast::RandomState> =
            HashMap::default();
        for (index, (key, value)) in merged.into_iter().chain(entries).enumerate() {
            let own = index >= own_from;
            let name = Key::from_value(key.to_value());
            match places.get_mut(&name) {
                Some((position, first)) => {
                    if let (true, Some(first)) = (own, &*first) {
                        duplicate(&name, &key.at, first)?;
                    }
                    if own {
                        *first = Some(key.at);
                    }
                    out[*position].1 = value;
                }
                None => {
                    places.insert(name, (out.len(), own.then(|| key.at.clone())));
                    out.push((key, value));
                }
            }
        }
        Ok(out)
    }

    #[allow(clippy::too_many_arguments)] // an event's parts, passed on once
    fn scalar(
        &self,
        start: Mark,
        tag: Option<&str>,
        text: String,
        plain: bool,
        style: ScalarStyle,
        marked: bool,
    ) -> Result<Done> {
        let refuse = |what: &str| {
            Err(self.error(start, format!("'{text}' is not {what}, as its tag says.")))
        };
        let mut merge = false;
        let value = match tag {
            None | Some("!") => {
                merge = plain && text == "<<" && style == ScalarStyle::Plain;
                let resolved = if plain { scalar::resolve(&text) } else { None };
                match resolved {
                    Some(value) => value,
                    None => self.text(text, start, style, marked, self.inert),
                }
            }
            // everything below an !unsafe tag is read as if it were plain, quotes or not
            Some("!unsafe") => match scalar::resolve(&text) {
                Some(value) if !text.is_empty() => value,
                _ => Value::from(text),
            },
            Some(tag @ ("!vault" | "!vault-encrypted")) => {
                if tag == "!vault-encrypted" {
                    notice::deprecated(
                        "Use of the YAML `!vault-encrypted` tag is deprecated. Use `!vault` instead.",
                    );
                }
                Value::Vault(Arc::new(Vault {
                    text: Arc::from(text),
                    at: Some(self.place(start)),
                }))
            }
            Some(tag) => match tag.strip_prefix(CORE) {
                Some("str") => self.text(text, start, style, marked, self.inert),
                Some("null") => Value::Null,
                Some("bool") => match scalar::tagged_bool(&text) {
                    Some(b) => Value::Bool(b),
                    None => return refuse("a boolean"),
                },
                Some("int") => match scalar::tagged_int(&text) {
                    Some(value) => value,
                    None => return refuse("an integer"),
                },
                Some("float") => match scalar::tagged_float(&text) {
                    Some(f) => Value::Float(f),
                    None => return refuse("a float"),
                },
                Some("timestamp") => Value::from(text),
                Some("binary") => match decode_binary(&text) {
                    Some(text) => Value::from(text),
                    None => return refuse("base64 of a UTF-8 text"),
                },
                Some("merge") => {
                    merge = true;
                    Value::Null
                }
                Some("seq" | "omap" | "pairs") => {
                    return Err(self.error(start, "Expected a sequence node, but found scalar."));
                }
                Some("map" | "set") => {
                    return Err(self.error(start, "Expected a mapping node, but found scalar."));
                }
                _ => return Err(self.unknown_tag(start, tag)),
            },
        };
        Ok(Done {
            node: Node {
                data: Data::Scalar(value),
                at: self.place(start),
            },
            mark: start,
            merge,
        })
    }

    /// A text: a template where it looks like one and may be one.
    fn text(
        &self,
        text: String,
        start: Mark,
        style: ScalarStyle,
        marked: bool,
        inert: bool,
    ) -> Value {
        if inert {
            return Value::from(text);
        }
        if !is_template(&text) {
            return Value::Str(Text::trusted(text));
        }
        let offset = self.content_offset(start, style, marked);
        let flow = !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let verbatim =
            flow && !text.contains('\n') && self.text[offset..].starts_with(text.as_str());
        Value::Template(Arc::new(Template {
            text: Arc::from(text),
            at: Some(self.place_of_offset(offset).in_scalar(Some({
                let start = self.place_of_offset(self.offset(start));
                (start.line, start.column)
            }))),
            verbatim,
        }))
    }

    /// Byte offset of a scalar's first content character.
    fn content_offset(&self, start: Mark, style: ScalarStyle, marked: bool) -> usize {
        let mut offset = self.offset(start);
        let skip = |offset: usize, stop: fn(char) -> bool| {
            self.text[offset..]
                .find(stop)
                .map_or(self.text.len(), |n| offset + n)
        };
        let is_break = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        if marked {
            // the event starts at the tag or anchor
            while let Some(c) = self.text[offset..].chars().next() {
                offset = match c {
                    '!' | '&' => skip(offset, char::is_whitespace),
                    '#' => skip(offset, |c| c == '\n'),
                    c if c.is_whitespace() => skip(offset, |c| !c.is_whitespace()),
                    _ => break,
                };
            }
        }
        match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                (offset + 1).min(self.text.len())
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header_end = skip(offset, is_break);
                skip(header_end, |c| !c.is_whitespace())
            }
            _ => offset,
        }
    }

    fn offset(&self, mark: Mark) -> usize {
        let Some(start) = self.lines.get(mark.line as usize) else {
            return self.text.len();
        };
        self.text[*start..]
            .char_indices()
            .nth(mark.column as usize)
            .map_or(self.text.len(), |(n, _)| start + n)
    }

    fn place_of_offset(&self, offset: usize) -> Location {
        let line = self.lines.partition_point(|s| *s <= offset) - 1;
        let column = self.text[self.lines[line]..offset].chars().count();
        Location::new(self.source, line as u32 + 1, column as u32 + 1)
    }

    fn unknown_tag(&self, mark: Mark, tag: &str) -> Error {
        let error = self.error(
            mark,
            format!("Could not determine a constructor for the tag '{tag}'."),
        );
        match did_you_mean(tag, ["!vault", "!unsafe"]) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error
                .hint("Ansible knows !vault and !unsafe; text that begins with ! must be quoted"),
        }
    }
}

/// Adds what a `<<` names to the entries merged so far.
fn merge_from(node: Node, merged: &mut Vec<(Node, Node)>) -> Result<()> {
    let refuse = |what: &str, at: &Location, found: &Data| {
        let found = match found {
            Data::Seq(_) => "sequence",
            _ => "scalar",
        };
        Err(Error::parse(format!(
            "YAML parsing failed: While constructing a mapping expected {what} for merging, but found {found}."
        ))
        .at(at))
    };
    match node.data {
        Data::Map(entries) => merged.extend(entries),
        // the first of a list is the strongest
        Data::Seq(items) => {
            for item in items.into_iter().rev() {
                match item.data {
                    Data::Map(entries) => merged.extend(entries),
                    other => return refuse("a mapping", &item.at, &other),
                }
            }
        }
        other => return refuse("a mapping or list of mappings", &node.at, &other),
    }
    Ok(())
}

fn has_duplicates(entries: &[(Node, Node)]) -> bool {
    // most mappings are small and have plain keys: comparing is quicker than hashing
    if entries.len() <= 8 {
        return entries.iter().enumerate().any(|(i, (key, _))| {
            entries[..i]
                .iter()
                .any(|(other, _)| match (&key.data, &other.data) {
                    (Data::Scalar(a), Data::Scalar(b)) => a == b,
                    _ => false,
                })
        });
    }
    let mut seen: HashSet<Key, foldhash::fast::RandomState> =
        HashSet::with_capacity_and_hasher(entries.len(), Default::default());
    !entries
        .iter()
        .all(|(key, _)| seen.insert(Key::from_value(key.to_value())))
}

/// Says that a key is given twice, as `DUPLICATE_YAML_DICT_KEY` wants it.
fn duplicate(name: &Key, at: &Location, first: &Location) -> Result<()> {
    let shown = match name {
        Key::Str(s) => format!("'{s}'"),
        Key::Other(v) => match v.as_str() {
            Some(text) => format!("'{text}'"),
            None => name.to_string(),
        },
    };
    match super::duplicates() {
        Duplicates::Ignore => Ok(()),
        Duplicates::Warn => {
            notice::warning(format!(
                "Found duplicate mapping key {shown} at {at}, first at line {}, column {}. Using the last value.",
                first.line, first.column
            ));
            Ok(())
        }
        Duplicates::Error => Err(Error::parse(format!(
            "YAML parsing failed: Found duplicate mapping key {shown}."
        ))
        .at(at)
        .hint(format!("it is first given at {first}"))),
    }
}

fn decode_binary(text: &str) -> Option<String> {
    use base64::Engine as _;
    let packed: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .ok()?;
    String::from_utf8(bytes).ok()
}
