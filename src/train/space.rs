//! The label space of a model: which categories of the papers it knows.

use crate::corpus::papers::Papers;
use crate::corpus::taxonomy::{self, Resolution};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The labels a model knows, in the order of the taxonomy.
pub(super) struct Space {
    pub(super) names: Vec<String>,
    pub(super) counts: Vec<usize>,
    pub(super) left_out: BTreeMap<String, usize>,
    pub(super) index: BTreeMap<String, u32>,
}

impl Space {
    pub(super) fn new(table: &Papers, rows: &[usize], min_papers: usize) -> Result<Self> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for category in rows.iter().flat_map(|&row| &table.categories[row]) {
            *counts.entry(category).or_default() += 1;
        }
        let mut kept = Vec::new();
        let mut left_out = BTreeMap::new();
        for (name, count) in counts {
            let Resolution::Label(label) = taxonomy::resolve(name) else {
                return Err(Error::input(
                    "papers",
                    format!("{name:?} is not a canonical category"),
                ));
            };
            if label.name() != name {
                return Err(Error::input(
                    "papers",
                    format!(
                        "{name:?} is not canonical, {:?} is: prepare again",
                        label.name()
                    ),
                ));
            }
            if count >= min_papers.max(1) {
                kept.push((label.index(), name, count));
            } else {
                left_out.insert(name.to_owned(), count);
            }
        }
        if kept.is_empty() {
            return Err(Error::fit(
                "head",
                format!("no category has {} papers to fit to", min_papers.max(1)),
            ));
        }
        kept.sort_unstable();
        Ok(Self {
            names: kept.iter().map(|&(_, name, _)| name.to_owned()).collect(),
            counts: kept.iter().map(|&(.., count)| count).collect(),
            left_out,
            index: (0..)
                .zip(&kept)
                .map(|(index, &(_, name, _))| (name.to_owned(), index))
                .collect(),
        })
    }
}
