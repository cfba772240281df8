//! Where evaluation stands: names, and the place in the text.

use super::compile::Unit;
use super::val::V;
use crate::source::Location;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// Names of a block of statements, inside of those around it.
#[derive(Default)]
pub struct Env {
    pub vars: RefCell<Vec<(Arc<str>, V)>>,
    pub parent: Option<Rc<Env>>,
}

impl Env {
    pub fn child(parent: &Rc<Env>) -> Rc<Env> {
        Rc::new(Env {
            vars: RefCell::default(),
            parent: Some(Rc::clone(parent)),
        })
    }
    pub fn get(&self, name: &str) -> Option<V> {
        let mut env = Some(self);
        while let Some(e) = env {
            if let Some((_, v)) = e.vars.borrow().iter().rev().find(|(n, _)| **n == *name) {
                return Some(v.clone());
            }
            env = e.parent.as_deref();
        }
        None
    }
    pub fn set(&self, name: &Arc<str>, value: V) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = value,
            None => vars.push((Arc::clone(name), value)),
        }
    }
    /// Replaces a value where it is defined.
    pub fn replace(&self, name: &str, value: &V) {
        let mut env = Some(self);
        while let Some(e) = env {
            if let Some(slot) = e
                .vars
                .borrow_mut()
                .iter_mut()
                .rev()
                .find(|(n, _)| **n == *name)
            {
                slot.1 = value.clone();
                return;
            }
            env = e.parent.as_deref();
        }
    }
}

/// A text that is being evaluated, and where it starts in the user's file.
pub struct Here {
    pub unit: Arc<Unit>,
    pub at: Option<Location>,
    /// Whether places can be counted from the start.
    pub verbatim: bool,
    pub page: Rc<Page>,
}

/// A block's definition and the template that it is in.
pub type Definition = (Arc<super::ast::Block>, Rc<Here>);

/// What the templates of one inheritance chain share.
#[derive(Default)]
pub struct Page {
    /// Definitions of each block, the most derived first.
    pub blocks: RefCell<HashMap<Arc<str>, Vec<Definition>>>,
    /// The template that the one being run extends, once that is known.
    pub parent: RefCell<Option<Rc<Here>>>,
}

/// Where evaluation stands.
#[derive(Clone)]
pub struct Cx {
    pub env: Rc<Env>,
    pub here: Rc<Here>,
}

impl Here {
    /// The place of a byte of the text.
    pub fn location(&self, offset: u32) -> Option<Location> {
        let at = self.at.as_ref()?;
        if !self.verbatim || at.line == 0 {
            return Some(at.clone());
        }
        let before = self.unit.text.get(..offset as usize)?;
        let (line, column) = match before.rfind('\n') {
            None => (at.line, at.column + before.chars().count() as u32),
            Some(i) => (
                at.line + before.matches('\n').count() as u32,
                before[i + 1..].chars().count() as u32 + 1,
            ),
        };
        // a text in a playbook is known by where it starts, a file's text by its lines
        let scalar = match self.unit.syntax.escapes {
            true => None,
            false => at.scalar.or(Some((at.line, at.column))),
        };
        Some(Location::new(&at.source, line, column).in_scalar(scalar))
    }
}
