//! Every case of tests/templating/cases.json against what ansible-core made of it.

use super::{Engine, Scope, Templar, python};
use crate::search::SearchPath;
use crate::value::Value;
use std::sync::Arc;

/// A value as it comes from the user's YAML: text with braces is a template.
pub fn trusted(value: &Value) -> Value {
    match value {
        Value::Str(s) => Value::user_text(s, None),
        Value::List(l) => Value::list(l.iter().map(trusted).collect()),
        Value::Map(m) => Value::map(m.iter().map(|(k, v)| (k.clone(), trusted(v))).collect()),
        other => other.clone(),
    }
}

#[test]

fn as_ansible_core_does_it() {
    let text = include_str!("../../tests/templating/cases.json");
    let data: Value = serde_json::from_str(text).unwrap();
    let mut vars = trusted(data.get("variables").unwrap())
        .as_map()
        .unwrap()
        .clone();
    for (k, v) in data.get("results").unwrap().as_map().unwrap() {
        vars.insert(k.clone(), v.clone());
    }
    let engine = Engine::new();
    let scope: Arc<dyn Scope> = Arc::new(vars);
    let mut wrong = Vec::new();
    let cases = data.get("cases").unwrap().as_list().unwrap();
    for case in cases {
        let templar = Templar::new(&engine, Arc::clone(&scope), Arc::new(SearchPath::default()));
        let field = |name: &str| case.get(name).and_then(Value::as_str);
        let (source, got) = match (field("template"), field("when")) {
            (Some(t), _) => (
                t,
                templar
                    .render(&Value::user_text(t, None))
                    .map(|v| python::repr(&v)),
            ),
            (_, Some(w)) => (
                w,
                templar
                    .condition(&Value::user_text(w, None))
                    .map(|b| python::repr(&Value::Bool(b)))
                    .map_err(|e| match e.kind() {
                        // who runs the task puts these words before
                        crate::error::Kind::Undefined => {
                            e.context("Error while evaluating conditional")
                        }
                        _ => e,
                    }),
            ),
            _ => panic!("a case without a template: {case:?}"),
        };
        let fine = match (&got, field("want"), field("error")) {
            (Ok(got), Some(want), _) => got == want,
            (Err(e), _, Some(error)) => e.message() == error,
            _ => false,
        };
        if !fine {
            let want = field("want").map_or_else(
                || format!("error: {}", field("error").unwrap_or("?")),
                String::from,
            );
            let got = got.unwrap_or_else(|e| format!("error: {}", e.message()));
            wrong.push(format!("{source:?}\n   want {want}\n   got  {got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
#[ignore = "prints how long a variable and a condition take"]
fn speed() {
    let vars = trusted(
        &serde_json::from_str(
            r#"{"a":"{{ b }}/x","b":"{{ c }}-1","c":"base","n":3,"os":"Debian"}"#,
        )
        .unwrap(),
    );
    let scope: Arc<dyn Scope> = Arc::new(vars.as_map().unwrap().clone());
    let engine = Engine::new();
    let template = Value::user_text("value is {{ a }}", None);
    let condition = Value::str("os == 'Debian' and n > 2");
    let n = 20_000u32;
    let files = Arc::new(SearchPath::default());
    let start = std::time::Instant::now();
    for _ in 0..n {
        let templar = Templar::new(&engine, Arc::clone(&scope), Arc::clone(&files));
        templar.render(&template).unwrap();
    }
    println!("two-level variable: {:?}", start.elapsed() / n);
    let start = std::time::Instant::now();
    for _ in 0..n {
        let templar = Templar::new(&engine, Arc::clone(&scope), Arc::clone(&files));
        templar.condition(&condition).unwrap();
    }
    println!("condition: {:?}", start.elapsed() / n);
}
