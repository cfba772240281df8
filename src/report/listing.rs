//! What `--list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check` print.

use crate::run::options::Listing;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What one playbook holds.
#[derive(Clone, Debug, Default)]
pub struct Playbook {
    /// Path as on the command line.
    pub file: String,
    pub plays: Vec<Play>,
}

/// What one play holds.
#[derive(Clone, Debug, Default)]
pub struct Play {
    /// The play's name; its host pattern where it has none.
    pub name: String,
    /// The items of `hosts`, as written.
    pub patterns: Vec<String>,
    pub tags: Vec<String>,
    /// Hosts that match the patterns and the limit.
    pub hosts: Vec<String>,
    /// Tasks that the tags select, in the order of the play; without handlers and rescue sections.
    pub tasks: Vec<Task>,
}

/// One task of a listing.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// `role : name`; for a task without a name the module's name alone.
    pub name: String,
    pub tags: Vec<String>,
}

/// The text of a listing, as ansible-playbook prints it; of nothing but the files for `--syntax-check`.
pub fn text(playbooks: &[Playbook], what: Listing) -> String {
    let mut out = String::new();
    for playbook in playbooks {
        let _ = writeln!(out, "\nplaybook: {}", playbook.file);
        if what.any() {
            for (index, play) in playbook.plays.iter().enumerate() {
                play_text(&mut out, index + 1, play, what);
            }
        }
    }
    out
}

fn play_text(out: &mut String, number: usize, play: &Play, what: Listing) {
    let _ = writeln!(
        out,
        "\n  play #{number} ({}): {}\tTAGS: [{}]",
        play.patterns.join(","),
        play.name,
        sorted(&play.tags).join(",")
    );
    if what.hosts {
        let patterns: Vec<String> = play.patterns.iter().map(|p| quoted(p)).collect();
        let _ = writeln!(out, "    pattern: [{}]", patterns.join(", "));
        let _ = writeln!(out, "    hosts ({}):", play.hosts.len());
        for host in &play.hosts {
            let _ = writeln!(out, "      {host}");
        }
    }
    if what.tasks {
        out.push_str("    tasks:\n");
        for task in &play.tasks {
            let tags = sorted(&task.tags).join(", ");
            let _ = writeln!(out, "      {}\tTAGS: [{tags}]", task.name);
        }
    }
    if what.tags {
        let all: BTreeSet<&str> = play
            .tasks
            .iter()
            .flat_map(|t| t.tags.iter().map(String::as_str))
            .collect();
        let all: Vec<&str> = all.into_iter().collect();
        let _ = writeln!(out, "      TASK TAGS: [{}]", all.join(", "));
    }
}

fn sorted(tags: &[String]) -> Vec<&str> {
    let set: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
    set.into_iter().collect()
}

/// A text as Python's `repr` shows it in a list.
fn quoted(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_ansible_playbook() {
        let strings = |items: &[&str]| items.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let books = [Playbook {
            file: "l.yml".into(),
            plays: vec![Play {
                name: "First".into(),
                patterns: strings(&["h1", "h2"]),
                tags: strings(&["aa"]),
                hosts: strings(&["h1"]),
                tasks: vec![Task {
                    name: "r : t".into(),
                    tags: strings(&["z", "aa"]),
                }],
            }],
        }];
        let all = Listing {
            hosts: true,
            tasks: true,
            tags: true,
        };
        assert_eq!(
            text(&books, all),
            "\nplaybook: l.yml\n\n  play #1 (h1,h2): First\tTAGS: [aa]\n    pattern: ['h1', 'h2']\n    hosts (1):\n      h1\n    tasks:\n      r : t\tTAGS: [aa, z]\n      TASK TAGS: [aa, z]\n"
        );
        assert_eq!(text(&books, Listing::default()), "\nplaybook: l.yml\n");
    }
}
