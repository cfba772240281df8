//! File modes: octal numbers and `chmod`'s symbols.

use crate::machine::{Kind, Stat};
use crate::value::Value;

/// A mode as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModeSpec {
    Octal(u32),
    Symbolic(String),
}

impl ModeSpec {
    /// From an argument: text is octal digits or symbols, a number is the mode itself.
    ///
    /// The error says what was wrong, as the result's `details` have it.
    pub fn parse(value: &Value) -> Result<ModeSpec, String> {
        match value {
            Value::Int(i) => u32::try_from(*i)
                .ok()
                .filter(|m| *m <= 0o7777)
                .map(ModeSpec::Octal)
                .ok_or_else(|| "Invalid mode: out of range".to_string()),
            Value::Str(s) => {
                let digits = s.strip_prefix("0o").unwrap_or(s);
                match u32::from_str_radix(digits, 8) {
                    Ok(mode) if mode <= 0o7777 && !digits.starts_with('+') => {
                        Ok(ModeSpec::Octal(mode))
                    }
                    _ => Ok(ModeSpec::Symbolic(s.to_string())),
                }
            }
            other => Err(format!(
                "'{}' object has no attribute 'split'",
                other.type_name()
            )),
        }
    }

    /// The permission bits for an entry that now is as `stat` says.
    pub fn apply(&self, stat: &Stat, umask: u32) -> Result<u32, String> {
        match self {
            ModeSpec::Octal(mode) => Ok(*mode),
            ModeSpec::Symbolic(text) => symbolic(text, stat, umask),
        }
    }
}

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// `u=rwX,g-w,o=` and so on, starting from the entry's mode.
fn symbolic(text: &str, stat: &Stat, umask: u32) -> Result<u32, String> {
    let refuse = || format!("bad symbolic permission for mode: {text}");
    let mut mode = stat.mode;
    for clause in text.split(',') {
        let who_end = clause.find(['+', '-', '=']).ok_or_else(refuse)?;
        let (who, mut actions) = clause.split_at(who_end);
        // all of them are not named together with one
        if who != "a" && !who.chars().all(|c| "ugo".contains(c)) {
            return Err(refuse());
        }
        let everybody = matches!(who, "" | "a");
        while let Some(operator) = actions.chars().next() {
            let end = actions[1..]
                .find(['+', '-', '='])
                .map_or(actions.len(), |i| i + 1);
            let permissions = &actions[1..end];
            actions = &actions[end..];
            let original = mode;
            for (class, shift) in [('u', 6), ('g', 3), ('o', 0)] {
                if !everybody && !who.contains(class) {
                    continue;
                }
                let mut bits = 0;
                for p in permissions.chars() {
                    bits |= match p {
                        'r' => 4 << shift,
                        'w' => 2 << shift,
                        'x' => 1 << shift,
                        'X' if stat.kind == Kind::Directory || original & 0o111 != 0 => 1 << shift,
                        'X' => 0,
                        's' if class == 'u' => SETUID,
                        's' if class == 'g' => SETGID,
                        's' => 0,
                        't' if class == 'o' || who.is_empty() || who.contains('a') => STICKY,
                        't' => STICKY,
                        'u' => ((original >> 6) & 7) << shift,
                        'g' => ((original >> 3) & 7) << shift,
                        'o' => (original & 7) << shift,
                        _ => return Err(refuse()),
                    };
                }
                if who.is_empty() {
                    bits &= !umask;
                }
                let special = match class {
                    'u' => SETUID,
                    'g' => SETGID,
                    _ => STICKY,
                };
                match operator {
                    '+' => mode |= bits,
                    '-' => mode &= !bits,
                    _ => mode = mode & !((7 << shift) | special) | bits,
                }
            }
        }
    }
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    #[test]
    fn modes_as_chmod_has_them() {
        let machine = Machine::default();
        let dir = machine.stat(std::path::Path::new("/")).unwrap();
        let file = machine.stat(std::path::Path::new("/etc/passwd")).unwrap();
        let cases = [
            ("0644", 0o600, false, 0o644),
            ("u+x,g-r", 0o644, false, 0o704),
            ("u=rwX,g=rX,o=", 0o755, true, 0o750),
            ("u=rwX,g=rX,o=", 0o644, false, 0o640),
            ("a+X", 0o644, true, 0o755),
            ("+x", 0o600, false, 0o711),
            ("g=u,o-rwx", 0o640, false, 0o660),
            ("u+s,g+s,+t", 0o755, true, 0o7755),
            ("a=r", 0o777, false, 0o444),
            ("u=rw+x", 0o000, false, 0o700),
        ];
        for (text, before, is_dir, after) in cases {
            let mut stat = if is_dir { dir.clone() } else { file.clone() };
            stat.mode = before;
            let spec = ModeSpec::parse(&Value::str(text)).unwrap();
            assert_eq!(spec.apply(&stat, 0o022), Ok(after), "{text} on {before:o}");
        }
        for bad in ["abc", "999", "u+q", "", "x+r", "oa=r"] {
            let spec = ModeSpec::parse(&Value::str(bad)).unwrap();
            assert!(spec.apply(&file, 0).is_err(), "{bad}");
        }
    }
}
