use super::*;
use crate::observe::Silent;
use crate::train::random::Random;
use ndarray::Array2;

/// Labels drawn from a logistic model of random embeddings; label `width - 1` is nobody's.
fn drawn(papers: usize, hidden: usize, width: usize) -> (Array2<f32>, Vec<Vec<u32>>) {
    let mut random = Random::new(9);
    let mut embeddings =
        Array2::from_shape_vec((papers, hidden), random.normal(papers * hidden, 0.2)).unwrap();
    // Anisotropic, and off the origin.
    for (at, mut column) in embeddings.columns_mut().into_iter().enumerate() {
        column *= 1.0 / (1.0 + at as f32);
        column += 0.3;
    }
    let truth =
        Array2::from_shape_vec((hidden, width), random.normal(hidden * width, 6.0)).unwrap();
    let logits = embeddings.dot(&truth);
    let labels = (0..papers)
        .map(|paper| {
            (0..width as u32 - 1)
                .filter(|&label| {
                    let p = 1.0 / (1.0 + (-(logits[[paper, label as usize]] - 1.0)).exp());
                    random.uniform() < p
                })
                .collect()
        })
        .collect();
    (embeddings, labels)
}

fn fitted(
    embeddings: &Array2<f32>,
    labels: &[Vec<u32>],
    width: usize,
    options: &Options,
) -> Result<(Vec<f32>, Vec<f32>, Report)> {
    let examples = Examples {
        embeddings: embeddings.view(),
        labels,
        width,
    };
    let (linear, report) = fit(examples, options, &Silent)?;
    let weight = Vec::<f32>::try_from(&linear.weight.reshape([-1]))?;
    Ok((weight, Vec::<f32>::try_from(&linear.bias)?, report))
}

/// The gradient of the documented objective at the result, by definition.
fn gradient(
    embeddings: &Array2<f32>,
    labels: &[Vec<u32>],
    label: usize,
    weight: &[f32],
    bias: f32,
    c: f64,
) -> Vec<f64> {
    let mut gradient: Vec<f64> = weight.iter().map(|&w| f64::from(w)).collect();
    gradient.push(0.0);
    for (row, labels) in embeddings.rows().into_iter().zip(labels) {
        let logit: f64 = row
            .iter()
            .zip(weight)
            .map(|(x, w)| f64::from(x * w))
            .sum::<f64>()
            + f64::from(bias);
        let y = f64::from(u8::from(labels.contains(&(label as u32))));
        let gap = c * (1.0 / (1.0 + (-logit).exp()) - y);
        for (sum, &x) in gradient.iter_mut().zip(row) {
            *sum += gap * f64::from(x);
        }
        gradient[weight.len()] += gap;
    }
    gradient
}

#[test]
fn the_gradient_vanishes_at_the_result() -> Result<()> {
    let (embeddings, labels) = drawn(3000, 12, 5);
    for c in [0.1, 1.0, 50.0] {
        let options = Options {
            c,
            tolerance: 1e-9,
            ..Options::default()
        };
        let (weight, bias, report) = fitted(&embeddings, &labels, 5, &options)?;
        assert!(report.unconverged.is_empty());
        for label in 0..4 {
            let gradient = gradient(
                &embeddings,
                &labels,
                label,
                &weight[label * 12..][..12],
                bias[label],
                c,
            );
            let largest = gradient
                .iter()
                .fold(0.0_f64, |most, value| most.max(value.abs()));
            assert!(largest < 3e-4 * c * 3000.0, "{c} {label} {largest}");
        }
    }
    Ok(())
}

#[test]
fn labels_of_nobody_and_of_everybody_are_constants() -> Result<()> {
    let (embeddings, mut labels) = drawn(40, 3, 3);
    labels.iter_mut().for_each(|labels| {
        labels.retain(|&label| label != 0);
        labels.push(0);
    });
    let (weight, bias, report) = fitted(&embeddings, &labels, 3, &Options::default())?;
    assert_eq!(report.constant, [0, 2]);
    assert_eq!(weight[..3], [0.0; 3]);
    assert_eq!((bias[0], bias[2]), (81.0_f32.ln(), -(81.0_f32.ln())));
    Ok(())
}

