//! Papers worth a look: where the model was most wrong, and where perhaps it was not the model.

use crate::corpus::papers::Papers;
use crate::corpus::when;
use crate::metrics::Scored;
use crate::metrics::confusion::best;
use serde::Serialize;
use std::collections::HashMap;

/// A paper looks mislabelled where the model gives another category at least this …
const SURE: f32 = 0.5;
/// … and all of the paper's own less than this.
const UNLIKELY: f32 = 0.05;
/// A category looks forgotten where the model gives it at least this, and assigns one of the
/// paper's own.
const CERTAIN: f32 = 0.9;
/// Best-scored categories told of a paper.
const TOLD: usize = 4;

/// A category beside the probability that the model gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Given {
    /// The category.
    pub category: String,
    /// Its probability; `None` for a category that the model has no label for.
    pub probability: Option<f32>,
}

/// A paper, what arXiv says and what the model says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Paper {
    /// arXiv id.
    pub id: String,
    /// Cleaned title.
    pub title: String,
    /// Day of submission, `2016-03-31`.
    pub submitted: String,
    /// Its categories, the primary first.
    pub categories: Vec<Given>,
    /// The categories scored best, best first.
    pub best: Vec<Given>,
    /// Log loss, summed over the labels, in nats.
    pub loss: f64,
}

/// The lists of papers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sorted {
    /// The highest log loss, highest first.
    pub mistakes: Vec<Paper>,
    /// A category that is not the paper's is likely and all its own are not: the widest gap first.
    pub mislabelled: Vec<Paper>,
    /// Papers that could stand in `mislabelled`.
    pub mislabelled_papers: usize,
    /// A category is all but certain and not among the paper's: the highest probability first.
    pub forgotten: Vec<Paper>,
    /// Papers that could stand in `forgotten`.
    pub forgotten_papers: usize,
}

/// Sorts papers into the lists, at most `most` in each.
pub(super) fn sort(
    table: &Papers,
    rows: &[usize],
    scored: &Scored<'_>,
    (labels, thresholds): (&[String], &[f32]),
    most: usize,
) -> Sorted {
    let index: HashMap<&str, usize> = labels
        .iter()
        .enumerate()
        .map(|(at, label)| (label.as_str(), at))
        .collect();
    let (mut wrong, mut other, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for (paper, &row) in rows.iter().enumerate() {
        let (scores, truth) = scored.row(paper);
        wrong.push((loss(scores, truth), paper));
        let own = || (0..scores.len()).filter(|&label| truth[label] != 0);
        let known = own().count() == table.categories[row].len();
        // A category without a label may be the right one.
        if !known || own().next().is_none() {
            continue;
        }
        let likeliest = own().map(|label| scores[label]).fold(0.0, f32::max);
        let foreign: Vec<f32> = (0..scores.len())
            .map(|label| {
                if truth[label] == 0 {
                    scores[label]
                } else {
                    0.0
                }
            })
            .collect();
        let stranger = foreign[best(&foreign)];
        if stranger >= SURE && likeliest < UNLIKELY {
            other.push((f64::from(stranger - likeliest), paper));
        } else if stranger >= CERTAIN && own().any(|label| scores[label] >= thresholds[label]) {
            more.push((f64::from(stranger), paper));
        }
    }
    let told = |paper: usize| {
        let (scores, truth) = scored.row(paper);
        let row = rows[paper];
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let given = |category: &String, label: Option<&usize>| Given {
            category: category.clone(),
            probability: label.map(|&label| scores[label]),
        };
        Paper {
            id: table.ids[row].clone(),
            title: table.titles[row].clone(),
            submitted: when::iso(table.submitted[row]),
            categories: table.categories[row]
                .iter()
                .map(|name| given(name, index.get(name.as_str())))
                .collect(),
            best: order
                .iter()
                .take(TOLD)
                .map(|label| given(&labels[*label], Some(label)))
                .collect(),
            loss: loss(scores, truth),
        }
    };
    let first = |mut papers: Vec<(f64, usize)>| -> Vec<Paper> {
        papers.sort_by(|a, b| b.0.total_cmp(&a.0));
        let kept = papers.into_iter().take(most);
        kept.map(|(_, paper)| told(paper)).collect()
    };
    Sorted {
        mislabelled_papers: other.len(),
        forgotten_papers: more.len(),
        mistakes: first(wrong),
        mislabelled: first(other),
        forgotten: first(more),
    }
}

/// Log loss of a paper, summed over the labels, in nats.
fn loss(scores: &[f32], truth: &[u8]) -> f64 {
    let clip = f64::from(f32::EPSILON);
    let right = |(&score, &truth): (&f32, &u8)| {
        let score = f64::from(score);
        if truth == 0 { 1.0 - score } else { score }
    };
    let pairs = scores.iter().zip(truth);
    -pairs
        .map(|pair| right(pair).clamp(clip, 1.0).ln())
        .sum::<f64>()
}
