//! Template text to a [`Unit`]: parsed by minijinja, turned into our own tree.

use super::ast::*;
use super::literal::literal;
use super::parsable::parsable;
use super::{filters, tests};
use crate::error::Kind as ErrorKind;
use crate::value::{Value, is_template};
use crate::{Error, Result};
use minijinja::machinery::{ast as mj, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use std::sync::Arc;

/// A compiled template or expression.
pub struct Unit {
    pub text: Arc<str>,
    pub body: Body,
    /// Whether a method that changes its object may be called: only then are containers copied.
    pub mutates: bool,
    /// Line breaks that a text result has at least at its end.
    pub trailing: usize,
    pub syntax: Syntax,
}

pub enum Body {
    Expr(Expr),
    Template(Vec<Stmt>),
}

/// How a text is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Syntax {
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    /// In YAML a backslash in a string literal is itself; in a template file it is Python's escape.
    pub escapes: bool,
    /// Start and end of variables, blocks and comments, and what a line of a statement and a comment begins with,
    /// where they are not Jinja's own.
    pub delimiters: Option<Box<[String; 8]>>,
}

impl Syntax {
    /// Templates in YAML files.
    pub const YAML: Syntax = Syntax {
        trim_blocks: true,
        lstrip_blocks: false,
        keep_trailing_newline: true,
        escapes: false,
        delimiters: None,
    };
}

/// What went wrong in which byte of the text.
pub struct SyntaxError {
    pub message: String,
    pub offset: usize,
}

/// Compiles a whole template.
pub fn template(text: &Arc<str>, syntax: &Syntax) -> Result<Unit, SyntaxError> {
    let mut builder = SyntaxConfig::builder();
    builder
        .trim_blocks(syntax.trim_blocks)
        .lstrip_blocks(syntax.lstrip_blocks)
        .keep_trailing_newline(true);
    if let Some(delimiters) = &syntax.delimiters {
        let [vs, ve, bs, be, cs, ce, ls, lc] = (**delimiters).clone();
        builder
            .variable_delimiters(vs, ve)
            .block_delimiters(bs, be)
            .comment_delimiters(cs, ce)
            .line_statement_prefix(ls)
            .line_comment_prefix(lc);
    }
    let config = builder.build().map_err(|e| SyntaxError {
        message: e.to_string(),
        offset: 0,
    })?;
    // as Ansible does it: Jinja2 drops one line break at the end, and what the result then lacks is added
    let source = text.strip_suffix('\n').unwrap_or(text);
    let trailing = if syntax.keep_trailing_newline {
        text.len() - text.trim_end_matches('\n').len()
    } else {
        0
    };
    let masked = parsable(source, |text| {
        parse(text, "", config.clone())
            .map(drop)
            .map_err(|e| syntax_error(&e, source))
    })?;
    let parsed = parse(&masked, "", config).map_err(|e| syntax_error(&e, source))?;
    let mj::Stmt::Template(root) = parsed else {
        return Err(SyntaxError {
            message: "not a template".into(),
            offset: 0,
        });
    };
    let mut compiler = Compiler::new(source, &masked, syntax.escapes);
    let body = compiler.stmts(&root.children)?;
    Ok(Unit {
        text: Arc::clone(text),
        body: Body::Template(body),
        mutates: compiler.mutates,
        trailing,
        syntax: syntax.clone(),
    })
}

/// Compiles an expression without braces.
pub fn expression(text: &Arc<str>) -> Result<Unit, SyntaxError> {
    let masked = parsable(text, |masked| {
        parse_expr(masked)
            .map(drop)
            .map_err(|e| syntax_error(&e, text))
    })?;
    let parsed = parse_expr(&masked).map_err(|e| syntax_error(&e, text))?;
    // a condition is no template: here a backslash is Python's, in YAML too
    let mut compiler = Compiler::new(text, &masked, true);
    let expr = compiler.expr(&parsed)?;
    Ok(Unit {
        text: Arc::clone(text),
        body: Body::Expr(expr),
        mutates: compiler.mutates,
        trailing: 0,
        syntax: Syntax::YAML,
    })
}

