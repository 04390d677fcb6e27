//! Which parts of a paper speak for a category, and which against: a part's contribution is what
//! the category's log odds lose when the part is left out.
//!
//! [`variants`] says which papers must be scored, [`contributions`] what their probabilities mean;
//! so whoever has a queue of papers can put them there. [`Classifier::explain`] does all in one.

mod sentences;
#[cfg(test)]
mod tests;

use super::classifier::{Classifier, Scores};
use super::options::Ranking;
use super::prediction::{Category, Ranker, resolve};
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::options::parse;
use sentences::{sentences, words};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Probabilities are held this far from 0 and 1, where log odds end: 14 either way. Nearer to them a
/// difference is the rounding of f32 rather than the part that was left out.
const EDGE: f64 = 1e-6;

/// What is asked; crosses from Python as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// What is left out at a time.
    pub unit: Unit,
    /// Parts at most; neighbours are left out together where there are more. None: no limit.
    pub most: Option<usize>,
    /// Categories to explain, under any name arXiv has for them; none: the `top_k` best.
    pub categories: Option<Vec<String>>,
    /// Categories to explain where none are named.
    pub top_k: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unit: Unit::Sentence,
            most: None,
            categories: None,
            top_k: 5,
        }
    }
}

impl Options {
    /// Reads and checks `options`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Option`] naming the key.
    pub fn parse(options: &str) -> Result<Self> {
        let options: Self = parse(options)?;
        if options.top_k == 0 {
            return Err(Error::option(
                "top_k",
                0,
                "at least one category is explained",
            ));
        }
        match options.most {
            Some(most @ ..2) => Err(Error::option("most", most, "must be at least 2")),
            _ => Ok(options),
        }
    }
}

/// Parts into which a paper is taken apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The title, and each sentence of the abstract.
    #[default]
    Sentence,
    /// Each word of both.
    Word,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// In the title.
    Title,
    /// In the abstract.
    Abstract,
}

impl Field {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Abstract => "abstract",
        }
    }
}

/// A part of a paper. Offsets count characters (code points), not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Where it stands.
    pub field: Field,
    /// Its first character.
    pub start: usize,
    /// The character behind its last one.
    pub end: usize,
}

/// A paper without one of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What was left out.
    pub span: Span,
    /// The title that remains.
    pub title: String,
    /// The abstract that remains.
    pub text: String,
}

/// A category, and what each part of the paper contributes to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The category by the whole paper.
    #[serde(flatten)]
    pub category: Category,
    /// For each variant what the log odds (natural logarithm) lose without its part: above zero
    /// where the part speaks for the category, below where it speaks against.
    pub contributions: Vec<f32>,
}

/// An explained paper.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The paper's parts in their order, the title's first.
    pub spans: Vec<Span>,
    /// Categories as they were named, else best first; contributions are as `spans`.
    pub categories: Vec<Explained>,
    /// Whether the text was longer than the model reads; parts it does not read contribute nothing.
    pub truncated: bool,
}

/// The papers to score beside the whole one, in the order of their parts.
#[must_use]
pub fn variants(title: &str, text: &str, options: &Options) -> Vec<Variant> {
    let (head, body) = match options.unit {
        Unit::Sentence => (whole(title), sentences(text)),
        Unit::Word => (words(title), words(text)),
    };
    let (head, body) = match options.most {
        None => (head, body),
        Some(most) => {
            let head = grouped(head, (most / 2).max(1));
            let room = most - head.len();
            (head, grouped(body, room))
        }
    };
    let titles = head.into_iter().map(|range| Variant {
        span: span(Field::Title, title, &range),
        title: without(title, &range),
        text: text.to_owned(),
    });
    let texts = body.into_iter().map(|range| Variant {
        span: span(Field::Abstract, text, &range),
        title: title.to_owned(),
        text: without(text, &range),
    });
    titles.chain(texts).collect()
}

