//! Which tasks `--tags` and `--skip-tags` choose.

use crate::playbook::{Block, Item, Task};
use crate::template::Templar;
use crate::value::Value;
use std::sync::Arc;

/// The tags asked for and those to leave out.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    pub only: Vec<String>,
    pub skip: Vec<String>,
}

impl TagFilter {
    /// From the options; no `--tags` means `all`.
    pub fn new(only: &[String], skip: &[String]) -> TagFilter {
        let split = |list: &[String]| -> Vec<String> {
            list.iter()
                .flat_map(|t| t.split(','))
                .map(|t| t.trim().to_string())
                .filter(|t| !t.is_empty())
                .collect()
        };
        let mut only = split(only);
        if only.is_empty() {
            only.push("all".into());
        }
        TagFilter {
            only,
            skip: split(skip),
        }
    }

    /// Whether a task with these tags is to run
    /// (<https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html>).
    pub fn chooses(&self, tags: &[String]) -> bool {
        let has = |list: &[String], name: &str| list.iter().any(|t| t == name);
        let always = has(tags, "always");
        let never = has(tags, "never");
        let tagged = !tags.is_empty();
        let meet = |list: &[String]| tags.iter().any(|t| has(list, t));

        let mut run = always
            || (has(&self.only, "all") && !never)
            || meet(&self.only)
            || (has(&self.only, "tagged") && tagged && !never)
            || (has(&self.only, "untagged") && !tagged);
        if run && !self.skip.is_empty() {
            // `always` outlasts --skip-tags all, not being named
            if (has(&self.skip, "all") && (!always || has(&self.skip, "always")))
                || meet(&self.skip)
                || (has(&self.skip, "tagged") && tagged)
                || (has(&self.skip, "untagged") && !tagged)
            {
                run = false;
            }
        }
        run
    }

    /// The chosen part of a block; none if nothing in it is left.
    pub fn filter(&self, block: &Block, templar: &Templar) -> Option<Block> {
        let part = |items: &[Item]| -> Vec<Item> {
            items
                .iter()
                .filter_map(|item| match item {
                    Item::Task(task) => self.keeps(task, templar).then(|| item.clone()),
                    Item::Block(inner) => self
                        .filter(inner, templar)
                        .map(|b| Item::Block(Arc::new(b))),
                })
                .collect()
        };
        let out = Block {
            body: part(&block.body),
            rescue: part(&block.rescue),
            always: part(&block.always),
            frame: Arc::clone(&block.frame),
        };
        (!out.body.is_empty() || !out.rescue.is_empty() || !out.always.is_empty()).then_some(out)
    }

    fn keeps(&self, task: &Task, templar: &Templar) -> bool {
        // what rplay puts in itself goes its own way
        if task.implicit && task.action.bare == "meta" {
            return true;
        }
        self.chooses(&rendered(task, templar))
    }
}

/// A task's tags as text, templates rendered; a tag that cannot be rendered stays as written.
pub fn rendered(task: &Task, templar: &Templar) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for tag in &task.resolved().tags {
        let value = match tag {
            Value::Template(_) => templar.render(tag).unwrap_or_else(|_| tag.clone()),
            other => other.clone(),
        };
        let texts: Vec<String> = match &value {
            Value::List(items) => items.iter().map(text).collect(),
            Value::Null => Vec::new(),
            other => text(other)
                .split(',')
                .map(|t| t.trim().to_string())
                .collect(),
        };
        for text in texts {
            if !out.contains(&text) {
                out.push(text);
            }
        }
    }
    out
}

fn text(value: &Value) -> String {
    match value.as_str() {
        Some(s) => s.to_string(),
        None => value.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_as_documented() {
        let cases: &[(&str, &str, &str, bool)] = &[
            ("", "", "", true),
            ("", "", "a", true),
            ("a", "", "a b", true),
            ("a", "", "b", false),
            ("a", "", "", false),
            ("a", "", "always", true),
            ("", "", "never", false),
            ("never", "", "never", true),
            ("x", "", "never x", true),
            ("all", "", "never x", false),
            ("tagged", "", "a", true),
            ("tagged", "", "", false),
            ("untagged", "", "", true),
            ("untagged", "", "a", false),
            ("", "a", "a b", false),
            ("", "always", "always", false),
            ("", "all", "always", true),
            ("", "untagged", "", false),
            ("a", "b", "a b", false),
        ];
        let list = |s: &str| s.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        for (only, skip, tags, want) in cases {
            let filter = TagFilter::new(&list(only), &list(skip));
            assert_eq!(
                filter.chooses(&list(tags)),
                *want,
                "-t '{only}' --skip-tags '{skip}' on '{tags}'"
            );
        }
    }
}
