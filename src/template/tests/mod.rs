//! Tests (`x is name`): Jinja2's own and ansible.builtin's, one file per family.
//!
//! [`call`] is the way in. Names are bare: whoever calls strips `ansible.builtin.` and the like.

use super::call::Call;
use crate::Result;

mod files;
mod results;
mod texts;
mod values;

/// How a test is written.
pub type Test = fn(Call) -> Result<bool>;

/// All tests by name, family after family.
pub static FAMILIES: &[&[(&str, Test)]] =
    &[files::TESTS, results::TESTS, texts::TESTS, values::TESTS];

/// Tests that take an undefined value, or undefined arguments, without an error.
const TAKES_UNDEFINED: &[&str] = &["defined", "undefined", "iterable", "sequence"];

/// The test of that name.
pub fn find(name: &str) -> Option<Test> {
    FAMILIES
        .iter()
        .flat_map(|family| family.iter())
        .find(|(n, _)| *n == name)
        .map(|(_, f)| *f)
}

/// All names, for "did you mean" and for registration.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|f| f.iter()).map(|(n, _)| *n)
}

/// Calls a test. An undefined value or argument is an error unless the test takes it.
pub fn call(test: Test, call: Call) -> Result<bool> {
    if !TAKES_UNDEFINED.contains(&call.name) {
        super::call::refuse_undefined(&call)?;
    }
    test(call)
}

#[cfg(test)]
mod laws {
    use super::*;

    #[test]
    fn each_name_is_there_once_and_in_order() {
        for family in FAMILIES {
            assert!(
                family.is_sorted_by(|(a, _), (b, _)| a < b),
                "{:?}",
                family[0].0
            );
        }
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        assert!(
            all.windows(2).all(|w| w[0] != w[1]),
            "a test is there twice"
        );
    }
}
