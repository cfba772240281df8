//! Text: case, trimming, cutting, wrapping, quoting.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::json;
use crate::template::percent;
use crate::template::protocol::iterate;
use crate::template::python;
use crate::value::Value;

fn upper(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(call.text().to_uppercase()))
}

fn lower(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(call.text().to_lowercase()))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect(),
        None => String::new(),
    }
}

fn capitalize(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(capitalized(&call.text())))
}

/// Words start after white space, `-` and opening brackets.
fn title(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let mut out = String::new();
    let mut start = true;
    for c in call.text().chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = c.is_whitespace() || "-({[<".contains(c);
    }
    Ok(Value::str(out))
}

fn string(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(call.text()))
}

fn trim(mut call: Call) -> Result<Value> {
    let args = call.bind(&["chars"])?;
    let text = call.text();
    Ok(Value::str(match args.given("chars") {
        Some(chars) => {
            let chars = python::str(chars);
            text.trim_matches(|c| chars.contains(c))
        }
        None => text.trim(),
    }))
}

fn replace(mut call: Call) -> Result<Value> {
    let args = call.bind(&["old", "new", "count"])?;
    let (old, new) = (
        python::str(args.need("old")?),
        python::str(args.need("new")?),
    );
    let count = match args.given("count") {
        Some(_) => args.int("count", -1)?,
        None => -1,
    };
    let text = call.text();
    Ok(Value::str(match usize::try_from(count) {
        Ok(n) => text.replacen(&old, &new, n),
        Err(_) => text.replace(&old, &new),
    }))
}

fn center(mut call: Call) -> Result<Value> {
    let args = call.bind(&["width"])?;
    let width = args.int("width", 80)?.max(0) as usize;
    let text = call.text();
    let pad = width.saturating_sub(text.chars().count());
    // Python puts the odd space left only if the width is odd too
    let left = pad / 2 + (pad & width & 1);
    Ok(Value::str(format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(pad - left)
    )))
}

/// `'%s is %d' | format('a', 1)`: Python's `%`.
fn format(call: Call) -> Result<Value> {
    let text = call.text();
    let values = match (call.args.is_empty(), call.kwargs.is_empty()) {
        (false, false) => {
            return Err(error(
                "can't handle positional and keyword arguments at the same time",
            ));
        }
        (true, false) => percent::Values::One(Value::map(call.kwargs)),
        _ => percent::Values::Many(call.args),
    };
    percent::format(&text, &values)
        .map(Value::from)
        .map_err(|e| {
            let words = e.message().trim_start_matches("Error rendering template: ");
            error(words)
        })
}

/// Lines indented, the first and blank ones only if asked for.
fn indent(mut call: Call) -> Result<Value> {
    let args = call.bind(&["width", "first", "blank"])?;
    let indention = match args.get("width") {
        Some(text) if text.as_str().is_some() => python::str(text),
        _ => " ".repeat(args.int("width", 4)?.max(0) as usize),
    };
    let (first, blank) = (args.flag("first", false), args.flag("blank", false));
    // the last line keeps its line break
    let text = call.text() + "\n";
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indention);
            }
        } else if first {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(Value::str(out))
}

fn wordcount(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let text = call.text();
    let words = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .count();
    Ok(Value::Int(words as i64))
}

fn truncate(mut call: Call) -> Result<Value> {
    let args = call.bind(&["length", "killwords", "end", "leeway"])?;
    let length = args.int("length", 255)?.max(0) as usize;
    let leeway = match args.given("leeway") {
        Some(_) => args.int("leeway", 5)?.max(0) as usize,
        None => 5,
    };
    let end = args.text("end", "...");
    let text: Vec<char> = call.text().chars().collect();
    let end_length = end.chars().count();
    if length < end_length {
        return Err(error(format!(
            "expected length >= {end_length}, got {length}"
        )));
    }
    if text.len() <= length + leeway {
        return Ok(Value::str(text.into_iter().collect::<String>()));
    }
    let cut: String = text[..length - end_length].iter().collect();
    if args.flag("killwords", false) {
        return Ok(Value::str(cut + &end));
    }
    let words = cut.rfind(' ').map_or(cut.as_str(), |i| &cut[..i]);
    Ok(Value::str(format!("{words}{end}")))
}

