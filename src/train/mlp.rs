//! Hidden layers over the embedding, alone or beside the vectors of the text's n-grams, fitted
//! by minibatches: AdamW, a short warm-up and a linear way down, dropout of inputs, of words and
//! of the hidden layer.

use super::random::Random;
use super::vectors::{Bags, Vectors};
use crate::error::{Error, Result};
use crate::model::head::{Head, Hybrid, Layers, Mlp, Table};
use crate::observe::{Observer, Progress};
use crate::tokens::ngrams::{Selection, SparseRow, Vocabulary};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tch::nn::{self, OptimizerConfig};
use tch::{Device, Reduction, Tensor};

/// How a head with hidden layers is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Width of a hidden layer.
    pub width: usize,
    /// Hidden layers side by side, whose logits are averaged.
    pub members: usize,
    /// Values of an n-gram's vector per member; used by a hybrid head only.
    pub dimensions: usize,
    /// Times every paper is seen.
    pub epochs: usize,
    /// Papers of a step.
    pub batch: usize,
    /// Highest step of the layers.
    pub learning_rate: f64,
    /// Highest step of the n-grams' vectors.
    pub vectors_learning_rate: f64,
    /// Decoupled decay of the layers' weights.
    pub weight_decay: f64,
    /// Share of the hidden layer dropped.
    pub dropout: f64,
    /// Share of the embedding's values dropped.
    pub embedding_dropout: f64,
    /// Share of a paper's n-grams dropped.
    pub word_dropout: f64,
    /// Share of every label moved to the label's frequency.
    pub smoothing: f64,
    /// Share of the steps in which the step size rises.
    pub warmup: f64,
    /// Which n-grams a hybrid head knows.
    pub words: Selection,
    /// Seed of the start, the order and the dropout.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1024,
            members: 1,
            dimensions: 128,
            epochs: 5,
            batch: 256,
            learning_rate: 2e-3,
            vectors_learning_rate: 2e-3,
            weight_decay: 0.01,
            dropout: 0.3,
            embedding_dropout: 0.1,
            word_dropout: 0.3,
            smoothing: 0.0,
            warmup: 0.05,
            words: Selection::default(),
            seed: 0,
        }
    }
}

impl Options {
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("width", self.width),
            ("members", self.members),
            ("dimensions", self.dimensions),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ] {
            if value == 0 {
                return Err(Error::option(name, value, "must be at least 1"));
            }
        }
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("vectors_learning_rate", self.vectors_learning_rate),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::option(name, value, "must be above 0"));
            }
        }
        for (name, value) in [
            ("dropout", self.dropout),
            ("embedding_dropout", self.embedding_dropout),
            ("word_dropout", self.word_dropout),
            ("smoothing", self.smoothing),
            ("warmup", self.warmup),
            ("weight_decay", self.weight_decay),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::option(name, value, "must be in 0..1"));
            }
        }
        Ok(())
    }
}

/// Papers to fit a head to.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// [papers, hidden].
    pub embeddings: ArrayView2<'a, f32>,
    /// Each paper's labels, as indexes below `width`.
    pub labels: &'a [Vec<u32>],
    /// Number of labels.
    pub width: usize,
}

/// The n-grams of the papers that a hybrid head is fitted to.
#[derive(Debug)]
pub struct Words {
    /// The n-grams it will know.
    pub vocabulary: Arc<Vocabulary>,
    /// Each paper's features.
    pub rows: Vec<SparseRow>,
}

/// What a fit reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Mean loss per paper of each epoch, dropout included.
    pub losses: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
}

