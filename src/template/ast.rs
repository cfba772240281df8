//! What a template is compiled to: minijinja's syntax tree, owned, with its names resolved.

use super::filters::Filter;
use super::tests::Test;
use crate::value::Value;
use std::sync::Arc;

/// An expression and the byte offset of its start in the template's text.
#[derive(Debug)]
pub struct Expr {
    pub at: u32,
    pub kind: Kind,
}

/// The kinds of expressions.
pub enum Kind {
    /// A template is one in a lookup's term.
    Const(Value),
    Var(Arc<str>),
    Attr(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    /// `a < b <= c`: one or more comparisons, each with the right side of the one before.
    Compare(Box<Expr>, Vec<(Cmp, Expr)>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Filter(Box<FilterCall>),
    Test(Box<TestCall>),
    Call(Box<Expr>, Vec<Arg>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Const(v) => write!(f, "Const({v:?})"),
            Kind::Var(name) => write!(f, "Var({name})"),
            _ => f.write_str("Expr"),
        }
    }
}

/// `value | name(args)`; without a value it is applied to a block's text.
pub struct FilterCall {
    /// As written.
    pub name: Arc<str>,
    /// None if there is no such filter: an error when it is reached.
    pub filter: Option<Filter>,
    pub value: Option<Expr>,
    pub args: Vec<Arg>,
}

/// `value is name(args)`.
pub struct TestCall {
    pub name: Arc<str>,
    pub test: Option<Test>,
    pub value: Expr,
    pub args: Vec<Arg>,
}

/// An argument of a call.
pub enum Arg {
    Pos(Expr),
    Kw(Arc<str>, Expr),
    Splat(Expr),
    KwSplat(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// What `set`, `for` and `with` assign to.
#[derive(Debug)]
pub enum Target {
    Name(Arc<str>),
    /// `ns.attribute`.
    Attr(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

/// A statement.
pub enum Stmt {
    Raw(Arc<str>),
    Emit(Expr),
    For(Arc<For>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Set(Target, Expr),
    SetBlock(Target, Option<Expr>, Vec<Stmt>),
    FilterBlock(Expr, Vec<Stmt>),
    /// Statements without a scope of their own (`autoescape`, which Ansible has switched off).
    Group(Vec<Stmt>),
    Block(Arc<Block>),
    Extends(Expr),
    Include(Expr, bool),
    Import(Expr, Arc<str>),
    FromImport(Expr, Vec<(Arc<str>, Arc<str>)>),
    Macro(Arc<Macro>),
    CallBlock(Expr, Vec<Arg>, Arc<Macro>, u32),
    Do(Expr),
    Continue,
    Break,
}

pub struct For {
    pub target: Target,
    pub iter: Expr,
    pub filter: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

pub struct Block {
    pub name: Arc<str>,
    pub body: Vec<Stmt>,
}

/// A macro, or the body of a `call` block.
pub struct Macro {
    pub name: Arc<str>,
    pub params: Vec<Arc<str>>,
    /// Defaults of the last parameters.
    pub defaults: Vec<Expr>,
    pub body: Vec<Stmt>,
    pub uses_varargs: bool,
    pub uses_kwargs: bool,
    pub uses_caller: bool,
}
