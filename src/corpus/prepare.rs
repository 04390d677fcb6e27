//! The stage: a snapshot in, `papers.parquet`, `manifest.json` and `quarantine.jsonl` out.

use super::choice;
use super::manifest::{Manifest, Outcome};
use super::options::PrepareOptions;
use super::pipeline;
use super::profile::Profile;
use super::quarantine::Quarantine;
use super::source::Source;
use super::table::Table;
use crate::error::{Error, Result};
use crate::observe::{self, Observer};
use crate::scratch::Pending;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The papers table in the output folder.
pub const PAPERS: &str = "papers.parquet";
/// What was done, in the output folder.
pub const MANIFEST: &str = "manifest.json";
/// The lines that could not be read, in the output folder.
pub const QUARANTINE: &str = "quarantine.jsonl";

/// Prepares the snapshot at `source` into the folder `out`, which is made where it is missing.
///
/// The three files appear complete or not at all; those of an earlier run are replaced. Memory
/// stays below 1 GiB at 2.9 million papers. Progress: `read` in bytes of the source,
/// `near-duplicates` in bands of the index, `pack` in blocks where papers
/// leave late, `write` in papers.
///
/// # Errors
/// [`Error::Option`]; [`Error::Io`]; [`Error::Input`] where the source is damaged or empty, or no
/// line of it can be read, or no paper is left; [`Error::Interrupted`].
pub fn prepare(
    source: &Path,
    out: &Path,
    options: &PrepareOptions,
    observer: &dyn Observer,
) -> Result<Manifest> {
    options.check()?;
    let source_path = source;
    let source = Source::open(source_path, observer)
        .map_err(|error| observer.check().err().unwrap_or(error))?;
    let made = !out.exists();
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    let result = prepare_into(source, out, options, observer);
    if made && result.is_err() {
        // Only an empty folder can be removed, so this cannot take anything along.
        let _ = std::fs::remove_dir(out);
    }
    result
}

fn prepare_into(
    source: Source,
    out: &Path,
    options: &PrepareOptions,
    observer: &dyn Observer,
) -> Result<Manifest> {
    let profile = Profile::default();
    let pool = observe::pool(options.threads.unwrap_or(0), |number| {
        format!("prepare-{number}")
    })
    .map_err(|error| Error::option("threads", format!("{:?}", options.threads), error))?;
    let mut quarantine = Quarantine::new(out)?;
    let place = source.path().display().to_string();
    let (gathered, texts, deduper) = pipeline::gather(
        source,
        out,
        options,
        &pool,
        &mut quarantine,
        &profile,
        observer,
    )?;
    if gathered.lines == 0 {
        let reason = match gathered.format {
            "json" => "is empty".to_owned(),
            packed => format!("the {packed} holds an empty file"),
        };
        return Err(Error::input(place, reason));
    }
    let rows = &gathered.rows;
    if let (true, Some(first)) = (rows.is_empty(), quarantine.first()) {
        return Err(Error::input(place, format!("no paper in it; {first}")));
    }
    observer.check()?;
    let groups = profile.group.time(|| deduper.finish(&pool, observer))?;
    let (selection, assignment) = profile
        .split
        .time(|| choice::choose(rows, &groups.first, &options.subset, &options.split))?;
    let outcome = Outcome {
        selection: &selection,
        splits: &assignment.splits,
        split: assignment.counts,
        dedup: groups.counts,
        quarantined: quarantine.lines(),
    };
    let manifest = Manifest::new(&gathered, options, &outcome);
    if manifest.papers == 0 {
        let dropped = serde_json::to_string(&manifest.dropped).unwrap_or_default();
        return Err(Error::input(
            place,
            format!("no paper is left of {} lines: {dropped}", manifest.lines),
        ));
    }
    for (split, summary) in &manifest.splits {
        if summary.papers == 0 {
            // Not an error: a file may be prepared for evaluation alone.
            log::warn!("the {split} split is empty");
        }
    }
    let table = Table {
        rows,
        archives: &gathered.archives,
        archive_names: &gathered.archive_names,
        selection: &selection,
        splits: &assignment.splits,
        zstd_level: options.zstd_level,
    };
    let papers = profile
        .write
        .time(|| table.write(texts, out, &pool, observer))?;
    publish(out, papers, quarantine, &manifest)?;
    log::info!(
        "prepared {} papers of {} lines; core seconds by step: {}",
        manifest.papers,
        manifest.lines,
        serde_json::to_string(&std::collections::BTreeMap::from(profile.seconds()))
            .unwrap_or_default(),
    );
    Ok(manifest)
}

/// Gives the files their names. The manifest goes first and comes last: where it is, the others
/// belong to it.
fn publish(
    out: &Path,
    papers: (File, Pending),
    quarantine: Quarantine,
    manifest: &Manifest,
) -> Result<()> {
    let fault = |error| Error::io(out, error);
    let (file, pending) = Pending::create(out)?;
    let mut text = BufWriter::new(&file);
    serde_json::to_writer_pretty(&mut text, manifest).map_err(|error| fault(error.into()))?;
    text.write_all(b"\n").map_err(fault)?;
    text.flush().map_err(fault)?;
    drop(text);
    let manifest = (file, pending);
    let quarantine = quarantine.finish()?;
    match std::fs::remove_file(out.join(MANIFEST)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fault(error)),
        _ => {}
    }
    let files = [
        (quarantine, QUARANTINE),
        (papers, PAPERS),
        (manifest, MANIFEST),
    ];
    for ((file, pending), name) in files {
        pending.publish(&file, &out.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
