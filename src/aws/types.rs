//! The kinds of arguments and results that several AWS modules share.

use crate::value::{Key, Value};
use serde::de::{Deserialize, Deserializer, Error as _};
use std::collections::BTreeMap;
use std::time::Duration;

pub type Json = serde_json::Value;

/// Whether something is to exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Present,
    Absent,
}

pub fn yes() -> bool {
    true
}

/// Seconds of an option such as `wait_timeout`.
pub fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.max(0) as u64)
}

/// Tags by key. Values are text for AWS, whatever YAML made of them; no value is empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub BTreeMap<String, String>);

impl Tags {
    pub fn from_ec2(tags: &[aws_sdk_ec2::types::Tag]) -> Tags {
        Tags(
            tags.iter()
                .map(|tag| {
                    (
                        tag.key().unwrap_or_default().to_string(),
                        tag.value().unwrap_or_default().to_string(),
                    )
                })
                .collect(),
        )
    }

    pub fn to_ec2(&self) -> Vec<aws_sdk_ec2::types::Tag> {
        self.0
            .iter()
            .map(|(key, value)| {
                aws_sdk_ec2::types::Tag::builder()
                    .key(key)
                    .value(value)
                    .build()
            })
            .collect()
    }

    /// The tags for a create request; none if there are none.
    pub fn specification(
        &self,
        kind: aws_sdk_ec2::types::ResourceType,
    ) -> Option<Vec<aws_sdk_ec2::types::TagSpecification>> {
        (!self.0.is_empty()).then(|| {
            vec![
                aws_sdk_ec2::types::TagSpecification::builder()
                    .resource_type(kind)
                    .set_tags(Some(self.to_ec2()))
                    .build(),
            ]
        })
    }

    pub fn to_json(&self) -> Json {
        serde_json::json!(self.0)
    }

    /// What to set and what to remove so that these tags become the wanted ones.
    ///
    /// Tags of AWS itself (`aws:...`) are never removed.
    pub fn difference(&self, wanted: &Tags, purge: bool) -> (Tags, Vec<String>) {
        let set = wanted
            .0
            .iter()
            .filter(|(key, value)| self.0.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let unset = self
            .0
            .keys()
            .filter(|key| purge && !wanted.0.contains_key(*key) && !key.starts_with("aws:"))
            .cloned()
            .collect();
        (Tags(set), unset)
    }

    /// Whether all of `other` are among these.
    pub fn contains(&self, other: &Tags) -> bool {
        other
            .0
            .iter()
            .all(|(key, value)| self.0.get(key) == Some(value))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Tags, D::Error> {
        let value = Value::deserialize(d)?;
        let Some(map) = value.as_map() else {
            return Err(D::Error::custom(format!(
                "tags must be a dictionary, not {}",
                value.type_name()
            )));
        };
        map.iter()
            .map(|(key, value)| Ok((key_text(key), scalar(value).map_err(D::Error::custom)?)))
            .collect::<Result<_, _>>()
            .map(Tags)
    }
}

impl schemars::JsonSchema for Tags {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tags".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object"})
    }
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Str(text) => text.to_string(),
        Key::Other(value) => scalar(value).unwrap_or_default(),
    }
}

/// A scalar as Python's `str` writes it; null is empty.
fn scalar(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Float(f) => format!("{f:?}"),
        Value::List(_) | Value::Map(_) | Value::Dynamic(_) => {
            return Err(format!(
                "a {} cannot be used as text here",
                value.type_name()
            ));
        }
        other => match other.as_str() {
            Some(text) => text.to_string(),
            None => other.to_json().to_string(),
        },
    })
}

/// One text, several separated by commas, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList(pub Vec<String>);

impl<'de> Deserialize<'de> for TextList {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<TextList, D::Error> {
        fn collect(value: &Value, into: &mut Vec<String>) -> Result<(), String> {
            match value {
                Value::Null | Value::Omit => {}
                // a list in a list is what `"{{ list }}"` inside a list gives
                Value::List(items) => {
                    for item in items.iter() {
                        collect(item, into)?;
                    }
                }
                other => into.extend(
                    scalar(other)?
                        .split(',')
                        .map(|part| part.trim().to_string())
                        .filter(|part| !part.is_empty()),
                ),
            }
            Ok(())
        }
        let mut texts = Vec::new();
        collect(&Value::deserialize(d)?, &mut texts).map_err(D::Error::custom)?;
        Ok(TextList(texts))
    }
}

