//! The steps of a fine-tuning.

use super::net::{Net, Papers, Parameter};
use super::optimizer::{AdamW, clip, schedule};
use super::order::batches;
use super::{Epoch, Keep, Options};
use crate::error::{Error, Result};
use crate::model::batch::layout;
use crate::model::checkpoint::Checkpoint;
use crate::observe::{Observer, Progress};
use crate::tokens::batches::plan;
use crate::train::random::Random;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tch::{Device, Tensor};

/// libtorch has one generator for the whole process: it is this step's alone.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Where a run is, its tensors apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    /// Steps taken.
    pub(super) step: usize,
    /// Losses of this epoch's papers so far.
    pub(super) sum: f64,
    /// Epochs that are over.
    pub(super) epochs: Vec<Epoch>,
}

pub(super) struct Run<'a> {
    pub(super) net: Net,
    pub(super) parameters: Vec<Parameter>,
    pub(super) optimizer: AdamW,
    pub(super) state: State,
    /// The parameters after the best epoch before the last one, where it is to be kept.
    pub(super) best: Option<Vec<Tensor>>,
    fitted: &'a Papers,
    held: &'a Papers,
    lengths: Vec<usize>,
    /// Steps of each epoch.
    steps: Vec<usize>,
    device: Device,
    options: &'a Options,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        checkpoint: &Checkpoint,
        fitted: &'a Papers,
        held: &'a Papers,
        labels: usize,
        device: Device,
        options: &'a Options,
    ) -> Result<Self> {
        let net = Net::new(checkpoint, fitted, labels, device)?;
        let parameters = net.parameters();
        let mut run = Self {
            optimizer: AdamW::new(&parameters)?,
            net,
            parameters,
            state: State::default(),
            best: None,
            fitted,
            held,
            lengths: fitted.lengths(),
            steps: Vec::new(),
            device,
            options,
        };
        run.steps = (0..options.epochs)
            .map(|epoch| run.batches(epoch).len())
            .collect();
        Ok(run)
    }

    /// Values that are moved.
    pub(super) fn size(&self) -> usize {
        self.parameters.iter().map(|one| one.tensor.numel()).sum()
    }

    fn batches(&self, epoch: usize) -> Vec<Vec<usize>> {
        let Options {
            batch_tokens, seed, ..
        } = *self.options;
        batches(
            &self.lengths,
            batch_tokens,
            layout(self.device),
            seed,
            epoch,
        )
    }

    /// Goes on from where it is to the end; `save` is called now and then.
    pub(super) fn go(
        &mut self,
        save: &dyn Fn(&Self) -> Result<()>,
        observer: &dyn Observer,
    ) -> Result<()> {
        let every = Duration::from_secs(self.options.checkpoint_seconds);
        let mut saved = Instant::now();
        let papers = self.fitted.labels.len();
        for epoch in self.state.epochs.len()..self.options.epochs {
            let done = self.state.step - self.steps[..epoch].iter().sum::<usize>();
            for batch in &self.batches(epoch)[done..] {
                observer.check()?;
                if saved.elapsed() >= every {
                    save(self)?;
                    saved = Instant::now();
                }
                self.step(batch, epoch, observer)?;
            }
            let found = Epoch {
                loss: self.state.sum / papers as f64,
                validation_loss: self.measure(observer)?,
            };
            self.end(found)?;
            log::info!(
                "epoch {} of {}: loss {:.5}, validation loss {:.5}",
                epoch + 1,
                self.options.epochs,
                found.loss,
                found.validation_loss
            );
            save(self)?;
            saved = Instant::now();
        }
        Ok(())
    }

    fn step(&mut self, batch: &[usize], epoch: usize, observer: &dyn Observer) -> Result<()> {
        let total: usize = self.steps.iter().sum();
        let step = self.state.step;
        let tensors: Vec<&Tensor> = self.parameters.iter().map(|one| &one.tensor).collect();
        // Batches have a like number of tokens and any number of papers: divided by the mean
        // number, not by its own, a paper of a small batch weighs no more than another.
        let mean = (self.fitted.labels.len() * self.options.epochs) as f64 / total as f64;
        let (sum, mut gradients) = {
            let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
            let seed = Random::new(self.options.seed ^ (step as u64).rotate_left(32)).next();
            tch::manual_seed(seed as i64);
            let sum = self.net.loss(self.fitted, batch, true)?;
            let loss = sum.f_div_scalar(mean)?;
            let gradients = Tensor::f_run_backward(&[loss], &tensors, false, false)?;
            (sum.f_double_value(&[])?, gradients)
        };
        let length = clip(&mut gradients, self.options.clip)?;
        if !(sum.is_finite() && length.is_finite()) {
            let reason = format!(
                "the loss is {sum}, its gradient's length {length} after {step} steps; \
                 lower learning_rate"
            );
            return Err(Error::fit("encoder", reason));
        }
        let scale = schedule(step, total, self.options.warmup);
        self.optimizer
            .step(&self.parameters, gradients, step + 1, scale, self.options)?;
        self.state.step += 1;
        self.state.sum += sum;
        observer.progress(&Progress {
            stage: "finetune",
            done: self.state.step as u64,
            total: total as u64,
            unit: "steps",
            figures: vec![
                ("loss", sum / batch.len() as f64),
                ("lr", self.options.learning_rate * scale),
                ("epoch", (epoch + 1) as f64),
            ],
        });
        Ok(())
    }

    /// The mean loss of the papers held back.
    fn measure(&self, observer: &dyn Observer) -> Result<f64> {
        let _guard = tch::no_grad_guard();
        let (mut sum, mut done) = (0.0, 0);
        let papers = self.held.labels.len();
        for batch in plan(
            &self.held.lengths(),
            self.options.batch_tokens,
            layout(self.device),
        ) {
            observer.check()?;
            let loss = self.net.loss(self.held, &batch, false)?;
            sum += loss.f_double_value(&[])?;
            done += batch.len();
            observer.report("validate", done as u64, papers as u64, "papers");
        }
        Ok(sum / papers as f64)
    }

    /// Ends an epoch; what would be overwritten though it is the best is laid aside.
    fn end(&mut self, found: Epoch) -> Result<()> {
        self.state.epochs.push(found);
        self.state.sum = 0.0;
        let last = self.state.epochs.len();
        if self.options.keep == Keep::Best && self.best_epoch() == last {
            self.best = None;
            if last < self.options.epochs {
                let copies = self.parameters.iter();
                let copies = copies.map(|one| {
                    Ok(one
                        .tensor
                        .f_detach()?
                        .f_detach_copy()?
                        .f_to_device(Device::Cpu)?)
                });
                self.best = Some(copies.collect::<Result<_>>()?);
            }
        }
        Ok(())
    }

    /// The epoch, from 1, with the lowest validation loss; the earlier of two.
    fn best_epoch(&self) -> usize {
        let losses = self.state.epochs.iter().map(|epoch| epoch.validation_loss);
        let best = losses
            .enumerate()
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        best.map_or(0, |(at, _)| at + 1)
    }

    /// Puts the weights to keep in place; returns the epoch they are of.
    pub(super) fn keep(&mut self) -> Result<usize> {
        let Some(best) = self.best.take() else {
            return Ok(self.state.epochs.len());
        };
        let _guard = tch::no_grad_guard();
        for (parameter, kept) in self.parameters.iter().zip(&best) {
            parameter.tensor.shallow_clone().f_copy_(kept)?;
        }
        Ok(self.best_epoch())
    }
}
