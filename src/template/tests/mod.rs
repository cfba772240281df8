//! Tests (`x is name`): Jinja2's own and ansible.builtin's, one file per family.
//!
//! [`call`] is the way in. Names are bare: whoever calls strips `ansible.builtin.` and the like.

use super::call::Call;
use super::registry::Registry;
use crate::Result;

mod files;
mod results;
mod texts;
mod values;

/// How a test is written.
pub type Test = fn(Call) -> Result<bool>;

/// All tests by name, family after family.
pub static ALL: Registry<Test> =
    Registry(&[files::TESTS, results::TESTS, texts::TESTS, values::TESTS]);

/// Tests that take an undefined value, or undefined arguments, without an error.
const TAKES_UNDEFINED: &[&str] = &["defined", "undefined", "iterable", "sequence"];

/// Calls a test. An undefined value or argument is an error unless the test takes it.
pub fn call(test: Test, call: Call) -> Result<bool> {
    if !TAKES_UNDEFINED.contains(&call.name) {
        super::call::refuse_undefined(&call)?;
    }
    test(call)
}
