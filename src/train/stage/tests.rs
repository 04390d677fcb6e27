use super::*;
use crate::checksum;
use crate::corpus::parquet;
use crate::corpus::split::Split;
use crate::model::directory::Directory;
use crate::observe::Silent;
use crate::train::{logistic, mlp};
use ndarray::{Array2, Axis};
use std::collections::BTreeMap;
use std::path::PathBuf;

const HIDDEN: usize = 4;
const LABELS: [&str; 3] = ["cs.LG", "hep-th", "math.AG"];

/// 240 papers, a word and a direction for each of three labels; a fourth label has two papers.
fn table() -> (Papers, Array2<f32>) {
    let mut papers = Papers::default();
    let mut values = Vec::new();
    for number in 0..240_usize {
        let label = number % 3;
        let mut categories = vec![LABELS[label].to_owned()];
        if number < 2 {
            categories.push("cs.GL".to_owned());
        }
        let word = ["network", "string", "scheme"][label];
        papers.ids.push(format!("2301.{number:05}"));
        papers.titles.push(format!("On a {word}"));
        papers.abstracts.push(format!(
            "We study one {word} in case {number} and prove little."
        ));
        papers.primaries.push(categories.first().cloned());
        papers.archives.push(None);
        papers.categories.push(categories);
        papers.submitted.push(19_000 + number as i32);
        papers.splits.push(match number {
            0..160 => Split::Train,
            160..200 => Split::Validation,
            _ => Split::Test,
        });
        values.extend((0..HIDDEN).map(|at| {
            let noise = ((number * 31 + at * 17) % 11) as f32 / 22.0 - 0.25;
            f32::from(u8::from(at == label)) * 0.5 + noise
        }));
    }
    (
        papers,
        Array2::from_shape_vec((240, HIDDEN), values).unwrap(),
    )
}

