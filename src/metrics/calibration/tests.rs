use super::super::random::Random;
use super::*;
use crate::observe::Silent;

/// Truth drawn at `sigmoid(2 z − 1)`, except label 1, drawn at `sigmoid(z / 2 + 1)`.
fn drawn(papers: usize) -> (Vec<f32>, Vec<u8>) {
    let mut random = Random::new(11, 0);
    let mut unit = || random.below(1 << 24) as f64 / f64::from(1 << 24);
    let mut logits = Vec::new();
    let mut truth = Vec::new();
    for _ in 0..papers {
        for label in 0..3 {
            let z = 6.0 * unit() - 3.0;
            let u = if label == 1 {
                0.5 * z + 1.0
            } else {
                2.0 * z - 1.0
            };
            logits.push(z as f32);
            truth.push(u8::from(unit() < 1.0 / (1.0 + (-u).exp())));
        }
    }
    (logits, truth)
}

#[test]
fn finds_each_labels_own_pair_and_lowers_the_error() -> Result<()> {
    let (logits, truth) = drawn(20_000);
    let (fitted, report) = fit(
        &Scored::new(&logits, &truth, 3)?,
        &Options::default(),
        &Silent,
    )?;
    for (label, (scale, bias)) in [(0, (2.0, -1.0)), (1, (0.5, 1.0)), (2, (2.0, -1.0))] {
        assert!((fitted.scale[label] - scale).abs() < 0.1, "{fitted:?}");
        assert!((fitted.bias[label] - bias).abs() < 0.1, "{fitted:?}");
    }
    assert!(
        report.after.ece_labels < 0.02 && report.before.ece_labels > 0.1,
        "{report:?}"
    );
    Ok(())
}

#[test]
fn a_label_without_positives_takes_the_common_pair() -> Result<()> {
    let (logits, mut truth) = drawn(500);
    truth
        .iter_mut()
        .skip(2)
        .step_by(3)
        .for_each(|truth| *truth = 0);
    let (fitted, report) = fit(
        &Scored::new(&logits, &truth, 3)?,
        &Options::default(),
        &Silent,
    )?;
    assert_eq!(
        (fitted.scale[2], fitted.bias[2]),
        (report.common[0] as f32, report.common[1] as f32)
    );
    assert_eq!(report.labels_common, 1);
    Ok(())
}

#[test]
fn separable_and_constant_logits_stay_finite() -> Result<()> {
    for logits in [[-4.0, -4.0, 4.0, 4.0], [1.0; 4]] {
        let (fitted, _) = fit(
            &Scored::new(&logits, &[0, 0, 1, 1], 1)?,
            &Options {
                min_support: 1,
                folds: 2,
                ..Options::default()
            },
            &Silent,
        )?;
        assert!(fitted.scale[0].is_finite() && fitted.scale[0] > 0.0 && fitted.bias[0].is_finite());
    }
    Ok(())
}

#[test]
fn logits_that_are_worse_than_chance_keep_their_order() -> Result<()> {
    let (logits, truth) = drawn(2000);
    let turned: Vec<f32> = logits.iter().map(|logit| -logit).collect();
    let (fitted, report) = fit(
        &Scored::new(&turned, &truth, 3)?,
        &Options::default(),
        &Silent,
    )?;
    assert!(fitted.scale.iter().all(|&scale| scale > 0.0), "{fitted:?}");
    assert_eq!(report.common[0], 1.0);
    let mut probabilities = turned;
    fitted.apply(&mut probabilities)?;
    let mean = probabilities.iter().sum::<f32>() / probabilities.len() as f32;
    let share = truth.iter().map(|&truth| f32::from(truth)).sum::<f32>() / truth.len() as f32;
    assert!((mean - share).abs() < 0.02, "{mean} {share}");
    Ok(())
}

#[test]
fn a_fit_that_is_stopped_says_so() -> Result<()> {
    struct Stopped;
    impl Observer for Stopped {
        fn progress(&self, _: &crate::observe::Progress) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (logits, truth) = drawn(100);
    let scored = Scored::new(&logits, &truth, 3)?;
    let error = fit(&scored, &Options::default(), &Stopped).unwrap_err();
    assert!(matches!(error, Error::Interrupted));
    Ok(())
}
