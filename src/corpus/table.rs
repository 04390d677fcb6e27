//! Spilled texts and rows → the papers table, once it is known which papers stay.

use super::parquet::{parquet_error, schema};
use super::pipeline::GROUP;
use super::spill::{self, Spilled, TEXTS};
use super::split::Split;
use super::subset::{Rows, Selection};
use crate::error::{Error, Result};
use crate::observe::Observer;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter};
use rayon::prelude::*;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Everything the table is made of.
pub(super) struct Table<'a> {
    pub texts: &'a Spilled,
    pub rows: &'a Rows,
    pub archives: &'a [u8],
    pub archive_names: &'a [Option<&'static str>],
    pub selection: &'a Selection,
    /// By row; none: the paper is left out.
    pub splits: &'a [Option<Split>],
    pub zstd_level: i32,
}

/// A row group of the table.
struct Group {
    /// The spilled row groups it is made of.
    parts: Vec<usize>,
    /// None of their papers is left out.
    whole: bool,
    papers: usize,
}

struct Encoded {
    texts: Vec<ArrowColumnChunk>,
    others: Vec<ArrowColumnChunk>,
}

impl Table<'_> {
    /// Writes the table into `file`, which is in the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Interrupted`].
    pub(super) fn write(
        &self,
        file: NamedTempFile,
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<NamedTempFile> {
        let fault = |error| parquet_error(out, error);
        let clone = file.reopen().map_err(|error| Error::io(out, error))?;
        let sink: BufWriter<File> = BufWriter::with_capacity(1 << 20, clone);
        let (mut writer, factory) =
            spill::writer(sink, &schema(), self.zstd_level).map_err(fault)?;
        let starts = self.starts();
        let groups = self.plan(&starts);
        let total = groups.iter().map(|group| group.papers as u64).sum();
        let mut done = 0;
        for window in groups.chunks(2 * pool.current_num_threads()) {
            let encoded: Vec<Result<Encoded>> = pool.install(|| {
                window
                    .par_iter()
                    .map(|group| {
                        observer.check()?;
                        self.encode(
                            group,
                            &starts,
                            out,
                            factory.create_column_writers(0).map_err(fault)?,
                        )
                    })
                    .collect()
            });
            for (group, encoded) in window.iter().zip(encoded) {
                observer.check()?;
                let encoded = encoded?;
                let mut to = writer.next_row_group().map_err(fault)?;
                if group.whole {
                    self.texts.copy(group.parts[0], &mut to)?;
                }
                for chunk in encoded.texts.into_iter().chain(encoded.others) {
                    chunk.append_to_row_group(&mut to).map_err(fault)?;
                }
                to.close().map_err(fault)?;
                done += group.papers as u64;
                observer.report("write", done, total, "papers");
            }
        }
        writer.close().map_err(fault)?;
        Ok(file)
    }

    /// First row of each spilled row group, and the end.
    fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        starts.extend(self.texts.groups().scan(0, |end, rows| {
            *end += rows;
            Some(*end)
        }));
        starts
    }

    /// Row groups that lose no paper stay as they are; others are joined until they are full.
    fn plan(&self, starts: &[usize]) -> Vec<Group> {
        let mut groups = Vec::new();
        let mut open = Group {
            parts: Vec::new(),
            whole: false,
            papers: 0,
        };
        let mut close = |open: &mut Group| {
            if !open.parts.is_empty() {
                groups.push(std::mem::replace(
                    open,
                    Group {
                        parts: Vec::new(),
                        whole: false,
                        papers: 0,
                    },
                ));
            }
        };
        for part in 0..starts.len() - 1 {
            let rows = starts[part]..starts[part + 1];
            let papers = rows
                .clone()
                .filter(|row| self.splits[*row].is_some())
                .count();
            let whole = papers == rows.len();
            if whole {
                close(&mut open);
            }
            if papers > 0 {
                open.parts.push(part);
                open.papers += papers;
                open.whole = whole;
            }
            if whole || open.papers >= GROUP {
                close(&mut open);
            }
        }
        close(&mut open);
        groups
    }

    fn encode(
        &self,
        group: &Group,
        starts: &[usize],
        out: &Path,
        mut columns: Vec<ArrowColumnWriter>,
    ) -> Result<Encoded> {
        let rows: Vec<usize> = group
            .parts
            .iter()
            .flat_map(|part| starts[*part]..starts[*part + 1])
            .filter(|row| self.splits[*row].is_some())
            .collect();
        let others = columns.split_off(TEXTS);
        let others = spill::encode(out, others, &[self.others(&rows, out)?])?;
        if group.whole {
            return Ok(Encoded {
                texts: Vec::new(),
                others,
            });
        }
        let pieces = group.parts.iter().map(|part| {
            let kept: BooleanArray = (starts[*part]..starts[*part + 1])
                .map(|row| Some(self.splits[row].is_some()))
                .collect();
            filter_record_batch(&self.texts.read(*part)?, &kept)
                .map_err(|error| Error::input(out.display(), error))
        });
        let texts = spill::encode(out, columns, &pieces.collect::<Result<Vec<_>>>()?)?;
        Ok(Encoded { texts, others })
    }

    /// Every column but the texts.
    fn others(&self, rows: &[usize], out: &Path) -> Result<RecordBatch> {
        let item = Field::new("item", DataType::Utf8, false);
        let mut categories = ListBuilder::new(StringBuilder::new()).with_field(item);
        for row in rows {
            let labels = self
                .rows
                .labels(*row)
                .iter()
                .filter(|label| self.selection.has(**label));
            for label in labels {
                categories.values().append_value(label.name());
            }
            categories.append(true);
        }
        let primaries = rows.iter().map(|row| {
            self.rows
                .primary(*row)
                .filter(|label| self.selection.has(*label))
                .map(|label| label.name())
        });
        let archives = rows
            .iter()
            .map(|row| self.archive_names[usize::from(self.archives[*row])]);
        let submitted = rows.iter().map(|row| self.rows.days(*row));
        let splits = rows
            .iter()
            .filter_map(|row| self.splits[*row])
            .map(Split::name);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(categories.finish()),
            Arc::new(primaries.collect::<StringArray>()),
            Arc::new(archives.collect::<StringArray>()),
            Arc::new(Date32Array::from_iter_values(submitted)),
            Arc::new(StringArray::from_iter_values(splits)),
        ];
        let fields: Vec<_> = schema().fields().iter().skip(TEXTS).cloned().collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Error::input(out.display(), error))
    }
}
