//! Packed and padded rows are two ways to the same vectors: a CPU takes the first, a GPU the other.
//! What is loaded to be tuned computes the same, and is written as it was read.

use super::*;
use crate::model::architecture::Architecture;
use crate::model::pooling::{Mode, Pooling};
use safetensors::tensor::{Dtype, TensorView};

const HIDDEN: i64 = 8;
const WIDE: i64 = 16;
const LENGTHS: [i64; 4] = [7, 5, 5, 2];

fn config() -> Config {
    serde_json::from_value(serde_json::json!({
        "model_type": "bert", "vocab_size": 30, "hidden_size": HIDDEN, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": WIDE, "max_position_embeddings": 12,
    }))
    .unwrap()
}

/// A checkpoint whose weights are a fixed pattern.
fn checkpoint(path: &Path) {
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let (hidden, wide) = (HIDDEN as usize, WIDE as usize);
    for (name, rows) in [("word", 30), ("position", 12), ("token_type", 2)] {
        shapes.push((
            format!("embeddings.{name}_embeddings.weight"),
            vec![rows, hidden],
        ));
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..2 {
        let layer = format!("encoder.layer.{layer}");
        for (name, output, input) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", wide, hidden),
            ("output.dense", hidden, wide),
        ] {
            shapes.push((format!("{layer}.{name}.weight"), vec![output, input]));
            shapes.push((format!("{layer}.{name}.bias"), vec![output]));
        }
        norms.push(format!("{layer}.attention.output.LayerNorm"));
        norms.push(format!("{layer}.output.LayerNorm"));
    }
    for norm in norms {
        shapes.push((format!("{norm}.weight"), vec![hidden]));
        shapes.push((format!("{norm}.bias"), vec![hidden]));
    }
    let mut state = 1u32;
    let filled: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let bytes = (0..shape.iter().product())
                .flat_map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let value = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
                    value.to_le_bytes()
                })
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let views = filled.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

fn row(text: i64, length: i64) -> Vec<i64> {
    (0..length)
        .map(|token| (text * 11 + token * 7) % 30)
        .collect()
}

#[test]
fn packed_and_padded_rows_give_the_same_embeddings() {
    let _guard = tch::no_grad_guard();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    checkpoint(&path);
    let weights = Weights::open(&path, Architecture::Bert).unwrap();
    let bert = Bert::load(weights, &config(), &path, Kind::Float, Device::Cpu).unwrap();
    let longest = LENGTHS[0];

    let (mut ids, mut positions) = (Vec::<i64>::new(), Vec::<i64>::new());
    let (mut padded_ids, mut padded_positions) = (Vec::<i64>::new(), Vec::<i64>::new());
    let mut mask = Vec::<bool>::new();
    for (text, &length) in LENGTHS.iter().enumerate() {
        let row = row(text as i64, length);
        ids.extend(&row);
        positions.extend(0..length);
        padded_ids.extend(&row);
        // Whatever stands in the padding must not matter.
        padded_ids.extend(std::iter::repeat_n(29, (longest - length) as usize));
        padded_positions.extend(0..longest);
        mask.extend((0..longest).map(|token| token < length));
    }
    let packed = Spans {
        runs: vec![(1, 7), (2, 5), (1, 2)],
        mask: None,
    };
    let mask = Tensor::from_slice(&mask).view([4, longest]);
    let padded = Spans {
        runs: vec![(4, longest)],
        mask: Some(mask),
    };
    let packed_out = bert
        .forward(
            &Tensor::from_slice(&ids),
            &Tensor::from_slice(&positions),
            &packed,
        )
        .unwrap();
    let padded_out = bert
        .forward(
            &Tensor::from_slice(&padded_ids),
            &Tensor::from_slice(&padded_positions),
            &padded,
        )
        .unwrap()
        .view([4, longest, HIDDEN]);

    for mode in [Mode::Mean, Mode::Cls, Mode::Max] {
        let pooling = Pooling {
            include_prompt: true,
            mode,
            normalize: true,
        };
        let together = pooling.forward(&padded_out, padded.mask.as_ref()).unwrap();
        let mut start = 0;
        for (text, &length) in LENGTHS.iter().enumerate() {
            let alone = packed_out.narrow(0, start, length).unsqueeze(0);
            let alone = pooling.forward(&alone, None).unwrap().squeeze_dim(0);
            let difference = (alone - together.get(text as i64))
                .abs()
                .max()
                .double_value(&[]);
            assert!(difference < 1e-6, "{mode:?} of text {text}: {difference}");
            start += length;
        }
    }
}