/// Whether a line may end after the hyphen before `i`: two word characters or more on either side,
/// a letter next to the hyphen, and one further on.
fn breaks_after_hyphen(chars: &[char], i: usize) -> bool {
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    let letter = |c: &char| word(c) && !c.is_numeric();
    let before = i >= 3 && letter(&chars[i - 2]) && word(&chars[i - 3]);
    let after: Vec<char> = chars[i..].iter().take_while(|c| word(c)).copied().collect();
    before && after.iter().skip(1).any(letter)
}

/// Text cut where a line may end: white space apart, words apart after their hyphens.
fn chunks(line: &str, on_hyphens: bool) -> Vec<Vec<char>> {
    let chars: Vec<char> = line.chars().collect();
    let mut out: Vec<Vec<char>> = Vec::new();
    for (i, c) in chars.iter().enumerate() {
        let starts = match i.checked_sub(1).map(|p| chars[p]) {
            None => true,
            Some(before) => {
                before.is_whitespace() != c.is_whitespace()
                    || on_hyphens && before == '-' && breaks_after_hyphen(&chars, i)
            }
        };
        if starts {
            out.push(Vec::new());
        }
        if let Some(chunk) = out.last_mut() {
            chunk.push(*c);
        }
    }
    out
}

fn wrap(line: &str, width: usize, break_words: bool, on_hyphens: bool) -> Vec<String> {
    let blank = |c: &[char]| c.iter().all(|c| c.is_whitespace());
    let mut queue = chunks(line, on_hyphens);
    queue.reverse();
    let mut lines = Vec::new();
    while !queue.is_empty() {
        let mut current: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        if !lines.is_empty() && queue.last().is_some_and(|c| blank(c)) {
            queue.pop();
        }
        while let Some(next) = queue.pop() {
            if length + next.len() <= width {
                length += next.len();
                current.push(next);
            } else {
                queue.push(next);
                break;
            }
        }
        if let Some(next) = queue.last_mut().filter(|c| c.len() > width) {
            let space = width.saturating_sub(length).max(usize::from(width == 0));
            if break_words && space > 0 {
                let rest = next.split_off(space.min(next.len()));
                current.push(std::mem::replace(next, rest));
            } else if !break_words && current.is_empty() {
                current.extend(queue.pop());
            }
        }
        if current.last().is_some_and(|c| blank(c)) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.into_iter().flatten().collect());
        }
    }
    lines
}

fn wordwrap(mut call: Call) -> Result<Value> {
    let args = call.bind(&[
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ])?;
    let width = args.int("width", 79)?;
    if width <= 0 {
        return Err(error(format!("invalid width {width} (must be > 0)")));
    }
    let separator = args.given("wrapstring").map_or("\n".into(), python::str);
    let (long, hyphens) = (
        args.flag("break_long_words", true),
        args.flag("break_on_hyphens", true),
    );
    let lines: Vec<String> = call
        .text()
        .lines()
        .map(|line| wrap(line, width as usize, long, hyphens).join(&separator))
        .collect();
    Ok(Value::str(lines.join(&separator)))
}

/// Text without comments and tags, white space run together.
fn striptags(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let mut text = call.text();
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        while let Some(start) = text.find(open) {
            let Some(end) = text[start..].find(close) else {
                break;
            };
            text.replace_range(start..start + end + close.len(), "");
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut plain = words.join(" ");
    for (entity, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, c);
    }
    Ok(Value::str(plain))
}

/// `&`, `<`, `>` and quotes as HTML writes them.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(escape_html(&call.text())))
}

fn safe(mut call: Call) -> Result<Value> {
    string(Call {
        args: std::mem::take(&mut call.args),
        ..call
    })
}

fn xmlattr(mut call: Call) -> Result<Value> {
    let args = call.bind(&["autospace"])?;
    let Value::Map(map) = &call.value else {
        return Err(error(format!(
            "'{}' object has no attribute 'items'",
            call.value.type_name()
        )));
    };
    let mut parts = Vec::new();
    for (key, value) in map.iter().filter(|(_, v)| !v.is_null()) {
        let key = python::str(&key.to_value());
        if let Some(c) = key
            .chars()
            .find(|c| c.is_whitespace() || "/>=".contains(*c))
        {
            return Err(error(format!("Invalid character in attribute name: {c:?}")));
        }
        parts.push(format!(
            "{}=\"{}\"",
            escape_html(&key),
            escape_html(&python::str(value))
        ));
    }
    let lead = if args.flag("autospace", true) && !parts.is_empty() {
        " "
    } else {
        ""
    };
    Ok(Value::str(format!("{lead}{}", parts.join(" "))))
}

