//! Kinds of papers whose figures stand apart.

use crate::corpus::papers::Papers;
use crate::corpus::split::Split;
use crate::corpus::taxonomy;
use crate::corpus::when::civil;
use crate::metrics::report::Slice;
use std::collections::HashMap;

/// Year, archive, length, rarity, and whether a paper's labels are of several archives.
pub(super) fn slices(table: &Papers, rows: &[usize]) -> Vec<Slice> {
    let mut support: HashMap<&str, usize> = HashMap::new();
    for row in (0..table.len()).filter(|&row| table.splits[row] == Split::Train) {
        for category in &table.categories[row] {
            *support.entry(category).or_default() += 1;
        }
    }
    let slice = |name: &str, group: &dyn Fn(usize) -> Option<String>| {
        let groups: Vec<Option<String>> = rows.iter().map(|&row| group(row)).collect();
        let mut names: Vec<String> = groups.iter().flatten().cloned().collect();
        names.sort_unstable();
        names.dedup();
        let find = |group: &Option<String>| {
            let group = group.as_ref()?;
            names.binary_search(group).ok().map(|at| at as i32)
        };
        let of = groups
            .iter()
            .map(|group| find(group).unwrap_or(-1))
            .collect();
        Slice {
            name: name.to_owned(),
            groups: names,
            of,
        }
    };
    let band = |value: usize, bounds: [usize; 3], unit: &str| {
        let [first, second, third] = bounds;
        let (rank, text) = match value {
            value if value < first => (1, format!("below {first}")),
            value if value < second => (2, format!("{first} to {}", second - 1)),
            value if value < third => (3, format!("{second} to {}", third - 1)),
            _ => (4, format!("{third} or more")),
        };
        format!("{rank}: {text} {unit}")
    };
    vec![
        slice("year", &|row| {
            Some(civil(table.submitted[row]).0.to_string())
        }),
        slice("archive", &|row| table.archives[row].clone()),
        slice("length", &|row| {
            let words = table.abstracts[row].split_ascii_whitespace().count();
            Some(band(words, [75, 150, 225], "words"))
        }),
        slice("rarity", &|row| {
            let of = |name: &String| support.get(name.as_str()).copied().unwrap_or(0);
            let rarest = table.categories[row].iter().map(of).min()?;
            Some(band(
                rarest,
                [250, 1000, 4000],
                "training papers of the rarest label",
            ))
        }),
        slice("archives", &|row| {
            let mut archives: Vec<_> = table.categories[row]
                .iter()
                .filter_map(|name| taxonomy::archive_of(name))
                .collect();
            archives.sort_unstable();
            archives.dedup();
            match archives.len() {
                0 => None,
                1 => Some("one".to_owned()),
                _ => Some("several".to_owned()),
            }
        }),
    ]
}
