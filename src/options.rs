//! Options as they cross the border: a JSON object, whose wrong leaf is named in the error.

use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads a JSON object of options, every one of which has a default.
///
/// # Errors
/// [`Error::Option`] naming the option by its dotted path, with its value.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Error::option("options", text, error))?;
    // serde would take a list for the fields in order.
    if !value.is_object() {
        return Err(Error::option("options", text, "must be a JSON object"));
    }
    serde_json::from_value(value.clone()).map_err(|error| {
        blame::<T>(&value, &mut Vec::new()).unwrap_or_else(|| Error::option("options", text, error))
    })
}

/// The first leaf that serde refuses when it stands alone: serde names an unknown key, but not the
/// key of a value that it cannot read.
fn blame<T: DeserializeOwned>(value: &Value, path: &mut Vec<String>) -> Option<Error> {
    if let Value::Object(fields) = value {
        let alone = fields.iter().find_map(|(key, value)| {
            path.push(key.clone());
            let found = blame::<T>(value, path);
            path.pop();
            found
        });
        if alone.is_some() {
            return alone;
        }
    }
    let nested = path.iter().rev().fold(value.clone(), |inner, key| {
        Value::Object(Map::from_iter([(key.clone(), inner)]))
    });
    let error = serde_json::from_value::<T>(nested).err()?;
    Some(Error::option(path.join("."), value, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        size: u8,
        inner: Inner,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        size: Option<u8>,
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        assert_eq!(parse::<Outer>("{}").unwrap(), Outer::default());
        let inner = parse::<Outer>(r#"{"inner": {"size": 3}}"#).unwrap().inner;
        assert_eq!(inner.size, Some(3));
    }

    #[test]
    fn the_wrong_leaf_is_named_with_its_value() {
        for (text, start) in [
            (r#"{"size": -1}"#, "option size = -1: invalid value"),
            (
                r#"{"size": 1, "inner": {"size": "x"}}"#,
                "option inner.size = \"x\": invalid type",
            ),
            (
                r#"{"inner": {"colour": 1}}"#,
                "option inner.colour = 1: unknown field",
            ),
            (r#"{"inner": 3}"#, "option inner = 3: invalid type"),
            ("[]", "option options = []: must be a JSON object"),
            ("{", "option options = {: EOF"),
        ] {
            let error = parse::<Outer>(text).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }
}
