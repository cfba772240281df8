//! The text of an ansible.cfg: sections of `key = value`, each with its place.
//!
//! As Python's configparser reads it: keys in any case, `=` or `:`, comments after `#` and `;` on a line of
//! their own and after ` ;` anywhere, values that go on in indented lines.

use crate::error::{Error, Kind, Result};
use crate::source::{Location, Source};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that was read.
pub(super) struct ConfigFile {
    pub path: PathBuf,
    /// `section.key` to value and place.
    entries: IndexMap<String, (String, Location)>,
}

impl ConfigFile {
    pub fn read(path: &Path) -> Result<ConfigFile> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::new(
                Kind::Options,
                format!("Error reading config file ({}): {e}", path.display()),
            )
        })?;
        ConfigFile::parse(path, &Source::new(path.display().to_string(), text))
    }

    /// Reads the file's text. Fails where a line is no section, entry or continuation, or an entry is there twice.
    pub fn parse(path: &Path, source: &Arc<Source>) -> Result<ConfigFile> {
        let mut entries: IndexMap<String, (String, Location)> = IndexMap::new();
        let mut section = None;
        let mut open = false;
        let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
        for (index, raw) in text.lines().enumerate() {
            let at = |column: usize| Location::new(source, index as u32 + 1, column as u32 + 1);
            let refuse = |message: String| {
                Err(Error::new(
                    Kind::Options,
                    format!("Error reading config file: {message}"),
                )
                .at(&at(0)))
            };
            if raw.trim_start().starts_with(['#', ';']) {
                continue;
            }
            let line = without_comment(raw).trim_end();
            if line.is_empty() {
                continue;
            }
            let indented = line.starts_with([' ', '\t']);
            if indented
                && open
                && let Some((_, (value, _))) = entries.last_mut()
            {
                value.push('\n');
                value.push_str(line.trim());
                continue;
            }
            let line_start = line.len() - line.trim_start().len();
            let trimmed = line.trim();
            if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.split_once(']')) {
                section = Some(name.0.to_string());
                open = false;
                continue;
            }
            let Some(section) = &section else {
                return refuse("a line stands before the first [section]".into());
            };
            let Some(delimiter) = trimmed.find(['=', ':']).filter(|n| *n > 0) else {
                return refuse("a line is neither a [section] nor `key = value`".into());
            };
            let key = trimmed[..delimiter].trim().to_lowercase();
            let rest = &trimmed[delimiter + 1..];
            let value = rest.trim();
            let before = line_start + delimiter + 1 + (rest.len() - rest.trim_start().len());
            let column = line[..before].chars().count();
            let name = format!("{section}.{key}");
            if entries.contains_key(&name) {
                return refuse(format!("{key} is set twice in [{section}]"));
            }
            entries.insert(name, (value.to_string(), at(column)));
            open = true;
        }
        Ok(ConfigFile {
            path: path.to_path_buf(),
            entries,
        })
    }

    /// The value and place of `section.key`.
    pub fn get(&self, name: &str) -> Option<(&str, &Location)> {
        self.entries
            .get(name)
            .map(|(value, at)| (value.as_str(), at))
    }

    pub fn entries(&self) -> impl Iterator<Item = (&str, &str, &Location)> {
        self.entries
            .iter()
            .map(|(name, (value, at))| (name.as_str(), value.as_str(), at))
    }
}

/// The line without a comment that follows a blank and a semicolon.
fn without_comment(line: &str) -> &str {
    line.match_indices(';')
        .map(|(at, _)| at)
        .find(|at| line[..*at].ends_with([' ', '\t']))
        .map_or(line, |at| &line[..at])
}
