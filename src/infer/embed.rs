//! The embed stage: papers table → embeddings file, through the cache.

use crate::checksum;
use crate::corpus::papers::Papers;
use crate::error::Result;
use crate::infer::cache::{Cache, text_hash};
use crate::infer::encoder::{BATCH_TOKENS, Encoder, Options as EncoderOptions};
use crate::model::embeddings::{self, Metadata};
use crate::observe::{Observer, Progress};
use crate::options::parse;
use crate::text::{TEMPLATE_VERSION, template};
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Texts tokenized and sorted by length together.
const CHUNK: usize = 512;
/// A cache segment is written behind the chunk in which there are this many new texts or it is this
/// long since the last: a kill can lose so much and a chunk, Ctrl-C the chunk being computed.
const SEGMENT: usize = 2048;
const SEGMENT_TIME: Duration = Duration::from_secs(15);

/// Options of the stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `cpu`, `cuda`, `cuda:N` or `auto`.
    pub device: String,
    /// `f32` or `bf16`.
    pub dtype: String,
    /// Tokens after which a text is cut; the model's own limit where null.
    pub max_length: Option<usize>,
    /// Tokens a batch holds at most.
    pub batch_tokens: usize,
    /// Folder of the cache; none where null.
    pub cache_dir: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            dtype: "f32".to_owned(),
            max_length: None,
            batch_tokens: BATCH_TOKENS,
            cache_dir: None,
        }
    }
}

/// What the stage did.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Rows of the embeddings file.
    pub papers: usize,
    /// Texts embedded now; the rest came from the cache or repeat another paper's text.
    pub embedded: usize,
    /// Papers whose text was longer than the model reads, of those embedded now.
    pub truncated: usize,
    /// Tokens computed now.
    pub tokens: usize,
    /// Seconds the stage took.
    pub seconds: f64,
    /// sha256 of the encoder's weights.
    pub encoder_sha256: String,
}

