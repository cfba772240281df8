//! `docs/compatibility.md`: what ansible-core has, by the lists that it prints itself, and whether rplay has it, by rplay's own tables.
//!
//! The page is made from both and compared with the one in the repository; `RPLAY_UPDATE=1` writes it.

mod ansible;
mod rplay;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// A kind of thing that playbooks name.
struct Kind {
    title: &'static str,
    /// What ansible-core has.
    theirs: BTreeSet<String>,
    /// What rplay has.
    ours: BTreeSet<String>,
    /// Why some that rplay lacks will stay out.
    never: &'static [(&'static str, &'static str)],
}

impl Kind {
    fn has(&self) -> usize {
        self.theirs.intersection(&self.ours).count()
    }

    fn table(&self) -> String {
        let mut page = format!(
            "\n## {}\n\n{} of {}.\n\n| name | in rplay |\n|---|---|\n",
            self.title,
            self.has(),
            self.theirs.len()
        );
        for name in &self.theirs {
            let why = self.never.iter().find(|(n, _)| n == name);
            let there = match (self.ours.contains(name), why) {
                (true, _) => "yes".to_string(),
                (false, Some((_, why))) => format!("no: {why}"),
                (false, None) => "not yet".to_string(),
            };
            let _ = writeln!(page, "| `{name}` | {there} |");
        }
        page
    }
}

const HEAD: &str = "\
# What of ansible-core rplay has

Made by a test (`tests/compatibility`) from the lists that ansible-core prints of itself (`ansible-doc -l`, `ansible-config list`,
`ansible-playbook --help`) and from rplay's own tables, and compared in every run of the tests. \"yes\" says that rplay knows the name;
how well it behaves is what the comparisons of `tests/parity`, `tests/hosts` and [the suites of ansible-core](conformance.md) are about. What is
not there is refused by name. Modules and plugins beyond ansible-core are in the [README](../README.md).

";

#[test]
fn the_page_says_what_there_is() {
    let ansible = ansible::Lists::get();
    let kinds = [
        Kind {
            title: "Keywords of playbooks",
            theirs: ansible.documented("keyword"),
            ours: rplay::keywords(),
            never: &[
                ("accelerate", "ansible-core took it away itself"),
                ("accelerate_ipv6", "ansible-core took it away itself"),
                ("accelerate_port", "ansible-core took it away itself"),
            ],
        },
        Kind {
            title: "Options of ansible-playbook",
            theirs: ansible.options(),
            ours: rplay::options(),
            never: &[],
        },
        Kind {
            title: "Modules",
            theirs: ansible.documented("module"),
            ours: rplay::modules(),
            never: &[],
        },
        Kind {
            title: "Filters",
            theirs: ansible.documented("filter"),
            ours: rplay::filters(),
            never: &[],
        },
        Kind {
            title: "Tests",
            theirs: ansible.documented("test"),
            ours: rplay::tests(),
            never: &[],
        },
        Kind {
            title: "Lookups",
            theirs: ansible.documented("lookup"),
            ours: rplay::lookups(),
            never: &[],
        },
        Kind {
            title: "Ways to become another user",
            theirs: ansible.documented("become"),
            ours: rplay::become_methods(),
            never: &[("runas", "for Windows")],
        },
        Kind {
            title: "Settings",
            theirs: ansible.settings(),
            ours: ansible.settings_of(&rplay::settings()),
            never: rplay::SETTINGS_NEVER,
        },
    ];
    let mut page = HEAD.to_string();
    page.push_str("| | in rplay | in ansible-core |\n|---|---|---|\n");
    for kind in &kinds {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            kind.title,
            kind.has(),
            kind.theirs.len()
        );
    }
    kinds.iter().for_each(|kind| page.push_str(&kind.table()));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    if std::env::var_os("RPLAY_UPDATE").is_some() {
        std::fs::write(&file, &page).expect("the page written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let stale: Vec<&str> = page
        .lines()
        .filter(|line| !kept.lines().any(|k| k == *line))
        .collect();
    assert!(
        kept == page,
        "docs/compatibility.md is not what there is: run this test with RPLAY_UPDATE=1. New lines:\n{}",
        stale.join("\n")
    );
}