fn metadata() -> Metadata {
    Metadata {
        papers_checksum: String::new(),
        tokenizer_sha256: "0b".repeat(32),
        encoder_sha256: "0a".repeat(32),
        template_version: TEMPLATE_VERSION,
        max_length: 512,
        pooling: "mean+normalize".into(),
        dtype: "f32".into(),
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(papers: &Papers, vectors: &Array2<f32>, metadata: &Metadata) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("papers.parquet");
        parquet::write(&table, papers, 1).unwrap();
        let metadata = Metadata {
            papers_checksum: checksum::file(&table, &Silent).unwrap(),
            ..metadata.clone()
        };
        embeddings::write(&folder.path().join("embeddings"), vectors, &metadata).unwrap();
        Self { folder }
    }

    fn ready() -> Self {
        let (papers, vectors) = table();
        Self::new(&papers, &vectors, &metadata())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn train(&self, out: &str, options: &Options) -> Result<Summary> {
        train(
            &self.path("papers.parquet"),
            &self.path("embeddings"),
            &self.path(out),
            options,
            &Silent,
        )
    }
}

fn options(head: Kind) -> Options {
    let words = crate::tokens::ngrams::Selection {
        min_papers: 2,
        ..Default::default()
    };
    Options {
        head,
        min_papers: 3,
        logistic: logistic::Options {
            c: 100.0,
            ..logistic::Options::default()
        },
        mlp: mlp::Options {
            width: 8,
            dimensions: 4,
            epochs: 20,
            batch: 32,
            learning_rate: 2e-2,
            vectors_learning_rate: 2e-2,
            words,
            ..mlp::Options::default()
        },
        ..Options::default()
    }
}

#[test]
fn a_model_directory_comes_out_that_tells_the_labels_apart() {
    let place = Place::ready();
    for head in [Kind::Logistic, Kind::Mlp, Kind::Hybrid] {
        let summary = place.train("model", &options(head)).unwrap();
        assert_eq!(
            summary.papers,
            Counts {
                fit: 160,
                validation: 40,
                refit: None
            }
        );
        assert_eq!(summary.left_out, BTreeMap::from([("cs.GL".to_owned(), 2)]));
        let directory = Directory::open(place.path("model")).unwrap();
        let spec = directory.spec();
        assert_eq!(spec.labels.len(), 3);
        assert_eq!(spec.encoder.sha256, metadata().encoder_sha256);
        let head = Head::load(directory.path(), spec).unwrap();
        let (papers, vectors) = table();
        let rows: Vec<usize> = (200..240).collect();
        let space = Space::new(&papers, &rows, 1).unwrap();
        assert_eq!(space.names, spec.labels);
        let corpus = Corpus {
            table: &papers,
            vectors: &vectors,
            space: &space,
        };
        let mut scores = corpus.logits(&head, &rows, &Silent).unwrap();
        spec.calibration.apply(&mut scores).unwrap();
        let right = scores
            .iter()
            .enumerate()
            .zip(corpus.truth(&rows))
            .filter(|&((at, &score), truth)| (score >= spec.thresholds[at % 3]) == (truth == 1))
            .count();
        assert!(right >= 108, "{right} of 120");
    }
}

#[test]
fn the_same_inputs_give_the_same_files() {
    let place = Place::ready();
    let mut options = options(Kind::Hybrid);
    options.mlp.epochs = 2;
    let files = |out: &str, options: &Options| {
        place.train(out, options).unwrap();
        Directory::open(place.path(out))
            .unwrap()
            .manifest()
            .files
            .clone()
    };
    assert_eq!(files("one", &options), files("two", &options));
    options.seed = 1;
    assert_ne!(
        files("one", &options),
        files(
            "two",
            &Options {
                seed: 2,
                ..options.clone()
            }
        )
    );
}

#[test]
fn a_share_of_train_is_held_out_and_a_refit_takes_it_back() {
    let (papers, vectors) = table();
    let place = Place::ready();
    let made = |options: &Options| {
        let summary = place.train("model", options).unwrap();
        let directory = Directory::open(place.path("model")).unwrap();
        let head = Head::load(directory.path(), directory.spec()).unwrap();
        let corpus = Corpus {
            table: &papers,
            vectors: &vectors,
            space: &Space::new(&papers, &[0, 1, 2], 1).unwrap(),
        };
        let logits = corpus.logits(&head, &[0, 200], &Silent).unwrap();
        (summary, directory.spec().clone(), logits)
    };
    for kind in [Kind::Logistic, Kind::Mlp, Kind::Hybrid] {
        let mut held = Options {
            holdout: 0.25,
            ..options(kind)
        };
        held.mlp.epochs = 2;
        let (first, before, logits) = made(&held);
        let counts = first.papers;
        assert_eq!((counts.fit + counts.validation, counts.refit), (200, None));
        assert!((60..=100).contains(&counts.validation), "{counts:?}");
        let (second, after, refitted) = made(&Options {
            refit: true,
            ..held.clone()
        });
        assert_eq!(second.papers.refit, Some(200));
        assert_eq!(second.labels.values().sum::<usize>(), 200);
        assert!(second.refit.is_some());
        assert_eq!(
            (&before.calibration, &before.thresholds),
            (&after.calibration, &after.thresholds)
        );
        assert_ne!(refitted, logits);
    }
}

#[test]
fn a_label_that_only_the_refit_sees_takes_the_calibration_of_all() {
    let (mut papers, vectors) = table();
    for row in (160..200).step_by(2) {
        papers.categories[row].push("cs.SC".to_owned());
    }
    let place = Place::new(&papers, &vectors, &metadata());
    let known = place.train("model", &options(Kind::Mlp)).unwrap();
    assert!(!known.labels.contains_key("cs.SC"));
    let summary = place
        .train(
            "model",
            &Options {
                refit: true,
                ..options(Kind::Mlp)
            },
        )
        .unwrap();
    assert_eq!(summary.labels["cs.SC"], 20);
    let directory = Directory::open(place.path("model")).unwrap();
    let spec = directory.spec();
    let label = spec.labels.iter().position(|name| name == "cs.SC").unwrap();
    let [scale, bias] = summary.calibration.unwrap().common;
    let pair = (spec.calibration.scale[label], spec.calibration.bias[label]);
    assert_eq!(pair, (scale as f32, bias as f32));
    assert_eq!(spec.thresholds[label], summary.thresholds.global);
}

#[test]
fn an_option_that_cannot_be_used_is_said_with_its_group_before_anything_is_read() {
    let fails = |change: &dyn Fn(&mut Options)| {
        let mut options = options(Kind::Hybrid);
        change(&mut options);
        let nowhere = Path::new("/nowhere");
        let error = train(nowhere, nowhere, nowhere, &options, &Silent).unwrap_err();
        error.to_string()
    };
    for (message, said) in [
        (
            fails(&|options| options.calibration.folds = 1),
            "option calibration.folds = 1",
        ),
        (
            fails(&|options| options.thresholds.micro_weight = 2.0),
            "option thresholds.micro_weight = 2",
        ),
        (
            fails(&|options| options.mlp.words.max_papers = 0),
            "option mlp.words.max_papers = 0",
        ),
        (
            fails(&|options| options.mlp.dropout = 1.0),
            "option mlp.dropout = 1",
        ),
    ] {
        assert!(message.starts_with(said), "{message}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (papers, vectors) = table();
    let fails = |papers: &Papers, vectors: &Array2<f32>, metadata: &Metadata, options: &Options| {
        Place::new(papers, vectors, metadata)
            .train("model", options)
            .unwrap_err()
            .to_string()
    };
    let usual = options(Kind::Mlp);
    let longer = Options {
        max_length: Some(metadata().max_length + 1),
        ..usual.clone()
    };
    assert!(fails(&papers, &vectors, &metadata(), &longer).contains("embed again"));
    let halved = Options {
        dtype: Some("bf16".to_owned()),
        ..usual.clone()
    };
    assert!(fails(&papers, &vectors, &metadata(), &halved).contains("option dtype = bf16"));
    let short = vectors.select(Axis(0), &[0, 1]);
    assert!(fails(&papers, &short, &metadata(), &usual).contains("embeddings"));
    let old = Metadata {
        template_version: 0,
        ..metadata()
    };
    assert!(fails(&papers, &vectors, &old, &usual).contains("template"));
    let rare = Options {
        min_papers: 1000,
        ..usual.clone()
    };
    assert!(fails(&papers, &vectors, &metadata(), &rare).contains("1000 papers"));
    let share = Options {
        holdout: 1.5,
        ..usual.clone()
    };
    assert!(fails(&papers, &vectors, &metadata(), &share).contains("holdout"));
    let mut none = papers.clone();
    none.splits.retain(|split| *split != Split::Validation);
    none.splits.resize(240, Split::Test);
    assert!(fails(&none, &vectors, &metadata(), &usual).contains("validation is empty"));
    let mut alias = papers.clone();
    alias.categories[0][0] = "math.IT".into();
    assert!(fails(&alias, &vectors, &metadata(), &usual).contains("cs.IT"));
}

#[test]
fn embeddings_of_another_table_are_refused() {
    let (papers, vectors) = table();
    let place = Place::new(&papers, &vectors, &metadata());
    let mut other = papers;
    other.splits.swap(0, 239);
    parquet::write(&place.folder.path().join("papers.parquet"), &other, 1).unwrap();
    let error = place.train("model", &options(Kind::Mlp)).unwrap_err();
    assert!(
        error.to_string().contains("another papers table"),
        "{error}"
    );
}
