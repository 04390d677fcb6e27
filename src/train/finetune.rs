//! Fine-tuning: papers and an encoder → an encoder whose vectors tell the papers' categories
//! apart better, in the files and names of the one it came from.
//!
//! The encoder is tuned together with one linear layer over its pooled vector, by binary
//! cross-entropy of every label (<https://arxiv.org/abs/1810.04805>, appendix A.3). The layer is
//! thrown away: the stage `train` fits a head to the tuned vectors.
//!
//! Every step's randomness comes from the seed and the step alone, so that a run that was stopped
//! goes on from its checkpoint to the very weights it would have come to: to the bit on one
//! processor with one number of threads; CUDA's kernels may add in another order each time.

mod net;
mod optimizer;
mod options;
mod order;
mod output;
mod resume;
mod run;

use self::net::Papers as Texts;
use self::resume::Identity;
use self::run::Run;
use super::rows::{divide, labels};
use super::space::Space;
use crate::corpus::papers::Papers;
use crate::error::{Error, Result};
use crate::model::checkpoint::Checkpoint;
use crate::model::device;
use crate::observe::Observer;
use crate::text::template;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

pub use self::options::{Keep, Options};

/// What a fine-tuning reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Options as used, defaults filled in.
    pub options: Options,
    /// Papers tuned on.
    pub papers: usize,
    /// Papers held back, on which the validation loss was measured.
    pub held: usize,
    /// Papers of both whose text was longer than the model reads.
    pub truncated: usize,
    /// Labels of the layer above the encoder.
    pub labels: usize,
    /// Values that were moved.
    pub parameters: usize,
    /// Steps taken.
    pub steps: usize,
    /// The learning curve.
    pub epochs: Vec<Epoch>,
    /// The epoch, from 1, after which the weights are kept.
    pub kept: usize,
    /// sha256 of the encoder's weights before.
    pub base_sha256: String,
    /// sha256 of the tuned encoder's weights.
    pub encoder_sha256: String,
    /// Seconds since the run was started, for the last time where it was stopped.
    pub seconds: f64,
}

/// The mean loss a paper after an epoch: the binary cross-entropy of its labels, their mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Of the papers tuned on, as they went by, with dropout.
    pub loss: f64,
    /// Of the papers held back, without.
    pub validation_loss: f64,
}

/// Tunes the encoder in `encoder` to the categories of `papers` and writes it to `out`, whole or
/// not at all; a tuned encoder that lies there is replaced, or is the answer where it was made
/// from the same papers, encoder and options.
///
/// # Errors
/// [`Error::Io`], [`Error::Model`], [`Error::Option`], [`Error::Device`];
/// [`Error::Input`] for a table that is not what it must be, and where `out` holds something
/// else; [`Error::Fit`] without papers to tune on or hold back, and where the loss is no longer
/// finite; [`Error::Torch`], [`Error::Interrupted`].
pub fn finetune(
    papers: &Path,
    encoder: &Path,
    out: &Path,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Summary> {
    let started = Instant::now();
    options.check()?;
    let device = device::parse(&options.device)?;
    let checkpoint = Checkpoint::open(encoder, options.max_length)?;
    observer.report("read", 0, 0, "papers");
    let identity = Identity::of(papers, &checkpoint, device, options, observer)?;
    if let Some(found) = output::finished(out, &identity)? {
        log::info!("{}: tuned already", out.display());
        return Ok(found);
    }
    let table = Papers::read(papers, None, None, observer)?;
    let (fitted, held) = divide(&table, options.holdout, options.seed);
    let space = Space::new(&table, &fitted, options.min_papers)?;
    if held.is_empty() {
        return Err(Error::fit("encoder", "the split validation is empty"));
    }
    let read = |rows: &[usize]| -> Result<Texts> {
        let text = |&row: &usize| template(&table.titles[row], &table.abstracts[row]);
        let texts: Vec<String> = rows.par_iter().map(text).collect();
        Ok(Texts {
            tokens: checkpoint.tokenizer.encode_all(&texts, observer)?,
            labels: labels(&table, rows, &space),
        })
    };
    let (fitted, held) = (read(&fitted)?, read(&held)?);
    drop(table);
    let cut = |texts: &Texts| texts.tokens.iter().filter(|row| row.truncated).count();
    let mut summary = Summary {
        options: options.clone(),
        papers: fitted.labels.len(),
        held: held.labels.len(),
        truncated: cut(&fitted) + cut(&held),
        labels: space.names.len(),
        parameters: 0,
        steps: 0,
        epochs: Vec::new(),
        kept: 0,
        base_sha256: identity.encoder().to_owned(),
        encoder_sha256: String::new(),
        seconds: 0.0,
    };
    let mut run = Run::new(&checkpoint, &fitted, &held, summary.labels, device, options)?;
    let saved = options.checkpoint_dir.as_deref();
    if let Some(folder) = saved {
        resume::load(folder, &identity, &mut run)?;
    }
    let save = |run: &Run<'_>| saved.map_or(Ok(()), |folder| resume::save(folder, &identity, run));
    run.go(&save, observer)?;
    summary.parameters = run.size();
    summary.kept = run.keep()?;
    summary.steps = run.state.step;
    summary.epochs.clone_from(&run.state.epochs);
    summary.seconds = started.elapsed().as_secs_f64();
    output::write(out, &checkpoint, run.net.bert(), &identity, &mut summary)?;
    if let Some(folder) = saved {
        resume::remove(folder)?;
    }
    Ok(summary)
}
