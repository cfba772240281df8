//! Texts in other encodings than UTF-8: what is not known here, the target's `iconv` knows.

use super::tool;
use crate::machine::{Command, Machine};
use crate::modules::Failure;

/// Why a text could not be read.
pub enum Unreadable {
    /// The target does not know the encoding.
    Unknown,
    /// The bytes are none of the encoding's.
    Damaged,
    Failed(Failure),
}

/// The text that the bytes are in the encoding, by one of the names that Python knows it by.
pub fn decode(machine: &Machine, bytes: Vec<u8>, encoding: &str) -> Result<String, Unreadable> {
    let name = encoding.to_lowercase().replace('_', "-");
    match name.as_str() {
        "utf-8" | "utf8" | "u8" => String::from_utf8(bytes).map_err(|_| Unreadable::Damaged),
        "ascii" | "us-ascii" | "646" => match bytes.is_ascii() {
            true => String::from_utf8(bytes).map_err(|_| Unreadable::Damaged),
            false => Err(Unreadable::Damaged),
        },
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => {
            Ok(bytes.into_iter().map(char::from).collect())
        }
        _ => by_program(machine, bytes, &name),
    }
}

fn by_program(machine: &Machine, bytes: Vec<u8>, name: &str) -> Result<String, Unreadable> {
    let program = tool::find(machine, "iconv").map_err(Unreadable::Failed)?;
    let command = Command {
        stdin: Some(bytes),
        ..tool::command([program.as_str(), "-f", name, "-t", "UTF-8"])
    };
    let output = machine
        .probe(&command)
        .map_err(|e| Unreadable::Failed(tool::cannot(&command, &e)))?;
    let said = output.stderr_text();
    match output.rc {
        0 => String::from_utf8(output.stdout).map_err(|_| Unreadable::Damaged),
        _ if ["illegal", "nvalid", "incomplete"]
            .iter()
            .any(|w| said.contains(w)) =>
        {
            Err(Unreadable::Damaged)
        }
        _ => Err(Unreadable::Unknown),
    }
}
