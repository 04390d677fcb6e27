//! AdamW (<https://arxiv.org/abs/1711.05101>, algorithm 2) as torch.optim.AdamW computes it
//! (<https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html>), with moments that can be
//! stored; the step size rises and falls linearly and gradients are clipped, as BERT was tuned
//! (<https://arxiv.org/abs/1810.04805>, appendix A.3).

use super::Options;
use super::net::Parameter;
use crate::error::Result;
use tch::Tensor;

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Share of the highest step size at `step` (from 0) of `total`: up to 1 over the warm-up, then
/// down to 0 behind the last.
pub(super) fn schedule(step: usize, total: usize, warmup: f64) -> f64 {
    let rising = (warmup * total as f64).round() as usize;
    if step < rising {
        (step + 1) as f64 / rising as f64
    } else {
        (total - step) as f64 / (total - rising) as f64
    }
}

/// Both moments of every parameter's gradient.
pub(super) struct AdamW {
    pub(super) first: Vec<Tensor>,
    pub(super) second: Vec<Tensor>,
}

impl AdamW {
    pub(super) fn new(parameters: &[Parameter]) -> Result<Self> {
        let zeros = || {
            let zeros = |one: &Parameter| Ok(one.tensor.f_detach()?.f_zeros_like()?);
            parameters.iter().map(zeros).collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            first: zeros()?,
            second: zeros()?,
        })
    }

    /// Moves `parameters` by their `gradients`, which it spends; `step` counts from 1 and `scale`
    /// is the share of the highest step size.
    pub(super) fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: Vec<Tensor>,
        step: usize,
        scale: f64,
        options: &Options,
    ) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let steps = i32::try_from(step).unwrap_or(i32::MAX);
        let [first_bias, second_bias] = BETAS.map(|beta| 1.0 - beta.powi(steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, mut gradient), (first, second)) in
            parameters.iter().zip(gradients).zip(moments)
        {
            let highest = if parameter.head {
                options.head_learning_rate
            } else {
                options.learning_rate
            };
            let rate = highest * scale;
            let mut tensor = parameter.tensor.shallow_clone();
            if parameter.decays {
                let _ = tensor.f_mul_scalar_(1.0 - rate * options.weight_decay)?;
            }
            let _ = first.f_lerp_(&gradient, 1.0 - BETAS[0])?;
            let square = gradient.f_square()?.f_mul_scalar_(1.0 - BETAS[1])?;
            let _ = second.f_mul_scalar_(BETAS[1])?.f_add_(&square)?;
            gradient.f_copy_(second)?;
            let _ = gradient
                .f_sqrt_()?
                .f_div_scalar_(second_bias.sqrt())?
                .f_add_scalar_(EPSILON)?;
            let _ = tensor.f_sub_(&first.f_div(&gradient)?.f_mul_scalar_(rate / first_bias)?)?;
        }
        Ok(())
    }
}

/// Shortens `gradients` to the length `most`, all together, as
/// `torch.nn.utils.clip_grad_norm_` does; returns their length before.
pub(super) fn clip(gradients: &mut [Tensor], most: f64) -> Result<f64> {
    let _guard = tch::no_grad_guard();
    let lengths = gradients
        .iter()
        .map(|one| Ok(one.f_norm()?))
        .collect::<Result<Vec<_>>>()?;
    let length = Tensor::f_stack(&lengths, 0)?
        .f_norm()?
        .f_double_value(&[])?;
    let share = most / (length + 1e-6);
    if share < 1.0 {
        for one in gradients {
            let _ = one.f_mul_scalar_(share)?;
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_size_rises_to_its_highest_and_falls_to_nothing() {
        let shares: Vec<f64> = (0..10).map(|step| schedule(step, 10, 0.2)).collect();
        assert_eq!(shares[..3], [0.5, 1.0, 1.0]);
        assert!(shares[2..].windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(shares[9], 0.125);
        assert_eq!(schedule(0, 1, 0.0), 1.0);
        assert_eq!(schedule(0, 1, 0.9), 1.0);
    }

    #[test]
    fn gradients_are_shortened_together_and_only_where_they_are_too_long() {
        let made = || [Tensor::from_slice(&[3.0_f32, 0.0]), Tensor::from(4.0_f32)];
        let mut long = made();
        assert!((clip(&mut long, 1.0).unwrap() - 5.0).abs() < 1e-6);
        assert!((long[0].double_value(&[0]) - 0.6).abs() < 1e-5);
        assert!((long[1].double_value(&[]) - 0.8).abs() < 1e-5);
        let mut short = made();
        clip(&mut short, 6.0).unwrap();
        assert_eq!(short, made());
    }
}
