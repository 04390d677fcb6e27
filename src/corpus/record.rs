//! One line of the Kaggle snapshot, its 14 fields borrowed from the line.

use super::json::{Fault, Scanner, Text};
use super::when;

/// A record of the snapshot. A field that is null or missing is `None`; an unknown field is
/// checked and left out; of a field given twice the last counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// `2301.00001` or `hep-th/9901001`.
    pub id: Option<Text<'a>>,
    /// Who submitted it.
    pub submitter: Option<Text<'a>>,
    /// Authors in one line.
    pub authors: Option<Text<'a>>,
    /// Title, wrapped with `\n  `.
    pub title: Option<Text<'a>>,
    /// The authors' comments.
    pub comments: Option<Text<'a>>,
    /// Journal reference.
    pub journal_ref: Option<Text<'a>>,
    /// DOI.
    pub doi: Option<Text<'a>>,
    /// Report number.
    pub report_no: Option<Text<'a>>,
    /// Categories between blanks, the primary first.
    pub categories: Option<Text<'a>>,
    /// Licence address.
    pub license: Option<Text<'a>>,
    /// Abstract, wrapped.
    pub abstract_: Option<Text<'a>>,
    /// JSON text of the list of versions.
    pub versions: Option<&'a str>,
    /// Date of the last change.
    pub update_date: Option<Text<'a>>,
    /// JSON text of the list of parsed authors.
    pub authors_parsed: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// Reads one line.
    ///
    /// # Errors
    /// [`Fault`] naming field and byte where the line is not a JSON object, or a field is
    /// neither null nor of its kind.
    pub fn parse(line: &'a str) -> Result<Self, Fault> {
        let mut record = Self::default();
        let mut scanner = Scanner::new(line);
        scanner.expect(b'{', "expected '{'")?;
        if !scanner.eat(b'}') {
            let mut decoded = String::new();
            loop {
                let key = scanner.key()?.decode(&mut decoded)?;
                record.field(&mut scanner, key)?;
                if scanner.eat(b'}') {
                    break;
                }
                scanner.expect(b',', "expected ',' or '}'")?;
            }
        }
        scanner.end()?;
        Ok(record)
    }

    #[inline]
    fn field(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Result<(), Fault> {
        match key {
            "id" => text(scanner, &mut self.id, "id"),
            "submitter" => text(scanner, &mut self.submitter, "submitter"),
            "authors" => text(scanner, &mut self.authors, "authors"),
            "title" => text(scanner, &mut self.title, "title"),
            "comments" => text(scanner, &mut self.comments, "comments"),
            "journal-ref" => text(scanner, &mut self.journal_ref, "journal-ref"),
            "doi" => text(scanner, &mut self.doi, "doi"),
            "report-no" => text(scanner, &mut self.report_no, "report-no"),
            "categories" => text(scanner, &mut self.categories, "categories"),
            "license" => text(scanner, &mut self.license, "license"),
            "abstract" => text(scanner, &mut self.abstract_, "abstract"),
            "versions" => list(scanner, &mut self.versions, "versions"),
            "update_date" => text(scanner, &mut self.update_date, "update_date"),
            "authors_parsed" => list(scanner, &mut self.authors_parsed, "authors_parsed"),
            _ => scanner.skip().map(drop),
        }
    }

    /// The day of `versions[0].created`, in days since 1970-01-01; none where it is missing or no date.
    #[must_use]
    pub fn created(&self) -> Option<i32> {
        let mut scanner = Scanner::new(self.versions?);
        if !(scanner.eat(b'[') && scanner.eat(b'{')) {
            return None;
        }
        let (mut key, mut value) = (String::new(), String::new());
        loop {
            let name = scanner.key().ok()?.decode(&mut key).ok()?;
            if name == "created" {
                let created = scanner.string().ok()?.decode(&mut value).ok()?;
                return when::rfc2822(created);
            }
            scanner.skip().ok()?;
            if !scanner.eat(b',') {
                return None;
            }
        }
    }
}

