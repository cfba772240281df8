//! `json_query`: JMESPath, <https://jmespath.org>.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::value::{Map, Value};
use jmespath::{Rcvar, Variable};

fn json_query(mut call: Call) -> Result<Value> {
    let args = call.bind(&["expr"])?;
    let text = crate::template::python::str(args.need("expr")?);
    let expression = jmespath::compile(&text).map_err(|e| {
        error(format!(
            "JMESPathError in json_query filter plugin:\n{}",
            e.to_string().trim_end()
        ))
    })?;
    let found = expression.search(to_variable(&call.value)).map_err(|e| {
        error(format!(
            "Error in jmespath.search in json_query filter plugin:\n{}",
            e.to_string().trim_end()
        ))
    })?;
    Ok(from_variable(&found))
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
