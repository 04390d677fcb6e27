use super::*;
use proptest::prelude::*;

const LABELS: [&str; 3] = ["cs.IT", "cs.LG", "stat.ML"];

fn ranker() -> Ranker {
    Ranker::new(&LABELS.map(String::from), &[0.5, 0.4, 0.3]).unwrap()
}

fn options(text: &str) -> Options {
    Options::parse(text).unwrap()
}

fn spans(title: &str, text: &str, asked: &str) -> Vec<(Field, usize, usize)> {
    variants(title, text, &options(asked))
        .iter()
        .map(|Variant { span, .. }| (span.field, span.start, span.end))
        .collect()
}

#[test]
fn the_title_and_each_sentence_are_left_out_once() {
    let found = variants(" On rings ", "One. Two.", &options("{}"));
    let papers: Vec<_> = found
        .iter()
        .map(|variant| (variant.title.as_str(), variant.text.as_str()))
        .collect();
    let expected = [
        ("  ", "One. Two."),
        (" On rings ", " Two."),
        (" On rings ", "One. "),
    ];
    assert_eq!(papers, expected);
    assert!(variants(" ", "\n", &options("{}")).is_empty());
}

#[test]
fn offsets_count_characters() {
    let expected = [
        (Field::Title, 1, 5),
        (Field::Abstract, 0, 6),
        (Field::Abstract, 7, 11),
    ];
    assert_eq!(spans(" Züge", "Ein 🧮. Zwei", "{}"), expected);
    let expected = [
        (Field::Title, 0, 4),
        (Field::Abstract, 0, 3),
        (Field::Abstract, 4, 5),
    ];
    assert_eq!(spans("Züge", "Ein 🧮", r#"{"unit": "word"}"#), expected);
}

#[test]
fn where_there_are_too_many_neighbours_go_together() {
    let text = "A1. B2. C3. D4. E5.";
    let expected = [
        (Field::Title, 0, 1),
        (Field::Abstract, 0, 11),
        (Field::Abstract, 12, 19),
    ];
    assert_eq!(spans("T", text, r#"{"most": 3}"#), expected);
    assert_eq!(spans("T", text, r#"{"most": 6}"#).len(), 6);
}

#[test]
fn a_contribution_is_what_the_log_odds_lose() {
    let whole = [0.2, 0.8, 0.5];
    let without: [&[f32]; 2] = [&[0.2, 0.5, 0.5], &[0.2, 0.8, 0.8]];
    let found = contributions(&ranker(), &whole, &without, &options(r#"{"top_k": 2}"#)).unwrap();
    let [learning, statistics] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(learning.category.category, "cs.LG");
    assert_eq!(learning.category.threshold, Some(0.4));
    assert!((learning.contributions[0] - 4f32.ln()).abs() < 1e-6);
    assert_eq!(learning.contributions[1], 0.0);
    assert_eq!(statistics.category.category, "stat.ML");
    assert_eq!(statistics.contributions[0], 0.0);
    assert!((statistics.contributions[1] + 4f32.ln()).abs() < 1e-6);
}

#[test]
fn named_categories_come_as_they_were_named() {
    let asked = options(r#"{"categories": ["stat.ML", "math.IT"]}"#);
    let found = contributions(&ranker(), &[0.2, 0.8, 0.5], &[], &asked).unwrap();
    let names: Vec<_> = found.iter().map(|one| &one.category.category).collect();
    assert_eq!(names, ["stat.ML", "cs.IT"]);
}

#[test]
fn what_cannot_be_explained_is_named() {
    for (name, said) in [
        ("cs.XX", "not a category of arXiv"),
        ("astro-ph", "an archive"),
        ("hep-th", "not a category that this model knows"),
    ] {
        let asked = Options {
            categories: Some(vec!["cs.LG".to_owned(), name.to_owned()]),
            ..Options::default()
        };
        let error = contributions(&ranker(), &[0.2, 0.8, 0.5], &[], &asked).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("categories.1") && text.contains(said),
            "{text}"
        );
    }
    let row: &[f32] = &[0.5];
    let error = contributions(&ranker(), &[0.2, 0.8, 0.5], &[row], &Options::default());
    assert!(matches!(error, Err(Error::Shape { .. })));
    for (asked, key) in [
        (r#"{"top_k": 0}"#, "top_k"),
        (r#"{"most": 1}"#, "most"),
        (r#"{"unit": "letter"}"#, "unit"),
    ] {
        let error = Options::parse(asked).unwrap_err();
        assert!(
            matches!(&error, Error::Option { name, .. } if name == key),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn a_contribution_has_the_sign_of_what_is_lost(whole in 0f32..=1.0, without in 0f32..=1.0) {
        let (row, other): ([f32; 3], [f32; 3]) = ([whole; 3], [without; 3]);
        let asked = Options::default();
        let found = contributions(&ranker(), &row, &[&other], &asked).unwrap();
        let back = contributions(&ranker(), &other, &[&row], &asked).unwrap();
        for (there, back) in found.iter().zip(&back) {
            let value = there.contributions[0];
            prop_assert!(value.is_finite());
            prop_assert_eq!(value, -back.contributions[0]);
            prop_assert!((whole > without) || value <= 0.0);
            prop_assert!((whole < without) || value >= 0.0);
        }
    }

    #[test]
    fn every_variant_is_the_paper_without_its_span(
        title in r"\PC{0,20}",
        text in r"([a-z]|[A-Z]|\. |🧮|ü){0,60}",
        word in any::<bool>(),
        most in proptest::option::of(2usize..6),
    ) {
        let unit = if word { Unit::Word } else { Unit::Sentence };
        let asked = Options { unit, most, ..Options::default() };
        let found = variants(&title, &text, &asked);
        prop_assert!(most.is_none_or(|most| found.len() <= most));
        for Variant { span, title: short, text: rest } in found {
            let (given, left) = match span.field {
                Field::Title => (&title, &short),
                Field::Abstract => (&text, &rest),
            };
            let kept = |at: &usize| !(span.start..span.end).contains(at);
            let expected: String = given
                .chars()
                .enumerate()
                .filter_map(|(at, character)| kept(&at).then_some(character))
                .collect();
            prop_assert_eq!(left, &expected);
            prop_assert!(span.start < span.end);
        }
    }
}
