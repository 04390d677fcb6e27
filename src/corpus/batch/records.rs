//! Lines → records that are to be cleaned, what is left out already counted.

use super::super::json::{Fault, Text};
use super::super::record::Record;
use super::super::taxonomy::{self, Label, Resolution};
use super::super::when;
use super::super::withdrawn::{self, Place};
use super::draft::Draft;
use super::{Bad, Reader, Scratch};

/// Bytes of an unreadable line that are shown.
const SHOWN: usize = 200;

/// A record that is to be cleaned.
pub(super) struct Candidate<'a> {
    pub id: Text<'a>,
    pub title: Option<Text<'a>>,
    pub summary: Option<Text<'a>>,
    pub days: i32,
    pub primary: Option<Label>,
    pub archive: Option<&'static str>,
    pub labels_end: usize,
}

impl Reader<'_> {
    /// The records of `text` that are not left out.
    pub(super) fn parse<'t>(
        &self,
        text: &'t [u8],
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Vec<Candidate<'t>> {
        // One look at the whole block; line by line only where it is not all UTF-8.
        let whole = utf8(text);
        let mut candidates = Vec::with_capacity(text.len() / 1024);
        let mut from = 0;
        while from < text.len() {
            let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |step| from + step);
            let number = batch.lines;
            batch.lines += 1;
            let bytes = &text[from..end];
            let line =
                whole.map_or_else(|| std::str::from_utf8(bytes), |whole| Ok(&whole[from..end]));
            from = end + 1;
            if bytes.len() > self.options.max_line_bytes {
                batch
                    .bad
                    .push(self.too_long(number, bytes.len() as u64, bytes));
                continue;
            }
            let outcome = match line {
                Ok(line) if line.trim_ascii().is_empty() => {
                    batch.blank += 1;
                    continue;
                }
                Ok(line) => self.candidate(line, batch, scratch),
                Err(error) => Err(format!("invalid UTF-8 at byte {}", error.valid_up_to())),
            };
            match outcome {
                Ok(candidate) => candidates.extend(candidate),
                Err(reason) => {
                    batch.bad.push(Bad {
                        line: number,
                        bytes: bytes.len() as u64,
                        reason,
                        head: shown(bytes),
                    });
                }
            }
        }
        candidates
    }

    pub(super) fn too_long(&self, line: u64, bytes: u64, head: &[u8]) -> Bad {
        let most = self.options.max_line_bytes;
        Bad {
            line,
            bytes,
            reason: format!("longer than the {most} bytes that a line may have"),
            head: shown(head),
        }
    }

    /// What the line says, or nothing where the paper is left out.
    fn candidate<'t>(
        &self,
        line: &'t str,
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Result<Option<Candidate<'t>>, String> {
        let record = Record::parse(line).map_err(|fault| fault.to_string())?;
        let id = record
            .id()
            .filter(|id| !id.raw().is_empty())
            .ok_or("field \"id\" is missing or empty")?;
        // Texts are decoded later and must not fail then.
        for (field, text) in [
            ("id", Some(id)),
            ("title", record.title()),
            ("abstract", record.summary()),
        ] {
            if let Some(text) = text {
                text.check().map_err(|fault| {
                    Fault {
                        field: Some(field),
                        ..fault
                    }
                    .to_string()
                })?;
            }
        }
        let days = match record.created() {
            Some(days) => days,
            None => {
                let id = id
                    .decode(&mut scratch.text)
                    .map_err(|fault| fault.to_string())?;
                when::month_of_id(id).ok_or_else(|| {
                    format!("field \"id\": neither versions[0].created nor \"{id}\" tells a date")
                })?
            }
        };
        let (primary, archive) = self.labels(record.categories(), batch, scratch)?;
        if scratch.labels.is_empty() && !self.options.keep_unlabelled {
            batch.left_out.unlabelled += 1;
            return Ok(None);
        }
        if !self.filter.has_day(days) {
            batch.left_out.outside_dates += 1;
            return Ok(None);
        }
        if !self.filter.has_labels(primary, &scratch.labels) {
            batch.left_out.outside_categories += 1;
            return Ok(None);
        }
        if !self.options.keep_withdrawn
            && let Some(comments) = record.comments()
            && withdrawn::mentioned(comments.raw())
            && comments
                .decode(&mut scratch.text)
                .is_ok_and(|text| withdrawn::says_so(text, Place::Comments))
        {
            batch.left_out.withdrawn += 1;
            return Ok(None);
        }
        batch.pending_labels.extend_from_slice(&scratch.labels);
        let labels_end = batch.pending_labels.len();
        Ok(Some(Candidate {
            id,
            title: record.title(),
            summary: record.summary(),
            days,
            primary,
            archive,
            labels_end,
        }))
    }

    /// Resolves the categories into `scratch.labels`; gives the primary label and archive.
    fn labels(
        &self,
        categories: Option<Text<'_>>,
        batch: &mut Draft,
        scratch: &mut Scratch,
    ) -> Result<(Option<Label>, Option<&'static str>), String> {
        scratch.labels.clear();
        let Some(categories) = categories else {
            return Ok((None, None));
        };
        let categories = categories.decode(&mut scratch.text).map_err(|fault| {
            Fault {
                field: Some("categories"),
                ..fault
            }
            .to_string()
        })?;
        let (mut primary, mut archive) = (None, None);
        for (at, name) in categories.split_ascii_whitespace().enumerate() {
            let label = match taxonomy::resolve(name) {
                Resolution::Label(label) => Some(label),
                Resolution::Legacy => {
                    if let Some(found) = taxonomy::find(name) {
                        *batch.legacy.entry(found.id).or_default() += 1;
                        archive = archive.or((at == 0).then_some(found.archive));
                    }
                    None
                }
                Resolution::Unknown => {
                    *batch.unknown.entry(name.to_owned()).or_default() += 1;
                    None
                }
            };
            if let Some(label) = label {
                if at == 0 {
                    primary = Some(label);
                }
                archive = archive.or(Some(label.archive()));
                if !scratch.labels.contains(&label) {
                    scratch.labels.push(label);
                }
            }
        }
        Ok((primary, archive))
    }
}

/// The text, where all of it is UTF-8. The snapshot escapes all but ASCII.
fn utf8(text: &[u8]) -> Option<&str> {
    if ascii(text) {
        // SAFETY: ASCII is UTF-8.
        return Some(unsafe { std::str::from_utf8_unchecked(text) });
    }
    std::str::from_utf8(text).ok()
}

/// True for bytes below 128 alone. Looks at all of them: without a way out on the way, 64 bytes
/// are looked at together.
fn ascii(text: &[u8]) -> bool {
    let (chunks, rest) = text.as_chunks::<64>();
    let any = |bytes: &[u8]| bytes.iter().fold(0, |any, byte| any | byte);
    let mut found = [0; 64];
    for chunk in chunks {
        for (found, byte) in found.iter_mut().zip(chunk) {
            *found |= byte;
        }
    }
    (any(&found) | any(rest)).is_ascii()
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::utf8;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn utf8_is_told_from_other_bytes(
            mut bytes in prop::collection::vec(0..128_u8, 0..200),
            at in any::<prop::sample::Index>(),
            other in prop::sample::select(vec![&b""[..], "é".as_bytes(), b"\xff", b"\xc3"]),
        ) {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, other.iter().copied());
            prop_assert_eq!(utf8(&bytes), std::str::from_utf8(&bytes).ok());
        }
    }
}
