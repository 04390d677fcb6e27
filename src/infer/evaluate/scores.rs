//! Every probability that was measured, with the papers it is about: for those who look at single
//! papers, and to compare two models.

use crate::error::{Error, Result};
use crate::scratch::Pending;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// What a file of scores holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The split's name.
    pub split: String,
    /// The papers' ids, in the table's order.
    pub ids: Vec<String>,
    /// The labels' names, in the model's order.
    pub labels: Vec<String>,
    /// The model's threshold of each label.
    pub thresholds: Vec<f32>,
    /// `[papers, labels]`, row-major.
    pub probabilities: Vec<f32>,
    /// `[papers, labels]`, row-major, 0 or 1.
    pub truth: Vec<u8>,
}

const SPLIT: &str = "split";

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect()
}

impl Scores {
    /// Writes `probabilities` (f32) and `truth` (u8), both `[papers, labels]`, `thresholds` (f32)
    /// and `labels` and `ids` (UTF-8, one a line) to `path`, whole or not at all. The split is in
    /// the metadata. The same scores are the same bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let io = |source| Error::io(path, source);
        let format = |error: safetensors::SafeTensorError| io(std::io::Error::other(error));
        let shape = vec![self.ids.len(), self.labels.len()];
        let ids = self.ids.join("\n").into_bytes();
        let labels = self.labels.join("\n").into_bytes();
        let probabilities = bytes(&self.probabilities);
        let thresholds = bytes(&self.thresholds);
        let views = [
            ("probabilities", Dtype::F32, shape.clone(), &probabilities),
            ("truth", Dtype::U8, shape, &self.truth),
            (
                "thresholds",
                Dtype::F32,
                vec![self.labels.len()],
                &thresholds,
            ),
            ("labels", Dtype::U8, vec![labels.len()], &labels),
            ("ids", Dtype::U8, vec![ids.len()], &ids),
        ]
        .into_iter()
        .map(|(name, dtype, shape, data)| Ok((name, TensorView::new(dtype, shape, data)?)))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(format)?;
        // One entry: several would come in another order each time.
        let metadata = HashMap::from([(SPLIT.to_owned(), self.split.clone())]);
        let whole = safetensors::serialize(views, Some(metadata)).map_err(format)?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        let (mut file, pending) = Pending::beside(path)?;
        file.write_all(&whole).map_err(io)?;
        file.sync_all().map_err(io)?;
        pending.publish(&file, path)
    }

    /// Reads what [`Scores::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Input`] for a file that is none.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::input(path.display(), reason);
        let whole = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let not = |error| wrong(format!("not a file of scores: {error}"));
        let (_, header) = SafeTensors::read_metadata(&whole).map_err(not)?;
        let tensors = SafeTensors::deserialize(&whole).map_err(not)?;
        let tensor = |name: &str, dtype: Dtype| {
            let view = tensors.tensor(name).map_err(not)?;
            if view.dtype() == dtype {
                Ok(view)
            } else {
                Err(wrong(format!(
                    "{name}: {} in place of {dtype}",
                    view.dtype()
                )))
            }
        };
        let lines = |name: &str| {
            let text = std::str::from_utf8(tensor(name, Dtype::U8)?.data())
                .map_err(|error| wrong(format!("{name}: {error}")))?;
            Ok::<Vec<String>, Error>(text.lines().map(str::to_owned).collect())
        };
        let split = header.metadata().as_ref().and_then(|all| all.get(SPLIT));
        let split =
            split.ok_or_else(|| wrong("not a file of scores: no split in its metadata".into()))?;
        let scores = Self {
            split: split.clone(),
            ids: lines("ids")?,
            labels: lines("labels")?,
            thresholds: floats(tensor("thresholds", Dtype::F32)?.data()),
            probabilities: floats(tensor("probabilities", Dtype::F32)?.data()),
            truth: tensor("truth", Dtype::U8)?.data().to_vec(),
        };
        let pairs = scores.ids.len() * scores.labels.len();
        for (name, expected, got) in [
            ("thresholds", scores.labels.len(), scores.thresholds.len()),
            ("probabilities", pairs, scores.probabilities.len()),
            ("truth", pairs, scores.truth.len()),
        ] {
            if expected != got {
                return Err(Error::shape(
                    format!("{}: {name}", path.display()),
                    [expected],
                    [got],
                ));
            }
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/scores.safetensors");
        let scores = Scores {
            split: "test".into(),
            ids: vec!["2301.00001".into(), "hep-th/9901001".into()],
            labels: vec!["cs.LG".into(), "hep-th".into()],
            thresholds: vec![0.25, 0.5],
            probabilities: vec![0.1, 0.2, 0.3, 0.4],
            truth: vec![0, 1, 1, 0],
        };
        scores.write(&path)?;
        assert_eq!(Scores::read(&path)?, scores);
        let bytes = std::fs::read(&path).unwrap();
        scores.write(&path)?;
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        std::fs::write(&path, "nothing").unwrap();
        let error = Scores::read(&path).unwrap_err();
        assert!(
            error.to_string().contains("not a file of scores"),
            "{error}"
        );
        Ok(())
    }
}