#[test]
fn papers_without_variance_leave_the_frequency() -> Result<()> {
    let embeddings = Array2::from_elem((8, 2), 0.5);
    let labels: Vec<Vec<u32>> = (0..8)
        .map(|paper| if paper < 2 { vec![0] } else { vec![] })
        .collect();
    let (weight, bias, _) = fitted(&embeddings, &labels, 1, &Options::default())?;
    let logit = 0.5 * (weight[0] + weight[1]) + bias[0];
    assert!((logit - (2.0_f32 / 6.0).ln()).abs() < 1e-4);
    Ok(())
}

#[test]
fn rounded_passes_reach_the_optimum_of_exact_ones() -> Result<()> {
    let (embeddings, labels) = drawn(6000, 24, 6);
    let examples = Examples {
        embeddings: embeddings.view(),
        labels: &labels,
        width: 6,
    };
    let inputs = Tensor::from_slice(embeddings.as_slice().unwrap()).reshape([6000, 24]);
    let mut found = Vec::new();
    for (rounded, tolerance) in [(false, 1e-9), (true, 5e-8), (true, 1e-9)] {
        let options = Options {
            tolerance,
            ..Options::default()
        };
        let (linear, report) = fit_with(examples, &options, rounded, &Silent)?;
        assert!(report.unconverged.is_empty(), "{rounded} {report:?}");
        let logits = inputs.matmul(&linear.weight.tr()) + &linear.bias;
        found.push((logits.sigmoid(), report.objectives));
    }
    let (best, objectives) = &found[0];
    for (probabilities, also) in &found[1..] {
        let gap = (probabilities - best).abs().max().double_value(&[]);
        assert!(gap < 1e-3, "{gap}");
        for (value, best) in also.iter().zip(objectives) {
            assert!((value - best).abs() <= 1e-4 * best, "{value} {best}");
        }
    }
    Ok(())
}

#[test]
fn the_same_to_the_bit() -> Result<()> {
    let (embeddings, labels) = drawn(9000, 8, 6);
    let (first, again) = (
        fitted(&embeddings, &labels, 6, &Options::default())?,
        fitted(&embeddings, &labels, 6, &Options::default())?,
    );
    assert_eq!((first.0, first.1), (again.0, again.1));
    Ok(())
}

#[test]
fn what_cannot_be_fitted_is_a_named_error() {
    let (mut embeddings, labels) = drawn(10, 3, 3);
    let error = |embeddings: &Array2<f32>, labels: &[Vec<u32>], options: &Options| {
        fitted(embeddings, labels, 3, options)
            .unwrap_err()
            .to_string()
    };
    let plain = Options::default();
    assert!(error(&embeddings, &labels[..9], &plain).starts_with("labels: expected shape"));
    assert!(error(&embeddings, &vec![vec![3]; 10], &plain).starts_with("labels[0]"));
    assert!(error(&embeddings, &vec![vec![1, 1]; 10], &plain).contains("occurs twice"));
    assert!(
        error(
            &embeddings,
            &labels,
            &Options {
                c: 0.0,
                ..plain.clone()
            }
        )
        .starts_with("option c = 0")
    );
    assert!(error(&Array2::zeros((0, 3)), &[], &plain).contains("0 papers"));
    embeddings[[4, 1]] = f32::INFINITY;
    assert_eq!(
        error(&embeddings, &labels, &plain),
        "embeddings[4]: a value is not finite"
    );
}

#[test]
fn stops_on_request() {
    struct Stop;
    impl Observer for Stop {
        fn progress(&self, _: &Progress) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (embeddings, labels) = drawn(100, 3, 3);
    let examples = Examples {
        embeddings: embeddings.view(),
        labels: &labels,
        width: 3,
    };
    let result = fit(examples, &Options::default(), &Stop);
    assert!(matches!(result, Err(Error::Interrupted)));
}
