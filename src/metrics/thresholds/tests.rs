use super::super::random::Random;
use super::*;
use crate::observe::Silent;

/// Calibrated probabilities of labels that share one best threshold.
fn drawn(papers: usize, labels: usize) -> (Vec<f32>, Vec<u8>) {
    let mut random = Random::new(5, 0);
    let mut unit = || random.below(1 << 24) as f32 / (1 << 24) as f32;
    let probabilities: Vec<f32> = (0..papers * labels).map(|_| unit().powi(6)).collect();
    let truth = probabilities
        .iter()
        .map(|&p| u8::from(unit() < p))
        .collect();
    (probabilities, truth)
}

#[test]
fn a_label_below_the_minimum_support_takes_the_global_threshold() -> Result<()> {
    let (probabilities, mut truth) = drawn(2000, 3);
    truth
        .iter_mut()
        .skip(1)
        .step_by(3)
        .for_each(|truth| *truth = 0);
    truth[1] = 1;
    let scored = Scored::probabilities(&probabilities, &truth, 3)?;
    let options = Options {
        shrinkage: Some(0.0),
        ..Options::default()
    };
    let (thresholds, report) = fit(&scored, &options, &Silent)?;
    assert_eq!(thresholds[1], report.global);
    assert_eq!(report.labels_own, 2);
    Ok(())
}

#[test]
fn labels_that_are_alike_are_shrunk_together() -> Result<()> {
    let (probabilities, truth) = drawn(300, 40);
    let scored = Scored::probabilities(&probabilities, &truth, 40)?;
    let (thresholds, report) = fit(&scored, &Options::default(), &Silent)?;
    let spread = |thresholds: &[f32]| {
        thresholds
            .iter()
            .map(|&t| (t - report.global).abs())
            .fold(0.0, f32::max)
    };
    let plain = Options {
        shrinkage: Some(0.0),
        prior: 0.0,
        ..Options::default()
    };
    let (own, _) = fit(&scored, &plain, &Silent)?;
    assert!(spread(&thresholds) < spread(&own) / 2.0, "{report:?}");
    Ok(())
}

#[test]
fn a_label_on_another_scale_gets_its_own_threshold() -> Result<()> {
    let (mut probabilities, truth) = drawn(4000, 2);
    for pair in probabilities.chunks_exact_mut(2) {
        pair[1] *= 0.1;
    }
    let scored = Scored::probabilities(&probabilities, &truth, 2)?;
    let (thresholds, _) = fit(
        &scored,
        &Options {
            prior: 0.0,
            ..Options::default()
        },
        &Silent,
    )?;
    assert!(
        (thresholds[1] / thresholds[0] - 0.1).abs() < 0.05,
        "{thresholds:?}"
    );
    Ok(())
}

#[test]
fn no_positives_at_all_is_an_error() {
    let scored = Scored::probabilities(&[0.5; 4], &[0; 4], 2).unwrap();
    let error = fit(
        &scored,
        &Options {
            folds: 2,
            ..Options::default()
        },
        &Silent,
    )
    .unwrap_err();
    assert!(error.to_string().starts_with("fitting thresholds"));
}
