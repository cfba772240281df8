//! Every case of tests/filters/cases.txt against what ansible-core makes of it.

use super::json::{self, Style};
use super::{Engine, Templar};
use crate::search::SearchPath;
use crate::value::Value;
use std::path::Path;
use std::sync::Arc;

/// The part of ansible-core's message that names the template rather than the cause is not compared.
fn same_words(ours: &str, theirs: &str) -> bool {
    let first = |s: &str| s.lines().next().unwrap_or("").trim_end().to_string();
    let theirs = theirs.replace("\\n", "\n");
    // names of Python's classes that no user means
    let plain = |s: &str| {
        s.replace("_AnsibleLazyTemplateDict", "dict")
            .replace("_AnsibleLazyTemplateList", "list")
            .replace("ansible._internal._templating._lazy_containers.", "")
    };
    plain(&first(&theirs)) == plain(&first(ours))
}

#[test]
fn filters_and_tests_as_ansible_core_has_them() {
    let variables: Value =
        serde_json::from_str(include_str!("../../tests/filters/variables.json")).unwrap();
    let scope = Arc::new(variables.as_map().unwrap().clone());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filters");
    let engine = Engine::new();
    let cases = include_str!("../../tests/filters/cases.txt");
    let mut lines = cases
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut wrong = Vec::new();
    let mut count = 0;
    let home = std::env::var("HOME").unwrap_or_default();
    while let (Some(expression), Some(want)) = (lines.next(), lines.next()) {
        count += 1;
        let want = want.replace("/home/user", &home);
        let expression = expression.strip_prefix("? ").unwrap_or(expression);
        let templar = Templar::new(&engine, scope.clone(), Arc::new(SearchPath::new(&folder)));
        let template = Value::user_text(&format!("{{{{ {expression} }}}}"), None);
        let got = match templar.render(&template) {
            Ok(value) => format!("= {}", json::dump(&value, &Style::default()).unwrap()),
            Err(e) => format!("! {}", e.message()),
        };
        let fine = match (got.strip_prefix("! "), want.strip_prefix("! ")) {
            (Some(ours), Some(theirs)) => same_words(ours, theirs),
            _ => got == want,
        };
        if !fine {
            wrong.push(format!("{expression}\n  want {want}\n  got  {got}"));
        }
    }
    assert!(count > 300, "only {count} cases");
    assert!(
        wrong.is_empty(),
        "{} of {count} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
