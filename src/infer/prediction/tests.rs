use super::*;
use proptest::prelude::*;

const LABELS: [&str; 7] = [
    "cs.IT", "cs.LG", "math-ph", "math.AG", "math.CO", "quant-ph", "stat.ML",
];

fn ranker(thresholds: &[f32]) -> Ranker {
    Ranker::new(&LABELS.map(String::from), thresholds).unwrap()
}

fn rank(row: &[f32], declared: Option<&str>, options: &Ranking) -> Vec<(String, f32, bool)> {
    let prediction = ranker(&[0.5; 7])
        .rank(row, false, declared, options)
        .unwrap();
    prediction
        .categories
        .into_iter()
        .map(|c| (c.category, c.probability, c.assigned))
        .collect()
}

fn names(row: &[f32], declared: Option<&str>, options: &Ranking) -> Vec<String> {
    rank(row, declared, options)
        .into_iter()
        .map(|(name, ..)| name)
        .collect()
}

const ROW: [f32; 7] = [0.1, 0.9, 0.2, 0.05, 0.3, 0.6, 0.7];

fn options() -> Ranking {
    Ranking::default()
}

#[test]
fn the_best_come_first_and_thresholds_assign() {
    let top = rank(
        &ROW,
        None,
        &Ranking {
            top_k: Some(4),
            ..options()
        },
    );
    let expected = [
        ("cs.LG", 0.9, true),
        ("stat.ML", 0.7, true),
        ("quant-ph", 0.6, true),
        ("math.CO", 0.3, false),
    ];
    assert_eq!(
        top,
        expected.map(|(name, p, assigned)| (name.to_owned(), p, assigned))
    );
}

#[test]
fn each_label_has_its_own_threshold() {
    let mut thresholds = [0.95; 7];
    thresholds[3] = 0.05;
    let only = Ranking {
        top_k: None,
        ..options()
    };
    let prediction = ranker(&thresholds).rank(&ROW, true, None, &only).unwrap();
    assert_eq!(prediction.categories.len(), 1);
    assert_eq!(prediction.categories[0].category, "math.AG");
    assert_eq!(prediction.categories[0].name, "Algebraic Geometry");
    assert!(prediction.truncated);
}

#[test]
fn with_nothing_assigned_the_best_remains() {
    let only = Ranking {
        top_k: None,
        ..options()
    };
    assert_eq!(
        rank(&[0.1; 7], None, &only),
        [("cs.IT".to_owned(), 0.1, false)]
    );
}

#[test]
fn equal_probabilities_stand_in_the_order_of_names() {
    let all = Ranking {
        all: true,
        ..options()
    };
    assert_eq!(names(&[0.25; 7], None, &all), LABELS);
}

#[test]
fn the_declared_primary_is_always_listed_once() {
    let top = Ranking {
        top_k: Some(2),
        ..options()
    };
    assert_eq!(names(&ROW, Some("cs.LG"), &top), ["cs.LG", "stat.ML"]);
    assert_eq!(
        names(&ROW, Some("math.AG"), &top),
        ["cs.LG", "stat.ML", "math.AG"]
    );
    // An alias and a subsumed archive stand for their canonical category.
    assert_eq!(
        names(&ROW, Some("math.IT"), &top),
        ["cs.LG", "stat.ML", "cs.IT"]
    );
    assert_eq!(
        names(&ROW, Some("alg-geom"), &top),
        ["cs.LG", "stat.ML", "math.AG"]
    );
    // This model does not know it; the answer still lists it.
    assert_eq!(
        rank(&ROW, Some("hep-th"), &top)[2],
        ("hep-th".to_owned(), 0.0, false)
    );
    let aliases = Ranking {
        aliases: true,
        ..top
    };
    assert_eq!(names(&ROW, Some("math.IT"), &aliases)[2], "cs.IT=math.IT");
    let archive = Ranking {
        top_k: Some(1),
        level: Level::Archive,
        ..options()
    };
    assert_eq!(names(&ROW, Some("math.IT"), &archive), ["cs"]);
    assert_eq!(names(&ROW, Some("math.AG"), &archive), ["cs", "math"]);
}

#[test]
fn a_declared_primary_that_arxiv_does_not_have_is_named() {
    for (declared, said) in [("cs.XX", "not a category"), ("astro-ph", "an archive")] {
        let error = ranker(&[0.5; 7])
            .rank(&ROW, false, Some(declared), &options())
            .unwrap_err()
            .to_string();
        assert!(error.contains(declared) && error.contains(said), "{error}");
    }
}

