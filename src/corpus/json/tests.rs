use super::marks::CHUNK;
use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn skips(line: &str) -> Result<(), Fault> {
    let mut scanner = Scanner::new(line);
    scanner.skip()?;
    scanner.end()
}

/// serde_json reads numbers into floats and refuses those that overflow; the scanner leaves
/// numbers alone.
fn accepted(line: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\\n\t\u{1}é\u{1f600} ]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_writes_is_skipped_whole(value in value(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        prop_assert_eq!(Scanner::new(&text).skip().unwrap(), text.as_str());
        prop_assert!(skips(&text).is_ok());
    }

    #[test]
    fn damaged_json_is_judged_as_serde_judges_it(
        value in value(),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(&b"\"\\{}[]:,0eE+-.nt u\x01"[..]),
        cut in any::<bool>(),
    ) {
        let mut bytes = value.to_string().into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(text) = String::from_utf8(bytes) {
            let ours = skips(&text);
            prop_assert_eq!(ours.is_ok(), accepted(&text), "{}: {:?}", text, ours);
        }
    }

    #[test]
    fn any_text_is_judged_as_serde_judges_it(text in "[\\[\\]{}\",:0-9eE.\\\\nultrefas -]{0,12}") {
        prop_assert_eq!(skips(&text).is_ok(), accepted(&text), "{}", text);
    }

    #[test]
    fn strings_decode_as_serde_decodes_them(
        text in "([a-zé\u{1f600} ]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}|\\\\ud83d\\\\ude00){0,40}"
    ) {
        let quoted = format!("\"{text}\"");
        let mut scratch = String::new();
        let ours = Scanner::new(&quoted).string().unwrap().decode(&mut scratch).map(str::to_owned);
        prop_assert_eq!(ours.ok(), serde_json::from_str::<String>(&quoted).ok());
    }

    #[test]
    fn a_text_in_one_line_has_blanks_for_white_space(text in "[a-z\n\t\r\u{c}\u{8}\"é]{0,80}") {
        let line = serde_json::to_string(&text).unwrap();
        let read = Scanner::new(&line).string().unwrap();
        let mut scratch = String::new();
        let wanted = text.replace(['\n', '\t', '\r', '\u{c}'], " ");
        prop_assert_eq!(read.decode_in_one_line(&mut scratch).unwrap(), wanted);
    }

    #[test]
    fn where_a_string_stands_in_the_line_does_not_change_it(
        body in "([a-z ]{0,40}(\\\\[nt\"\\\\u]|\\\\ud83d\\\\ude00|\\\\u00E9|é|\u{1}|\")?){0,4}",
    ) {
        let alone = format!("\"{body}\"");
        let followed = format!("{alone}{}", " ".repeat(2 * CHUNK));
        let read = |line: &str| {
            let mut scanner = Scanner::new(line);
            scanner.string().map(|text| (text.raw().to_owned(), text.escapes, scanner.at()))
        };
        match (read(&alone), read(&followed)) {
            (Err(fault), Err(other)) => {
                let early = fault.what == "the line ends early";
                prop_assert!(early || fault == other, "{fault} {other}");
            }
            (alone, followed) => prop_assert_eq!(alone, followed),
        }
    }
}

#[test]
fn faults_name_the_byte() {
    for (line, at, what) in [
        ("{\"a\":1", 6, "the line ends early"),
        ("[1 2]", 3, "expected ',' or the end of the value"),
        ("\"\\x\"", 2, "illegal escape"),
        ("\"a\tb\"", 2, "raw control character in a string"),
        ("{} x", 3, "text after the object"),
    ] {
        let fault = skips(line).unwrap_err();
        assert_eq!((fault.at, fault.what), (at, what), "{line}");
    }
}

#[test]
fn depth_is_bounded() {
    assert!(skips(&("[".repeat(127) + &"]".repeat(127))).is_ok());
    assert_eq!(
        skips(&"[".repeat(100_000)).unwrap_err().what,
        "nested too deeply"
    );
}
