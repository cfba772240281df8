//! Archives of a checkout.

use super::Work;
use crate::machine::{Content, Machine, errno_text};
use crate::modules::Failure;
use std::path::Path;

/// What the end of an archive's name means.
const FORMATS: &[(&str, &str)] = &[
    (".tar.gz", "tar.gz"),
    (".tgz", "tgz"),
    (".tar", "tar"),
    (".zip", "zip"),
];

/// The format that an archive's name asks for.
pub fn format(archive: &Path) -> Result<&'static str, Failure> {
    let name = archive.to_string_lossy();
    let found = FORMATS.iter().find(|(end, _)| name.ends_with(end));
    found.map(|(_, format)| *format).ok_or_else(|| {
        Failure::new(format!(
            "Unable to get file extension from archive file name : {name}"
        ))
        .with(
            "details",
            "Please specify archive as filename with extension. File extension can be one of \
             ['tar', 'tar.gz', 'zip', 'tgz']",
        )
    })
}

impl Work<'_> {
    /// Writes the archive; the result says whether it is another than before.
    pub(super) fn archive(&mut self, machine: &mut Machine) -> Result<(), Failure> {
        let Some(archive) = &self.args.archive else {
            return Ok(());
        };
        let format = format(archive)?;
        // git works in the checkout
        let archive = &self.dest.join(archive);
        let version = &self.args.version;
        let io = |e: std::io::Error| {
            Failure::new(format!("Failed to create the archive: {}", errno_text(&e)))
        };
        let folder = machine.scratch("", true).map_err(io)?;
        let made = folder.join(format!("archive.{format}"));
        let output = made.to_string_lossy().into_owned();
        let mut words = vec!["archive", "--format", format, "--output", &output];
        if let Some(prefix) = &self.args.archive_prefix {
            words.extend(["--prefix", prefix]);
        }
        words.push(version);
        let ran = self.git.ask(&self.dest, &words, machine);
        let done = ran.and_then(|ran| {
            let msg = "Failed to perform archive operation".to_string();
            self.git.judged(&words, ran, Some(msg))?;
            // archives of the same files are the same but for their times
            let same =
                machine.exists(archive) && machine.sha1(archive).ok() == machine.sha1(&made).ok();
            if !same {
                machine
                    .replace(archive, Content::File(&made), None, false)
                    .map_err(io)?;
            }
            Ok(same)
        });
        machine.drop_scratch(&made);
        machine.drop_scratch_folder(&folder);
        if !done? {
            self.set("changed", true);
        }
        Ok(())
    }
}