#[test]
fn a_row_that_is_no_probability_is_refused() {
    let ranker = ranker(&[0.5; 7]);
    assert!(matches!(
        ranker.rank(&ROW[1..], false, None, &options()),
        Err(Error::Shape { .. })
    ));
    for wrong in [f32::NAN, -0.1, 1.5] {
        let mut row = ROW;
        row[2] = wrong;
        let error = ranker
            .rank(&row, false, None, &options())
            .unwrap_err()
            .to_string();
        assert!(error.contains("math-ph"), "{error}");
    }
}

#[test]
fn labels_must_be_canonical_and_have_a_threshold_each() {
    assert!(Ranker::new(&["math.IT".into()], &[0.5]).is_err());
    assert!(Ranker::new(&["cs.IT".into()], &[]).is_err());
}

#[test]
fn a_callers_thresholds_stand_before_the_models() {
    let mut asked = options();
    asked.top_k = None;
    asked.thresholds.insert("cs.LG".into(), 0.95);
    // The other name of cs.IT.
    asked.thresholds.insert("math.IT".into(), 0.05);
    assert_eq!(names(&ROW, None, &asked), ["stat.ML", "quant-ph", "cs.IT"]);
    asked.thresholds.insert("hep-lat".into(), 0.5);
    assert_eq!(names(&ROW, None, &asked), ["stat.ML", "quant-ph", "cs.IT"]);
    asked.thresholds.insert("cs.XX".into(), 0.5);
    assert!(ranker(&[0.5; 7]).rank(&ROW, false, None, &asked).is_err());
}

#[test]
fn a_precision_assigns_the_best_whose_mean_it_is() {
    for (precision, expected) in [
        (0.0, 7),
        (0.62, 4),
        (0.7, 3),
        (0.79, 2),
        (0.9, 1),
        (0.91, 0),
    ] {
        let asked = Ranking {
            all: true,
            min_precision: Some(precision),
            ..options()
        };
        let ranked = rank(&ROW, None, &asked);
        let assigned = ranked.iter().filter(|(.., assigned)| *assigned).count();
        assert_eq!(assigned, expected, "{precision}");
        assert!(ranked[..assigned].iter().all(|(.., assigned)| *assigned));
    }
}

#[test]
fn the_models_own_thresholds_name_what_is_assigned() {
    let mut thresholds = [0.5; 7];
    thresholds[1] = 0.95;
    let ranker = ranker(&thresholds);
    let names: Vec<_> = ranker.assigned(&ROW).collect();
    assert_eq!(names, ["quant-ph", "stat.ML"]);
}

proptest! {
    #[test]
    fn an_archive_lies_between_its_best_category_and_their_sum(row in prop::array::uniform7(0f32..=1.0)) {
        let archives = rank(&row, None, &Ranking { all: true, level: Level::Archive, ..options() });
        let categories = rank(&row, None, &Ranking { all: true, ..options() });
        prop_assert_eq!(archives.len(), 5);
        for (archive, probability, assigned) in archives {
            let members: Vec<_> = categories
                .iter()
                .filter(|(name, ..)| name.split('.').next() == Some(archive.as_str()))
                .collect();
            let largest = members.iter().map(|member| member.1).fold(0.0, f32::max);
            let sum: f64 = members.iter().map(|member| f64::from(member.1)).sum();
            prop_assert!(probability >= largest);
            prop_assert!(probability <= sum.min(1.0) as f32);
            prop_assert_eq!(assigned, members.iter().any(|member| member.2));
        }
    }

    #[test]
    fn a_distribution_sums_to_one_and_keeps_the_order(row in prop::array::uniform7(0f32..=1.0)) {
        for level in [Level::Category, Level::Archive] {
            let all = Ranking { all: true, level, distribution: true, ..options() };
            let shares = rank(&row, None, &all);
            let sum: f64 = shares.iter().map(|share| f64::from(share.1)).sum();
            prop_assert!((sum - 1.0).abs() < 1e-5);
            prop_assert!(shares.is_sorted_by(|a, b| a.1 >= b.1));
        }
    }

    #[test]
    fn the_top_k_are_the_first_of_all(row in prop::array::uniform7(0f32..=1.0), top_k in 1usize..10) {
        let all = names(&row, None, &Ranking { all: true, ..options() });
        let top = names(&row, None, &Ranking { top_k: Some(top_k), ..options() });
        prop_assert_eq!(&all[..top_k.min(7)], top);
    }
}
