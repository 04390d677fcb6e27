//! Text → its sentences and its words, as ranges of bytes.

use std::ops::Range;

/// Words whose full stop ends no sentence; in lower case, without it.
const ABBREVIATIONS: [&str; 28] = [
    "approx", "cf", "cor", "def", "dr", "eq", "eqn", "eqs", "fig", "figs", "lem", "mr", "mrs",
    "ms", "prof", "prop", "ref", "refs", "resp", "sec", "secs", "sect", "st", "tab", "thm", "viz",
    "vs", "wrt",
];

/// Words whose full stop ends no sentence before a number.
const NUMBERED: [&str; 7] = ["no", "nos", "ch", "vol", "p", "pp", "art"];

/// After "et al." or one capital letter, which may be an initial, these begin a sentence.
const BEGINNINGS: [&str; 18] = [
    "a", "all", "an", "as", "for", "here", "if", "in", "it", "let", "moreover", "our", "such",
    "the", "these", "this", "we", "when",
];

/// Longest formula between dollar signs, in bytes; a sign without a partner is a currency's.
const FORMULA: usize = 1000;

/// Sentences of `text` in order, without the white space around them.
///
/// They hold every character of `text` that is not white space. A sentence ends at `.`, `!` or `?`
/// before white space and no lower-case letter, at their full-width forms, and at a blank line; not
/// in a formula, behind an abbreviation or behind an initial. What has neither letter nor digit
/// belongs to the sentence before it.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut formulas = formulas(text).into_iter().peekable();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for (at, mark) in text.char_indices() {
        while formulas.next_if(|formula| formula.end <= at).is_some() {}
        let inside = formulas.peek().is_some_and(|formula| formula.start <= at);
        if inside || at < start {
            continue;
        }
        let after = at + mark.len_utf8();
        let end = match mark {
            '.' | '!' | '?' | '…' => stop(text, at, after),
            '。' | '！' | '？' => Some(after),
            '\n' if blank_line(&text[after..]) => Some(after),
            _ => None,
        };
        if let Some(end) = end {
            add(text, start..end, &mut found);
            start = end;
        }
    }
    add(text, start..text.len(), &mut found);
    found
}

/// Words of `text`: what stands between white space.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        if character.is_whitespace() {
            found.extend(start.take().map(|start| start..at));
        } else {
            start.get_or_insert(at);
        }
    }
    found.extend(start.map(|start| start..text.len()));
    found
}

fn add(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = range.start + piece.trim_end().len();
    if start >= end {
        return;
    }
    let says = |range: &Range<usize>| text[range.clone()].contains(char::is_alphanumeric);
    match found.last_mut() {
        Some(last) if !says(&(start..end)) || !says(last) => last.end = end,
        _ => found.push(start..end),
    }
}

/// Where a sentence ends whose last mark is at `at..after`, closing quotes included.
fn stop(text: &str, at: usize, after: usize) -> Option<usize> {
    let rest = &text[after..];
    let closed = rest.trim_start_matches([')', ']', '}', '"', '\'', '”', '’', '»']);
    let end = text.len() - closed.len();
    let following = closed.trim_start();
    let Some(next) = following.chars().next() else {
        return Some(end);
    };
    if following.len() == closed.len() || next.is_lowercase() {
        return None;
    }
    (!text[at..].starts_with('.') || !abbreviated(&text[..at], following)).then_some(end)
}

/// Whether the full stop between `before` and `following` belongs to a word.
fn abbreviated(before: &str, following: &str) -> bool {
    let apart = |c: char| c.is_whitespace() || "([{\"'“‘~-–—/".contains(c);
    let word = before.rsplit(apart).next().unwrap_or_default();
    let lower = word.to_lowercase();
    let next = following
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut letters = word.chars();
    let initial =
        matches!((letters.next(), letters.next()), (Some(one), None) if one.is_uppercase());
    if initial || lower == "al" {
        // "J. A. Smith": a letter with a full stop is an initial too.
        let another = following[next.len()..].starts_with('.');
        return another || !BEGINNINGS.contains(&next.to_lowercase().as_str());
    }
    let dotted = word.contains('.')
        && word
            .split('.')
            .all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic));
    dotted
        || ABBREVIATIONS.contains(&lower.as_str())
        || NUMBERED.contains(&lower.as_str()) && next.starts_with(|c: char| c.is_ascii_digit())
}

