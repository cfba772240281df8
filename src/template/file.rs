//! Options of whole template files, as the `template` module and lookup take them.

use super::compile::Syntax;
use super::ops::failure;
use crate::Result;

/// How a template file is read and written
/// (<https://docs.ansible.com/ansible/latest/collections/ansible/builtin/template_module.html>).
#[derive(Clone, Debug)]
pub struct FileOptions {
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    pub newline_sequence: String,
    pub variable_start_string: String,
    pub variable_end_string: String,
    pub block_start_string: String,
    pub block_end_string: String,
    pub comment_start_string: String,
    pub comment_end_string: String,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: true,
            newline_sequence: "\n".into(),
            variable_start_string: "{{".into(),
            variable_end_string: "}}".into(),
            block_start_string: "{%".into(),
            block_end_string: "%}".into(),
            comment_start_string: "{#".into(),
            comment_end_string: "#}".into(),
        }
    }
}

impl FileOptions {
    /// Reads the header `#jinja2: trim_blocks:False, ...` of a file.
    ///
    /// Gives the text after it and how many lines it took. Errors on an option that Jinja does not have.
    pub(super) fn header(mut self, text: &str) -> Result<(&str, FileOptions, u32)> {
        let Some(rest) = text.strip_prefix("#jinja2:") else {
            return Ok((text, self, 0));
        };
        let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
        for pair in line.split(',') {
            let (name, value) = pair.split_once(':').ok_or_else(|| {
                failure(format_args!(
                    "bad '#jinja2:' header: '{}' has no value",
                    pair.trim()
                ))
            })?;
            let value = value.trim().trim_matches(['\'', '"']);
            let flag = || match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(true),
                "false" | "no" | "0" => Ok(false),
                other => Err(failure(format_args!(
                    "bad '#jinja2:' header: '{other}' is neither True nor False"
                ))),
            };
            let text = || value.replace("\\n", "\n").replace("\\r", "\r");
            match name.trim() {
                "trim_blocks" => self.trim_blocks = flag()?,
                "lstrip_blocks" => self.lstrip_blocks = flag()?,
                "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
                "newline_sequence" => self.newline_sequence = text(),
                "variable_start_string" => self.variable_start_string = text(),
                "variable_end_string" => self.variable_end_string = text(),
                "block_start_string" => self.block_start_string = text(),
                "block_end_string" => self.block_end_string = text(),
                "comment_start_string" => self.comment_start_string = text(),
                "comment_end_string" => self.comment_end_string = text(),
                other => {
                    return Err(failure(format_args!(
                        "bad '#jinja2:' header: rplay does not have the option '{other}'"
                    )));
                }
            }
        }
        Ok((body, self, 1))
    }

    pub(super) fn syntax(&self) -> Syntax {
        let delimiters = [
            &self.variable_start_string,
            &self.variable_end_string,
            &self.block_start_string,
            &self.block_end_string,
            &self.comment_start_string,
            &self.comment_end_string,
        ];
        let usual = delimiters
            .iter()
            .map(|d| d.as_str())
            .eq(["{{", "}}", "{%", "%}", "{#", "#}"]);
        Syntax {
            trim_blocks: self.trim_blocks,
            lstrip_blocks: self.lstrip_blocks,
            keep_trailing_newline: self.keep_trailing_newline,
            escapes: true,
            delimiters: (!usual).then(|| Box::new(delimiters.map(String::clone))),
        }
    }
}
