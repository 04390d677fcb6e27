use super::paper::rank;
use super::*;

fn tally(scores: &[f32], truth: &[u8], labels: usize, primary: Option<&[i32]>) -> Tally {
    let scored = Scored::new(scores, truth, labels).unwrap();
    Tally::new(&scored, &vec![0.5; labels], primary).unwrap()
}

#[test]
fn counts_by_hand() {
    let tally = tally(
        &[0.9, 0.6, 0.1, 0.2, 0.7, 0.8],
        &[1, 0, 0, 1, 1, 0],
        3,
        Some(&[0, -1]),
    );
    let figures = tally.figures(|_| 1, |_, _| true);
    assert_eq!(figures.micro_f1, 2.0 * 2.0 / (4.0 + 3.0));
    assert_eq!(figures.precision_at_1, 0.5);
    assert_eq!(
        (figures.primary_papers, figures.primary_at_1),
        (1, Some(1.0))
    );
    assert_eq!((figures.any_labels, figures.recall_at_5), (2, Some(1.0)));
    // Label 2 has no positive and is left out: (2/3 + 2/3) / 2.
    assert!((figures.macro_f1 - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_weight_counts_a_paper_again() {
    let once = tally(
        &[0.9, 0.1, 0.2, 0.7, 0.2, 0.7],
        &[1, 0, 1, 0, 1, 0],
        2,
        None,
    );
    let twice = tally(&[0.9, 0.1, 0.2, 0.7], &[1, 0, 1, 0], 2, None);
    let weighted = twice.figures(|paper| paper as u32 + 1, |_, _| true);
    assert_eq!(once.figures(|_| 1, |_, _| true), weighted);
}

#[test]
fn equal_scores_rank_by_index() {
    let scores = [0.5, 0.7, 0.5, 0.5];
    assert_eq!([0, 1, 2, 3].map(|label| rank(&scores, label)), [2, 1, 3, 4]);
}

#[test]
fn a_primary_outside_the_labels_is_named() {
    let scored = Scored::new(&[0.1, 0.2], &[0, 1], 2).unwrap();
    let error = Tally::new(&scored, &[0.5; 2], Some(&[2])).unwrap_err();
    assert_eq!(error.to_string(), "primary[0]: 2 is not one of 2 labels");
}
