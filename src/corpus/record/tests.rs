use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn value(text: Option<Text<'_>>) -> Value {
    text.map_or(Value::Null, |text| {
        text.decode(&mut String::new()).unwrap().into()
    })
}

fn parsed(json: Option<&str>) -> Value {
    json.map_or(Value::Null, |json| serde_json::from_str(json).unwrap())
}

/// The record as serde_json would have read it: 14 keys, nulls where missing.
fn as_json(record: &Record<'_>) -> Value {
    let values = FIELDS.iter().zip(record.values).map(|(name, text)| {
        let list = matches!(*name, "versions" | "authors_parsed");
        let json = if list {
            parsed(text.map(Text::raw))
        } else {
            value(text)
        };
        ((*name).to_owned(), json)
    });
    Value::Object(values.collect())
}

fn field(key: &'static str) -> BoxedStrategy<Value> {
    let text = prop_oneof![any::<String>(), "[a-z\\\\\"\n\té\u{1f600}/ ]{0,40}"];
    match key {
        "versions" | "authors_parsed" => prop_oneof![
            Just(Value::Null),
            prop::collection::vec(any::<String>(), 0..4).prop_map(Value::from),
        ]
        .boxed(),
        _ => prop_oneof![1 => Just(Value::Null), 4 => text.prop_map(Value::from)].boxed(),
    }
}

proptest! {
    #[test]
    fn any_record_reads_as_serde_reads_it(
        values in FIELDS.map(field),
        present in prop::sample::subsequence(FIELDS.to_vec(), 0..=14).prop_shuffle(),
        other in any::<String>(),
        pretty in any::<bool>(),
    ) {
        let mut object = Map::new();
        for key in present {
            let at = FIELDS.iter().position(|known| *known == key).unwrap();
            object.insert(key.to_owned(), values[at].clone());
            object.entry(other.clone()).or_insert(json!({"a": [1, {"b": other}]}));
        }
        let whole = Value::Object(object.clone());
        let line = if pretty { serde_json::to_string_pretty(&whole).unwrap() } else { whole.to_string() };
        let record = Record::parse(&line).unwrap();
        let wanted: Map<String, Value> = FIELDS.iter()
            .map(|key| ((*key).to_owned(), object.get(*key).cloned().unwrap_or_default()))
            .collect();
        prop_assert_eq!(as_json(&record), Value::Object(wanted));
    }
}

#[test]
fn the_sample_reads_as_serde_reads_it() {
    let lines = include_str!("../../../python/arxiv_core/sample/papers.jsonl");
    let mut seen = 0;
    for line in lines.lines() {
        let record = Record::parse(line).unwrap();
        assert_eq!(
            as_json(&record),
            serde_json::from_str::<Value>(line).unwrap()
        );
        seen += 1;
    }
    assert!(seen > 100);
}

#[test]
fn faults_name_the_field() {
    for (line, message) in [
        ("[]", "expected '{' at byte 0"),
        (
            "{\"id\":704.0001}",
            "field \"id\": expected a string or null at byte 6",
        ),
        (
            "{\"versions\":{}}",
            "field \"versions\": expected a list or null at byte 12",
        ),
        (
            "{\"title\":\"a",
            "field \"title\": the line ends early at byte 11",
        ),
        ("{\"title\":\"a\"", "the line ends early at byte 12"),
        ("{\"x\":tru}", "expected a JSON value at byte 5"),
    ] {
        assert_eq!(
            Record::parse(line).unwrap_err().to_string(),
            message,
            "{line}"
        );
    }
    let half = Record::parse(r#"{"title":"a\ud800b"}"#).unwrap();
    let fault = half
        .title()
        .unwrap()
        .decode(&mut String::new())
        .unwrap_err();
    assert_eq!((fault.what, fault.at), ("half a surrogate pair", 11));
}

#[test]
fn escaped_keys_and_repeated_keys_are_keys() {
    let record = Record::parse(r#"{"ti\u0074le":"a","title":"b"}"#).unwrap();
    assert_eq!(value(record.title()), "b");
}
