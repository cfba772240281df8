//! Values while a template runs: ours, and what only Python's world has: tuples, undefined, callables.

use super::ast::Macro;
use super::env::{Cx, Env};
use crate::value::{Key, Value};
use indexmap::IndexMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// A dictionary that a template may change.
pub type Dict = IndexMap<Key, V, foldhash::fast::RandomState>;

/// A value of a running template. Never leaves the evaluation that made it.
#[derive(Clone)]
pub enum V {
    /// Rendered already: holds no template.
    Data(Value),
    /// A list or map from the user that holds templates; its parts are rendered when asked for.
    Lazy(Value),
    Undefined(Rc<Undef>),
    Tuple(Rc<Vec<V>>),
    /// A list that the template can change; other names see the change.
    List(Rc<RefCell<Vec<V>>>),
    Dict(Rc<RefCell<Dict>>),
    Obj(Rc<Obj>),
}

/// What names nothing, with the error that using it is.
pub struct Undef {
    pub message: Arc<str>,
    /// Where the cause lies elsewhere (in the template of a variable): its error.
    pub error: Option<crate::Error>,
    /// Prints as nothing: what `a if false` without an else is.
    pub silent: bool,
}

/// Things that only live inside a template.
pub enum Obj {
    Range(i64, i64, i64),
    Namespace(RefCell<Dict>),
    Function(Function),
    /// A method and the value it is called on.
    Bound(V, Arc<str>),
    Macro(MacroObj),
    /// An imported template.
    Module(Rc<Env>),
    Loop(LoopObj),
    Cycler(Vec<V>, Cell<usize>),
    Joiner(String, Cell<bool>),
    Time(super::times::Moment),
    Span(super::times::Span),
    /// All variables, as `vars`.
    Vars,
    /// `super` inside of a block: the block's name and how far up.
    Super(Arc<str>, usize),
    /// `self`: the template's blocks as functions.
    SelfBlocks,
}

pub struct MacroObj {
    pub decl: Arc<Macro>,
    pub cx: Cx,
}

/// The functions that every template has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Range,
    Dict,
    Namespace,
    Lookup,
    Query,
    Now,
    Undef,
    Cycler,
    Joiner,
    Lipsum,
}

/// `loop` in the body of a `for`.
pub struct LoopObj {
    pub items: Vec<V>,
    pub index: Cell<usize>,
    pub depth: usize,
    pub last_changed: RefCell<Option<V>>,
    /// To run the loop again over other items, where it is recursive.
    pub recurse: Option<(Arc<super::ast::For>, Cx)>,
}

impl V {
    pub fn null() -> V {
        V::Data(Value::Null)
    }
    pub fn str(text: impl AsRef<str>) -> V {
        V::Data(Value::str(text))
    }
    pub fn bool(b: bool) -> V {
        V::Data(Value::Bool(b))
    }
    pub fn int(i: i64) -> V {
        V::Data(Value::Int(i))
    }
    pub fn obj(obj: Obj) -> V {
        V::Obj(Rc::new(obj))
    }
    pub fn list(items: Vec<V>) -> V {
        V::List(Rc::new(RefCell::new(items)))
    }
    pub fn dict(entries: Dict) -> V {
        V::Dict(Rc::new(RefCell::new(entries)))
    }
    pub fn undefined(message: impl Into<Arc<str>>) -> V {
        V::Undefined(Rc::new(Undef {
            message: message.into(),
            error: None,
            silent: false,
        }))
    }
    pub fn is_undefined(&self) -> bool {
        matches!(self, V::Undefined(_) | V::Data(Value::Undefined(_)))
    }

    /// Python's name of the type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            V::Data(v) | V::Lazy(v) => v.type_name(),
            V::Undefined(_) => "Undefined",
            V::Tuple(_) => "tuple",
            V::List(_) => "list",
            V::Dict(_) => "dict",
            V::Obj(o) => match &**o {
                Obj::Range(..) => "range",
                Obj::Namespace(_) => "Namespace",
                Obj::Function(_) => "function",
                Obj::Bound(..) => "method",
                Obj::Macro(_) => "Macro",
                Obj::Module(_) => "TemplateModule",
                Obj::Loop(_) => "LoopContext",
                Obj::Cycler(..) => "Cycler",
                Obj::Joiner(..) => "Joiner",
                Obj::Time(time) if time.date_only => "date",
                Obj::Time(_) => "datetime",
                Obj::Span(_) => "timedelta",
                Obj::Vars => "dict",
                Obj::Super(..) => "BlockReference",
                Obj::SelfBlocks => "TemplateReference",
            },
        }
    }

    /// Python's truth; undefined is false here, whoever cares asks before.
    pub fn is_truthy(&self) -> bool {
        match self {
            V::Data(v) | V::Lazy(v) => v.is_truthy(),
            V::Undefined(_) => false,
            V::Tuple(t) => !t.is_empty(),
            V::List(l) => !l.borrow().is_empty(),
            V::Dict(d) => !d.borrow().is_empty(),
            V::Obj(o) => match &**o {
                Obj::Range(start, stop, step) => range_len(*start, *stop, *step) > 0,
                Obj::Span(span) => span.0 != 0,
                _ => true,
            },
        }
    }
}

impl From<Value> for V {
    fn from(value: Value) -> V {
        V::Data(value)
    }
}

/// How many numbers a `range` has.
pub fn range_len(start: i64, stop: i64, step: i64) -> usize {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let count = if step > 0 {
        (stop - start + step - 1) / step
    } else {
        (start - stop - step - 1) / -step
    };
    usize::try_from(count.max(0)).unwrap_or(usize::MAX)
}