fn syntax_error(e: &minijinja::Error, source: &str) -> SyntaxError {
    let message = e
        .detail()
        .map_or_else(|| e.to_string(), std::string::ToString::to_string);
    let offset = e.range().map_or(source.len(), |r| r.start);
    SyntaxError {
        message: super::syntax_words::jinja(&message, source, offset),
        offset,
    }
}

impl SyntaxError {
    pub fn into_error(self, what: &str) -> Error {
        Error::new(
            ErrorKind::Template,
            format!("Syntax error in {what}: {}", self.message),
        )
    }
}

/// Methods that change what they are called on.
const MUTATORS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "sort",
    "reverse",
    "clear",
    "update",
    "popitem",
    "setdefault",
];

struct Compiler<'s> {
    source: &'s str,
    masked: &'s str,
    escapes: bool,
    mutates: bool,
    uses_varargs: bool,
    uses_kwargs: bool,
    uses_caller: bool,
}

type Made<T> = Result<T, SyntaxError>;

impl<'s> Compiler<'s> {
    fn new(source: &'s str, masked: &'s str, escapes: bool) -> Self {
        Compiler {
            source,
            masked,
            escapes,
            mutates: false,
            uses_varargs: false,
            uses_kwargs: false,
            uses_caller: false,
        }
    }

