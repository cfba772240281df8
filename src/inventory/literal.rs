//! Python literals: what a value in an INI inventory means.
//!
//! `x=1` is a number, `x=[1, 'a']` a list, `x=80,443` a list of two numbers, and whatever is no
//! literal is text
//! (<https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#defining-variables-in-ini-format>).

use crate::source::Location;
use crate::value::{Key, Map, Value};
use std::sync::Arc;

/// The value of a Python literal; any other text is itself, a template if it looks like one.
pub fn parse(text: &str, at: Option<&Location>) -> Value {
    let mut parser = Parser {
        rest: text.trim_start_matches([' ', '\t']),
        depth: 0,
        at,
    };
    parser
        .document()
        .unwrap_or_else(|| Value::user_text(text, at))
}

/// Deeper nesting is text: nobody writes it, and the stack is finite.
const DEEPEST: u32 = 64;

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
    at: Option<&'a Location>,
}

/// A parsed expression; bytes are text in the end, but are no text inside an expression.
impl Parser<'_> {
    fn document(&mut self) -> Option<Value> {
        let value = self.tuple_or_one("")?;
        self.space();
        self.rest.is_empty().then_some(value)
    }

    /// Skips blanks and a comment.
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn peek(&mut self, c: char) -> bool {
        self.space();
        self.rest.starts_with(c)
    }

    /// `a` is a value, `a,` and `a, b` are tuples. `end` are the characters that may follow.
    fn tuple_or_one(&mut self, end: &str) -> Option<Value> {
        let first = self.value()?;
        if !self.peek(',') {
            return Some(first);
        }
        let mut items = vec![first];
        while self.eat(',') {
            self.space();
            if self.rest.is_empty() || self.rest.starts_with(|c| end.contains(c)) {
                break;
            }
            items.push(self.value()?);
        }
        Some(Value::list(items))
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.space();
        let value = match self.rest.chars().next()? {
            '[' => self.items(']').map(Value::list),
            '(' => self.parenthesis(),
            '{' => self.braces(),
            '+' => {
                self.rest = &self.rest[1..];
                self.number(false)
            }
            '-' => {
                self.rest = &self.rest[1..];
                self.number(true)
            }
            '.' if self.rest.starts_with("...") => self.word(),
            c if c.is_ascii_digit() || c == '.' => self.number(false),
            _ => self.word(),
        };
        self.depth -= 1;
        value
    }

    fn items(&mut self, close: char) -> Option<Vec<Value>> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.value()?);
            if !self.eat(',') && !self.peek(close) {
                return None;
            }
        }
        Some(items)
    }

    fn parenthesis(&mut self) -> Option<Value> {
        self.rest = &self.rest[1..];
        if self.eat(')') {
            return Some(Value::list(Vec::new()));
        }
        let value = self.tuple_or_one(")")?;
        self.eat(')').then_some(value)
    }

    /// A dictionary or a set; a set is a list, as it is in JSON.
    fn braces(&mut self) -> Option<Value> {
        self.rest = &self.rest[1..];
        if self.eat('}') {
            return Some(Value::map(Map::default()));
        }
        let first = self.value()?;
        if !self.eat(':') {
            let mut items = vec![first];
            while !self.eat('}') {
                if !self.eat(',') {
                    return None;
                }
                if !self.peek('}') {
                    let item = self.value()?;
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
            }
            return Some(Value::list(items));
        }
        let mut map = Map::default();
        let mut key = first;
        loop {
            if matches!(key, Value::List(_) | Value::Map(_)) {
                return None;
            }
            let value = self.value()?;
            map.insert(Key::from_value(key), value);
            if !self.eat(',') && !self.peek('}') {
                return None;
            }
            if self.eat('}') {
                return Some(Value::map(map));
            }
            key = self.value()?;
            if !self.eat(':') {
                return None;
            }
        }
    }

    fn word(&mut self) -> Option<Value> {
        // what JSON does not know is text
        for (word, value) in [
            ("set()", Value::list(Vec::new())),
            ("...", Value::str("...")),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
        }
        for (word, value) in [
            ("True", Value::Bool(true)),
            ("False", Value::Bool(false)),
            ("None", Value::Null),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word)
                && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            {
                self.rest = rest;
                return Some(value);
            }
        }
        let mut text = String::new();
        let mut found = false;
        // neighbours are joined: 'a' 'b'
        while let Some(piece) = self.string() {
            text.push_str(&piece);
            found = true;
            self.space();
        }
        found.then(|| Value::user_text(&text, self.at))
    }

    fn string(&mut self) -> Option<String> {
        let prefix = self.rest.find(['\'', '"'])?;
        let raw = match self.rest[..prefix].to_ascii_lowercase().as_str() {
            "" | "u" | "b" => false,
            "r" | "br" | "rb" => true,
            _ => return None,
        };
        let body = &self.rest[prefix..];
        let quote = &body[..1];
        let triple = quote.repeat(3);
        let close = if body.starts_with(&triple) {
            triple.as_str()
        } else {
            quote
        };
        let mut text = String::new();
        let mut rest = &body[close.len()..];
        loop {
            if let Some(after) = rest.strip_prefix(close) {
                self.rest = after;
                return Some(text);
            }
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            if c == '\n' && close.len() == 1 {
                return None;
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = rest.chars().next()?;
            if raw {
                text.push('\\');
                text.push(escaped);
                rest = &rest[escaped.len_utf8()..];
            } else {
                rest = unescape(rest, &mut text)?;
            }
        }
    }

    fn number(&mut self, negative: bool) -> Option<Value> {
        self.space();
        let end = number_end(self.rest);
        let (digits, rest) = self.rest.split_at(end);
        if let Some(rest) = rest.strip_prefix('j')
            && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            // a complex number is the text of one
            number(digits, false)?;
            self.rest = rest;
            let sign = if negative { "-" } else { "" };
            return Some(Value::str(format!("{sign}{digits}j")));
        }
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let value = number(digits, negative)?;
        self.rest = rest;
        Some(value)
    }
}

