//! Arguments to a module's struct.

use crate::modules::Failure;
use crate::value::{Map, Value};

/// The arguments as `T`. Errors name what is missing, unknown or of the wrong type.
pub fn parse<T: serde::de::DeserializeOwned>(args: Map) -> Result<T, Failure> {
    serde_json::from_value(Value::map(args).to_json()).map_err(|e| Failure::new(e.to_string()))
}
