//! What a paper's parts are (`src/infer/explain.rs`): in order, on characters, and everything that
//! is not white space is in one of them.

use arxiv_core::infer::explain::{Field, Options, Span, Unit, Variant, variants};

/// Checks a paper's sentences and words, all of them and grouped.
pub fn check(title: &str, text: &str) {
    for unit in [Unit::Sentence, Unit::Word] {
        for most in [None, Some(24), Some(2)] {
            // A copy of the paper a word: short ones tell as much.
            if unit == Unit::Word && most.is_none() && text.len() > 1000 {
                continue;
            }
            let options = Options {
                unit,
                most,
                ..Options::default()
            };
            let found = variants(title, text, &options);
            let (head, body): (Vec<_>, Vec<_>) =
                found.iter().partition(|one| one.span.field == Field::Title);
            let ordered = found
                .iter()
                .skip(head.len())
                .all(|one| one.span.field != Field::Title);
            assert!(ordered, "the title's parts come first");
            assert!(
                most.is_none_or(|most| found.len() <= most),
                "more than {most:?} parts"
            );
            field(title, &head, |one| (&one.title, &one.text == text));
            field(text, &body, |one| (&one.text, &one.title == title));
            let alone = most.is_none() && unit == Unit::Word;
            let broken = |span: Span, text: &str| cut(text, span).contains(char::is_whitespace);
            assert!(
                !alone
                    || !head.iter().any(|one| broken(one.span, title))
                        && !body.iter().any(|one| broken(one.span, text)),
                "a word holds white space"
            );
        }
    }
}

/// Checks the parts of one field; `of` gives what remains of it, and whether the other is whole.
fn field(whole: &str, parts: &[&Variant], of: impl Fn(&Variant) -> (&String, bool)) {
    let characters: Vec<char> = whole.chars().collect();
    let blank = |range: &[char]| range.iter().all(|one| one.is_whitespace());
    let mut end = 0;
    for part in parts {
        let Span {
            start, end: last, ..
        } = part.span;
        assert!(
            end <= start && start < last,
            "parts out of order: {whole:?}"
        );
        assert!(
            last <= characters.len(),
            "a part goes beyond the end: {whole:?}"
        );
        assert!(blank(&characters[end..start]), "text in no part: {whole:?}");
        let ends = [characters[start], characters[last - 1]];
        assert!(
            !ends.iter().any(|one| one.is_whitespace()),
            "white space at an end: {whole:?}"
        );
        let (left, other) = of(part);
        let kept = characters[..start].iter().chain(&characters[last..]);
        assert!(
            left.chars().eq(kept.copied()),
            "not what is left without the part: {whole:?}"
        );
        assert!(other, "the other field is changed");
        end = last;
    }
    assert!(
        blank(&characters[end..]),
        "text behind the last part: {whole:?}"
    );
}

fn cut(text: &str, span: Span) -> String {
    text.chars()
        .skip(span.start)
        .take(span.end - span.start)
        .collect()
}