impl schemars::JsonSchema for TextList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TextList".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }
}

/// Filters of a Describe request: a name, and one value or several of which one must match.
///
/// See the `Filter` parameter of the request in the EC2 API reference for the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(pub Vec<(String, Vec<String>)>);

impl Filters {
    /// One filter.
    pub fn by(name: &str, values: &[impl AsRef<str>]) -> Filters {
        let values = values.iter().map(|v| v.as_ref().to_string()).collect();
        Filters(vec![(name.to_string(), values)])
    }

    /// For the request; none if there are none.
    pub fn to_ec2(&self) -> Option<Vec<aws_sdk_ec2::types::Filter>> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|(n, v)| filter(n, v)).collect())
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Filters, D::Error> {
        let value = Value::deserialize(d)?;
        let Some(map) = value.as_map() else {
            return Err(D::Error::custom(format!(
                "filters must be a dictionary, not {}",
                value.type_name()
            )));
        };
        let text = |value: &Value| match value {
            Value::Bool(b) => Ok(b.to_string()),
            other => scalar(other),
        };
        let mut filters = Vec::new();
        for (key, value) in map.iter() {
            let values = match value {
                Value::List(items) => items.iter().map(text).collect::<Result<_, _>>(),
                other => text(other).map(|t| vec![t]),
            };
            filters.push((key_text(key), values.map_err(D::Error::custom)?));
        }
        Ok(Filters(filters))
    }
}

impl schemars::JsonSchema for Filters {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Filters".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object"})
    }
}

/// A list for a request; none if it is empty, which AWS would refuse.
pub fn given(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// A filter of an EC2 Describe request.
pub fn filter(name: &str, values: &[impl AsRef<str>]) -> aws_sdk_ec2::types::Filter {
    aws_sdk_ec2::types::Filter::builder()
        .name(name)
        .set_values(Some(
            values.iter().map(|v| v.as_ref().to_string()).collect(),
        ))
        .build()
}

/// As boto3 leaves it: entries that AWS did not send are not there.
pub fn compact(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, compact(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(compact).collect()),
        other => other,
    }
}

/// A time as today's modules return it.
pub fn time(time: Option<&aws_smithy_types::DateTime>) -> Option<String> {
    let text = time?
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .ok()?;
    Some(text.replace('Z', "+00:00"))
}

/// A time as the modules on boto returned it.
pub fn legacy_time(time: Option<&aws_smithy_types::DateTime>) -> Option<String> {
    let text = time?
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .ok()?;
    Some(match text.strip_suffix('Z') {
        Some(seconds) if !seconds.contains('.') => format!("{seconds}.000Z"),
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tag_values_become_text() {
        let tags: Tags =
            serde_json::from_value(json!({"a": 1, "b": true, "c": null, "d": "x", "e": 1.5}))
                .unwrap();
        let text: Vec<_> = tags.0.values().map(String::as_str).collect();
        assert_eq!(text, ["1", "True", "", "x", "1.5"]);
        assert!(serde_json::from_value::<Tags>(json!({"a": []})).is_err());
    }

    #[test]
    fn the_difference_of_tags_spares_those_of_aws() {
        let current: Tags =
            serde_json::from_value(json!({"a": "1", "b": "2", "aws:x": "y"})).unwrap();
        let wanted: Tags = serde_json::from_value(json!({"a": "1", "b": "3", "c": "4"})).unwrap();
        let (set, unset) = current.difference(&wanted, true);
        assert_eq!(set.0.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert!(unset.is_empty());
        let (_, unset) = current.difference(&Tags::default(), true);
        assert_eq!(unset, ["a", "b"]);
    }

    #[test]
    fn text_lists_take_what_playbooks_write() {
        for (json, wanted) in [
            (json!("a"), vec!["a"]),
            (json!("a, b"), vec!["a", "b"]),
            (json!(["a", ["b", 3]]), vec!["a", "b", "3"]),
            (json!(null), vec![]),
        ] {
            assert_eq!(serde_json::from_value::<TextList>(json).unwrap().0, wanted);
        }
    }

    #[test]
    fn filters_keep_several_values() {
        let filters: Filters =
            serde_json::from_value(json!({"vpc-id": "vpc-1", "tag:x": [1, true]})).unwrap();
        assert_eq!(
            filters.0,
            [
                ("vpc-id".to_string(), vec!["vpc-1".to_string()]),
                ("tag:x".to_string(), vec!["1".into(), "true".into()])
            ]
        );
    }
}