/// Where a number that starts the text ends.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.len() > 1 && bytes[0] == b'0' && matches!(bytes[1] | 32, b'x' | b'o' | b'b') {
        return 2 + bytes[2..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count();
    }
    let mut end = 0;
    while end < bytes.len() {
        let after_e = end > 0 && bytes[end - 1] | 32 == b'e';
        match bytes[end] {
            b'0'..=b'9' | b'.' | b'_' | b'e' | b'E' => end += 1,
            b'+' | b'-' if after_e => end += 1,
            _ => break,
        }
    }
    end
}

/// A number as Python writes them; Python's complex numbers are not JSON, so they are text.
fn number(digits: &str, negative: bool) -> Option<Value> {
    let bytes = digits.as_bytes();
    let badly_grouped = digits.contains("__")
        || digits.ends_with('_')
        || digits.starts_with('_')
        || ["_.", "._", "_e", "e_", "_E", "E_"]
            .iter()
            .any(|p| digits.contains(p));
    if badly_grouped {
        return None;
    }
    let plain = digits.replace('_', "");
    let based = |radix| num_bigint::BigInt::parse_bytes(&plain.as_bytes()[2..], radix);
    let integer = match bytes {
        [b'0', b'x' | b'X', ..] => based(16)?,
        [b'0', b'o' | b'O', ..] => based(8)?,
        [b'0', b'b' | b'B', ..] => based(2)?,
        _ if plain.contains(['.', 'e', 'E']) => {
            if !plain.contains(|c: char| c.is_ascii_digit()) {
                return None;
            }
            let float: f64 = plain.parse().ok()?;
            return Some(Value::Float(if negative { -float } else { float }));
        }
        // 010 is neither octal nor decimal in Python, but 00 is zero
        [b'0', _, ..] if plain.bytes().any(|b| b != b'0') => return None,
        _ => num_bigint::BigInt::parse_bytes(plain.as_bytes(), 10)?,
    };
    let integer = if negative { -integer } else { integer };
    Some(match i64::try_from(&integer) {
        Ok(i) => Value::Int(i),
        Err(_) => Value::BigInt(Arc::from(integer.to_string())),
    })
}

/// Reads one escape after its backslash and gives what follows it.
fn unescape<'a>(rest: &'a str, out: &mut String) -> Option<&'a str> {
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    let hex = |count: usize| -> Option<(char, &'a str)> {
        let digits = after.get(..count)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        Some((char::from_u32(code)?, &after[count..]))
    };
    let (decoded, after) = match c {
        '\n' => return Some(after),
        '\\' | '\'' | '"' => (c, after),
        'a' => ('\x07', after),
        'b' => ('\x08', after),
        'f' => ('\x0c', after),
        'n' => ('\n', after),
        'r' => ('\r', after),
        't' => ('\t', after),
        'v' => ('\x0b', after),
        'x' => hex(2)?,
        'u' => hex(4)?,
        'U' => hex(8)?,
        'N' => return None,
        '0'..='7' => {
            let count = rest
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            let code = u32::from_str_radix(&rest[..count], 8).ok()?;
            (char::from_u32(code)?, &rest[count..])
        }
        other => {
            out.push('\\');
            (other, after)
        }
    };
    out.push(decoded);
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_what_python_says() {
        for (text, json) in [
            ("1", "1"),
            ("-5", "-5"),
            ("+5", "5"),
            ("0x10", "16"),
            ("0o17", "15"),
            ("1_000", "1000"),
            ("010", "\"010\""),
            ("00", "0"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("1.2.3", "\"1.2.3\""),
            ("1j", "\"1j\""),
            ("1__0", "\"1__0\""),
            ("1a", "\"1a\""),
            ("99999999999999999999", "99999999999999999999"),
            ("True", "true"),
            ("true", "\"true\""),
            ("None", "null"),
            ("Nonesuch", "\"Nonesuch\""),
            ("'a b'", "\"a b\""),
            ("'a' 'b'", "\"ab\""),
            ("'a\\n\\x41\\101\\q'", "\"a\\nAA\\\\q\""),
            ("r'a\\n'", "\"a\\\\n\""),
            ("'''x'''", "\"x\""),
            ("b'x'", "\"x\""),
            ("'open", "\"'open\""),
            ("[1, 'b', {'c': None}]", "[1,\"b\",{\"c\":null}]"),
            ("[1, 2,]", "[1,2]"),
            ("[1 2]", "\"[1 2]\""),
            ("[,]", "\"[,]\""),
            ("[]", "[]"),
            ("()", "[]"),
            ("(1)", "1"),
            ("(1,)", "[1]"),
            ("80,443", "[80,443]"),
            ("80,", "[80]"),
            ("{1: 2, 'a': (1, 2)}", "{\"1\":2,\"a\":[1,2]}"),
            ("{1, 2}", "[1,2]"),
            ("{}", "{}"),
            ("{[1]: 2}", "\"{[1]: 2}\""),
            ("5 # comment", "5"),
            ("foo # comment", "\"foo # comment\""),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("1 + 1", "\"1 + 1\""),
        ] {
            assert_eq!(parse(text, None).to_json().to_string(), json, "{text}");
        }
    }

    #[test]
    fn nesting_without_end_is_text() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(&deep, None), Value::Str(_)));
    }

    #[test]
    fn templates_stay_templates() {
        let Value::List(items) = parse("['{{ x }}']", None) else {
            panic!("not a list");
        };
        assert!(matches!(items[0], Value::Template(_)));
    }
}