/// JSON that is safe inside of HTML.
fn tojson(mut call: Call) -> Result<Value> {
    let args = call.bind(&["indent"])?;
    let mut style = match args.given("indent") {
        Some(_) => json::Style::indented(args.int("indent", 0)?.max(0) as usize),
        None => json::Style::default(),
    };
    style.sort_keys = true;
    let text = json::dump(&call.value, &style)?;
    Ok(Value::str(
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\'', "\\u0027"),
    ))
}

/// Text as one word of a POSIX shell.
pub fn quote_shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn quote(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::str(match &call.value {
        Value::Null => quote_shell(""),
        _ => quote_shell(&call.text()),
    }))
}

/// `str.split`.
fn split(mut call: Call) -> Result<Value> {
    let args = call.bind(&["sep", "maxsplit"])?;
    let Some(text) = call.value.as_str() else {
        return Err(error(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{}' object",
            call.value.type_name()
        )));
    };
    let limit = usize::try_from(args.int("maxsplit", -1)?).unwrap_or(usize::MAX - 1);
    let parts: Vec<Value> = match args.given("sep") {
        Some(separator) => {
            let separator = python::str(separator);
            if separator.is_empty() {
                return Err(error("empty separator"));
            }
            text.splitn(limit + 1, &*separator)
                .map(Value::str)
                .collect()
        }
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_start();
            while !rest.is_empty() {
                if parts.len() == limit {
                    parts.push(Value::str(rest.trim_end()));
                    break;
                }
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                parts.push(Value::str(&rest[..end]));
                rest = rest[end..].trim_start();
            }
            parts
        }
    };
    Ok(Value::list(parts))
}

/// What a comment looks like in each style that Ansible names.
struct Comment {
    beginning: &'static str,
    decoration: &'static str,
    end: &'static str,
}

fn comment_style(name: &str) -> Option<Comment> {
    let (beginning, decoration, end) = match name {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return None,
    };
    Some(Comment {
        beginning,
        decoration,
        end,
    })
}

/// Text as a comment: `{{ ansible_managed | comment }}`.
fn comment(mut call: Call) -> Result<Value> {
    let args = call.bind(&[
        "style",
        "decoration",
        "newline",
        "beginning",
        "end",
        "prefix",
        "prefix_count",
        "postfix",
        "postfix_count",
    ])?;
    let name = args.text("style", "plain");
    let style = comment_style(&name).ok_or_else(|| {
        error(format!("Invalid style '{name}'."))
            .hint("the styles are plain, erlang, c, cblock and xml")
    })?;
    let newline = args.text("newline", "\n");
    let decoration = args.text("decoration", style.decoration);
    let bare = decoration.trim_end().to_string();
    let prefix = args.text("prefix", &bare);
    let postfix = args.text("postfix", &bare);
    let times = |name| Ok::<_, crate::Error>(args.int(name, 1)?.max(0) as usize);
    let (prefixes, postfixes) = (times("prefix_count")?, times("postfix_count")?);

    let mut out = String::new();
    let beginning = args.text("beginning", style.beginning);
    if !beginning.is_empty() {
        out.push_str(&beginning);
        out.push_str(&newline);
    }
    if !prefix.is_empty() {
        for _ in 0..prefixes {
            out.push_str(&prefix);
            if prefix != newline {
                out.push_str(&newline);
            }
        }
    }
    let body = format!(
        "{decoration}{}",
        call.text().replace('\n', &format!("{newline}{decoration}"))
    );
    // a decorated empty line has nothing after the decoration
    out.push_str(&body.replace(
        &format!("{decoration}{newline}"),
        &format!("{bare}{newline}"),
    ));
    for _ in 0..postfixes {
        out.push_str(&newline);
        out.push_str(&postfix);
    }
    let end = args.text("end", style.end);
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(Value::str(out))
}

