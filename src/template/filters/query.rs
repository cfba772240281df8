//! `json_query`: JMESPath, <https://jmespath.org>.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::value::{Map, Value};
use jmespath::ast::Ast;
use jmespath::{Context, DEFAULT_RUNTIME, Rcvar, Variable, interpret};

fn json_query(mut call: Call) -> Result<Value> {
    let args = call.bind(&["expr"])?;
    let text = crate::template::python::str(args.need("expr")?);
    let expression = jmespath::compile(&text).map_err(|e| {
        error(format!(
            "JMESPathError in json_query filter plugin:\n{}",
            e.to_string().trim_end()
        ))
    })?;
    let mut ast = expression.as_ast().clone();
    mend(&mut ast);
    let mut context = Context::new(&text, &DEFAULT_RUNTIME);
    // the library's own search would serialize the data, which loses numbers in the same way
    let data = Rcvar::new(to_variable(&call.value));
    let found = interpret(&data, &ast, &mut context).map_err(|e| {
        error(format!(
            "Error in jmespath.search in json_query filter plugin:\n{}",
            e.to_string().trim_end()
        ))
    })?;
    Ok(from_variable(&found))
}

/// Gives literal numbers back: the library reads them as serde_json hands them over when numbers keep
/// all their digits, which is as an object with one key.
fn mend(ast: &mut Ast) {
    match ast {
        Ast::Literal { value, .. } => *value = Rcvar::new(mended(value)),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => {
            mend(lhs);
            mend(rhs);
        }
        Ast::Condition {
            predicate, then, ..
        } => {
            mend(predicate);
            mend(then);
        }
        Ast::Expref { ast, .. } => mend(ast),
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => {
            mend(node);
        }
        Ast::Function { args, .. } => args.iter_mut().for_each(mend),
        Ast::MultiList { elements, .. } => elements.iter_mut().for_each(mend),
        Ast::MultiHash { elements, .. } => elements.iter_mut().for_each(|e| mend(&mut e.value)),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Slice { .. } => {}
    }
}

fn mended(value: &Variable) -> Variable {
    match value {
        Variable::Object(map) => {
            let number = map.get("$serde_json::private::Number");
            match number.and_then(|n| n.as_string()?.parse().ok()) {
                Some(number) => Variable::Number(number),
                None => Variable::Object(
                    map.iter()
                        .map(|(k, v)| (k.clone(), Rcvar::new(mended(v))))
                        .collect(),
                ),
            }
        }
        Variable::Array(items) => {
            Variable::Array(items.iter().map(|v| Rcvar::new(mended(v))).collect())
        }
        other => other.clone(),
    }
}

fn to_variable(value: &Value) -> Variable {
    match value {
        Value::List(items) => {
            Variable::Array(items.iter().map(|v| Rcvar::new(to_variable(v))).collect())
        }
        Value::Map(map) => Variable::Object(
            map.iter()
                .map(|(k, v)| (k.to_string(), Rcvar::new(to_variable(v))))
                .collect(),
        ),
        Value::Dynamic(d) => Variable::Object(
            d.keys()
                .into_iter()
                .filter_map(|k| Some((k.to_string(), Rcvar::new(to_variable(&d.get(&k).ok()??)))))
                .collect(),
        ),
        scalar => match scalar.to_json() {
            serde_json::Value::Bool(b) => Variable::Bool(b),
            serde_json::Value::Number(n) => Variable::Number(n),
            serde_json::Value::String(s) => Variable::String(s),
            _ => Variable::Null,
        },
    }
}

/// The library keeps objects sorted: keys of what it makes come in that order.
fn from_variable(variable: &Variable) -> Value {
    match variable {
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(b) => Value::Bool(*b),
        Variable::String(s) => Value::str(s),
        Variable::Number(n) => Value::from_json(serde_json::Value::Number(n.clone())),
        Variable::Array(items) => Value::list(items.iter().map(|v| from_variable(v)).collect()),
        Variable::Object(map) => Value::map(
            map.iter()
                .map(|(k, v)| (k.as_str().into(), from_variable(v)))
                .collect::<Map>(),
        ),
    }
}

pub static FILTERS: &[(&str, Filter)] = &[("json_query", json_query)];
