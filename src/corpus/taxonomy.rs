//! arXiv's taxonomy as data, and the canonical label space cut out of it.
//!
//! A raw name resolves to a [`Label`], to a bare archive that is no label, or to nothing:
//! alias pairs are one label, archives subsumed long ago are their successors.

mod table;

use table::TABLE;

/// Version of the canonical label space: which names are labels, and the order of their ids.
pub const LABEL_SPACE_VERSION: u32 = 1;

/// How many canonical labels there are.
pub const LABELS: usize = count_labels();

/// What a name of the taxonomy is today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A category in use and a canonical label.
    Active,
    /// A category in use that is the same as the canonical one named.
    Alias(&'static str),
    /// An archive closed long ago; its papers belong to the category named.
    Subsumed(&'static str),
    /// An archive that has categories, used as a category itself on old papers: not a label.
    Legacy,
}

/// One name of the taxonomy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    /// The name as it stands in a record: `cs.LG`.
    pub id: &'static str,
    /// The name as people read it: `Machine Learning`.
    pub name: &'static str,
    /// The archive: `cs`.
    pub archive: &'static str,
    /// The group of archives: `Computer Science`.
    pub group: &'static str,
    /// What the name is today.
    pub status: Status,
}

impl Category {
    /// True for a category that papers are filed under today, aliases included.
    pub const fn active(&self) -> bool {
        matches!(self.status, Status::Active | Status::Alias(_))
    }

    /// The canonical label this name stands for; none for a bare legacy archive.
    pub fn label(&'static self) -> Option<Label> {
        match resolve(self.id) {
            Resolution::Label(label) => Some(label),
            Resolution::Legacy | Resolution::Unknown => None,
        }
    }
}

/// A canonical label: the rank of its name among the canonical names in byte order,
/// the same for one [`LABEL_SPACE_VERSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(u8);

impl Label {
    /// The label with this id; none from [`LABELS`] on.
    pub const fn new(id: u8) -> Option<Self> {
        if (id as usize) < LABELS {
            Some(Self(id))
        } else {
            None
        }
    }

    /// The id, below [`LABELS`].
    pub const fn id(self) -> u8 {
        self.0
    }

    /// The id as an index into arrays of length [`LABELS`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The label's line in the taxonomy.
    pub fn category(self) -> &'static Category {
        &TABLE[ROW_OF_LABEL[self.index()] as usize]
    }

    /// The canonical name: `cs.LG`.
    pub fn name(self) -> &'static str {
        let Category { id, .. } = self.category();
        id
    }

    /// The archive: `cs`.
    pub fn archive(self) -> &'static str {
        self.category().archive
    }

    /// The other name of an alias pair (`math.IT` for `cs.IT`).
    pub fn alias(self) -> Option<&'static str> {
        let name = self.name();
        TABLE
            .iter()
            .find(|row| row.status == Status::Alias(name))
            .map(|row| row.id)
    }
}

/// What a raw name turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A canonical label, reached directly, through its alias or through a subsumed archive.
    Label(Label),
    /// A bare archive that is no label: to be removed.
    Legacy,
    /// Not a name of the taxonomy: to be reported.
    Unknown,
}

/// Every name of the taxonomy in byte order: active, aliases, subsumed and bare archives.
pub fn categories() -> impl ExactSizeIterator<Item = &'static Category> {
    TABLE.iter()
}

/// The canonical labels, by id.
pub fn labels() -> impl ExactSizeIterator<Item = Label> {
    (0..LABELS as u8).map(Label)
}

/// What `raw` is; exact spelling, no blanks around it. A hash and one comparison.
pub fn resolve(raw: &str) -> Resolution {
    let mut slot = hash(raw.as_bytes());
    loop {
        let row = SLOTS[slot];
        if row == FREE {
            return Resolution::Unknown;
        }
        if TABLE[row as usize].id == raw {
            return match LABEL_OF_ROW[row as usize] {
                FREE => Resolution::Legacy,
                label => Resolution::Label(Label(label)),
            };
        }
        slot = (slot + 1) % SLOT_COUNT;
    }
}

/// The archive of any name of the taxonomy, as the name itself says; none where it is unknown.
pub fn archive_of(raw: &str) -> Option<&'static str> {
    find(raw).map(|row| row.archive)
}

/// The line of any name of the taxonomy.
pub fn find(raw: &str) -> Option<&'static Category> {
    TABLE
        .binary_search_by(|row| row.id.cmp(raw))
        .ok()
        .map(|row| &TABLE[row])
}

/// The names that stand for the canonical label `name` besides itself, in byte order:
/// its alias, then the archives it subsumed.
pub fn aliases_of(name: &str) -> Vec<&'static str> {
    let mut names: Vec<_> = TABLE
        .iter()
        .filter_map(|row| match row.status {
            Status::Alias(of) if of == name => Some((0, row.id)),
            Status::Subsumed(of) if of == name => Some((1, row.id)),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name).collect()
}

// The lookup tables below are computed by the compiler from TABLE, so no line of it can
// be forgotten in them.

/// No row, or no label.
const FREE: u8 = u8::MAX;
const SLOT_COUNT: usize = 1024;

static LABEL_OF_ROW: [u8; TABLE.len()] = label_of_row();
static ROW_OF_LABEL: [u8; LABELS] = row_of_label();
static SLOTS: [u8; SLOT_COUNT] = slots();

/// A hash of the first and the last four or eight bytes, which tell most names apart; each is
/// compared whole anyway.
const fn hash(name: &[u8]) -> usize {
    let word = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        u64::from_le_bytes(*first).rotate_left(5) ^ u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        (u32::from_le_bytes(*first) as u64) << 32 | u32::from_le_bytes(*last) as u64
    } else if let [first, .., last] = name {
        (*first as u64) << 8 | *last as u64
    } else {
        0
    };
    // Fibonacci hashing: the golden ratio's bits, the product's best mixed ones.
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % SLOT_COUNT
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn count_labels() -> usize {
    let (mut row, mut count) = (0, 0);
    while row < TABLE.len() {
        if matches!(TABLE[row].status, Status::Active) {
            count += 1;
        }
        row += 1;
    }
    count
}

const fn row_of_label() -> [u8; LABELS] {
    let mut rows = [FREE; LABELS];
    let (mut row, mut label) = (0, 0);
    while row < TABLE.len() {
        if matches!(TABLE[row].status, Status::Active) {
            rows[label] = row as u8;
            label += 1;
        }
        row += 1;
    }
    rows
}

const fn label_of_row() -> [u8; TABLE.len()] {
    let rows = row_of_label();
    let mut labels = [FREE; TABLE.len()];
    let mut row = 0;
    while row < TABLE.len() {
        let target = match TABLE[row].status {
            Status::Active => TABLE[row].id,
            Status::Alias(name) | Status::Subsumed(name) => name,
            Status::Legacy => "",
        };
        let mut label = 0;
        while label < LABELS {
            if same(TABLE[rows[label] as usize].id, target) {
                labels[row] = label as u8;
            }
            label += 1;
        }
        row += 1;
    }
    labels
}

const fn slots() -> [u8; SLOT_COUNT] {
    let mut slots = [FREE; SLOT_COUNT];
    let mut row = 0;
    while row < TABLE.len() {
        let mut slot = hash(TABLE[row].id.as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % SLOT_COUNT;
        }
        slots[slot] = row as u8;
        row += 1;
    }
    slots
}

#[cfg(test)]
mod tests;