    /// The part of the real text that `part`, a part of the masked text, stands for.
    fn real(&self, part: &str) -> &'s str {
        let start = (part.as_ptr() as usize).wrapping_sub(self.masked.as_ptr() as usize);
        self.source
            .get(start..start.wrapping_add(part.len()))
            .unwrap_or("")
    }

    fn stmts(&mut self, list: &[mj::Stmt<'_>]) -> Made<Vec<Stmt>> {
        list.iter().map(|s| self.stmt(s)).collect()
    }

    fn stmt(&mut self, stmt: &mj::Stmt<'_>) -> Made<Stmt> {
        Ok(match stmt {
            mj::Stmt::Template(t) => Stmt::Group(self.stmts(&t.children)?),
            mj::Stmt::EmitRaw(raw) => Stmt::Raw(Arc::from(self.real(raw.raw))),
            mj::Stmt::EmitExpr(e) => Stmt::Emit(self.expr(&e.expr)?),
            mj::Stmt::ForLoop(f) => Stmt::For(Arc::new(For {
                target: self.target(&f.target)?,
                iter: self.expr(&f.iter)?,
                filter: f.filter_expr.as_ref().map(|e| self.expr(e)).transpose()?,
                recursive: f.recursive,
                body: self.stmts(&f.body)?,
                otherwise: self.stmts(&f.else_body)?,
            })),
            mj::Stmt::IfCond(c) => Stmt::If(
                self.expr(&c.expr)?,
                self.stmts(&c.true_body)?,
                self.stmts(&c.false_body)?,
            ),
            mj::Stmt::WithBlock(w) => Stmt::With(
                w.assignments
                    .iter()
                    .map(|(t, e)| Ok((self.target(t)?, self.expr(e)?)))
                    .collect::<Made<_>>()?,
                self.stmts(&w.body)?,
            ),
            mj::Stmt::Set(s) => Stmt::Set(self.target(&s.target)?, self.expr(&s.expr)?),
            mj::Stmt::SetBlock(s) => Stmt::SetBlock(
                self.target(&s.target)?,
                s.filter.as_ref().map(|e| self.expr(e)).transpose()?,
                self.stmts(&s.body)?,
            ),
            mj::Stmt::AutoEscape(a) => Stmt::Group(self.stmts(&a.body)?),
            mj::Stmt::FilterBlock(f) => {
                Stmt::FilterBlock(self.expr(&f.filter)?, self.stmts(&f.body)?)
            }
            mj::Stmt::Block(b) => Stmt::Block(Arc::new(Block {
                name: b.name.into(),
                body: self.stmts(&b.body)?,
            })),
            mj::Stmt::Extends(e) => Stmt::Extends(self.expr(&e.name)?),
            mj::Stmt::Include(i) => Stmt::Include(self.expr(&i.name)?, i.ignore_missing),
            mj::Stmt::Import(i) => Stmt::Import(self.expr(&i.expr)?, name_of(&i.name)),
            mj::Stmt::FromImport(i) => Stmt::FromImport(
                self.expr(&i.expr)?,
                i.names
                    .iter()
                    .map(|(n, alias)| (name_of(n), name_of(alias.as_ref().unwrap_or(n))))
                    .collect(),
            ),
            mj::Stmt::Macro(m) => Stmt::Macro(self.macro_decl(m)?),
            mj::Stmt::CallBlock(c) => Stmt::CallBlock(
                self.expr(&c.call.expr)?,
                self.args(&c.call.args)?,
                self.macro_decl(&c.macro_decl)?,
                c.call.span().start_offset,
            ),
            mj::Stmt::Do(d) => Stmt::Do(Expr {
                at: d.call.span().start_offset,
                kind: self.call(&d.call)?,
            }),
            mj::Stmt::Continue(_) => Stmt::Continue,
            mj::Stmt::Break(_) => Stmt::Break,
        })
    }

    fn macro_decl(&mut self, m: &mj::Macro<'_>) -> Made<Arc<Macro>> {
        let outer = (self.uses_varargs, self.uses_kwargs, self.uses_caller);
        (self.uses_varargs, self.uses_kwargs, self.uses_caller) = (false, false, false);
        let decl = Macro {
            name: m.name.into(),
            params: m.args.iter().map(name_of).collect(),
            defaults: m
                .defaults
                .iter()
                .map(|e| self.expr(e))
                .collect::<Made<_>>()?,
            body: self.stmts(&m.body)?,
            uses_varargs: self.uses_varargs,
            uses_kwargs: self.uses_kwargs,
            uses_caller: self.uses_caller,
        };
        (self.uses_varargs, self.uses_kwargs, self.uses_caller) = outer;
        Ok(Arc::new(decl))
    }

    fn target(&mut self, expr: &mj::Expr<'_>) -> Made<Target> {
        Ok(match expr {
            mj::Expr::Var(v) => Target::Name(v.id.into()),
            mj::Expr::GetAttr(a) => match &a.expr {
                mj::Expr::Var(v) => Target::Attr(v.id.into(), a.name.into()),
                other => {
                    return Err(SyntaxError {
                        message: "only an attribute of a namespace can be assigned to".into(),
                        offset: other.span().start_offset as usize,
                    });
                }
            },
            mj::Expr::List(l) => Target::Tuple(
                l.items
                    .iter()
                    .map(|e| self.target(e))
                    .collect::<Made<_>>()?,
            ),
            other => {
                return Err(SyntaxError {
                    message: format!("can't assign to {}", other.description()),
                    offset: other.span().start_offset as usize,
                });
            }
        })
    }

    fn boxed(&mut self, expr: &mj::Expr<'_>) -> Made<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn exprs(&mut self, list: &[mj::Expr<'_>]) -> Made<Vec<Expr>> {
        list.iter().map(|e| self.expr(e)).collect()
    }

    fn expr(&mut self, expr: &mj::Expr<'_>) -> Made<Expr> {
        let kind = match expr {
            mj::Expr::Var(v) => {
                match v.id {
                    "varargs" => self.uses_varargs = true,
                    "kwargs" => self.uses_kwargs = true,
                    "caller" => self.uses_caller = true,
                    _ => {}
                }
                Kind::Var(v.id.into())
            }
            mj::Expr::Const(c) => Kind::Const(self.constant(&c.value, c.span())),
            mj::Expr::Slice(s) => Kind::Slice(
                self.boxed(&s.expr)?,
                [
                    s.start.as_ref().map(|e| self.boxed(e)).transpose()?,
                    s.stop.as_ref().map(|e| self.boxed(e)).transpose()?,
                    s.step.as_ref().map(|e| self.boxed(e)).transpose()?,
                ],
            ),
            mj::Expr::UnaryOp(u) => {
                let inner = self.boxed(&u.expr)?;
                match u.op {
                    // `a not in b` comes as `not (a in b)`
                    mj::UnaryOpKind::Not => Kind::Not(inner),
                    mj::UnaryOpKind::Neg => Kind::Neg(inner),
                }
            }
            mj::Expr::BinOp(b) => {
                let left = self.boxed(&b.left)?;
                let right = self.boxed(&b.right)?;
                use mj::BinOpKind as B;
                let compare =
                    |cmp, left, right: Box<Expr>| Kind::Compare(left, vec![(cmp, *right)]);
                match b.op {
                    B::ScAnd => Kind::And(left, right),
                    B::ScOr => Kind::Or(left, right),
                    B::Eq => compare(Cmp::Eq, left, right),
                    B::Ne => compare(Cmp::Ne, left, right),
                    B::Lt => compare(Cmp::Lt, left, right),
                    B::Lte => compare(Cmp::Le, left, right),
                    B::Gt => compare(Cmp::Gt, left, right),
                    B::Gte => compare(Cmp::Ge, left, right),
                    B::In => compare(Cmp::In, left, right),
                    B::Add => Kind::Binary(Op::Add, left, right),
                    B::Sub => Kind::Binary(Op::Sub, left, right),
                    B::Mul => Kind::Binary(Op::Mul, left, right),
                    B::Div => Kind::Binary(Op::Div, left, right),
                    B::FloorDiv => Kind::Binary(Op::FloorDiv, left, right),
                    B::Rem => Kind::Binary(Op::Rem, left, right),
                    B::Pow => Kind::Binary(Op::Pow, left, right),
                    B::Concat => Kind::Binary(Op::Concat, left, right),
                }
            }
            mj::Expr::Compare(c) => {
                use mj::CompareOpKind as C;
                Kind::Compare(
                    self.boxed(&c.expr)?,
                    c.ops
                        .iter()
                        .map(|o| {
                            let cmp = match o.op {
                                C::Eq => Cmp::Eq,
                                C::Ne => Cmp::Ne,
                                C::Lt => Cmp::Lt,
                                C::Lte => Cmp::Le,
                                C::Gt => Cmp::Gt,
                                C::Gte => Cmp::Ge,
                                C::In => Cmp::In,
                                C::NotIn => Cmp::NotIn,
                            };
                            Ok((cmp, self.expr(&o.expr)?))
                        })
                        .collect::<Made<_>>()?,
                )
            }
            mj::Expr::IfExpr(i) => Kind::If(
                self.boxed(&i.test_expr)?,
                self.boxed(&i.true_expr)?,
                i.false_expr.as_ref().map(|e| self.boxed(e)).transpose()?,
            ),
            mj::Expr::Filter(f) => {
                let value = f.expr.as_ref().map(|e| self.expr(e)).transpose()?;
                let name = without_spaces(f.name);
                Kind::Filter(Box::new(FilterCall {
                    filter: filters::ALL.find(bare(&name)),
                    name,
                    value,
                    args: self.args(&f.args)?,
                }))
            }
            mj::Expr::Test(t) => {
                let name = without_spaces(t.name);
                Kind::Test(Box::new(TestCall {
                    test: tests::ALL.find(bare(&name)),
                    name,
                    value: self.expr(&t.expr)?,
                    args: self.args(&t.args)?,
                }))
            }
            mj::Expr::GetAttr(a) => {
                if MUTATORS.contains(&a.name) {
                    self.mutates = true;
                }
                Kind::Attr(self.boxed(&a.expr)?, a.name.into())
            }
            mj::Expr::GetItem(i) => {
                Kind::Item(self.boxed(&i.expr)?, self.boxed(&i.subscript_expr)?)
            }
            mj::Expr::Call(c) => self.call(c)?,
            mj::Expr::List(l) => Kind::List(self.exprs(&l.items)?),
            mj::Expr::Tuple(t) => Kind::Tuple(self.exprs(&t.items)?),
            mj::Expr::Map(m) => Kind::Dict(
                m.keys
                    .iter()
                    .zip(&m.values)
                    .map(|(k, v)| Ok((self.expr(k)?, self.expr(v)?)))
                    .collect::<Made<_>>()?,
            ),
        };
        Ok(Expr {
            at: start_of(expr),
            kind,
        })
    }

    fn call(&mut self, call: &mj::Call<'_>) -> Made<Kind> {
        let mut args = self.args(&call.args)?;
        if matches!(&call.expr, mj::Expr::Var(v) if matches!(v.id, "lookup" | "query" | "q")) {
            // behind the lookup's name
            for arg in args.iter_mut().skip(1) {
                if let Arg::Pos(term) = arg {
                    embed(&mut term.kind);
                }
            }
        }
        Ok(Kind::Call(self.boxed(&call.expr)?, args))
    }

    fn args(&mut self, args: &[mj::CallArg<'_>]) -> Made<Vec<Arg>> {
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    mj::CallArg::Pos(e) => Arg::Pos(self.expr(e)?),
                    mj::CallArg::Kwarg(name, e) => Arg::Kw((*name).into(), self.expr(e)?),
                    mj::CallArg::PosSplat(e) => Arg::Splat(self.expr(e)?),
                    mj::CallArg::KwargSplat(e) => Arg::KwSplat(self.expr(e)?),
                })
            })
            .collect()
    }

    fn constant(&self, value: &minijinja::Value, span: minijinja::machinery::Span) -> Value {
        use minijinja::value::ValueKind;
        match value.kind() {
            ValueKind::Bool => Value::Bool(value.is_true()),
            ValueKind::Number => {
                if value.is_integer() {
                    i64::try_from(value.clone())
                        .map_or_else(|_| Value::BigInt(Arc::from(value.to_string())), Value::Int)
                } else {
                    f64::try_from(value.clone()).map_or(Value::Null, Value::Float)
                }
            }
            ValueKind::String => {
                let raw = self
                    .source
                    .get(span.start_offset as usize..span.end_offset as usize)
                    .unwrap_or("");
                if raw.contains('\\') {
                    Value::str(literal(raw, self.escapes))
                } else {
                    Value::str(value.as_str().unwrap_or(""))
                }
            }
            _ => Value::Null,
        }
    }
}

