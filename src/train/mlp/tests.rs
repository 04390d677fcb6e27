use super::*;
use crate::observe::Silent;
use ndarray::Array2;
use std::sync::atomic::{AtomicUsize, Ordering};
use tch::Tensor;

const PAPERS: usize = 300;
const HIDDEN: usize = 8;

/// Two labels an embedding tells apart, and a third that only a word tells.
struct World {
    embeddings: Array2<f32>,
    labels: Vec<Vec<u32>>,
    words: Words,
}

fn world() -> World {
    let mut random = Random::new(5);
    let vocabulary = Vocabulary::from_parts(vec![10, 20], vec![], vec![1.0; 2]).unwrap();
    let mut values = Vec::new();
    let (mut labels, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..PAPERS {
        let row = random.normal(HIDDEN, 0.35);
        let word = random.uniform() < 0.5;
        let mut own = vec![u32::from(row[0] > 0.0)];
        if word {
            own.push(2);
        }
        values.extend(row);
        labels.push(own);
        rows.push(vec![(u32::from(word), 1.0)]);
    }
    World {
        embeddings: Array2::from_shape_vec((PAPERS, HIDDEN), values).unwrap(),
        labels,
        words: Words {
            vocabulary: Arc::new(vocabulary),
            rows,
        },
    }
}

impl World {
    fn examples(&self) -> Examples<'_> {
        Examples {
            embeddings: self.embeddings.view(),
            labels: &self.labels,
            width: 3,
        }
    }

    fn scores(&self, head: &Head) -> Vec<f32> {
        let embeddings = Tensor::from_slice(self.embeddings.as_slice().unwrap())
            .view([PAPERS as i64, HIDDEN as i64]);
        let rows: &[SparseRow] = &self.words.rows;
        Vec::try_from(head.forward(&embeddings, rows).unwrap().view([-1])).unwrap()
    }

    /// Share of right answers at logit 0, for each label.
    fn accuracy(&self, head: &Head) -> [f64; 3] {
        let scores = self.scores(head);
        let mut right = [0.0; 3];
        for (paper, own) in self.labels.iter().enumerate() {
            for (label, right) in right.iter_mut().enumerate() {
                let has = own.contains(&(label as u32));
                *right +=
                    f64::from(u8::from((scores[paper * 3 + label] > 0.0) == has)) / PAPERS as f64;
            }
        }
        right
    }
}

fn options() -> Options {
    Options {
        width: 16,
        members: 2,
        dimensions: 4,
        epochs: 20,
        batch: 32,
        learning_rate: 1e-2,
        dropout: 0.1,
        word_dropout: 0.0,
        ..Options::default()
    }
}

#[test]
fn a_hybrid_learns_from_embedding_and_words_and_an_mlp_from_the_embedding() {
    let world = world();
    let (hybrid, report) = fit(world.examples(), Some(&world.words), &options(), &Silent).unwrap();
    assert!(
        report.losses[19] < 0.5 * report.losses[0],
        "{:?}",
        report.losses
    );
    assert!(
        world.accuracy(&hybrid).iter().all(|&right| right > 0.9),
        "{:?}",
        world.accuracy(&hybrid)
    );
    let (mlp, report) = fit(world.examples(), None, &options(), &Silent).unwrap();
    assert!(report.losses[19] < report.losses[0]);
    let [first, second, word] = world.accuracy(&mlp);
    assert!(
        first > 0.9 && second > 0.9 && word < 0.8,
        "{first} {second} {word}"
    );
}

#[test]
fn the_seed_decides_every_bit() {
    let world = world();
    for words in [None, Some(&world.words)] {
        let fitted = |seed| {
            let options = Options {
                seed,
                epochs: 2,
                ..options()
            };
            let (head, report) = fit(world.examples(), words, &options, &Silent).unwrap();
            (world.scores(&head), report)
        };
        assert_eq!(fitted(1), fitted(1));
        assert_ne!(fitted(1).0, fitted(2).0);
    }
}

#[test]
fn a_fit_stops_when_it_is_asked_to() {
    struct Hasty(AtomicUsize);
    impl Observer for Hasty {
        fn progress(&self, _: &Progress) {}
        fn cancelled(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) >= 3
        }
    }
    let world = world();
    let stopped = fit(
        world.examples(),
        None,
        &options(),
        &Hasty(AtomicUsize::new(0)),
    );
    assert!(matches!(stopped, Err(Error::Interrupted)));
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let world = world();
    let with = |change: fn(&mut Options)| {
        let mut options = options();
        change(&mut options);
        fit(world.examples(), None, &options, &Silent)
            .unwrap_err()
            .to_string()
    };
    assert!(with(|options| options.dropout = 1.0).contains("dropout"));
    assert!(with(|options| options.epochs = 0).contains("epochs"));
    assert!(with(|options| options.learning_rate = f64::NAN).contains("learning_rate"));
    let short = Examples {
        labels: &world.labels[1..],
        ..world.examples()
    };
    assert!(
        fit(short, None, &options(), &Silent)
            .unwrap_err()
            .to_string()
            .contains("labels")
    );
}
