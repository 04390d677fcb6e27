use super::*;
use crate::corpus::papers::{Papers, Split};
use crate::observe::{Progress, Silent};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
    fn names(&self, of: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(of)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A paper whose words no other has.
fn paper(number: usize) -> Value {
    let month = 1 + number % 12;
    let words = (0..40).fold(String::new(), |mut words, at| {
        let word = twox_hash::XxHash3_64::oneshot(&[number, at].map(usize::to_le_bytes).concat());
        let _ = write!(words, "word{word:x} ");
        words
    });
    json!({
        "id": format!("23{month:02}.{number:05}"), "submitter": null, "authors": "A. Author",
        "title": format!("Title\n  number {number}"), "comments": null, "journal-ref": null,
        "doi": null, "report-no": null, "categories": if number.is_multiple_of(3) { "cs.LG stat.ML" } else { "math.AG" },
        "license": null, "abstract": format!("  {words}\n"), "versions": null,
        "update_date": null, "authors_parsed": [["Author", "A.", ""]],
    })
}

fn lines(papers: impl IntoIterator<Item = Value>) -> String {
    papers
        .into_iter()
        .map(|paper| format!("{paper}\n"))
        .collect()
}

fn with(number: usize, changes: Value) -> Value {
    let mut paper = paper(number);
    for (key, value) in changes.as_object().unwrap() {
        paper[key] = value.clone();
    }
    paper
}

fn run(folder: &Folder, source: &Path, options: Value) -> Result<(Manifest, Papers)> {
    let options = PrepareOptions::from_json(&options.to_string())?;
    let out = folder.path("out");
    let manifest = prepare(source, &out, &options, &Silent)?;
    let papers = Papers::read(&out.join(PAPERS), None, None, &Silent)?;
    assert_eq!(manifest.papers, papers.len() as u64);
    Ok((manifest, papers))
}

fn accounted(manifest: &Manifest) -> u64 {
    let dropped = serde_json::to_value(&manifest.dropped).unwrap();
    let dropped: u64 = dropped
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum();
    manifest.papers + dropped
}

#[test]
fn a_snapshot_becomes_a_table_and_every_line_is_accounted_for() {
    let folder = Folder::new();
    let mut text = lines((0..40).map(paper));
    text.push('\n');
    text.push_str("{\"id\": 17}\n");
    text.push_str(&lines([
        with(40, json!({"categories": "astro-ph"})),
        with(41, json!({"categories": "astro-ph math.IT cs.IT foo.BAR"})),
        with(42, json!({"abstract": "Too short."})),
        with(
            43,
            json!({"comments": "This paper has been withdrawn by the author"}),
        ),
        with(3, json!({})),
        with(
            44,
            json!({"title": paper(4)["title"], "abstract": paper(4)["abstract"]}),
        ),
        with(
            45,
            json!({"versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}]}),
        ),
    ]));
    let source = folder.file("snapshot.json", text.trim_end());
    let (manifest, papers) = run(&folder, &source, json!({})).unwrap();
    assert_eq!(papers.len(), 42);
    assert_eq!((manifest.lines, accounted(&manifest)), (49, 49));
    let dropped = &manifest.dropped;
    assert_eq!(
        (dropped.blank_lines, dropped.quarantined, dropped.unlabelled),
        (1, 1, 1)
    );
    assert_eq!((dropped.short_abstract, dropped.withdrawn), (1, 1));
    assert_eq!((dropped.duplicate_id, dropped.duplicate_text), (1, 1));
    assert_eq!(manifest.removed_labels.legacy["astro-ph"], 2);
    assert_eq!(manifest.removed_labels.unknown["foo.BAR"], 1);
    assert_eq!(
        (papers.ids[0].as_str(), papers.titles[0].as_str()),
        ("2301.00000", "Title number 0")
    );
    assert_eq!(papers.categories[0], ["cs.LG", "stat.ML"]);
    assert_eq!(
        (
            papers.primaries[0].as_deref(),
            papers.archives[0].as_deref()
        ),
        (Some("cs.LG"), Some("cs"))
    );
    let bare = papers
        .ids
        .iter()
        .position(|id| id.ends_with("00041"))
        .unwrap();
    assert_eq!(
        (papers.categories[bare].len(), &papers.primaries[bare]),
        (1, &None)
    );
    assert_eq!(papers.archives[bare].as_deref(), Some("astro-ph"));
    assert_eq!(
        *papers.submitted.last().unwrap(),
        super::super::when::days(2007, 4, 2)
    );
    let quarantine = std::fs::read_to_string(folder.path("out").join(QUARANTINE)).unwrap();
    let entry: Value = serde_json::from_str(&quarantine).unwrap();
    assert_eq!(
        (&entry["line"], &entry["head"]),
        (&json!(42), &json!("{\"id\": 17}"))
    );
    assert_eq!(folder.names("out"), [MANIFEST, PAPERS, QUARANTINE]);
}

#[test]
fn threads_packing_and_row_groups_change_no_byte() {
    let folder = Folder::new();
    let text = lines((0..40_000).map(paper));
    let plain = folder.file("plain", &text);
    let packed = folder.file("packed", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let mut outputs = Vec::new();
    for (source, threads) in [(&plain, 1), (&plain, 5), (&packed, 2)] {
        let (mut manifest, papers) = run(&folder, source, json!({"threads": threads})).unwrap();
        assert_eq!(papers.len(), 40_000);
        assert_eq!(papers.ids[39_999], paper(39_999)["id"]);
        manifest.source.checksum.clear();
        let bytes = std::fs::read(folder.path("out").join(PAPERS)).unwrap();
        outputs.push(bytes);
    }
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
}

#[test]
fn papers_left_out_late_leave_the_others_in_order() {
    let folder = Folder::new();
    let source = folder.file("plain", lines((0..40_000).map(paper)));
    let (all, _) = run(&folder, &source, json!({})).unwrap();
    assert_eq!(all.splits["test"].papers, 9999);
    let some =
        json!({"subset": {"max_papers": 20_000, "min_support": 10}, "split": {"by": "stratified"}});
    let (manifest, papers) = run(&folder, &source, some).unwrap();
    assert_eq!((manifest.papers, accounted(&manifest)), (20_000, 40_000));
    let numbers: Vec<usize> = papers
        .ids
        .iter()
        .map(|id| id[5..].parse().unwrap())
        .collect();
    assert!(numbers.is_sorted());
    for (row, number) in numbers.into_iter().enumerate() {
        assert_eq!(papers.titles[row], format!("Title number {number}"));
        assert_eq!(papers.categories[row][0] == "cs.LG", number % 3 == 0);
    }
    let cs = json!({"subset": {"categories": ["cs"], "other_labels": false}});
    let (manifest, papers) = run(&folder, &source, cs).unwrap();
    assert!(papers.categories.iter().all(|labels| labels == &["cs.LG"]));
    assert_eq!(manifest.dropped.outside_categories, 26_666);
    assert_eq!(manifest.labels.keys().collect::<Vec<_>>(), [&"cs.LG"]);
}

#[test]
fn near_duplicates_never_straddle() {
    let folder = Folder::new();
    let mut papers: Vec<Value> = (0..1200).map(paper).collect();
    let text = papers[0]["abstract"]
        .as_str()
        .unwrap()
        .replace("word", "w0rd");
    papers[0]["abstract"] = json!(text);
    let twin = format!("{text} plus one");
    papers.push(with(1211, json!({"abstract": twin})));
    let source = folder.file("plain", lines(papers));
    let (manifest, papers) = run(&folder, &source, json!({})).unwrap();
    assert_eq!(
        (manifest.near_duplicates.groups, manifest.dropped.straddling),
        (1, 1)
    );
    assert!(!papers.ids.contains(&"2312.01211".to_owned()));
    assert_eq!(papers.splits[0], Split::Train);
}

#[test]
fn damaged_lines_are_quarantined_with_their_numbers() {
    let folder = Folder::new();
    let mut bytes = vec![0xef, 0xbb, 0xbf];
    bytes.extend_from_slice(lines([paper(0)]).as_bytes());
    bytes.extend_from_slice(b"{\"id\":\"2301.00001\",\"title\":\"\xff\"}\n");
    bytes.extend_from_slice(b"{\"id\":\"");
    bytes.resize(bytes.len() + 3_000_000, b'x');
    bytes.extend_from_slice(b"\"}\n");
    bytes.extend_from_slice(lines([with(1, json!({"id": "what"}))]).as_bytes());
    bytes.extend_from_slice(lines([paper(2)]).trim_end().as_bytes());
    let source = folder.file("plain", &bytes);
    let (manifest, papers) = run(&folder, &source, json!({"max_line_bytes": 2_000_000})).unwrap();
    assert_eq!((manifest.lines, papers.len()), (5, 2));
    let quarantine = std::fs::read_to_string(folder.path("out").join(QUARANTINE)).unwrap();
    let entries: Vec<Value> = quarantine
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let found: Vec<_> = entries
        .iter()
        .map(|e| (e["line"].as_u64().unwrap(), e["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "invalid UTF-8 at byte 28"),
            (3, "longer than the 2000000 bytes that a line may have"),
            (
                4,
                "field \"id\": neither versions[0].created nor \"what\" tells a date"
            ),
        ]
    );
    assert_eq!(entries[1]["bytes"], 3_000_009);
}

#[test]
fn half_a_surrogate_pair_is_quarantined_whatever_field_it_is_in() {
    let folder = Folder::new();
    let dated = json!([{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}]);
    let mut text = lines([paper(0)]);
    for field in ["id", "title", "abstract", "categories"] {
        let broken = with(1, json!({field: "HALF", "versions": dated}));
        text.push_str(&lines([broken]).replace("HALF", "\\ud800"));
    }
    let source = folder.file("plain", text);
    let (manifest, papers) = run(&folder, &source, json!({})).unwrap();
    assert_eq!(papers.ids, ["2301.00000"]);
    assert_eq!(manifest.dropped.quarantined, 4);
    let quarantine = std::fs::read_to_string(folder.path("out").join(QUARANTINE)).unwrap();
    for (entry, (line, field)) in
        quarantine
            .lines()
            .zip([(2, "id"), (3, "title"), (4, "abstract"), (5, "categories")])
    {
        let entry: Value = serde_json::from_str(entry).unwrap();
        assert_eq!(entry["line"], line);
        let start = format!("field \"{field}\": half a surrogate pair at byte ");
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.starts_with(&start), "{reason}");
    }
}

#[test]
fn a_source_without_papers_is_an_error_and_leaves_nothing() {
    let folder = Folder::new();
    for (text, message) in [
        ("\n\n", "no paper is left of 2 lines"),
        (
            "hello\nworld\n",
            "no paper in it; line 1: expected '{' at byte 0",
        ),
        ("{\"id\":\"2301.00001\"}\n", "\"unlabelled\":1"),
    ] {
        let source = folder.file("plain", text);
        let error = run(&folder, &source, json!({})).unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert!(!folder.path("out").exists());
    }
}

#[test]
fn a_packed_file_of_nothing_is_called_empty() {
    let folder = Folder::new();
    let mut zipped = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zipped
        .start_file("a.json", zip::write::SimpleFileOptions::default())
        .unwrap();
    let zipped = zipped.finish().unwrap().into_inner();
    let zst = zstd::encode_all(&b""[..], 1).unwrap();
    for (name, bytes) in [("zip", zipped), ("zstd", zst)] {
        let source = folder.file(name, bytes);
        let error = run(&folder, &source, json!({})).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: the {name} holds an empty file", source.display())
        );
        assert!(!folder.path("out").exists());
    }
    let mark = folder.file("mark", b"\xef\xbb\xbf");
    let error = run(&folder, &mark, json!({})).unwrap_err().to_string();
    assert_eq!(error, format!("{}: is empty", mark.display()));
}

/// Asks to stop at the given look.
struct StopAt(AtomicUsize);

impl Observer for StopAt {
    fn progress(&self, _: &Progress) {}
    fn cancelled(&self) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }
}

#[test]
fn stopping_anywhere_keeps_the_earlier_output() {
    let folder = Folder::new();
    let source = folder.file("plain", lines((0..30_000).map(paper)));
    run(&folder, &source, json!({})).unwrap();
    let before = std::fs::read(folder.path("out").join(PAPERS)).unwrap();
    let mut stopped = 0;
    for looks in 0..200 {
        let observer = StopAt(AtomicUsize::new(looks));
        let options = PrepareOptions {
            zstd_level: 1,
            ..PrepareOptions::default()
        };
        match prepare(&source, &folder.path("out"), &options, &observer) {
            Err(Error::Interrupted) => stopped += 1,
            Ok(_) => break,
            Err(other) => panic!("{other}"),
        }
        assert!(std::fs::read(folder.path("out").join(PAPERS)).unwrap() == before);
        assert_eq!(folder.names("out"), [MANIFEST, PAPERS, QUARANTINE]);
    }
    assert!(stopped > 2, "{stopped}");
}