/// Fits an MLP head, or with `words` a hybrid one. The same inputs, options and number of
/// threads give the same weights to the bit.
///
/// # Errors
/// [`Error::Option`], [`Error::Shape`], [`Error::Fit`] where the loss is no longer finite,
/// [`Error::Torch`], [`Error::Interrupted`].
pub fn fit(
    examples: Examples<'_>,
    words: Option<&Words>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Head, Report)> {
    options.check()?;
    let papers = examples.embeddings.nrows();
    if examples.labels.len() != papers {
        return Err(Error::shape("labels", [papers], [examples.labels.len()]));
    }
    if let Some(words) = words.filter(|words| words.rows.len() != papers) {
        return Err(Error::shape("words", [papers], [words.rows.len()]));
    }
    if papers == 0 {
        return Err(Error::fit("head", "there are no papers to fit it to"));
    }
    let mut random = Random::new(options.seed);
    let pieces = words.map_or(0, |_| options.dimensions);
    let mut net = Net::new(examples, pieces, options, &mut random)?;
    let mut vectors = words.map(|words| {
        Vectors::new(
            words.vocabulary.len(),
            pieces * options.members,
            0.05,
            &mut random,
        )
    });
    let prior = prior(examples);
    let mut order: Vec<usize> = (0..papers).collect();
    let total = papers.div_ceil(options.batch) * options.epochs;
    let mut report = Report {
        losses: Vec::with_capacity(options.epochs),
        steps: 0,
    };
    for epoch in 0..options.epochs {
        random.shuffle(&mut order);
        let mut sum = 0.0;
        for batch in order.chunks(options.batch) {
            observer.check()?;
            let scale = schedule(report.steps, total, options.warmup);
            net.optimizer.set_lr(options.learning_rate * scale);
            let bags =
                words.map(|words| Bags::new(&words.rows, batch, options.word_dropout, &mut random));
            let sums = match (&vectors, &bags) {
                (Some(vectors), Some(bags)) => Some(vectors.bag(bags)),
                _ => None,
            };
            let targets = targets(examples, batch, &prior, options.smoothing);
            let (loss, slopes) = net.step(examples, batch, sums, &targets, options, &mut random)?;
            if !loss.is_finite() {
                return Err(Error::fit(
                    "head",
                    format!(
                        "the loss is {loss} after {} steps; lower learning_rate",
                        report.steps
                    ),
                ));
            }
            if let (Some(vectors), Some(bags), Some(slopes)) = (&mut vectors, &bags, slopes) {
                vectors.step(
                    bags,
                    &slopes,
                    (options.vectors_learning_rate * scale) as f32,
                );
            }
            sum += loss * batch.len() as f64;
            report.steps += 1;
            if report.steps.is_multiple_of(10) {
                observer.progress(&Progress {
                    stage: "fit",
                    done: report.steps as u64,
                    total: total as u64,
                    unit: "steps",
                    figures: vec![("loss", loss), ("epoch", (epoch + 1) as f64)],
                });
            }
        }
        report.losses.push(sum / papers as f64);
    }
    let mlp = net.finish()?;
    let head = match (words, vectors) {
        (Some(words), Some(vectors)) => Head::Hybrid(Hybrid {
            vocabulary: Arc::clone(&words.vocabulary),
            table: Table::quantize(vectors.values(), pieces * options.members)?,
            mlp,
        }),
        _ => Head::Mlp(mlp),
    };
    Ok((head, report))
}

/// Share of the highest step size: up to 1 over the warm-up, then down to 0.
fn schedule(step: usize, total: usize, warmup: f64) -> f64 {
    let position = step as f64 / total as f64;
    let rise = (step + 1) as f64 / (warmup * total as f64).max(1.0);
    rise.min(1.0) * (1.0 - position)
}

/// How frequent each label is.
fn prior(examples: Examples<'_>) -> Vec<f32> {
    let mut counts = vec![0.0_f32; examples.width];
    for label in examples.labels.iter().flatten() {
        counts[*label as usize] += 1.0;
    }
    let papers = examples.labels.len().max(1) as f32;
    counts.iter().map(|count| count / papers).collect()
}

fn targets(examples: Examples<'_>, batch: &[usize], prior: &[f32], smoothing: f64) -> Vec<f32> {
    let smoothing = smoothing as f32;
    let mut targets = Vec::with_capacity(batch.len() * examples.width);
    for &paper in batch {
        let start = targets.len();
        targets.extend(prior.iter().map(|share| share * smoothing));
        for &label in &examples.labels[paper] {
            targets[start + label as usize] += 1.0 - smoothing;
        }
    }
    targets
}

/// The layers while they are learned. Embeddings of unit length have values of size
/// `1 / √hidden`; they are brought to size 1 on the way in, and the weights take the factor over
/// in the end.
struct Net {
    optimizer: nn::Optimizer,
    members: Vec<Layers>,
    hidden: usize,
    pieces: usize,
    // Owns the parameters that `members` share.
    _store: nn::VarStore,
}

