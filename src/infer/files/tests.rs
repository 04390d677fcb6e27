//! Inputs as people have them, each record as it must be read.

use super::Record;
use super::open::open;
use crate::error::{Error, Result};
use crate::observe::Silent;
use std::io::Write;
use std::path::PathBuf;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Every record as `row|id|title|abstract`, or the message of its error.
fn read(input: &str) -> Result<Vec<String>> {
    let mut source = open(input, &Silent)?;
    let mut found = Vec::new();
    while let Some(record) = source.next()? {
        found.push(match record {
            Ok(Record {
                row,
                id,
                title,
                abstract_,
            }) => {
                format!("{row}|{}|{title}|{abstract_}", id.as_deref().unwrap_or("-"))
            }
            Err(error) => error.to_string(),
        });
    }
    assert_eq!(source.expected(), Some(found.len() as u64));
    Ok(found)
}

const LINES: &str = "{\"id\":\"a\",\"title\":\"T1\",\"abstract\":\"A1\"}\n\n{\"id\":7,\"abstract\":\"\",\"title\":\"T2\",\"x\":[1]}";
const EXPECTED: [&str; 2] = ["0|a|T1|A1", "1|7|T2|"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lines_are_read_whatever_they_are_packed_in_and_called() {
    let place = Place::new();
    let zstd = zstd::encode_all(LINES.as_bytes(), 1).unwrap();
    for (name, bytes) in [
        ("a.jsonl", LINES.as_bytes()),
        ("b.json", format!("\u{feff}\n {LINES}\n").as_bytes()),
        ("c.jsonl.gz", &gzip(LINES.as_bytes())),
        ("d.zst", &zstd),
        // What it holds counts, not what it is called.
        ("e.jsonl", &gzip(LINES.as_bytes())),
    ] {
        assert_eq!(read(&place.write(name, bytes)).unwrap(), EXPECTED, "{name}");
    }
}

#[test]
fn an_id_that_is_a_number_keeps_its_digits() {
    let place = Place::new();
    let line = |id: &str| format!(r#"{{"id": {id} ,"title":"T","abstract":"A"}}"#);
    let ids = ["2301.00010", "-0", "\"\\u0061b\"", "null", "[1]", "true"];
    let lines: Vec<String> = ids.iter().map(|id| line(id)).collect();
    let path = place.write("a.jsonl", lines.join("\n").as_bytes());
    let found = read(&path).unwrap();
    let said = |at: usize, json: &str| {
        format!("{path}:{at}: field \"id\": {json} is neither a string nor a number")
    };
    let expected = ["0|2301.00010|T|A", "1|-0|T|A", "2|ab|T|A", "3|-|T|A"].map(str::to_owned);
    assert_eq!(found[..4], expected);
    assert_eq!(found[4..], [said(5, "[1]"), said(6, "true")]);
}

#[test]
fn csv_is_known_by_its_header_too() {
    let place = Place::new();
    let rows = "id,\"title\", abstract\na,T1,A1\n7,T2,\n";
    for (name, bytes) in [
        ("a.txt", rows.as_bytes()),
        ("b", format!("\u{feff}{rows}").as_bytes()),
        ("c.gz", &gzip(rows.as_bytes())),
    ] {
        assert_eq!(read(&place.write(name, bytes)).unwrap(), EXPECTED, "{name}");
    }
}

#[test]
fn an_object_is_no_header_whatever_words_are_in_it() {
    let place = Place::new();
    let line = r#"{"id":"1","title":"X","abstract":"We match author, title, abstract, and year."}"#;
    let found = read(&place.write("a.jsonl", line.as_bytes())).unwrap();
    assert_eq!(found, ["0|1|X|We match author, title, abstract, and year."]);
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_said_with_its_line() {
    let place = Place::new();
    let rows = "title,abstract\nA,B\nC,\"open\nD,E\n";
    let found = read(&place.write("a.csv", rows.as_bytes())).unwrap();
    assert_eq!(found[0], "0|-|A|B");
    assert!(
        found[1].ends_with("a.csv:3: a quotation mark is never closed"),
        "{found:?}"
    );
    assert_eq!(found.len(), 2);
    for closed in ["title,abstract\nA,\"B\n\"", "title,abstract\nA,\"B\"\"\"\n"] {
        let found = read(&place.write("b.csv", closed.as_bytes())).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("0|-|A|B"), "{found:?}");
    }
    assert!(
        read(&place.write("c.csv", b"title,abstract"))
            .unwrap()
            .is_empty()
    );
    let error = read(&place.write("d.csv", b"")).unwrap_err().to_string();
    assert!(error.contains("no such column"), "{error}");
}

#[test]
fn an_array_in_a_paper_s_place_is_no_paper() {
    let place = Place::new();
    for (name, text) in [
        (
            "a.jsonl",
            "{\"title\":\"T\",\"abstract\":\"\"}\n[\"1\",\"T\",\"A\"]\n",
        ),
        (
            "b.json",
            "[{\"title\":\"T\",\"abstract\":\"\"},[\"1\",\"T\",\"A\"]]",
        ),
    ] {
        let found = read(&place.write(name, text.as_bytes())).unwrap();
        assert!(found[1].ends_with("an array"), "{found:?}");
    }
}

#[test]
fn an_array_is_read_element_by_element() {
    let place = Place::new();
    let array = r#" [ {"id":"a","title":"T1","abstract":"A1"},
        {"id":7, "abstract":"", "title":"T2", "x":[{"y":"]}\"\\"}]} ] "#;
    assert_eq!(
        read(&place.write("a.json", array.as_bytes())).unwrap(),
        EXPECTED
    );
    assert!(read(&place.write("b.json", b"[]")).unwrap().is_empty());
    let skipped = "[{\"title\":\"T1\"},\n 5, {\"title\":\"T2\",\"abstract\":\"\"}]";
    let found = read(&place.write("c.json", skipped.as_bytes())).unwrap();
    assert!(
        found[0].ends_with("c.json:1: field \"abstract\": missing or null"),
        "{found:?}"
    );
    assert!(
        found[1].contains("c.json:2: not a JSON object of a paper"),
        "{found:?}"
    );
    assert_eq!(found[2], "2|-|T2|");
    for broken in ["[", "[{\"title\":\"T\"", "[{},", "[] x"] {
        let error = read(&place.write("d.json", broken.as_bytes())).unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{broken}: {error}");
    }
}

#[test]
fn an_error_names_file_line_and_field() {
    let place = Place::new();
    let lines = "{\"title\":\"T\"}\nnonsense\n{\"title\":5,\"abstract\":\"A\"}\n{\"title\":null,\"abstract\":\"A\"}\n\
                 {\"title\":\"T\",\"abstract\":\"A\",\"id\":[]}\n{\"title\":\"\\ud800\",\"abstract\":\"A\"}\n";
    let found = read(&place.write("p.jsonl", lines.as_bytes())).unwrap();
    for (message, said) in found.iter().zip([
        "p.jsonl:1: field \"abstract\": missing or null",
        "p.jsonl:2: not a JSON object of a paper",
        "p.jsonl:3: field \"title\": 5 is not a string",
        "p.jsonl:4: field \"title\": missing or null",
        "p.jsonl:5: field \"id\": [] is neither a string nor a number",
        "p.jsonl:6: not a JSON object of a paper",
    ]) {
        assert!(message.contains(said), "{message}");
    }
    let found = read(&place.write("q.jsonl", b"{\"title\":\"\xff\",\"abstract\":\"\"}\n")).unwrap();
    assert!(found[0].contains("q.jsonl:1"), "{found:?}");
}

#[test]
fn csv_columns_are_found_by_their_header() {
    let place = Place::new();
    let text = "\u{feff}abstract,id,other,title\nA1,a,x,T1\n\"line\none\",b,,\"T, \"\"2\"\"\"\nshort,c\n\"\",,,\n";
    let found = read(&place.write("p.csv", text.as_bytes())).unwrap();
    assert_eq!(found[0], "0|a|T1|A1");
    assert_eq!(found[1], "1|b|T, \"2\"|line\none");
    assert!(
        found[2].ends_with("p.csv:5: 2 fields under a header of 4"),
        "{found:?}"
    );
    assert_eq!(found[3], "3|||");
    let packed = place.write("p.csv.gz", &gzip(text.as_bytes()));
    assert_eq!(read(&packed).unwrap()[0], "0|a|T1|A1");
    let error = read(&place.write("q.csv", b"title,id\nT,1\n"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("q.csv:1: field \"abstract\": no such column; the header has title, id"),
        "{error}"
    );
    let found = read(&place.write("r.csv", b"title,abstract\nT,\xff\nT,A\n")).unwrap();
    assert!(
        found[0].contains("r.csv:2: field \"abstract\""),
        "{found:?}"
    );
    assert_eq!(found[1], "1|-|T|A");
}

#[test]
fn damaged_inputs_are_input_errors() {
    let place = Place::new();
    let packed = gzip(LINES.repeat(100).as_bytes());
    for (name, bytes) in [
        ("cut.gz", &packed[..packed.len() / 2]),
        ("cut.parquet", b"PAR1 and no more"),
    ] {
        let error = read(&place.write(name, bytes)).unwrap_err();
        assert!(
            matches!(&error, Error::Input { place, .. } if place.ends_with(name)),
            "{error:?}"
        );
    }
}

#[test]
fn nothing_to_read_is_no_records_and_no_file_is_an_error() {
    let place = Place::new();
    assert!(read(&place.write("empty.jsonl", b"")).unwrap().is_empty());
    assert!(
        read(&place.write("blank.jsonl", b" \n\n"))
            .unwrap()
            .is_empty()
    );
    assert!(matches!(
        read(&place.write("empty.csv", b"")),
        Err(Error::Input { .. })
    ));
    assert!(matches!(
        open("/nowhere/x.jsonl", &Silent).err(),
        Some(Error::Io { .. })
    ));
    assert!(matches!(
        open(place.0.path().to_str().unwrap(), &Silent).err(),
        Some(Error::Io { .. })
    ));
}

#[test]
fn how_many_there_will_be_is_guessed_from_the_bytes() {
    let place = Place::new();
    let line = format!("{{\"title\":\"T\",\"abstract\":{:?}}}\n", "x".repeat(1000));
    let mut source = open(
        &place.write("many.jsonl", line.repeat(2000).as_bytes()),
        &Silent,
    )
    .unwrap();
    for _ in 0..500 {
        source.next().unwrap().unwrap().unwrap();
    }
    let guess = source.expected().unwrap();
    assert!((1400..=2000).contains(&guess), "{guess}");
}