/// Python's `pprint.pformat`: one line if it fits into 80 characters, else an item per line.
fn pprint(mut call: Call) -> Result<Value> {
    call.no_args()?;
    let mut out = String::new();
    pretty(&mut out, &call.value, 0, 0);
    Ok(Value::str(out))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            entries.sort_by(|(a, _), (b, _)| {
                crate::template::protocol::compare(&a.to_value(), &b.to_value())
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            Value::map(entries.into_iter().collect())
        }
        Value::List(items) => Value::list(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn pretty(out: &mut String, value: &Value, column: usize, after: usize) {
    const WIDTH: usize = 80;
    let value = sorted(value);
    let line = python::repr(&value);
    if column + after + line.chars().count() <= WIDTH {
        out.push_str(&line);
        return;
    }
    let pad = " ".repeat(column + 1);
    match &value {
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(",\n");
                    out.push_str(&pad);
                }
                let last = i + 1 == items.len();
                pretty(out, item, column + 1, if last { after + 1 } else { 1 });
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(",\n");
                    out.push_str(&pad);
                }
                let key = python::repr(&key.to_value()) + ": ";
                out.push_str(&key);
                let last = i + 1 == map.len();
                let column = column + 1 + key.chars().count();
                pretty(out, item, column, if last { after + 1 } else { 1 });
            }
            out.push('}');
        }
        _ => out.push_str(&line),
    }
}

/// Web addresses in a text as HTML links.
fn urlize(mut call: Call) -> Result<Value> {
    let args = call.bind(&[
        "trim_url_limit",
        "nofollow",
        "target",
        "rel",
        "extra_schemes",
    ])?;
    if args.given("extra_schemes").is_some() {
        return Err(error("urlize: extra_schemes is not supported"));
    }
    let limit = args.given("trim_url_limit");
    let limit = limit.map(|_| args.int("trim_url_limit", 0)).transpose()?;
    let mut rel: Vec<String> = args
        .given("rel")
        .map(|r| {
            python::str(r)
                .split_whitespace()
                .map(String::from)
                .collect()
        })
        .unwrap_or_default();
    if args.flag("nofollow", false) {
        rel.push("nofollow".into());
    }
    rel.push("noopener".into());
    rel.sort();
    rel.dedup();
    let target = args
        .given("target")
        .map(|t| format!(" target=\"{}\"", escape_html(&python::str(t))))
        .unwrap_or_default();
    let mut out = String::new();
    for word in call.text().split_inclusive(char::is_whitespace) {
        let core = word.trim_end();
        let space = &word[core.len()..];
        let trailing = core.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        let link = if trailing.starts_with("http://") || trailing.starts_with("https://") {
            Some(trailing.to_string())
        } else if trailing.starts_with("www.") {
            Some(format!("https://{trailing}"))
        } else {
            None
        };
        match link {
            Some(url) => {
                let shown: String = match limit {
                    Some(n) if trailing.chars().count() as i64 > n => trailing
                        .chars()
                        .take(n.max(0) as usize)
                        .chain("...".chars())
                        .collect(),
                    _ => trailing.to_string(),
                };
                out.push_str(&format!(
                    "<a href=\"{}\" rel=\"{}\"{target}>{}</a>{}",
                    escape_html(&url),
                    rel.join(" "),
                    escape_html(&shown),
                    escape_html(&core[trailing.len()..])
                ));
            }
            None => out.push_str(&escape_html(core)),
        }
        out.push_str(space);
    }
    Ok(Value::str(out))
}

/// community.general's `version_sort`: in the order of versions.
fn version_sort(mut call: Call) -> Result<Value> {
    let args = call.bind(&["reverse"])?;
    let mut items = iterate(&call.value)?;
    let mut failed = None;
    items.sort_by(|a, b| {
        crate::template::version::compare_loose(&python::str(a), &python::str(b)).unwrap_or_else(
            |e| {
                failed.get_or_insert(e);
                std::cmp::Ordering::Equal
            },
        )
    });
    if let Some(e) = failed {
        return Err(e);
    }
    if args.flag("reverse", false) {
        items.reverse();
    }
    Ok(Value::list(items))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("capitalize", capitalize),
    ("center", center),
    ("comment", comment),
    ("e", escape),
    ("escape", escape),
    ("forceescape", escape),
    ("format", format),
    ("indent", indent),
    ("lower", lower),
    ("pprint", pprint),
    ("quote", quote),
    ("replace", replace),
    ("safe", safe),
    ("split", split),
    ("string", string),
    ("striptags", striptags),
    ("title", title),
    ("tojson", tojson),
    ("trim", trim),
    ("truncate", truncate),
    ("upper", upper),
    ("urlize", urlize),
    ("version_sort", version_sort),
    ("wordcount", wordcount),
    ("wordwrap", wordwrap),
    ("xmlattr", xmlattr),
];
