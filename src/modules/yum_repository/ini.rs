//! Files of sections, as Python's configparser reads and writes them.

use indexmap::IndexMap;

/// Keys in small letters with their values; lines of a value that goes on are separated by line feeds.
pub type Section = IndexMap<String, String>;

/// The section whose entries all others have too.
pub const DEFAULT: &str = "DEFAULT";

/// A file's sections, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ini {
    default: Section,
    pub sections: IndexMap<String, Section>,
}

impl Ini {
    /// What the text of a file holds. The error is configparser's.
    pub fn parse(file: &str, text: &str) -> Result<Ini, String> {
        let shown = crate::python::quote(file);
        let mut ini = Ini::default();
        let mut section: Option<String> = None;
        // the key that an indented line goes on, and the indent of its own line
        let mut open: Option<(String, usize)> = None;
        let mut errors = String::new();
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let quoted = || crate::python::quote(&format!("{line}\n"));
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            if let (Some((key, own)), Some(name)) = (&open, &section)
                && (trimmed.is_empty() || indent > *own)
            {
                if let Some(value) = ini.section(name).get_mut(key) {
                    *value += "\n";
                    *value += trimmed;
                }
                continue;
            }
            if trimmed.is_empty() {
                continue;
            }
            open = None;
            if let Some(name) = trimmed
                .strip_prefix('[')
                .and_then(|rest| rest.rsplit_once(']'))
                .map(|(name, _)| name)
            {
                if ini.sections.contains_key(name) {
                    return Err(format!(
                        "While reading from {shown} [line {number:>2}]: section {} already exists",
                        crate::python::quote(name)
                    ));
                }
                if name != DEFAULT {
                    ini.sections.insert(name.to_string(), Section::new());
                }
                section = Some(name.to_string());
                continue;
            }
            let Some(name) = &section else {
                return Err(format!(
                    "File contains no section headers.\nfile: {shown}, line: {number}\n{}",
                    quoted()
                ));
            };
            let Some(at) = trimmed.find(['=', ':']).filter(|at| *at > 0) else {
                errors += &format!("\n\t[line {number:>2}]: {}", quoted());
                continue;
            };
            let key = trimmed[..at].trim_end().to_lowercase();
            let value = trimmed[at + 1..].trim().to_string();
            if ini.section(name).contains_key(&key) {
                return Err(format!(
                    "While reading from {shown} [line {number:>2}]: option {} in section {} already exists",
                    crate::python::quote(&key),
                    crate::python::quote(name)
                ));
            }
            ini.section(name).insert(key.clone(), value);
            open = Some((key, indent));
        }
        if !errors.is_empty() {
            return Err(format!("Source contains parsing errors: {shown}{errors}"));
        }
        // blank lines after a value are not of it
        let all = ini.sections.values_mut().chain([&mut ini.default]);
        for value in all.flat_map(|section| section.values_mut()) {
            value.truncate(value.trim_end_matches('\n').len());
        }
        Ok(ini)
    }

    fn section(&mut self, name: &str) -> &mut Section {
        match name {
            DEFAULT => &mut self.default,
            name => self.sections.entry(name.to_string()).or_default(),
        }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let default = [(DEFAULT, &self.default)];
        let default = default.into_iter().filter(|(_, s)| !s.is_empty());
        let others = self.sections.iter().map(|(n, s)| (n.as_str(), s));
        for (name, section) in default.chain(others) {
            out += &format!("[{name}]\n");
            for (key, value) in section {
                out += &format!("{key} = {}\n", value.replace('\n', "\n\t"));
            }
            out += "\n";
        }
        out
    }

    /// What it means: everything sorted, and the defaults in all sections.
    pub fn meaning(&self) -> String {
        let mut names: Vec<&String> = self.sections.keys().collect();
        names.sort();
        let mut out = String::new();
        for name in names {
            let mut all = self.default.clone();
            all.extend(self.sections[name].clone());
            all.sort_keys();
            out += &format!("[{name}]\n");
            for (key, value) in all {
                out += &format!("{key} = {value}\n");
            }
            out += "\n";
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_written_as_configparser_does() {
        let text = "# comment\n[one]\nname = One\nbaseurl=http://a\n   http://b\nEnabled=1\n; comment\n[two]\n\
                    name: Two\ngpgcheck = 1 ; no\nempty=\n\n[DEFAULT]\nx=y\n";
        let ini = Ini::parse("f", text).unwrap();
        assert_eq!(
            ini.text(),
            "[DEFAULT]\nx = y\n\n[one]\nname = One\nbaseurl = http://a\n\thttp://b\nenabled = 1\n\n\
             [two]\nname = Two\ngpgcheck = 1 ; no\nempty = \n\n"
        );
        assert_eq!(
            ini.meaning(),
            "[one]\nbaseurl = http://a\nhttp://b\nenabled = 1\nname = One\nx = y\n\n\
             [two]\nempty = \ngpgcheck = 1 ; no\nname = Two\nx = y\n\n"
        );
        assert_eq!(Ini::parse("f", &ini.text()).unwrap().text(), ini.text());
    }

    #[test]
    fn errors_are_those_of_configparser() {
        for (text, error) in [
            (
                "garbage\n",
                "File contains no section headers.\nfile: 'f', line: 1\n'garbage\\n'",
            ),
            (
                "[a]\nx=1\n[a]\n",
                "While reading from 'f' [line  3]: section 'a' already exists",
            ),
            (
                "[a]\nx=1\nX=2\n",
                "While reading from 'f' [line  3]: option 'x' in section 'a' already exists",
            ),
            (
                "[a]\nx\n",
                "Source contains parsing errors: 'f'\n\t[line  2]: 'x\\n'",
            ),
        ] {
            assert_eq!(Ini::parse("f", text).unwrap_err(), error);
        }
    }
}
