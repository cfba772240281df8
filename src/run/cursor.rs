//! Where a host stands in a play: which task comes next, and what a failure does.

use crate::playbook::{Block, Item, Task};
use indexmap::IndexSet;
use std::cmp::Ordering;
use std::sync::Arc;

/// The part of a block that is running. The order is that of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Body,
    Rescue,
    Always,
}

#[derive(Clone, Debug)]
struct Level {
    block: Arc<Block>,
    section: Section,
    index: usize,
    /// The block has failed and nothing rescued it: the failure goes on when `always` is done.
    failed: bool,
    /// The block's tasks are handlers: those that were not notified are passed over.
    handlers: bool,
    /// Put before the next item of the level around it, in the place of none.
    extra: bool,
}

impl Level {
    fn new(block: Arc<Block>, handlers: bool) -> Level {
        Level {
            block,
            section: Section::Body,
            index: 0,
            failed: false,
            handlers,
            extra: false,
        }
    }
    fn items(&self) -> &[Item] {
        match self.section {
            Section::Body => &self.block.body,
            Section::Rescue => &self.block.rescue,
            Section::Always => &self.block.always,
        }
    }
}

/// Ids of the handlers that a host has been notified of, in the order of the notifications.
pub type Notified = IndexSet<usize>;

/// One host's place in the play's blocks.
#[derive(Clone, Debug)]
pub struct Cursor {
    levels: Vec<Level>,
    failed: bool,
}

impl Cursor {
    /// At the start of `root`.
    pub fn new(root: &Arc<Block>) -> Cursor {
        Cursor {
            levels: vec![Level::new(Arc::clone(root), false)],
            failed: false,
        }
    }

    /// The task that comes next, if any. Steps into blocks and out of finished ones.
    pub fn peek(&mut self, notified: &Notified) -> Option<&Arc<Task>> {
        self.settle(notified);
        let level = self.levels.last()?;
        match &level.items()[level.index] {
            Item::Task(task) => Some(task),
            Item::Block(_) => None,
        }
    }

    fn settle(&mut self, notified: &Notified) {
        while let Some(level) = self.levels.last_mut() {
            let handlers = level.handlers;
            match level.items().get(level.index) {
                Some(Item::Task(task)) if handlers && !notified.contains(&task.id) => {
                    level.index += 1
                }
                Some(Item::Task(_)) => return,
                Some(Item::Block(block)) => {
                    let block = Arc::clone(block);
                    self.levels.push(Level::new(block, handlers));
                }
                None if level.section == Section::Always => self.leave(),
                None => {
                    // a rescue that ran to its end has cured the block
                    level.section = Section::Always;
                    level.index = 0;
                }
            }
        }
    }

    /// Ends the innermost block and hands its failure to the one around it.
    fn leave(&mut self) {
        let Some(done) = self.levels.pop() else {
            return;
        };
        if done.failed {
            self.fall();
        } else if let Some(level) = self.levels.last_mut().filter(|_| !done.extra) {
            level.index += 1;
        }
    }

