//! What runs on the controller: `debug`, `set_fact`, the source side of `template` and `copy`, AWS.

use crate::connection::{Request, Session};
use crate::machine::Mode;
use crate::result::TaskResult;
use crate::search::SearchPath;
use crate::template::Templar;
use crate::value::Map;

/// What an action may use.
pub struct Context<'a> {
    /// Name of the host that the task is for.
    pub host: &'a str,
    /// Renders with the task's variables.
    pub templar: &'a Templar,
    /// Where the task's files are looked for.
    pub files: &'a SearchPath,
    /// The host's connection.
    pub session: &'a mut dyn Session,
    pub mode: Mode,
    /// How many `-v`.
    pub verbosity: u8,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
}

impl Context<'_> {
    /// Runs a module on the host.
    pub fn module(&mut self, name: &str, args: Map) -> TaskResult {
        let request = Request {
            module: name.to_string(),
            args,
            mode: self.mode,
            environment: self.environment.clone(),
        };
        match self.session.call(request) {
            Ok(result) => result,
            Err(e) => TaskResult::unreachable(e.msg),
        }
    }
}

/// An action in a table.
pub struct Entry {
    /// All names: bare, fully qualified, and old ones.
    pub names: &'static [&'static str],
    /// Takes the rendered arguments.
    pub run: fn(Map, &mut Context<'_>) -> TaskResult,
}

/// The actions of this module; those of AWS are in `aws::ACTIONS`.
pub static ACTIONS: &[Entry] = &[];
