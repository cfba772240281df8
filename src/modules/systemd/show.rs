//! What `systemctl show` prints.

use crate::value::{Key, Map, Value};

/// The properties, each with its text. A property of the `Exec` family may go over lines, in braces.
pub fn parse(text: &str) -> Map {
    let mut out = Map::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((name, first)) = line.split_once('=') else {
            continue;
        };
        let mut value = first.to_string();
        if name.starts_with("Exec") && first.trim_start().starts_with('{') {
            while !value.trim_end().ends_with('}') {
                let Some(more) = lines.next() else { break };
                value += "\n";
                value += more;
            }
        }
        out.insert(Key::from(name), Value::from(value.trim()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn properties_may_go_over_lines() {
        let text = "Id=a.service\nExecStart={ path=/bin/sh ; argv[]=/bin/sh -c x\ny ; }\nDescription={ no end\nAfter=b=c\n";
        let map = parse(text);
        let get = |name: &str| map.get(name).and_then(|v| v.as_str());
        assert_eq!(get("Id"), Some("a.service"));
        assert_eq!(
            get("ExecStart"),
            Some("{ path=/bin/sh ; argv[]=/bin/sh -c x\ny ; }")
        );
        assert_eq!(get("Description"), Some("{ no end"));
        assert_eq!(get("After"), Some("b=c"));
    }
}
