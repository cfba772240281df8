use super::*;
use crate::value::Template;

fn value(text: &str) -> Value {
    load_str("t.yml", text).unwrap().to_value()
}

fn json(text: &str) -> String {
    value(text).to_json().to_string()
}

fn failure(text: &str) -> (String, String, String) {
    let error = load_str("t.yml", text).unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::Parse);
    (
        error.message().to_string(),
        error
            .location()
            .map(ToString::to_string)
            .unwrap_or_default(),
        error.hint_text().unwrap_or("").to_string(),
    )
}

fn template(value: &Value) -> &Template {
    match value {
        Value::Template(t) => t,
        other => panic!("no template: {other:?}"),
    }
}

#[test]
fn documents_are_read_as_ansible_reads_them() {
    for (text, want) in [
        ("", "null"),
        ("---\n...\n", "null"),
        ("# only words\n", "null"),
        (
            "a: yes\nb: 'yes'\nc: \"0644\"\nd: 0644",
            r#"{"a":true,"b":"yes","c":"0644","d":420}"#,
        ),
        ("a:\tb", r#"{"a":"b"}"#),
        (
            "a: !!str 5\nb: !!int '0x10'\nc: ! 5\nd: !!null x",
            r#"{"a":"5","b":16,"c":5,"d":null}"#,
        ),
        (
            "a: {b, c}\nd: [e: f]",
            r#"{"a":{"b":null,"c":null},"d":[{"e":"f"}]}"#,
        ),
        (
            "a: !!set {x, y}\nb: !!pairs [x: 1, x: 2]",
            r#"{"a":["x","y"],"b":[["x",1],["x",2]]}"#,
        ),
        ("a: !!binary aGVsbG8=", r#"{"a":"hello"}"#),
        ("a: 2020-01-01", r#"{"a":"2020-01-01"}"#),
        ("1: a\n~: b", r#"{"1":"a","null":"b"}"#),
        ("%YAML 1.1\n---\na: on", r#"{"a":true}"#),
        ("\u{feff}a: 1", r#"{"a":1}"#),
        ("a: 1\r\nb:\r\n  - c\r\n", r#"{"a":1,"b":["c"]}"#),
    ] {
        assert_eq!(json(text), want, "{text}");
    }
}

#[test]
fn merge_keys_give_way_to_what_is_written() {
    for (text, want) in [
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", r#"{"b":1,"d":2}"#),
        ("a: &x {b: 1}\nc: {b: 2, <<: *x}", r#"{"b":2}"#),
        (
            "x: &x {b: 1}\ny: &y {b: 2, z: 3}\nc:\n  <<: [*x, *y]\n  q: 9",
            r#"{"b":1,"z":3,"q":9}"#,
        ),
        ("c: {'<<': {a: 1}}", r#"{"<<":{"a":1}}"#),
    ] {
        assert_eq!(
            value(text).get("c").unwrap().to_json().to_string(),
            want,
            "{text}"
        );
    }
    let (message, at, _) = failure("<<: 5");
    assert!(
        message.contains("for merging, but found scalar"),
        "{message}"
    );
    assert_eq!(at, "t.yml:1:5");
}

#[test]
fn the_last_of_duplicate_keys_wins() {
    assert_eq!(json("a: 1\nb: 2\na: 3"), r#"{"a":3,"b":2}"#);
    // as in Python, true and 1 are one key
    assert_eq!(json("1: a\ntrue: b"), r#"{"1":"b"}"#);
}

#[test]
fn templates_know_where_they_start() {
    for (text, at, verbatim) in [
        ("a: \"{{ x }}\"", "t.yml:1:5", true),
        ("a: x {{ y }}", "t.yml:1:4", true),
        ("ä: 'ö {{ y }}'", "t.yml:1:5", true),
        ("a: !!str \"{{ x }}\"", "t.yml:1:11", true),
        ("a: &b\n  '{{ x }}'", "t.yml:2:4", true),
        ("a: 'it''s {{ x }}'", "t.yml:1:5", false),
        ("a: \"\\t{{ x }}\"", "t.yml:1:5", false),
        ("a: x\n  {{ y }}", "t.yml:1:4", false),
        ("a: |\n\n  {{ y }}\n", "t.yml:3:3", false),
        ("a: >- # words\n  {{ y }}\n", "t.yml:2:3", false),
    ] {
        let found = value(text);
        let (_, found) = found.as_map().unwrap().get_index(0).unwrap();
        let found = template(found);
        assert_eq!(found.at.as_ref().unwrap().to_string(), at, "{text}");
        assert_eq!(found.verbatim, verbatim, "{text}");
    }
}

#[test]
fn unsafe_and_foreign_text_is_never_a_template() {
    let found = value("a: !unsafe [1, '{{ x }}', {'{{ k }}': ['{{ v }}']}]\nb: '{{ y }}'");
    assert!(!found.get("a").unwrap().needs_render());
    assert!(found.get("b").unwrap().needs_render());
    assert!(!value("!unsafe '{{ x }}'").needs_render());
    let data = load_data("data", "a: '{{ x }}'\n---\nb").unwrap();
    assert_eq!(data.len(), 2);
    assert!(!data[0].to_value().needs_render());
}

#[test]
fn vault_text_stays_encrypted() {
    match value("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n").get("a") {
        Some(Value::Vault(v)) => {
            assert_eq!(&*v.text, "$ANSIBLE_VAULT;1.1;AES256\n61\n");
            assert_eq!(v.at.as_ref().unwrap().to_string(), "t.yml:1:4");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn mistakes_are_explained_at_their_place() {
    for (text, message, at, hint) in [
        (
            "a:\n\t- b",
            "Tabs are usually invalid",
            "t.yml:2:1",
            "spaces",
        ),
        (
            "- a: {{ x }}",
            "missing quotes around a template",
            "t.yml:1:6",
            "a: \"{{ x }}\"",
        ),
        (
            "a: {{ x }} b",
            "missing quotes around a template",
            "t.yml:1:4",
            "a: \"{{ x }} b\"",
        ),
        (
            "a: b: c",
            "Mapping values are not allowed",
            "t.yml:1:5",
            "must be quoted",
        ),
        (
            "a: b\n  c: d",
            "Mapping values are not allowed",
            "t.yml:2:4",
            "indented alike",
        ),
        (
            "a: 1\nb: 'x\nc: d\n",
            "unexpected end of stream",
            "t.yml:2:4",
            "never closed",
        ),
        (
            "a: \"x\" in y",
            "did not find expected key",
            "t.yml:1:4",
            "other kind of quotes",
        ),
        (
            "a: [1, 2\nb: 3",
            "did not find expected ',' or ']'",
            "t.yml:2:2",
            "line 1, column 4",
        ),
        (
            "a: @x",
            "cannot start any token",
            "t.yml:1:4",
            "@ must be quoted",
        ),
        (
            "a: \"\\d\"",
            "unknown escape character",
            "t.yml:1:5",
            "single quotes",
        ),
        ("a: *nope", "undefined alias *nope", "t.yml:1:4", "anchor"),
        ("a: &x [*x]", "inside the value", "t.yml:1:8", ""),
        (
            "a: !valt x",
            "tag '!valt'",
            "t.yml:1:4",
            "did you mean !vault",
        ),
        ("a: !vault [x]", "requires a string value", "t.yml:1:4", ""),
        ("a: !!int x", "'x' is not an integer", "t.yml:1:4", ""),
        ("? [1]\n: 2", "unhashable key", "t.yml:1:3", ""),
        (
            "--- 1\n--- 2",
            "Expected a single document",
            "t.yml:2:1",
            "",
        ),
        ("a: b\u{7}", "#x0007", "t.yml:1:5", ""),
        (
            "- a\nb: c",
            "expected '-' indicator",
            "t.yml:2:1",
            "indentation",
        ),
        (
            "%YAML 2.0\n---\na",
            "incompatible YAML document",
            "t.yml:1:1",
            "",
        ),
    ] {
        let found = failure(text);
        assert!(found.0.contains(message), "{text}: {found:?}");
        assert_eq!(found.1, at, "{text}: {found:?}");
        assert!(found.2.contains(hint), "{text}: {found:?}");
    }
}

#[test]
fn hostile_texts_are_refused() {
    let deep = "[".repeat(100_000);
    assert!(failure(&deep).0.contains("levels deep"));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..20 {
        let aliases = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    assert!(failure(&bomb).0.contains("aliases stand for more than"));
}
