//! The papers table in memory, as `train` and `infer` read it.

use super::parquet::{self, Rows};
use crate::error::Result;
use crate::observe::Observer;
use std::path::Path;

pub use super::split::Split;

/// Rows of a papers table, one entry a paper in every column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers {
    /// arXiv ids, `2301.00001` or `hep-th/9901001`.
    pub ids: Vec<String>,
    /// Cleaned titles.
    pub titles: Vec<String>,
    /// Cleaned abstracts.
    pub abstracts: Vec<String>,
    /// Canonical categories, the primary first where there is one.
    pub categories: Vec<Vec<String>>,
    /// Canonical primary category; none where the paper declares only a bare legacy archive.
    pub primaries: Vec<Option<String>>,
    /// Archive of the declared primary, bare legacy archives included.
    pub archives: Vec<Option<String>>,
    /// First version's date, in days since 1970-01-01.
    pub submitted: Vec<i32>,
    /// The split each paper is in.
    pub splits: Vec<Split>,
}

impl Papers {
    /// Number of papers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Reads a papers table: the rows of `split` (all where none is given), at most the first
    /// `limit` of them, in the file's order.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::Input`] where it is no papers table;
    /// [`Error::Interrupted`].
    pub fn read(
        path: &Path,
        split: Option<Split>,
        limit: Option<usize>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut papers = Self::default();
        for batch in parquet::batches(path)? {
            if papers.len() >= limit {
                break;
            }
            observer.check()?;
            papers.extend(&Rows::new(path, &batch?)?, split, limit, split)?;
        }
        Ok(papers)
    }

    /// Reads every row of a papers table, but titles and abstracts of `split` alone: most of a
    /// table's memory are texts. The other rows' are empty.
    ///
    /// # Errors
    /// As [`Papers::read`].
    pub fn read_with_texts_of(path: &Path, split: Split, observer: &dyn Observer) -> Result<Self> {
        let mut papers = Self::default();
        for batch in parquet::batches(path)? {
            observer.check()?;
            papers.extend(&Rows::new(path, &batch?)?, None, usize::MAX, Some(split))?;
        }
        Ok(papers)
    }

    fn extend(
        &mut self,
        rows: &Rows,
        split: Option<Split>,
        limit: usize,
        texts: Option<Split>,
    ) -> Result<()> {
        for row in 0..rows.len() {
            let of = rows.split(row)?;
            if split.is_some_and(|wanted| wanted != of) {
                continue;
            }
            if self.len() == limit {
                break;
            }
            self.ids.push(rows.id(row).to_owned());
            let [title, r#abstract] = if texts.is_none_or(|wanted| wanted == of) {
                [rows.title(row), rows.abstract_(row)]
            } else {
                [""; 2]
            };
            self.titles.push(title.to_owned());
            self.abstracts.push(r#abstract.to_owned());
            self.categories.push(rows.categories(row));
            self.primaries.push(rows.primary(row).map(str::to_owned));
            self.archives.push(rows.archive(row).map(str::to_owned));
            self.submitted.push(rows.submitted(row));
            self.splits.push(of);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::observe::Silent;

    fn papers() -> Papers {
        Papers {
            ids: vec![
                "2301.00001".into(),
                "hep-th/9901001".into(),
                "2302.00001".into(),
            ],
            titles: vec!["One".into(), "Two".into(), "Three".into()],
            abstracts: vec!["First.".into(), "Zweite: ß.".into(), String::new()],
            categories: vec![
                vec!["cs.LG".into(), "stat.ML".into()],
                vec!["hep-th".into()],
                vec![],
            ],
            primaries: vec![Some("cs.LG".into()), Some("hep-th".into()), None],
            archives: vec![
                Some("cs".into()),
                Some("hep-th".into()),
                Some("astro-ph".into()),
            ],
            submitted: vec![19_358, -1, 19_389],
            splits: vec![Split::Train, Split::Train, Split::Test],
        }
    }

    fn written() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("papers.parquet");
        parquet::write(&path, &papers(), 1).unwrap();
        (folder, path)
    }

    #[test]
    fn what_is_written_is_read() {
        let (_folder, path) = written();
        assert_eq!(Papers::read(&path, None, None, &Silent).unwrap(), papers());
    }

    #[test]
    fn split_and_limit_choose_rows() {
        let (_folder, path) = written();
        let train = Papers::read(&path, Some(Split::Train), Some(1), &Silent).unwrap();
        assert_eq!(train.ids, ["2301.00001"]);
        let test = Papers::read(&path, Some(Split::Test), None, &Silent).unwrap();
        assert_eq!(test.ids, ["2302.00001"]);
        assert!(
            Papers::read(&path, Some(Split::Validation), None, &Silent)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn texts_of_one_split_are_read_with_every_row() {
        let (_folder, path) = written();
        let found = Papers::read_with_texts_of(&path, Split::Train, &Silent).unwrap();
        assert_eq!(found.titles, ["One", "Two", ""]);
        assert_eq!(found.abstracts, ["First.", "Zweite: ß.", ""]);
        let all = papers();
        assert_eq!(
            (found.ids, found.categories, found.splits),
            (all.ids, all.categories, all.splits)
        );
    }

    #[test]
    fn a_file_that_is_no_table_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("papers.parquet");
        let missing = Papers::read(&path, None, None, &Silent).unwrap_err();
        assert!(matches!(missing, Error::Io { .. }), "{missing}");
        std::fs::write(&path, "not parquet").unwrap();
        let wrong = Papers::read(&path, None, None, &Silent).unwrap_err();
        assert!(matches!(wrong, Error::Input { .. }), "{wrong}");
        assert!(wrong.to_string().contains("papers.parquet"), "{wrong}");
    }
}