    /// Passes the task that [`Cursor::peek`] gave.
    pub fn advance(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.index += 1;
        }
    }

    /// The task just passed has failed. Returns whether a rescue takes over, if only after an `always`.
    pub fn fail(&mut self) -> bool {
        let rescued = self
            .levels
            .iter()
            .any(|l| l.section == Section::Body && !l.block.rescue.is_empty());
        self.fall();
        rescued
    }

    /// Goes to the innermost rescue or `always`.
    fn fall(&mut self) {
        let Some(level) = self.levels.last_mut() else {
            self.failed = true;
            return;
        };
        if level.section == Section::Body && !level.block.rescue.is_empty() {
            level.section = Section::Rescue;
            level.index = 0;
            return;
        }
        level.failed = true;
        if level.section == Section::Always {
            level.index = level.block.always.len();
        } else {
            level.section = Section::Always;
            level.index = 0;
        }
        // nothing to run here: the failure goes to the block around, which may have a rescue
        if level.index >= level.block.always.len() {
            self.levels.pop();
            self.fall();
        }
    }

    /// Puts blocks before whatever comes next; called after the including task was passed.
    pub fn insert(&mut self, blocks: Arc<Block>, handlers: bool) {
        if let Some(level) = self.levels.last_mut() {
            // the place of the inserted tasks is that of the task that brought them
            level.index = level.index.saturating_sub(1);
            self.levels.push(Level::new(blocks, handlers));
        }
    }

    /// Puts a block before whatever comes next, without a place of its own; of a host that has nothing left
    /// nothing becomes of it.
    pub fn insert_here(&mut self, block: Arc<Block>) {
        if !self.levels.is_empty() {
            let mut level = Level::new(block, false);
            level.extra = true;
            self.levels.push(level);
        }
    }

    /// Skips everything that is left, `always` sections included.
    pub fn end(&mut self) {
        self.levels.clear();
    }

    /// Skips what is left of the tasks in the innermost block that `inside` accepts.
    pub fn end_while(&mut self, inside: impl Fn(&Block) -> bool) {
        let Some(cut) = self.levels.iter().position(|l| inside(&l.block)) else {
            return;
        };
        self.levels.truncate(cut);
        if let Some(level) = self.levels.last_mut() {
            level.index += 1;
        }
    }

    /// Whether the host failed and no rescue cured it.
    pub fn has_failed(&self) -> bool {
        self.failed || self.levels.iter().any(|l| l.failed)
    }

    /// Forgets a failure (`meta: clear_host_errors`).
    pub fn clear_failure(&mut self) {
        self.failed = false;
        for level in &mut self.levels {
            level.failed = false;
        }
    }

    /// Whether a rescue section is running.
    pub fn is_rescuing(&self) -> bool {
        self.levels.iter().any(|l| l.section == Section::Rescue)
    }

    /// Which of two hosts is earlier in the play's text.
    pub fn order(&self, other: &Cursor) -> Ordering {
        let place = |l: &Level| (l.section, l.index);
        self.levels
            .iter()
            .map(place)
            .cmp(other.levels.iter().map(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Directives, Frame, FrameKind, one};
    use crate::source::{Location, Source};

    fn task(name: &str) -> Item {
        let at = Location::new(&Source::new("t", ""), 1, 1);
        let frame = Arc::new(Frame::new(FrameKind::Play, Directives::default(), None));
        let args = one("msg", name);
        Item::Task(Arc::new(Task::implicit(
            "debug",
            args,
            Some(name),
            &[],
            &at,
            &frame,
        )))
    }

    fn block(body: &[&str], rescue: &[&str], always: &[&str]) -> Arc<Block> {
        let frame = Arc::new(Frame::new(FrameKind::Block, Directives::default(), None));
        let items = |names: &[&str]| names.iter().map(|n| task(n)).collect();
        Arc::new(Block {
            body: items(body),
            rescue: items(rescue),
            always: items(always),
            frame,
        })
    }

    fn outer(items: Vec<Item>) -> Arc<Block> {
        let frame = Arc::new(Frame::new(FrameKind::Block, Directives::default(), None));
        Arc::new(Block::plain(items, &frame))
    }

    /// Runs to the end; tasks in `failing` fail.
    fn walk(root: &Arc<Block>, failing: &[&str]) -> (Vec<String>, bool) {
        let mut cursor = Cursor::new(root);
        let mut seen = Vec::new();
        while let Some(task) = cursor.peek(&Notified::new()) {
            let name = task.name().unwrap().as_str().unwrap().to_string();
            cursor.advance();
            if failing.contains(&name.as_str()) {
                cursor.fail();
            }
            seen.push(name);
        }
        (seen, cursor.has_failed())
    }

    #[test]
    fn a_rescue_cures_and_always_runs() {
        let root = outer(vec![
            Item::Block(block(&["a", "b"], &["r"], &["z"])),
            task("after"),
        ]);
        assert_eq!(walk(&root, &[]).0, ["a", "b", "z", "after"]);
        assert_eq!(
            walk(&root, &["a"]),
            (
                vec!["a".into(), "r".into(), "z".into(), "after".into()],
                false
            )
        );
        assert_eq!(
            walk(&root, &["a", "r"]),
            (vec!["a".into(), "r".into(), "z".into()], true)
        );
        assert_eq!(
            walk(&root, &["z"]),
            (vec!["a".into(), "b".into(), "z".into()], true)
        );
    }

    #[test]
    fn a_failure_reaches_the_outer_rescue_after_the_inner_always() {
        let inner = block(&["a"], &[], &["z"]);
        let frame = Arc::clone(&inner.frame);
        let root = outer(vec![Item::Block(Arc::new(Block {
            body: vec![Item::Block(inner)],
            rescue: vec![task("r")],
            always: Vec::new(),
            frame,
        }))]);
        assert_eq!(
            walk(&root, &["a"]),
            (vec!["a".into(), "z".into(), "r".into()], false)
        );
    }

    #[test]
    fn inserted_tasks_come_before_the_next_one_of_other_hosts() {
        let root = outer(vec![task("include"), task("next")]);
        let mut with = Cursor::new(&root);
        let mut without = Cursor::new(&root);
        for cursor in [&mut with, &mut without] {
            cursor.peek(&Notified::new());
            cursor.advance();
        }
        with.insert(outer(vec![task("included")]), false);
        with.peek(&Notified::new());
        without.peek(&Notified::new());
        assert_eq!(with.order(&without), Ordering::Less);
        with.advance();
        assert_eq!(
            with.peek(&Notified::new())
                .unwrap()
                .name()
                .unwrap()
                .as_str(),
            Some("next")
        );
        assert_eq!(with.order(&without), Ordering::Equal);
    }
}
