use super::*;
use crate::model::spec::{Calibration, EncoderSpec, FORMAT_VERSION};

const HIDDEN: i64 = 6;
const LABELS: [&str; 3] = ["cs.LG", "math.AG", "hep-th"];

/// Reproducible numbers in -0.5..0.5, whatever other tests do with libtorch's generator.
fn numbers(size: &[i64], seed: i64) -> Tensor {
    let count: i64 = size.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|index| ((index * 7919 + seed * 104_729) % 1000) as f32 / 1000.0 - 0.5)
        .collect();
    Tensor::from_slice(&values).view(size)
}

fn layers(inputs: i64, width: i64, seed: i64) -> Layers {
    let labels = LABELS.len() as i64;
    Layers {
        hidden_weight: numbers(&[width, inputs], seed),
        hidden_bias: numbers(&[width], seed + 1),
        output_weight: numbers(&[labels, width], seed + 2),
        output_bias: numbers(&[labels], seed + 3),
    }
}

fn linear() -> Head {
    Head::Linear(Linear {
        weight: numbers(&[3, HIDDEN], 1),
        bias: numbers(&[3], 2),
    })
}

fn mlp() -> Head {
    Head::Mlp(Mlp {
        members: vec![layers(HIDDEN, 5, 1), layers(HIDDEN, 5, 9)],
    })
}

fn hybrid() -> Head {
    let vectors: Vec<f32> = Vec::try_from(numbers(&[4 * 8], 3)).unwrap();
    Head::Hybrid(Hybrid {
        vocabulary: Arc::new(Vocabulary::from_parts(vec![1, 5, 9], vec![2], vec![1.0; 4]).unwrap()),
        table: Table::quantize(&vectors, 8).unwrap(),
        mlp: Mlp {
            members: vec![layers(HIDDEN + 4, 5, 1), layers(HIDDEN + 4, 5, 9)],
        },
    })
}

fn rows() -> Vec<SparseRow> {
    vec![vec![(0, 0.5), (3, 1.0)], vec![], vec![(1, 1.0), (2, -0.25)]]
}

fn spec(head: HeadSpec) -> Spec {
    Spec {
        format_version: FORMAT_VERSION,
        labels: LABELS.map(str::to_owned).to_vec(),
        label_space_version: crate::corpus::taxonomy::LABEL_SPACE_VERSION,
        head,
        pooling: "mean+normalize".into(),
        template_version: 1,
        max_length: 512,
        calibration: Calibration::identity(3),
        thresholds: vec![0.5; 3],
        encoder: EncoderSpec {
            source: "minilm".into(),
            name: "minilm".into(),
            sha256: "0".repeat(64),
            tokenizer_sha256: None,
        },
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.contiguous().view([-1])).unwrap()
}

fn close(left: &Tensor, right: &Tensor, tolerance: f32) -> bool {
    values(left)
        .iter()
        .zip(values(right))
        .all(|(left, right)| (left - right).abs() <= tolerance)
}

#[test]
fn a_saved_head_scores_as_before_to_half_precision() {
    let embeddings = numbers(&[3, HIDDEN], 4);
    for head in [linear(), mlp(), hybrid()] {
        let dir = tempfile::tempdir().unwrap();
        head.save(dir.path()).unwrap();
        let again = Head::load(dir.path(), &spec(head.spec())).unwrap();
        assert_eq!(again.spec(), head.spec());
        assert_eq!(again.hidden() as i64, HIDDEN);
        let before = head.forward(&embeddings, &rows()).unwrap();
        let after = again.forward(&embeddings, &rows()).unwrap();
        assert_eq!(after.size(), [3, 3]);
        assert!(close(&before, &after, 2e-3));
    }
}

#[test]
fn a_loaded_head_saves_the_same_bytes() {
    for head in [linear(), mlp(), hybrid()] {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = head.save(first.path()).unwrap();
        Head::load(first.path(), &spec(head.spec()))
            .unwrap()
            .save(second.path())
            .unwrap();
        for file in files {
            assert_eq!(
                std::fs::read(first.path().join(file)).unwrap(),
                std::fs::read(second.path().join(file)).unwrap()
            );
        }
    }
}

#[test]
fn a_paper_scores_alone_as_in_a_batch() {
    let embeddings = numbers(&[3, HIDDEN], 4);
    for head in [linear(), mlp(), hybrid()] {
        let batch = head.forward(&embeddings, &rows()).unwrap();
        for paper in 0..3 {
            let alone = head
                .forward(
                    &embeddings.narrow(0, paper, 1),
                    &rows()[paper as usize..][..1],
                )
                .unwrap();
            assert!(close(&batch.narrow(0, paper, 1), &alone, 1e-6));
        }
    }
}

#[test]
fn no_papers_have_no_logits() {
    for head in [linear(), mlp(), hybrid()] {
        let logits = head.forward(&numbers(&[0, HIDDEN], 0), &[]).unwrap();
        assert_eq!(logits.size(), [0, 3]);
    }
}

#[test]
fn words_move_a_hybrids_logits_and_no_others() {
    let embeddings = numbers(&[1, HIDDEN], 4);
    let (none, some) = ([vec![]], [vec![(2_u32, 3.0_f32)]]);
    for (head, moves) in [(linear(), false), (mlp(), false), (hybrid(), true)] {
        let before = head.forward(&embeddings, &none).unwrap();
        let after = head.forward(&embeddings, &some).unwrap();
        assert_eq!(!close(&before, &after, 1e-6), moves);
    }
}

#[test]
fn what_does_not_fit_is_an_error_with_the_name() {
    for head in [linear(), mlp(), hybrid()] {
        let error = head
            .forward(&numbers(&[3, HIDDEN + 1], 4), &rows())
            .unwrap_err();
        assert!(error.to_string().contains("embeddings"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        head.save(dir.path()).unwrap();
        let mut wrong = spec(head.spec());
        wrong.labels.pop();
        let error = Head::load(dir.path(), &wrong).unwrap_err().to_string();
        assert!(
            error.contains("weight") && error.contains("expected shape"),
            "{error}"
        );
    }
    let error = hybrid()
        .forward(&numbers(&[1, HIDDEN], 4), &[vec![(99, 1.0)]])
        .unwrap_err();
    assert!(error.to_string().contains("feature id"), "{error}");
    assert!(hybrid().forward(&numbers(&[1, HIDDEN], 4), &[]).is_err());
}

#[test]
fn a_weight_that_is_not_finite_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let head = Linear {
        weight: numbers(&[3, HIDDEN], 1),
        bias: Tensor::from_slice(&[0.0, f32::NAN, 0.0]),
    };
    Head::Linear(head).save(dir.path()).unwrap();
    let error = Head::load(dir.path(), &spec(HeadSpec::Linear {}))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("weight bias") && error.contains("not finite"),
        "{error}"
    );
}

#[test]
fn quantizing_keeps_a_vector_to_a_step_of_its_largest_value() {
    let vectors = [0.5, -1.27, 0.003, 0.0, 0.0, 0.0];
    let table = Table::quantize(&vectors, 3).unwrap();
    let sums = table.bag(&[vec![(0, 1.0)], vec![(1, 1.0)]]).unwrap();
    for (value, exact) in sums.iter().zip(vectors) {
        assert!((value - exact).abs() <= 0.005 + 1e-6);
    }
    assert!(Table::quantize(&vectors, 4).is_err());
}
