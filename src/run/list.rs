//! What `--list-hosts`, `--list-tasks` and `--list-tags` show.

use super::Runner;
use super::tags::{self, TagFilter};
use super::values::text_of;
use crate::Result;
use crate::inventory::Pattern;
use crate::playbook::{Item, Loader, Play};
use crate::report::listing;
use crate::template::Templar;
use std::path::Path;

/// A playbook without its plays, for `--syntax-check`.
pub fn named(path: &Path) -> listing::Playbook {
    listing::Playbook {
        file: path.display().to_string(),
        ..Default::default()
    }
}

impl Runner<'_> {
    pub fn listing(
        &mut self,
        path: &Path,
        plays: &[Play],
        loader: &Loader,
    ) -> Result<listing::Playbook> {
        let mut wanted = self.options.tags.clone();
        if self.options.list.tags && wanted.is_empty() {
            // a list of tags has those that run only when named
            wanted = vec!["all".to_string(), "never".to_string()];
        }
        let filter = TagFilter::new(&wanted, &self.options.skip_tags);
        let mut out = named(path);
        for play in plays {
            // as with ansible-playbook, files of variables that are missing here are no reason not to list
            let _ = self.enter(play, loader, (*play.frame.vars).clone());
            let templar = self.play_templar(play, loader);
            let patterns = super::play::hosts_patterns(play, &templar)?;
            let hosts = match self.options.list.hosts {
                true => self
                    .world
                    .inventory()
                    .hosts_for(
                        &Pattern::parse(&super::play::joined(&patterns))?,
                        self.limit.as_ref(),
                    )?
                    .iter()
                    .map(|h| h.to_string())
                    .collect(),
                false => Vec::new(),
            };
            let name = match play.keyword("name") {
                Some(name) => templar.render_str(&name).unwrap_or_else(|_| text_of(&name)),
                None => patterns.join(","),
            };
            let mut tasks = Vec::new();
            for section in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
                collect(section, &filter, &templar, &mut tasks);
            }
            out.plays.push(listing::Play {
                name,
                patterns,
                tags: play_tags(play),
                hosts,
                tasks,
            });
        }
        Ok(out)
    }
}

fn collect(items: &[Item], filter: &TagFilter, templar: &Templar, out: &mut Vec<listing::Task>) {
    for item in items {
        match item {
            Item::Block(block) => {
                // as ansible-playbook: without rescue and always
                collect(&block.body, filter, templar, out);
            }
            Item::Task(task) => {
                let tags = tags::rendered(task, templar);
                if task.implicit || !filter.chooses(&tags) {
                    continue;
                }
                // names are shown as written: their variables have no host here
                let name = match (task.name(), task.role_name()) {
                    (Some(name), Some(role)) if task.action.bare != "include_role" => {
                        format!("{role} : {}", text_of(&name))
                    }
                    (Some(name), _) => text_of(&name),
                    (None, _) => task.action.name.clone(),
                };
                out.push(listing::Task { name, tags });
            }
        }
    }
}

/// The play's tags and those of the imports that brought it.
fn play_tags(play: &Play) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for tag in play.frame.chain().flat_map(|f| f.directives.tags()) {
        let tag = text_of(&tag);
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    out
}