impl Net {
    fn new(
        examples: Examples<'_>,
        pieces: usize,
        options: &Options,
        random: &mut Random,
    ) -> Result<Self> {
        let store = nn::VarStore::new(Device::Cpu);
        let hidden = examples.embeddings.ncols();
        let inputs = hidden + pieces;
        let start = prior(examples)
            .iter()
            .map(|share| (share.max(1e-5) / (1.0 - share.min(0.99))).ln())
            .collect::<Vec<f32>>();
        let mut members = Vec::with_capacity(options.members);
        for member in 0..options.members {
            let root = store.root();
            let add = |name: &str, values: &[f32], size: &[i64]| -> Result<Tensor> {
                let values = Tensor::f_from_slice(values)?.f_view(size)?;
                Ok(root.f_var_copy(&format!("{name}_{member}"), &values)?)
            };
            let width = options.width;
            let spread = |random: &mut Random, count: usize, from: usize| {
                random.normal(count, (1.0 / (3.0 * from as f32)).sqrt())
            };
            members.push(Layers {
                hidden_weight: add(
                    "hidden_weight",
                    &spread(random, width * inputs, inputs),
                    &[width as i64, inputs as i64],
                )?,
                hidden_bias: add("hidden_bias", &vec![0.0; width], &[width as i64])?,
                output_weight: add(
                    "output_weight",
                    &spread(random, examples.width * width, width),
                    &[examples.width as i64, width as i64],
                )?,
                output_bias: add("output_bias", &start, &[examples.width as i64])?,
            });
        }
        let optimizer = nn::AdamW {
            beta2: 0.99,
            wd: options.weight_decay,
            ..nn::AdamW::default()
        }
        .build(&store, options.learning_rate)?;
        Ok(Self {
            optimizer,
            members,
            hidden,
            pieces,
            _store: store,
        })
    }

    fn scale(&self) -> f64 {
        (self.hidden as f64).sqrt()
    }

    /// One step; returns the loss per paper and member, and its gradient at `sums`.
    fn step(
        &mut self,
        examples: Examples<'_>,
        batch: &[usize],
        sums: Option<Vec<f32>>,
        targets: &[f32],
        options: &Options,
        random: &mut Random,
    ) -> Result<(f64, Option<Vec<f32>>)> {
        let count = batch.len() as i64;
        let scale = self.scale() as f32;
        let mut values = Vec::with_capacity(batch.len() * self.hidden);
        for &paper in batch {
            values.extend(
                examples
                    .embeddings
                    .row(paper)
                    .iter()
                    .map(|value| value * scale),
            );
        }
        let embeddings = Tensor::f_from_slice(&values)?.f_view([count, self.hidden as i64])?;
        let targets = Tensor::f_from_slice(targets)?.f_view([count, -1])?;
        let sums = match sums {
            Some(sums) => {
                let sums = Tensor::f_from_slice(&sums)?
                    .f_view([count, (self.pieces * self.members.len()) as i64])?;
                Some(sums.f_set_requires_grad(true)?)
            }
            None => None,
        };
        let mut mask = |size: i64, rate: f64| -> Result<Tensor> {
            let mask = random.mask((count * size) as usize, rate);
            Ok(Tensor::f_from_slice(&mask)?.f_view([count, size])?)
        };
        let mut total: Option<Tensor> = None;
        for (member, layers) in self.members.iter().enumerate() {
            let mut inputs =
                embeddings.f_mul(&mask(self.hidden as i64, options.embedding_dropout)?)?;
            if let Some(sums) = &sums {
                let piece = sums.f_narrow(1, (member * self.pieces) as i64, self.pieces as i64)?;
                inputs = Tensor::f_cat(&[inputs, piece], 1)?;
            }
            let hidden = inputs
                .f_linear(&layers.hidden_weight, Some(&layers.hidden_bias))?
                .f_gelu("none")?
                .f_mul(&mask(options.width as i64, options.dropout)?)?;
            let loss = hidden
                .f_linear(&layers.output_weight, Some(&layers.output_bias))?
                .f_binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, Reduction::Sum)?
                .f_div_scalar(count as f64)?;
            total = Some(match total {
                Some(total) => total.f_add(&loss)?,
                None => loss,
            });
        }
        let Some(total) = total else {
            return Err(Error::option("members", 0, "must be at least 1"));
        };
        self.optimizer.zero_grad();
        total.f_backward()?;
        self.optimizer.step();
        let slopes = match &sums {
            Some(sums) => Some(Vec::<f32>::try_from(
                sums.grad().f_contiguous()?.f_view([-1])?,
            )?),
            None => None,
        };
        Ok((
            total.f_double_value(&[])? / self.members.len() as f64,
            slopes,
        ))
    }

    /// The layers as a head holds them.
    fn finish(self) -> Result<Mlp> {
        let _guard = tch::no_grad_guard();
        let scale = self.scale();
        let mut members = Vec::with_capacity(self.members.len());
        for layers in self.members {
            let mut embedding = layers.hidden_weight.f_narrow(1, 0, self.hidden as i64)?;
            let _ = embedding.f_mul_scalar_(scale)?;
            members.push(Layers {
                hidden_weight: layers.hidden_weight.f_detach()?,
                hidden_bias: layers.hidden_bias.f_detach()?,
                output_weight: layers.output_weight.f_detach()?,
                output_bias: layers.output_bias.f_detach()?,
            });
        }
        Ok(Mlp { members })
    }
}

#[cfg(test)]
mod tests;
