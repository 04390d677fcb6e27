//! Tells papers that say of themselves that they were withdrawn. The snapshot has no field for
//! it: authors write it into the comments or in the place of the abstract.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What only a paper is called.
const PAPERS: [&str; 8] = [
    "paper",
    "article",
    "submission",
    "manuscript",
    "preprint",
    "pre-print",
    "e-print",
    "eprint",
];
/// What a paper and much else is called.
const WRITINGS: [&str; 9] = [
    "note",
    "work",
    "report",
    "letter",
    "version",
    "draft",
    "thesis",
    "chapter",
    "contribution",
];
/// What stands between the subject and "withdrawn".
const BETWEEN: [&str; 16] = [
    "has",
    "have",
    "had",
    "been",
    "is",
    "was",
    "being",
    "now",
    "hereby",
    "thus",
    "hence",
    "currently",
    "temporarily",
    "permanently",
    "therefore",
    "voluntarily",
];

/// What ends a sentence or the part before a list.
const STOPS: &[char] = &['.', ';', ':', '!', '?'];

/// Where a text stands. Comments speak of the paper itself; an abstract may speak of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The authors' comments.
    Comments,
    /// The abstract.
    Abstract,
}

/// A quick look that misses nothing: whether `text`, JSON escapes and all, needs the slow one.
#[must_use]
pub fn mentioned(text: &str) -> bool {
    static FINDERS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["ithdraw", "ITHDRAW"].map(Finder::new));
    let mut finders = FINDERS.iter();
    finders.any(|finder| finder.find(text.as_bytes()).is_some())
}

/// Whether `text` says that the paper it belongs to was withdrawn.
///
/// In either place: "This paper has been withdrawn by the author", "Withdrawn due to an error",
/// "The authors would like to withdraw this version". In comments also "12 pages, withdrawn",
/// "it was withdrawn", "please withdraw the paper".
/// No: "withdrawn from the proceedings", "withdrawal benefits", "a drug was withdrawn".
#[must_use]
pub fn says_so(text: &str, place: Place) -> bool {
    let text = text.to_lowercase();
    let words = Words {
        words: text.split_whitespace().collect(),
        comments: place == Place::Comments,
    };
    (0..words.words.len()).any(|at| words.is_withdrawn(at) || words.is_to_withdraw(at))
}

struct Words<'a> {
    words: Vec<&'a str>,
    comments: bool,
}

impl Words<'_> {
    /// The word without what surrounds it; empty beyond either end.
    fn bare(&self, at: Option<usize>) -> &str {
        let word = at.and_then(|at| self.words.get(at)).copied();
        word.unwrap_or_default()
            .trim_matches(|letter: char| !letter.is_alphanumeric())
    }

    fn ends_with(&self, at: usize, marks: &[char]) -> bool {
        self.words.get(at).is_some_and(|word| word.ends_with(marks))
    }

    /// Whether a sentence ends before the word, or in comments a clause.
    fn follows_stop(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        self.ends_with(before, STOPS) || (self.comments && self.ends_with(before, &[',']))
    }

    /// Whether a sentence begins with the word, be it in parentheses.
    fn begins(&self, at: usize) -> bool {
        let opens = |word: &&str| word.starts_with(['(', '[', '*']);
        self.follows_stop(at) || self.words.get(at).is_some_and(opens)
    }

    fn is_withdrawn(&self, at: usize) -> bool {
        // "The paper is withdraw" is written for "withdrawn".
        let before = self.bare(at.checked_sub(1));
        let participle = match self.bare(Some(at)) {
            "withdrawn" => true,
            "withdraw" if matches!(before, "is" | "was" | "been" | "being") => false,
            _ => return false,
        };
        let after = self.bare(Some(at + 1));
        let ends_here = self.ends_with(at, &['.', ';', ',', ')']);
        let elsewhere = match after {
            "from" => self.bare(Some(at + 2)) != "arxiv",
            "before" | "at" | "into" => true,
            _ => false,
        };
        if elsewhere && !ends_here {
            return false;
        }
        self.has_subject(at) || (participle && self.stands_alone(at))
    }

    /// "Withdrawn due to an error", "12 pages, withdrawn".
    fn stands_alone(&self, at: usize) -> bool {
        if at == 0 {
            return true;
        }
        let after = self.bare(Some(at + 1));
        let meant = if self.comments {
            // But one of a list of words: "recalled, withdrawn, or banned".
            !matches!(after, "or" | "and")
        } else {
            matches!(after, "due" | "because" | "owing" | "pending") || self.by_whom(at)
        };
        meant && self.follows_stop(at)
    }

    /// Whether "by the authors" or "by arXiv" follows.
    fn by_whom(&self, at: usize) -> bool {
        let next = self.bare(Some(at + 2));
        let who = match next {
            "the" | "its" => self.bare(Some(at + 3)),
            other => other,
        };
        self.bare(Some(at + 1)) == "by" && (who.starts_with("author") || who == "arxiv")
    }

    /// "This paper has been withdrawn", "Paper withdrawn".
    fn has_subject(&self, at: usize) -> bool {
        let mut verbs = (0..at).rev();
        let subject = verbs.find(|&word| !BETWEEN.contains(&self.bare(Some(word))));
        let Some(subject) = subject else {
            return false;
        };
        let broken = |word| self.ends_with(word, STOPS) || self.ends_with(word, &[',']);
        if (subject..at).any(broken) {
            return false;
        }
        let verb = subject + 1 < at;
        let name = self.bare(Some(subject));
        if matches!(name, "it" | "this") {
            return verb && (self.comments || self.by_whom(at));
        }
        let (paper, writing) = (PAPERS.contains(&name), WRITINGS.contains(&name));
        if !paper && !writing {
            return false;
        }
        if self.begins(subject) {
            return paper || verb;
        }
        let mut first = subject.checked_sub(1);
        if matches!(self.bare(first), "present" | "current" | "above" | "entire") {
            first = first.and_then(|first| first.checked_sub(1));
        }
        let begins = first.is_some_and(|first| self.begins(first));
        let part = self.bare(first.and_then(|first| first.checked_sub(1))) == "of";
        match self.bare(first) {
            "this" | "our" | "my" => (verb || begins) && !part,
            "the" => paper && verb && (begins || self.comments) && !part,
            _ => false,
        }
    }

    /// "We would like to withdraw this paper".
    fn is_to_withdraw(&self, at: usize) -> bool {
        let next = |step: usize| self.bare(Some(at + step));
        let writing = if self.comments {
            &WRITINGS[..]
        } else {
            &["version"]
        };
        let named = PAPERS.contains(&next(2)) || writing.contains(&next(2));
        self.words[at].trim_start_matches(['(', '"', '*']) == "withdraw"
            && match next(1) {
                "this" | "our" | "my" => named,
                "the" => named && self.comments,
                "it" => self.comments,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests;
