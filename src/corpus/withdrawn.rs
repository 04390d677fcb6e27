//! Tells papers that say of themselves that they were withdrawn. The snapshot has no field for
//! it: authors write it into the comments or in the place of the abstract.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a withdrawn thing is called.
const SUBJECTS: [&str; 18] = [
    "paper",
    "article",
    "submission",
    "manuscript",
    "preprint",
    "pre-print",
    "e-print",
    "eprint",
    "note",
    "work",
    "report",
    "letter",
    "version",
    "draft",
    "thesis",
    "chapter",
    "contribution",
    "it",
];
/// What stands between the subject and "withdrawn".
const BETWEEN: [&str; 13] = [
    "has",
    "have",
    "had",
    "been",
    "is",
    "was",
    "being",
    "now",
    "hereby",
    "temporarily",
    "permanently",
    "therefore",
    "voluntarily",
];

/// A quick look that misses nothing: whether `text`, JSON escapes and all, needs the slow one.
#[must_use]
pub fn mentioned(text: &str) -> bool {
    static FINDERS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["ithdraw", "ITHDRAW"].map(Finder::new));
    let mut finders = FINDERS.iter();
    finders.any(|finder| finder.find(text.as_bytes()).is_some())
}

/// Whether `text`, a paper's comments or abstract, says that the paper was withdrawn.
///
/// Yes: "This paper has been withdrawn by the author", "Withdrawn due to an error", "12 pages,
/// withdrawn because of a gap", "The authors would like to withdraw this version".
/// No: "withdrawn from the proceedings", "withdrawal benefits", "a drug was withdrawn".
#[must_use]
pub fn says_so(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    (0..words.len()).any(|at| is_withdrawn(&words, at) || is_to_withdraw(&words, at))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
}

fn is_withdrawn(words: &[&str], at: usize) -> bool {
    if bare(words[at]) != "withdrawn" {
        return false;
    }
    let after = words.get(at + 1).map_or("", |word| bare(word));
    let ends_here = words[at].ends_with(['.', ';', ',', ')']);
    if !ends_here && matches!(after, "from" | "before" | "at" | "into") {
        return false;
    }
    let by = words.get(at + 2).map_or("", |word| bare(word));
    if after == "by" && (by.starts_with("author") || by == "arxiv") {
        return true;
    }
    let Some(before) = at.checked_sub(1) else {
        return true;
    };
    // A new sentence or clause: "12 pages, withdrawn due to".
    if words[before].ends_with([',', ';', '.', ':']) {
        return true;
    }
    let subject = words[..at]
        .iter()
        .rposition(|word| !BETWEEN.contains(&bare(word)));
    subject.is_some_and(|subject| {
        subject < before
            && SUBJECTS.contains(&bare(words[subject]))
            && !words[subject].ends_with(['.', ','])
    })
}

fn is_to_withdraw(words: &[&str], at: usize) -> bool {
    let next = |step: usize| words.get(at + step).map_or("", |word| bare(word));
    bare(words[at]) == "withdraw"
        && (next(1) == "it"
            || (matches!(next(1), "this" | "the" | "our" | "my") && SUBJECTS.contains(&next(2))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withdrawn_papers_are_told() {
        for text in [
            "This paper has been withdrawn by the author due to a crucial error in equation 1",
            "Withdrawn by arXiv administrators due to content entirely plagiarized",
            "Withdrawn due to unavoidable circumstances",
            "5 pages, 1 figure, related to arXiv:1504.02083, withdrawn due to a\n  gap in the proof",
            "The article is being withdrawn because it is not finished",
            "This report has been withdrawn as it needs co-authors' permission",
            "The authors would like to withdraw this version. Please see arXiv:1008.1",
            "They are other cases not contemplated. This paper has been withdrawn.",
            "PAPER WITHDRAWN BY AUTHORS",
            "please let me withdraw it",
        ] {
            assert!(mentioned(text) && says_so(text), "{text}");
        }
    }

    #[test]
    fn others_are_left_alone() {
        for text in [
            "This paper was withdrawn from the IJCAI 2025 proceedings",
            "Accepted to LM4Plan (withdrawn before presentation due to lack of travel funding)",
            "variable annuities with guaranteed minimum withdrawal benefits",
            "ten drugs were withdrawn for their side effects",
            "workers withdrawn by force return",
            "agents withdraw the tokens",
        ] {
            assert!(!says_so(text), "{text}");
        }
        assert!(!mentioned("We draw with it."));
    }
}
