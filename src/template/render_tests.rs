//! What only rplay promises: places, hints, inert results, whole files.

use super::differential::trusted;
use super::{Engine, FileOptions, Templar};
use crate::search::SearchPath;
use crate::source::{Location, Source};
use crate::value::{Dynamic, Map, Template, Value};
use std::sync::Arc;

fn templar(vars: &str) -> Templar {
    let vars: Value = serde_json::from_str(vars).unwrap();
    let map = trusted(&vars).as_map().unwrap().clone();
    Templar::new(&Engine::new(), Arc::new(map), Arc::default())
}

fn placed(text: &str, verbatim: bool) -> Value {
    let source = Source::new("site.yml", format!("- hosts: all\n  x: \"{text}\"\n"));
    Value::Template(Arc::new(Template {
        text: text.into(),
        at: Some(Location::new(&source, 2, 7)),
        verbatim,
    }))
}

#[test]
fn errors_point_at_the_expression() {
    let t = templar(r#"{"port": 80, "d": {"k": 1}, "a": "{{ missing }}", "l": [1]}"#);
    for (text, place, message, hint) in [
        (
            "é {{ prot }}",
            "2:12",
            "'prot' is undefined",
            Some("did you mean 'port'?"),
        ),
        (
            "{{ port + foo_bar }}",
            "2:17",
            "'foo_bar' is undefined",
            None,
        ),
        (
            "{{ d.k }} {{ d.nope }}",
            "2:20",
            "object of type 'dict' has no attribute 'nope'",
            None,
        ),
        (
            "{{ port }} {{ 1 / 0 }}",
            "2:21",
            "Error rendering template: division by zero",
            None,
        ),
        (
            "{{ port | defualt(1) }}",
            "2:10",
            "Syntax error in template: No filter named 'defualt'.",
            Some("did you mean 'default'?"),
        ),
        (
            "{% for x in port %}{% endfor %}",
            "2:19",
            "Error rendering template: 'int' object is not iterable",
            None,
        ),
        (
            "x {% nope %}",
            "2:12",
            "Syntax error in template: Encountered unknown tag 'nope'.",
            None,
        ),
    ] {
        let error = t.render(&placed(text, true)).unwrap_err();
        assert_eq!(error.message(), message, "{text}");
        assert_eq!(
            error.location().unwrap().to_string(),
            format!("site.yml:{place}"),
            "{text}"
        );
        if hint.is_some() && !error.message().contains("filter") {
            assert_eq!(error.hint_text(), hint, "{text}");
        }
        // folded and escaped text: the start is all that is known
        let error = t.render(&placed(text, false)).unwrap_err();
        assert_eq!(
            error.location().unwrap().to_string(),
            "site.yml:2:7",
            "{text}"
        );
    }
}

#[test]
fn the_cause_inside_a_variable_is_what_is_reported() {
    let mut vars = Map::default();
    vars.insert("a".into(), placed("{{ missing }}", true));
    let t = Templar::new(&Engine::new(), Arc::new(vars), Arc::default());
    let error = t.render(&Value::user_text("{{ a }}", None)).unwrap_err();
    assert_eq!(error.message(), "'missing' is undefined");
    assert_eq!(error.location().unwrap().to_string(), "site.yml:2:10");
}

#[test]
fn loops_of_variables_are_found_wherever_they_hide() {
    for vars in [
        r#"{"a": "{{ a }}"}"#,
        r#"{"a": "{{ b }}", "b": "{{ c }}", "c": "x{{ a }}"}"#,
        r#"{"a": {"x": "{{ a.x }}"}}"#,
        r#"{"a": ["{{ a ~ 1 }}", "{{ a[1] }}"]}"#,
        r#"{"a": {"x": {"y": "{{ b }}"}}, "b": "{{ a }}"}"#,
    ] {
        let error = templar(vars)
            .render(&Value::user_text("{{ a }}", None))
            .unwrap_err();
        assert!(
            error
                .message()
                .starts_with("Recursive loop detected in template"),
            "{vars}: {error}"
        );
    }
    // not a loop: entries of one map that need each other
    let t = templar(r#"{"a": {"x": "{{ a.y }}", "y": "{{ a.z }}", "z": 1}}"#);
    let v = t.render(&Value::user_text("{{ a.x }}", None)).unwrap();
    assert_eq!(v, Value::Int(1));
}

#[test]
fn long_chains_of_variables_fit_the_stack_of_a_thread() {
    let mut vars = Map::default();
    for i in 0..48 {
        let text = format!(
            "{{% for x in [1] %}}{{{{ ((v{} ~ '') | string).strip() }}}}{{% endfor %}}",
            i + 1
        );
        vars.insert(format!("v{i}").into(), Value::user_text(&text, None));
    }
    vars.insert("v48".into(), "end".into());
    let t = Templar::new(&Engine::new(), Arc::new(vars), Arc::default());
    let v = t.render(&Value::user_text("{{ v0 }}", None)).unwrap();
    assert_eq!(v, Value::str("end"));
}

#[test]
fn an_entry_that_nobody_asks_for_cannot_fail() {
    let t = templar(
        r#"{"all": ["{{ base }}", "{{ more }}"], "base": "{{ packages }}", "more": [],
            "packages": [{"name": "a", "state": "{{ nope }}"}, {"name": "{{ n }}", "state": "x"}], "n": "b",
            "sum": "{{ packages + more }}", "m": "{{ maybe | default(packages) }}"}"#,
    );
    for (text, want) in [
        (
            "{% for l in all %}{% for p in l %}{{ p.name }}{% endfor %}{% endfor %}",
            "ab",
        ),
        ("{{ base[1].state }}{{ all[0][1].name }}", "xb"),
        ("{{ sum[1].name }}{{ m[0].name }}{{ sum | length }}", "ba2"),
        (
            "{{ base[0].state is defined }}{{ base[0].state | default('d') }}",
            "Falsed",
        ),
    ] {
        assert_eq!(
            t.render_str(&Value::user_text(text, None)).unwrap(),
            want,
            "{text}"
        );
    }
    let error = t.render(&Value::user_text("{{ base }}", None)).unwrap_err();
    assert_eq!(error.message(), "'nope' is undefined");
}

#[test]
fn what_comes_from_hosts_is_never_templated() {
    let evil = "{{ 7*7 }}";
    let mut result = Map::default();
    result.insert("stdout".into(), Value::str(evil));
    result.insert(
        "lines".into(),
        Value::list(vec![Value::str(evil), Value::str("{% if %}")]),
    );
    let mut vars = Map::default();
    vars.insert("r".into(), Value::map(result));
    vars.insert("copy".into(), Value::user_text("{{ r.stdout }}", None));
    vars.insert(
        "wrapped".into(),
        trusted(&serde_json::from_str(r#"{"x": "{{ copy }}", "l": ["{{ r.lines }}"]}"#).unwrap()),
    );
    let t = Templar::new(&Engine::new(), Arc::new(vars.clone()), Arc::default());
    for (text, want) in [
        ("{{ copy }}", evil),
        ("{{ wrapped.x }}", evil),
        ("{{ wrapped.l[0][0] }}", evil),
        ("{{ nope | default(r.stdout) }}", evil),
        ("{{ (r.lines + [copy])[2] }}", evil),
        ("{{ '{{' ~ ' 7*7 }}' }}", evil),
        (
            "{% for x in r.lines %}{% if loop.first %}{{ x }}{% endif %}{% endfor %}",
            evil,
        ),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(copy) }}", evil),
        ("{{ '%s' % copy }}", evil),
    ] {
        let once = t.render(&Value::user_text(text, None)).unwrap();
        assert_eq!(once, Value::str(want), "{text}");
        // as set_fact and loops do: back into the variables, rendered again
        let mut again = vars.clone();
        again.insert("fact".into(), once.clone());
        let t = Templar::new(&Engine::new(), Arc::new(again), Arc::default());
        assert_eq!(t.render(&once).unwrap(), once);
        let through = t.render(&Value::user_text("{{ fact }}", None)).unwrap();
        assert_eq!(through, once);
        let mut item = Map::default();
        item.insert("item".into(), once.clone());
        let through = t
            .with(item)
            .render(&Value::user_text("<{{ item }}>", None))
            .unwrap();
        assert_eq!(through, Value::str(format!("<{want}>")));
    }
    // nor evaluated as a condition
    let mut vars = vars;
    vars.insert("cond".into(), Value::str("1 == 2"));
    let t = Templar::new(&Engine::new(), Arc::new(vars), Arc::default());
    for foreign in [
        Value::user_text("{{ cond }}", None),
        Value::user_text("{{ cond }} == {{ cond }}", None),
        Value::str("cond == '1 == 2'"),
    ] {
        let error = t.condition(&foreign).unwrap_err();
        assert_eq!(
            error.message(),
            "Encountered untrusted template or expression."
        );
    }
    let own = Value::user_text("cond == '1 == 2'", None);
    assert!(t.condition(&own).unwrap());
}

#[test]
fn a_template_may_name_a_condition_that_the_user_wrote() {
    let t = templar(r#"{"cond": "1 == 2", "n": 3, "list": ["1 == 1"]}"#);
    for (text, want) in [
        ("{{ cond }}", false),
        ("{{ list[0] }}", true),
        ("{{ list | first }}", true),
        ("{{ n }} == {{ n }}", true),
    ] {
        let got = t.condition(&Value::user_text(text, None));
        assert_eq!(got.unwrap(), want, "{text}");
    }
    // what a filter made of it is not what the user wrote
    let made = Value::user_text("{{ cond | trim }}", None);
    assert!(t.condition(&made).is_err());
}

#[test]
fn omit_drops_its_entry() {
    let t = templar(
        r#"{"o": "{{ omit }}", "args": {"a": 1, "b": "{{ omit }}", "c": ["{{ omit }}", {"d": "{{ o }}", "e": 2}]}}"#,
    );
    let v = t.render(&Value::user_text("{{ args }}", None)).unwrap();
    assert_eq!(v.to_json().to_string(), r#"{"a":1,"c":[{"e":2}]}"#);
    let raw = trusted(
        &serde_json::from_str(r#"{"x": "{{ nope | default(omit) }}", "y": "{{ 1 }}"}"#).unwrap(),
    );
    assert_eq!(t.render(&raw).unwrap().to_json().to_string(), r#"{"y":1}"#);
    assert_eq!(
        t.render(&Value::user_text("{{ omit }}", None)).unwrap(),
        Value::Omit
    );
}

#[test]
fn conditions_of_the_oldest_dialect() {
    let t = templar(
        r#"{"v": "Latest", "yes": "yes", "no": "no", "a": "x", "b": "x", "n": 3, "t": true, "e": ""}"#,
    );
    for (text, want) in [
        ("yes", true),
        ("no", false),
        ("e", false),
        ("{{ no }}", false),
        ("{{ a }} == 'x'", true),
        ("\"{{ a }}\" == \"x\"", true),
        ("'{{ a }}' != '{{ b }}'", false),
        ("\"{{ a | upper2 if false else a}}\" != \"latest\"", true),
        ("{{ n }} > 2 and t == true", true),
        ("n == 3 and None == none", true),
        ("{{ n > 2 }}", true),
        ("{% if n > 2 %}true{% else %}false{% endif %}", true),
    ] {
        let got = t.condition(&Value::user_text(text, None));
        assert_eq!(got.unwrap(), want, "{text}");
    }
    assert!(!t.condition(&Value::Bool(false)).unwrap());
    let error = t.condition(&Value::user_text("  ", None)).unwrap_err();
    assert_eq!(
        error.message(),
        "Empty conditional expressions are not allowed."
    );
    let error = t
        .condition(&Value::user_text("nope.x == 1", None))
        .unwrap_err();
    assert_eq!(error.message(), "'nope' is undefined");
}

#[derive(Debug)]
struct Hosts;

impl Dynamic for Hosts {
    fn get(&self, key: &str) -> crate::Result<Option<Value>> {
        Ok((key == "web1").then(|| {
            let mut map = Map::default();
            map.insert("ip".into(), Value::str("10.0.0.1"));
            Value::map(map)
        }))
    }
    fn keys(&self) -> Vec<Arc<str>> {
        vec!["web1".into()]
    }
}

#[test]
fn dynamic_maps_are_asked_lazily() {
    let mut vars = Map::default();
    vars.insert("hostvars".into(), Value::Dynamic(Arc::new(Hosts)));
    let t = Templar::new(&Engine::new(), Arc::new(vars), Arc::default());
    for (text, want) in [
        ("{{ hostvars.web1.ip }}", "10.0.0.1"),
        ("{{ hostvars['web1']['ip'] }}", "10.0.0.1"),
        (
            "{{ 'web1' in hostvars }}{{ 'db' in hostvars }}",
            "TrueFalse",
        ),
        ("{% for h in hostvars %}{{ h }}{% endfor %}", "web1"),
        ("{{ hostvars['db'] is defined }}", "False"),
        ("{{ hostvars.get('db', 'none') }}", "none"),
        ("{{ hostvars.items() }}", "[['web1', {'ip': '10.0.0.1'}]]"),
        (
            "{{ vars['hostvars'].web1.ip }}{{ vars.get('x', 1) }}",
            "10.0.0.11",
        ),
    ] {
        assert_eq!(
            t.render_str(&Value::user_text(text, None)).unwrap(),
            want,
            "{text}"
        );
    }
}

#[test]
fn whole_files() {
    let dir = tempfile::tempdir().unwrap();
    let templates = dir.path().join("templates");
    std::fs::create_dir(&templates).unwrap();
    let write = |name: &str, text: &str| std::fs::write(templates.join(name), text).unwrap();
    write("inc.j2", "included {{ b }}\n");
    write(
        "mac.j2",
        "{% macro one(a) %}one {{ a }}{% endmacro %}\n{% macro two() %}two{% endmacro %}\n",
    );
    write(
        "base.j2",
        "<{% block head %}base{% endblock %}|{% block body %}{% endblock %}>\n",
    );
    let vars = trusted(&serde_json::from_str(r#"{"b": 1, "l": [1, "a"]}"#).unwrap());
    let t = Templar::new(
        &Engine::new(),
        Arc::new(vars.as_map().unwrap().clone()),
        Arc::new(SearchPath::new(dir.path())),
    );
    let render = |text: &str, options: FileOptions| {
        let source = Source::new(templates.join("main.j2").display().to_string(), text);
        t.render_file(&source, options, Map::default())
    };
    for (text, want) in [
        (
            "{# c #}\nx\n{% if true %}\ny\n{% endif %}\nend\n",
            "x\ny\nend\n",
        ),
        ("{% include 'inc.j2' %}|\n", "included 1|\n"),
        (
            "{% import 'mac.j2' as m %}\n{{ m.one('q') }}\n{% from 'mac.j2' import two as t %}\n{{ t() }}\n",
            "one q\ntwo\n",
        ),
        ("{% include ['nope.j2', 'inc.j2'] %}", "included 1"),
        ("a{% include 'nope.j2' ignore missing %}b", "ab"),
        (
            "{% extends 'base.j2' %}{% block head %}{{ super() }}+{{ b }}{% endblock %}{% block body %}B{% endblock %}",
            "<base+1|B>",
        ),
        (
            "{{ none }}|{{ l }}|{{ (1,2) }}|{{ omit }}|{{ {'a': none} }}\n",
            "|[1, 'a']|[1, 2]||{'a': None}\n",
        ),
        ("{{ \"esc\\n\\t\\x41\\d\" }}\n", "esc\n\tA\\d\n"),
        ("{{ l }}", "[1, 'a']"),
        ("", ""),
        (
            "#jinja2: trim_blocks:False, lstrip_blocks: True\n  {% if true %}\nx\n  {% endif %}\n{{ b }}\n",
            "\nx\n\n1\n",
        ),
        (
            "{% for i in range(2) %}\n  {% if i %}\n  - {{ i }}\n  {% endif %}\n{% endfor %}\n{{ range(3) }}\n",
            "      - 1\n  range(0, 3)\n",
        ),
    ] {
        assert_eq!(
            render(text, FileOptions::default()).unwrap(),
            want,
            "{text:?}"
        );
    }
    let custom = FileOptions {
        variable_start_string: "[[".into(),
        variable_end_string: "]]".into(),
        block_start_string: "<%".into(),
        block_end_string: "%>".into(),
        newline_sequence: "\r\n".into(),
        ..FileOptions::default()
    };
    assert_eq!(
        render("<% if b %>\n[[ b ]] {{ x }}\n<% endif %>\n", custom).unwrap(),
        "1 {{ x }}\r\n"
    );
    let facts = super::file_variables("inc.j2", &templates.join("inc.j2"), Some("/d"), "Managed");
    let source = Source::new(
        "x",
        "{{ ansible_managed }} {{ template_path }} {{ template_destpath }} {{ template_uid }} {{ template_mtime[:2] }}",
    );
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(dir.path()).unwrap());
    let out = t
        .render_file(&source, FileOptions::default(), facts)
        .unwrap();
    assert!(
        out.starts_with("Managed inc.j2 /d ") && out.ends_with(" 20"),
        "{out}"
    );
    assert!(uid != 0 || out.contains(" root "), "{out}");
    let error = render("#jinja2: nope:1\nx", FileOptions::default()).unwrap_err();
    assert!(error.message().contains("'nope'"), "{error}");
    let error = render(
        "#jinja2: trim_blocks:True\nx\n  {{ b + oops }}\n",
        FileOptions::default(),
    )
    .unwrap_err();
    assert!(
        error
            .location()
            .unwrap()
            .to_string()
            .ends_with("main.j2:3:10"),
        "{error:?}"
    );
    let error = render("x\n{% include 'nope.j2' %}\n", FileOptions::default()).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("Error rendering template: 'nope.j2' not found in search path"),
        "{error}"
    );
}
