//! The callback `tree`: a file for each host, with its last result as JSON.
//!
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/tree_callback.html>

use crate::notice;
use crate::report::output::{Layout, Output};
use crate::report::screen::Screen;
use crate::report::settings::Settings;
use crate::report::{Event, Reporter, TaskInfo};
use crate::result::TaskResult;
use std::path::PathBuf;

/// Writes results into a folder.
pub struct Tree {
    out: Output,
    folder: PathBuf,
}

impl Tree {
    /// Warns that ansible-core is going to drop it.
    pub fn new(screen: Screen, settings: Settings) -> Tree {
        super::deprecated("tree");
        let folder = settings.tree.clone();
        // playbooks run in their own folders
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        // results are JSON here, whatever is set
        let settings = Settings {
            yaml: false,
            pretty_results: None,
            ..settings
        };
        Tree {
            out: Output::new(screen, settings),
            folder,
        }
    }

    /// A host's result in place of its last one. What cannot be written is warned about.
    fn write(&self, task: &TaskInfo, host: &str, result: &TaskResult) {
        let text = self.out.dump(task, result, Layout::Line, false);
        let file = self.folder.join(host);
        let written = match host.contains('/') {
            // a name must not lead out of the folder
            true => Err(std::io::ErrorKind::InvalidFilename.into()),
            false => {
                std::fs::create_dir_all(&self.folder).and_then(|()| std::fs::write(&file, text))
            }
        };
        if let Err(e) = written {
            let file = file.display();
            notice::warning(format!("Unable to write to {host}'s file {file}: {e}"));
        }
    }
}

impl Reporter for Tree {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Result {
                task, host, result, ..
            } if !result.is_skipped() => self.write(task, host, result),
            Event::Including { task, host, result } => self.write(task, host, result),
            _ => {}
        }
    }
}