#[inline]
fn text<'a>(
    scanner: &mut Scanner<'a>,
    slot: &mut Option<Text<'a>>,
    field: &'static str,
) -> Result<(), Fault> {
    *slot = match scanner.peek() {
        b'"' => Some(scanner.string().map_err(|fault| Fault {
            field: Some(field),
            ..fault
        })?),
        _ if scanner.null().map_err(|fault| Fault {
            field: Some(field),
            ..fault
        })? =>
        {
            None
        }
        _ => return Err(unexpected(scanner, field, "expected a string or null")),
    };
    Ok(())
}

fn list<'a>(
    scanner: &mut Scanner<'a>,
    slot: &mut Option<&'a str>,
    field: &'static str,
) -> Result<(), Fault> {
    *slot = match scanner.peek() {
        b'[' => Some(scanner.skip().map_err(|fault| Fault {
            field: Some(field),
            ..fault
        })?),
        _ if scanner.null().map_err(|fault| Fault {
            field: Some(field),
            ..fault
        })? =>
        {
            None
        }
        _ => return Err(unexpected(scanner, field, "expected a list or null")),
    };
    Ok(())
}

#[cold]
fn unexpected(scanner: &Scanner<'_>, field: &'static str, what: &'static str) -> Fault {
    Fault {
        field: Some(field),
        at: scanner.at(),
        what,
    }
}

#[cfg(test)]
mod tests {
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
        json!({
            "id": value(record.id), "submitter": value(record.submitter),
            "authors": value(record.authors), "title": value(record.title),
            "comments": value(record.comments), "journal-ref": value(record.journal_ref),
            "doi": value(record.doi), "report-no": value(record.report_no),
            "categories": value(record.categories), "license": value(record.license),
            "abstract": value(record.abstract_), "versions": parsed(record.versions),
            "update_date": value(record.update_date),
            "authors_parsed": parsed(record.authors_parsed),
        })
    }

    const KEYS: [&str; 14] = [
        "id",
        "submitter",
        "authors",
        "title",
        "comments",
        "journal-ref",
        "doi",
        "report-no",
        "categories",
        "license",
        "abstract",
        "versions",
        "update_date",
        "authors_parsed",
    ];

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
            values in KEYS.map(field),
            present in prop::sample::subsequence(KEYS.to_vec(), 0..=14).prop_shuffle(),
            other in any::<String>(),
            pretty in any::<bool>(),
        ) {
            let mut object = Map::new();
            for key in present {
                let at = KEYS.iter().position(|known| *known == key).unwrap();
                object.insert(key.to_owned(), values[at].clone());
                object.entry(other.clone()).or_insert(json!({"a": [1, {"b": other}]}));
            }
            let whole = Value::Object(object.clone());
            let line = if pretty { serde_json::to_string_pretty(&whole).unwrap() } else { whole.to_string() };
            let record = Record::parse(&line).unwrap();
            let wanted: Map<String, Value> = KEYS.iter()
                .map(|key| ((*key).to_owned(), object.get(*key).cloned().unwrap_or_default()))
                .collect();
            prop_assert_eq!(as_json(&record), Value::Object(wanted));
        }
    }

    #[test]
    fn the_first_lines_of_the_real_snapshot_read_as_serde_reads_them() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/data/kaggle-snapshot-1000.jsonl"
        );
        let Ok(lines) = std::fs::read_to_string(path) else {
            log::warn!("skipped: {path} is not here");
            return;
        };
        let mut seen = 0;
        for line in lines.lines() {
            let record = Record::parse(line).unwrap();
            assert_eq!(
                as_json(&record),
                serde_json::from_str::<Value>(line).unwrap()
            );
            assert!(record.created().is_some(), "{line}");
            seen += 1;
        }
        assert_eq!(seen, 1000);
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
        let fault = half.title.unwrap().decode(&mut String::new()).unwrap_err();
        assert_eq!((fault.what, fault.at), ("half a surrogate pair", 11));
    }

    #[test]
    fn escaped_keys_and_repeated_keys_are_keys() {
        let record = Record::parse(r#"{"ti\u0074le":"a","title":"b"}"#).unwrap();
        assert_eq!(value(record.title), "b");
    }
}
