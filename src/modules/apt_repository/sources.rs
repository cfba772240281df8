//! All lists of sources of the target.

use super::line::{Line, file_name};
use crate::machine::{Content, Machine, python_error};
use crate::modules::Failure;
use crate::modules::common::attributes::FileArgs;
use crate::modules::common::diff::Attributes;
use crate::modules::common::text;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const MAIN: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// What files hold.
pub type Texts<'a> = BTreeMap<&'a Path, String>;

/// The files with their lines, in the order in which they are read.
#[derive(Clone)]
pub struct Sources {
    files: Vec<(PathBuf, Vec<Line>)>,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Failure + '_ {
    |e| Failure::uncaught(python_error(&e, path))
}

impl Sources {
    /// What is there. Fails if a file cannot be read.
    pub fn read(machine: &Machine) -> Result<Sources, Failure> {
        let mut paths = vec![PathBuf::from(MAIN)];
        let names = machine.list(Path::new(PARTS)).unwrap_or_default();
        let lists = names.iter().map(|name| Path::new(PARTS).join(name));
        paths.extend(lists.filter(|path| path.extension() == Some(OsStr::new("list"))));
        let mut files = Vec::new();
        for path in paths.into_iter().filter(|p| machine.is_file(p)) {
            let bytes = machine.read(&path).map_err(failed(&path))?;
            let lines = text::decode(&bytes).lines().map(Line::parse).collect();
            files.push((path, lines));
        }
        Ok(Sources { files })
    }

    /// What the files hold, those without a line left out.
    pub fn texts(&self) -> Texts<'_> {
        let files = self.files.iter().filter(|(_, lines)| !lines.is_empty());
        files
            .map(|(path, lines)| {
                let lines = lines.iter().map(|line| format!("{line}\n"));
                (path.as_path(), lines.collect::<String>())
            })
            .collect()
    }

    /// Adds a source, in the file of this name (without `.list`) or one named after it. Where there is a line for
    /// it already, that one is made to hold.
    pub fn add(&mut self, source: &str, file: Option<&str>) {
        let mut found = false;
        for line in self.files.iter_mut().flat_map(|(_, lines)| lines) {
            if line.valid && line.source == source {
                line.enabled = true;
                found = true;
            }
        }
        if found {
            return;
        }
        let name = file.map_or_else(|| file_name(source), str::to_string);
        let path = match name.contains('/') {
            true => PathBuf::from(format!("{name}.list")),
            false => Path::new(PARTS).join(format!("{name}.list")),
        };
        let line = Line::of(source);
        match self.files.iter_mut().find(|(there, _)| *there == path) {
            Some((_, lines)) => lines.push(line),
            None => self.files.push((path, vec![line])),
        }
    }

    /// Takes a source out of all files.
    pub fn remove(&mut self, source: &str) {
        for (_, lines) in &mut self.files {
            lines.retain(|line| !(line.valid && line.enabled && line.source == source));
        }
    }

    /// Writes the files; one without a line is removed. New ones get the mode.
    pub fn write(&self, machine: &mut Machine, new: &FileArgs) -> Result<(), Failure> {
        let texts = self.texts();
        for (path, text) in &texts {
            let is_new = !machine.exists(path);
            let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|f| !machine.is_dir(f)) {
                machine.mkdir(folder).map_err(|e| {
                    let why = python_error(&e, folder).replacen(": b'", ": '", 1);
                    let folder = folder.display();
                    Failure::new(format!("Failed to create directory {folder}: {why}"))
                })?;
            }
            machine
                .write(path, Content::Bytes(&text::encode(text)), None, false)
                .map_err(failed(path))?;
            if is_new {
                new.apply(machine, path, true, &mut Attributes::default())?;
            }
        }
        for (path, _) in &self.files {
            if !texts.contains_key(path.as_path()) {
                machine.remove(path).map_err(failed(path))?;
            }
        }
        Ok(())
    }

    /// Makes the files as these were: after a change that does not hold.
    pub fn undo_to(&self, old: &Sources, machine: &mut Machine) -> Result<(), Failure> {
        let there = old.texts();
        for path in self.texts().into_keys() {
            if !there.contains_key(path) {
                machine.remove(path).map_err(failed(path))?;
            }
        }
        old.write(machine, &FileArgs::default())
    }
}