/// Where an expression starts: minijinja's spans of a chain begin at its last link's left side.
fn start_of(expr: &mj::Expr<'_>) -> u32 {
    match expr {
        mj::Expr::GetAttr(a) => start_of(&a.expr),
        mj::Expr::GetItem(i) => start_of(&i.expr),
        mj::Expr::Call(c) => start_of(&c.expr),
        mj::Expr::Slice(s) => start_of(&s.expr),
        mj::Expr::BinOp(b) => start_of(&b.left),
        mj::Expr::Compare(c) => start_of(&c.expr),
        mj::Expr::IfExpr(i) => start_of(&i.true_expr),
        mj::Expr::Filter(f) => f.expr.as_ref().map_or(expr.span().start_offset, start_of),
        mj::Expr::Test(t) => start_of(&t.expr),
        other => other.span().start_offset,
    }
}

fn name_of(expr: &mj::Expr<'_>) -> Arc<str> {
    match expr {
        mj::Expr::Var(v) => v.id.into(),
        _ => Arc::from(""),
    }
}

fn without_spaces(name: &str) -> Arc<str> {
    if name.contains(char::is_whitespace) {
        name.split_whitespace().collect::<String>().into()
    } else {
        name.into()
    }
}

/// Makes templates of the constants in a lookup's term that hold one.
fn embed(kind: &mut Kind) {
    match kind {
        Kind::Const(value) => {
            if let Value::Str(text) = value
                && is_template(text)
            {
                *value = Value::user_text(text, None);
            }
        }
        Kind::List(items) | Kind::Tuple(items) => {
            items.iter_mut().for_each(|item| embed(&mut item.kind));
        }
        Kind::Dict(entries) => entries.iter_mut().for_each(|(_, v)| embed(&mut v.kind)),
        _ => {}
    }
}

/// A filter's, test's or lookup's name without the collection it is from.
pub fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