fn blank_line(rest: &str) -> bool {
    rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n')
}

/// Ranges between dollar signs, by pandoc's rule: no white space behind the first sign or before
/// the last one, and no digit behind the last one.
fn formulas(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let escaped = |at: usize| at > 0 && bytes[at - 1] == b'\\';
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' || escaped(at) {
            at += 1;
            continue;
        }
        let display = byte(at + 1) == b'$';
        let inside = at + 1 + usize::from(display);
        let limit = bytes.len().min(inside + FORMULA);
        let ends = |&end: &usize| {
            bytes[end] == b'$'
                && !escaped(end)
                && if display {
                    byte(end + 1) == b'$'
                } else {
                    !byte(end - 1).is_ascii_whitespace() && !byte(end + 1).is_ascii_digit()
                }
        };
        let opens = display || !byte(inside).is_ascii_whitespace();
        match (inside + 1..limit).find(ends).filter(|_| opens) {
            Some(end) => {
                let end = end + 1 + usize::from(display);
                found.push(at..end);
                at = end;
            }
            None => at = inside,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|at| &text[at]).collect()
    }

    #[test]
    fn a_sentence_ends_before_a_capital_a_digit_or_a_formula() {
        assert_eq!(
            split("We prove it.  Is it new? Yes! 3 cases remain. $x$ is one."),
            [
                "We prove it.",
                "Is it new?",
                "Yes!",
                "3 cases remain.",
                "$x$ is one."
            ]
        );
        assert_eq!(
            split("He said “no.” We agree."),
            ["He said “no.”", "We agree."]
        );
        assert_eq!(split("第一。第二！"), ["第一。", "第二！"]);
        assert_eq!(
            split("First part\n \nSecond part"),
            ["First part", "Second part"]
        );
        assert_eq!(split("Wait... Then go."), ["Wait...", "Then go."]);
    }

    #[test]
    fn abbreviations_initials_and_numbers_end_none() {
        for whole in [
            "Following Smith et al. [3] and Jones et~al. Theorem 2 holds.",
            "Many rings, e.g. $Z$, i.e. The integers, are domains.",
            "See Fig. 3 and Eqs. (4) of Ref. 5, cf. Section 2.",
            "It is due to J. A. R. Smith and D. Knuth.",
            "It grows by 3.5 per cent vs. 2.1 before.",
            "As in No. 7 of Vol. 3.",
            "The arXiv.org server is used.",
            "The U.S. Navy measured it.",
        ] {
            assert_eq!(split(whole), [whole]);
        }
        assert_eq!(
            split("We follow Smith et al. We work over a field K. The answer is no. Then stop."),
            [
                "We follow Smith et al.",
                "We work over a field K.",
                "The answer is no.",
                "Then stop."
            ]
        );
    }

    #[test]
    fn a_formula_is_never_cut_and_a_price_is_no_formula() {
        for whole in [
            "Let $x. Y$ be given.",
            "Then $$a. B. C$$ holds.",
            r"It has $a\$. B$ in it.",
        ] {
            assert_eq!(split(whole), [whole]);
        }
        let priced = "It costs $5. Others cost $6. We pay.";
        assert_eq!(
            split(priced),
            ["It costs $5.", "Others cost $6.", "We pay."]
        );
    }

    #[test]
    fn marks_alone_belong_to_the_sentence_beside_them() {
        assert_eq!(
            split("... We begin. --- \n\n ***"),
            ["... We begin. --- \n\n ***"]
        );
        assert_eq!(split(" ?? "), ["??"]);
        assert_eq!(split(" \n "), [""; 0]);
    }

    fn check(text: &str, found: &[Range<usize>]) -> Result<(), TestCaseError> {
        let mut covered = 0;
        for range in found {
            prop_assert!(text[covered..range.start].trim().is_empty());
            prop_assert!(!text[range.clone()].is_empty());
            prop_assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
            covered = range.end;
        }
        prop_assert!(text[covered..].trim().is_empty());
        Ok(())
    }

    proptest! {
        #[test]
        fn every_character_that_is_seen_is_in_one_sentence_and_in_one_word(
            text in r#"([a-zA-Z.!?$ \n。\\()"']|et al\. |e\.g\. |\PC){0,80}"#,
        ) {
            check(&text, &sentences(&text))?;
            check(&text, &words(&text))?;
        }
    }
}
