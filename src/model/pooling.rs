//! From one vector a token to one vector a text, as `modules.json` and the pooling module's
//! own `config.json` say.

use crate::error::{Error, Result};
use crate::model::config::read;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;
use tch::{Kind, Tensor};

/// Which token vectors make the text's vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The mean over all tokens.
    Mean,
    /// The first token's vector.
    Cls,
    /// The greatest value of each dimension.
    Max,
}

/// Pooling, and whether the result is scaled to length one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// How token vectors are joined.
    pub mode: Mode,
    /// Whether the vector is divided by its Euclidean norm.
    pub normalize: bool,
    /// Whether the tokens of a prompt count.
    pub include_prompt: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

impl Pooling {
    /// Reads `modules.json` in `directory`; without it, mean pooling and no normalisation, as
    /// sentence-transformers does.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] for a module or a pooling mode this crate does not compute.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("modules.json");
        let mut pooling = Self {
            mode: Mode::Mean,
            normalize: false,
            include_prompt: true,
        };
        if !path.exists() {
            return Ok(pooling);
        }
        for module in read::<Vec<Module>>(&path)? {
            match module.r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" => {}
                "Pooling" => {
                    let path = directory.join(&module.path).join("config.json");
                    let config = read(&path)?;
                    pooling.mode = mode(&path, &config)?;
                    let include = config.get("include_prompt");
                    pooling.include_prompt = include.and_then(Value::as_bool).unwrap_or(true);
                }
                "Normalize" => pooling.normalize = true,
                _ => {
                    return Err(Error::model(
                        &path,
                        format!("type: unknown module {:?}", module.r#type),
                    ));
                }
            }
        }
        Ok(pooling)
    }

    /// `mean`, `cls` or `max`, followed by `+normalize` where the vector is scaled.
    pub fn name(self) -> String {
        let mode = match self.mode {
            Mode::Mean => "mean",
            Mode::Cls => "cls",
            Mode::Max => "max",
        };
        format!("{mode}{}", if self.normalize { "+normalize" } else { "" })
    }

    /// Pools `hidden` `[rows, tokens, hidden]` to f32 `[rows, hidden]`. `mask` `[rows, tokens]`
    /// is true where a token is no padding; without it every token counts.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn forward(self, hidden: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let pooled = match (self.mode, mask) {
            (Mode::Cls, _) => hidden.f_select(1, 0)?.f_to_kind(Kind::Float)?,
            (Mode::Mean, None) => hidden.f_mean_dim(1, false, Kind::Float)?,
            (Mode::Mean, Some(mask)) => {
                let mask = mask.f_to_kind(Kind::Float)?.f_unsqueeze(-1)?;
                let sum = hidden
                    .f_to_kind(Kind::Float)?
                    .f_mul(&mask)?
                    .f_sum_dim_intlist(1, false, Kind::Float)?;
                sum.f_div(&mask.f_sum_dim_intlist(1, false, Kind::Float)?)?
            }
            (Mode::Max, None) => hidden.f_amax(1, false)?.f_to_kind(Kind::Float)?,
            (Mode::Max, Some(mask)) => {
                let hidden = hidden.f_to_kind(Kind::Float)?;
                let padding = mask.f_logical_not()?.f_unsqueeze(-1)?;
                hidden
                    .f_masked_fill(&padding, f64::NEG_INFINITY)?
                    .f_amax(1, false)?
            }
        };
        if !self.normalize {
            return Ok(pooled);
        }
        // torch.nn.functional.normalize: the norm is at least 1e-12.
        let norm = pooled
            .f_norm_scalaropt_dim(2.0, 1, true)?
            .f_clamp_min(1e-12)?;
        Ok(pooled.f_div(&norm)?)
    }
}

fn mode(path: &Path, config: &Map<String, Value>) -> Result<Mode> {
    let mut modes: Vec<String> = config
        .iter()
        .filter(|(key, value)| key.starts_with("pooling_mode_") && value.as_bool() == Some(true))
        .map(|(key, _)| key.trim_start_matches("pooling_mode_").to_owned())
        .collect();
    if let Some(mode) = config.get("pooling_mode").and_then(|mode| mode.as_str()) {
        modes.push(mode.to_owned());
    }
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mean_tokens" | "mean"] => Ok(Mode::Mean),
        ["cls_token" | "cls"] => Ok(Mode::Cls),
        ["max_tokens" | "max"] => Ok(Mode::Max),
        _ => Err(Error::model(
            path,
            format!("pooling_mode: {modes:?} is not one of mean, cls, max"),
        )),
    }
}