/// Contributions by the probabilities [labels] of the `whole` paper and of its variants, as
/// [`variants`] has them.
///
/// # Errors
/// [`Error::Input`] for a category that arXiv does not have or the model does not know;
/// [`Error::Shape`] for a row of another length.
pub fn contributions(
    ranker: &Ranker,
    whole: &[f32],
    without: &[&[f32]],
    options: &Options,
) -> Result<Vec<Explained>> {
    if let Some(row) = without.iter().find(|row| row.len() != whole.len()) {
        return Err(Error::shape("variants", [whole.len()], [row.len()]));
    }
    chosen(ranker, whole, options)?
        .into_iter()
        .map(|(position, category)| {
            let odds = logit(whole[position]);
            let contributions = without
                .iter()
                .map(|row| (odds - logit(row[position])) as f32)
                .collect();
            Ok(Explained {
                category,
                contributions,
            })
        })
        .collect()
}

/// Categories to explain, each with its place in a row of probabilities.
fn chosen(ranker: &Ranker, whole: &[f32], options: &Options) -> Result<Vec<(usize, Category)>> {
    let ranking = Ranking {
        top_k: Some(options.top_k),
        all: options.categories.is_some(),
        ..Ranking::default()
    };
    let ranked = ranker.rank(whole, false, None, &ranking)?.categories;
    let placed = |category: Category| {
        let position = ranker.position(&category.category)?;
        Some((position, category))
    };
    let Some(names) = &options.categories else {
        return Ok(ranked.into_iter().filter_map(placed).collect());
    };
    let named = names.iter().enumerate().map(|(index, name)| {
        let place = format!("categories.{index}");
        let label = resolve(name).map_err(|error| match error {
            Error::Input { reason, .. } => Error::input(&place, reason),
            other => other,
        })?;
        let category = ranked.iter().find(|one| one.category == label.name());
        category.cloned().and_then(placed).ok_or_else(|| {
            let reason = format!("{name:?} is not a category that this model knows");
            Error::input(&place, reason)
        })
    });
    named.collect()
}

fn logit(probability: f32) -> f64 {
    let probability = f64::from(probability).clamp(EDGE, 1.0 - EDGE);
    (probability / (1.0 - probability)).ln()
}

/// `text` as one part, where there is anything in it.
fn whole(text: &str) -> Vec<Range<usize>> {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    (start < end).then_some(start..end).into_iter().collect()
}

/// Neighbours taken together until there are at most `most`.
fn grouped(parts: Vec<Range<usize>>, most: usize) -> Vec<Range<usize>> {
    let size = parts.len().div_ceil(most.max(1)).max(1);
    parts
        .chunks(size)
        .filter_map(|group| Some(group.first()?.start..group.last()?.end))
        .collect()
}

fn without(text: &str, range: &Range<usize>) -> String {
    [&text[..range.start], &text[range.end..]].concat()
}

fn span(field: Field, text: &str, range: &Range<usize>) -> Span {
    let start = text[..range.start].chars().count();
    Span {
        field,
        start,
        end: start + text[range.clone()].chars().count(),
    }
}

impl Classifier {
    /// Explains a paper's categories; the paper and its variants are scored together.
    ///
    /// # Errors
    /// As [`contributions`] and [`Classifier::scores`].
    pub fn explain(
        &self,
        title: &str,
        text: &str,
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<Explanation> {
        // What the caller got wrong is said before the encoder's work.
        let nothing = vec![0.0; self.spec().labels.len()];
        chosen(self.ranker(), &nothing, options)?;
        let variants = variants(title, text, options);
        let (mut titles, mut texts) = (vec![title], vec![text]);
        titles.extend(variants.iter().map(|variant| variant.title.as_str()));
        texts.extend(variants.iter().map(|variant| variant.text.as_str()));
        let Scores {
            probabilities,
            truncated,
        } = self.scores(&titles, &texts, observer)?;
        let probabilities = probabilities.as_standard_layout();
        let rows: Vec<&[f32]> = probabilities
            .as_slice()
            .unwrap_or_default()
            .chunks_exact(nothing.len())
            .collect();
        let Some((whole, without)) = rows.split_first() else {
            return Err(Error::shape("probabilities", [titles.len()], [0]));
        };
        Ok(Explanation {
            spans: variants.iter().map(|variant| variant.span).collect(),
            categories: contributions(self.ranker(), whole, without, options)?,
            truncated: truncated.first().copied().unwrap_or_default(),
        })
    }
}
