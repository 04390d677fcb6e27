use super::*;
use crate::observe::Silent;

fn ids(row: &SparseRow) -> Vec<u32> {
    row.iter().map(|&(id, _)| id).collect()
}

fn vocabulary() -> Vocabulary {
    let titles = ["Dark matter", "Dark energy", "Group theory", "Group rings"];
    let abstracts = [
        "halo of dark matter",
        "halo of dark energy",
        "finite group",
        "a finite group",
    ];
    let labels = [vec![0], vec![0], vec![1], vec![1]];
    let selection = Selection {
        min_papers: 2,
        ..Selection::default()
    };
    Vocabulary::select(&titles, &abstracts, &labels, 2, &selection, &Silent).unwrap()
}

#[test]
fn keeps_the_ngrams_that_are_frequent_enough() {
    // Body: dark, halo, of, group, finite, "halo of", "of dark", "finite group"; titles: dark, group.
    assert_eq!(vocabulary().body().len(), 8);
    assert_eq!(vocabulary().title().len(), 2);
}

#[test]
fn rows_rise_and_each_part_has_unit_length() {
    let vocabulary = vocabulary();
    let row = vocabulary.row("Dark GROUP", "A halo of DARK-matter; dark.");
    assert!(ids(&row).windows(2).all(|pair| pair[0] < pair[1]));
    let (body, title): (Vec<_>, Vec<_>) = row
        .iter()
        .partition(|&&(id, _)| (id as usize) < vocabulary.body().len());
    for part in [body, title] {
        let squares: f32 = part.iter().map(|(_, weight)| weight * weight).sum();
        assert!((squares - 1.0).abs() < 1e-6);
    }
}

#[test]
fn case_spacing_and_punctuation_do_not_matter() {
    let vocabulary = vocabulary();
    assert_eq!(
        vocabulary.row("Dark matter", "halo of dark matter"),
        vocabulary.row("  DARK: matter ", "Halo (of)\n dark... Matter!")
    );
}

#[test]
fn the_order_of_two_words_matters() {
    let (forward, _) = grams("", "finite group");
    let (backward, _) = grams("", "group finite");
    assert_ne!(forward, backward);
}

#[test]
fn a_text_without_known_words_has_an_empty_row() {
    assert!(vocabulary().row("", "Zebra 12 — été").is_empty());
}

#[test]
fn the_best_ngrams_are_kept_when_there_is_no_room_for_all() {
    let titles = ["a", "a", "b", "b"];
    let abstracts = ["the star", "the star", "the ring", "the ring"];
    let labels = [vec![0], vec![0], vec![1], vec![1]];
    let selection = Selection {
        features: 6,
        title_features: 0,
        min_papers: 1,
        max_papers: 10,
    };
    let vocabulary =
        Vocabulary::select(&titles, &abstracts, &labels, 2, &selection, &Silent).unwrap();
    assert!(!vocabulary.row("", "star").is_empty() && !vocabulary.row("", "ring").is_empty());
    assert!(vocabulary.row("", "the").is_empty());
}

#[test]
fn stored_parts_give_the_same_vocabulary() {
    let vocabulary = vocabulary();
    let again = Vocabulary::from_parts(
        vocabulary.body().to_vec(),
        vocabulary.title().to_vec(),
        vocabulary.idf().collect(),
    );
    assert_eq!(again.unwrap(), vocabulary);
}

#[test]
fn hashes_out_of_order_are_refused() {
    assert!(Vocabulary::from_parts(vec![2, 1], vec![], vec![1.0, 1.0]).is_err());
    assert!(Vocabulary::from_parts(vec![1, 2], vec![], vec![1.0]).is_err());
}