/// Loaded to be tuned: the checkpoint's pattern, its place, and the model.
fn to_tune() -> (tempfile::TempDir, std::path::PathBuf, Bert) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    checkpoint(&path);
    let weights = Weights::open(&path, Architecture::Bert).unwrap();
    let bert = Bert::load_to_tune(weights, &config(), &path, Device::Cpu).unwrap();
    (folder, path, bert)
}

/// One text of seven tokens and two of five.
fn packed() -> (Tensor, Tensor, Spans) {
    let ids: Vec<i64> = [row(0, 7), row(1, 5), row(2, 5)].concat();
    let positions: Vec<i64> = (0..7).chain(0..5).chain(0..5).collect();
    let spans = Spans {
        runs: vec![(1, 7), (2, 5)],
        mask: None,
    };
    (
        Tensor::from_slice(&ids),
        Tensor::from_slice(&positions),
        spans,
    )
}

#[test]
fn a_model_to_tune_gives_the_same_vectors_and_a_gradient_reaches_every_weight() {
    let (_folder, path, tuned) = to_tune();
    let weights = Weights::open(&path, Architecture::Bert).unwrap();
    let plain = Bert::load(weights, &config(), &path, Kind::Float, Device::Cpu).unwrap();
    let (ids, positions, spans) = packed();
    let expected = plain.forward(&ids, &positions, &spans).unwrap();
    let found = tuned.forward(&ids, &positions, &spans).unwrap();
    let difference = (&expected - &found).abs().max().double_value(&[]);
    assert!(difference < 1e-5, "{difference}");
    assert!(!expected.requires_grad() && plain.moving().is_empty());

    let loss =
        (found * Tensor::arange(HIDDEN, (Kind::Float, Device::Cpu)).square()).sum(Kind::Float);
    let tensors: Vec<&Tensor> = tuned.moving().iter().map(|(_, tensor)| tensor).collect();
    let gradients = Tensor::run_backward(&[loss], &tensors, false, false);
    let stored = std::fs::read(&path).unwrap();
    let stored = safetensors::SafeTensors::deserialize(&stored).unwrap();
    assert_eq!(tuned.moving().len(), stored.len());
    for ((name, tensor), gradient) in tuned.moving().iter().zip(&gradients) {
        assert_eq!(tensor.size(), gradient.size(), "{name}");
        // Attention does not change when all its keys move alike.
        if !name.ends_with("key.bias") {
            assert!(gradient.abs().max().double_value(&[]) > 1e-6, "{name}");
        }
    }
}

#[test]
fn dropout_is_drawn_from_the_generator_and_only_where_it_is_asked_for() {
    let (_folder, _, bert) = to_tune();
    let (ids, positions, spans) = packed();
    let dropped = |seed| {
        tch::manual_seed(seed);
        bert.forward_dropped(&ids, &positions, &spans).unwrap()
    };
    assert_eq!(dropped(1), dropped(1));
    assert_ne!(dropped(1), dropped(2));
    assert_ne!(dropped(1), bert.forward(&ids, &positions, &spans).unwrap());
}

#[test]
fn what_is_written_is_what_was_read_but_for_what_has_moved() {
    let (folder, path, bert) = to_tune();
    let (name, tensor) = &bert.moving()[0];
    {
        let _guard = tch::no_grad_guard();
        let _ = tensor.shallow_clone().fill_(0.25);
    }
    let written = folder.path().join("written");
    bert.write(&written).unwrap();
    let (before, after) = (
        std::fs::read(&path).unwrap(),
        std::fs::read(&written).unwrap(),
    );
    let before = safetensors::SafeTensors::deserialize(&before).unwrap();
    let after = safetensors::SafeTensors::deserialize(&after).unwrap();
    assert_eq!(before.len(), after.len());
    for (other, view) in before.iter() {
        let found = after.tensor(other).unwrap();
        assert_eq!(view.shape(), found.shape());
        assert_eq!(view.data() == found.data(), other != name, "{other}");
    }
}