/// Embeds every row of the papers table `papers` with the model in `model`, writes `out`.
/// `options` is a JSON object of [`Options`].
///
/// # Errors
/// [`Error::Option`], and those of reading the table, the encoder and the cache.
pub fn embed(
    papers: &Path,
    model: &Path,
    out: &Path,
    options: &str,
    observer: &dyn Observer,
) -> Result<Summary> {
    let options: Options = parse(options)?;
    let started = Instant::now();
    let encoder = Encoder::load(
        model,
        &EncoderOptions {
            device: options.device,
            dtype: options.dtype,
            max_length: options.max_length,
        },
    )?;
    let papers_checksum = checksum::file(papers, observer)?;
    let papers = Papers::read(papers, None, None, observer)?;
    let texts: Vec<String> = papers
        .titles
        .par_iter()
        .zip(&papers.abstracts)
        .map(|(title, r#abstract)| template(title, r#abstract))
        .collect();
    drop(papers);
    let mut cache = match &options.cache_dir {
        Some(folder) => Some(open(folder, &encoder)?),
        None => None,
    };
    let (embeddings, mut summary) = embed_texts(
        &encoder,
        &texts,
        cache.as_mut(),
        options.batch_tokens,
        observer,
    )?;
    let metadata = Metadata {
        papers_checksum,
        encoder_sha256: encoder.sha256()?.to_owned(),
        tokenizer_sha256: encoder.tokenizer_sha256()?,
        template_version: TEMPLATE_VERSION,
        max_length: encoder.max_length(),
        pooling: encoder.pooling().name(),
        dtype: encoder.dtype().to_owned(),
    };
    embeddings::write(out, &embeddings, &metadata)?;
    summary.seconds = started.elapsed().as_secs_f64();
    Ok(summary)
}

/// Opens the cache of `encoder` under `folder`. The template plays no part in its name: a text that
/// reads the same embeds the same.
///
/// # Errors
/// [`Error::Io`].
pub fn open(folder: &Path, encoder: &Encoder) -> Result<Cache> {
    let fingerprint = encoder.fingerprint()?;
    let description = json!({
        "encoder_sha256": encoder.sha256()?,
        "pooling": encoder.pooling().name(),
        "max_length": encoder.max_length(),
        "dtype": encoder.dtype(),
        "fingerprint": fingerprint,
    });
    Cache::open(
        folder,
        &fingerprint[..32],
        &description,
        encoder.hidden_size(),
    )
}

/// Embeddings f32 `[texts, hidden]` of `texts`, from `cache` where it has them; the others are
/// computed once per distinct text and added to it.
///
/// # Errors
/// Those of [`Encoder::encode`] and [`Cache`].
pub fn embed_texts<S: AsRef<str> + Sync>(
    encoder: &Encoder,
    texts: &[S],
    mut cache: Option<&mut Cache>,
    batch_tokens: usize,
    observer: &dyn Observer,
) -> Result<(Array2<f32>, Summary)> {
    let started = Instant::now();
    let hashes: Vec<u128> = texts.iter().map(|text| text_hash(text.as_ref())).collect();
    let mut out = Array2::zeros((texts.len(), encoder.hidden_size()));
    let mut missing: Vec<usize> = match cache.as_deref_mut() {
        Some(cache) => cache.fill(&hashes, &mut out)?,
        None => (0..texts.len()).collect(),
    };
    let mut seen = HashSet::new();
    let repeats: Vec<usize> = missing
        .extract_if(.., |row| !seen.insert(hashes[*row]))
        .collect();

    let mut summary = Summary {
        papers: texts.len(),
        embedded: missing.len(),
        truncated: 0,
        tokens: 0,
        seconds: 0.0,
        encoder_sha256: encoder.sha256()?.to_owned(),
    };
    let total = texts.len() as u64;
    let before = (texts.len() - missing.len()) as u64;
    observer.report("embed", before, total, "papers");
    let mut done = 0;
    let mut pending = 0..0;
    let mut written = Instant::now();
    for chunk in missing.chunks(CHUNK) {
        let within = Within {
            observer,
            before,
            done: done as u64,
            total,
            started,
        };
        let outcome = one_chunk(encoder, texts, chunk, batch_tokens, &within, &mut out);
        if let Ok((tokens, truncated)) = outcome {
            summary.tokens += tokens;
            summary.truncated += truncated;
            done += chunk.len();
            pending.end = done;
        }
        let due =
            pending.len() >= SEGMENT || written.elapsed() >= SEGMENT_TIME || done == missing.len();
        if due || outcome.is_err() {
            if let Some(cache) = cache.as_deref_mut() {
                append(cache, &hashes, &missing[pending.clone()], &out)?;
            }
            pending.start = pending.end;
            written = Instant::now();
        }
        outcome?;
    }
    if !repeats.is_empty() {
        let first: std::collections::HashMap<u128, usize> =
            missing.iter().map(|&row| (hashes[row], row)).collect();
        for row in repeats {
            let vector = out.row(first[&hashes[row]]).to_owned();
            out.row_mut(row).assign(&vector);
        }
    }
    summary.seconds = started.elapsed().as_secs_f64();
    Ok((out, summary))
}

/// Embeds the texts of `chunk` into their rows of `out`; returns tokens and truncated texts.
fn one_chunk<S: AsRef<str> + Sync>(
    encoder: &Encoder,
    texts: &[S],
    chunk: &[usize],
    batch_tokens: usize,
    observer: &dyn Observer,
    out: &mut Array2<f32>,
) -> Result<(usize, usize)> {
    let texts: Vec<&str> = chunk.iter().map(|&row| texts[row].as_ref()).collect();
    let tokens = encoder.tokenize(&texts, observer)?;
    let embeddings = encoder.encode_tokens(&tokens, batch_tokens, observer)?;
    for (&row, vector) in chunk.iter().zip(embeddings.rows()) {
        out.row_mut(row).assign(&vector);
    }
    Ok((
        tokens.iter().map(|row| row.ids.len()).sum(),
        tokens.iter().filter(|row| row.truncated).count(),
    ))
}

/// Writes the embeddings in `rows` of `out` as one cache segment.
fn append(cache: &mut Cache, hashes: &[u128], rows: &[usize], out: &Array2<f32>) -> Result<()> {
    let hashes: Vec<u128> = rows.iter().map(|&row| hashes[row]).collect();
    cache.append(&hashes, out.select(Axis(0), rows).view())
}

/// Progress of one chunk as progress of the whole stage.
struct Within<'a> {
    observer: &'a dyn Observer,
    before: u64,
    done: u64,
    total: u64,
    started: Instant,
}

impl Observer for Within<'_> {
    fn progress(&self, progress: &Progress) {
        let done = self.done + progress.done;
        let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
        self.observer.progress(&Progress {
            stage: "embed",
            done: self.before + done,
            total: self.total,
            unit: "papers",
            figures: vec![("papers_per_second", done as f64 / seconds)],
        });
    }
    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}
