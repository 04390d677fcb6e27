use super::*;

#[test]
fn finds_the_minimum_of_a_stretched_bowl() {
    // ½ Σ c x² − target · x + ½ |weights|², the last value being the intercept.
    let (curvature, target) = ([1.0, 50.0, 2000.0], [2.0, 51.0, 1000.0]);
    let evaluate = |point: &[f64]| Evaluation {
        point: point.to_vec(),
        loss: point
            .iter()
            .zip(curvature)
            .map(|(x, c)| 0.5 * c * x * x)
            .sum(),
        gradient: point.iter().zip(curvature).map(|(x, c)| c * x).collect(),
    };
    let options = Options {
        tolerance: 1e-14,
        ..Options::default()
    };
    let mut descent = Descent::new(
        evaluate(&[3.0; 3]),
        vec![1.0; 3],
        target.to_vec(),
        false,
        &options,
    );
    let mut passes = 0;
    while descent.going() && passes < 100 {
        let found = evaluate(descent.trial());
        descent.step(found, true);
        passes += 1;
    }
    assert!(descent.converged() && passes < 40, "{passes}");
    for (value, expected) in descent.point().iter().zip([1.0, 1.0, 0.5]) {
        assert!((value - expected).abs() < 1e-5, "{descent:?}");
    }
}

#[test]
fn a_loss_that_never_falls_ends_it() {
    let found = |point: &[f64], loss: f64| Evaluation {
        point: point.to_vec(),
        loss,
        gradient: vec![1.0; 2],
    };
    let start = found(&[0.0; 2], 1.0);
    let mut descent = Descent::new(
        start,
        vec![1.0; 2],
        vec![0.0; 2],
        false,
        &Options::default(),
    );
    for _ in 0..100 {
        let trial = descent.trial().to_vec();
        descent.step(found(&trial, f64::INFINITY), true);
    }
    assert!(!descent.going() && !descent.converged());
}

#[test]
fn a_rounded_descent_takes_an_exact_pass_before_it_converges() {
    let evaluate = |point: &[f64]| Evaluation {
        point: point.to_vec(),
        loss: 5.0 + point.iter().map(|x| 2.0 * x * x).sum::<f64>(),
        gradient: point.iter().map(|x| 4.0 * x).collect(),
    };
    let options = Options::default();
    let mut descent = Descent::new(
        evaluate(&[1.0; 2]),
        vec![1.0; 2],
        vec![0.0; 2],
        true,
        &options,
    );
    let mut exact_passes = 0;
    for _ in 0..50 {
        if !descent.going() {
            break;
        }
        let exact = descent.wants_exact();
        exact_passes += u32::from(exact);
        assert!(!descent.converged());
        let found = evaluate(descent.trial());
        descent.step(found, exact);
    }
    assert!(descent.converged() && exact_passes > 0, "{descent:?}");
}
