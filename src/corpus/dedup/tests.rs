use super::*;
use crate::observe::Silent;
use proptest::prelude::*;
use std::collections::HashSet;

/// SplitMix64, for invented texts.
pub(in crate::corpus) struct Random(pub(in crate::corpus) u64);

impl Random {
    pub(in crate::corpus) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn words(random: &mut Random, count: u64) -> Vec<String> {
    (0..count)
        .map(|_| format!("w{}", random.below(20_000)))
        .collect()
}

/// `text` with words replaced until its shingles' similarity to the original would fall
/// below `lowest`.
fn edited(random: &mut Random, text: &[String], lowest: f64) -> Vec<String> {
    let mut copy = text.to_vec();
    loop {
        let mut next = copy.clone();
        let at = random.below(text.len() as u64) as usize;
        next[at] = format!("new{}", random.below(20_000));
        if jaccard(text, &next) < lowest {
            return copy;
        }
        copy = next;
    }
}

fn jaccard(left: &[String], right: &[String]) -> f64 {
    let [left, right]: [HashSet<&[String]>; 2] =
        [left, right].map(|words| words.windows(3).collect());
    left.intersection(&right).count() as f64 / left.union(&right).count() as f64
}

fn groups(texts: &[String]) -> Groups {
    groups_by(texts, 2)
}

fn groups_by(texts: &[String], threads: usize) -> Groups {
    let mut deduper = Deduper::new(&DedupOptions::default()).unwrap();
    for (row, text) in texts.iter().enumerate() {
        let paper = fingerprint(&format!("title {row}"), text);
        assert_eq!(deduper.push(row as u64, &paper), Fate::Keep);
    }
    deduper.finish(&pool(threads), &Silent).unwrap()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap()
}

#[test]
fn the_second_of_two_equal_ids_or_texts_is_dropped() {
    let mut deduper = Deduper::new(&DedupOptions::default()).unwrap();
    let mut push =
        |id: &str, title: &str, text: &str| deduper.push(id_hash(id), &fingerprint(title, text));
    assert_eq!(push("0704.0001", "A title", "Some text."), Fate::Keep);
    assert_eq!(
        push("0704.0001", "Another", "Other text."),
        Fate::DuplicateId
    );
    assert_eq!(
        push("0704.0002", "A TITLE:", "(some) text"),
        Fate::DuplicateText
    );
    assert_eq!(push("0704.0002", "New", "Third text."), Fate::DuplicateId);
    assert_eq!(push("0704.0003", "A title", "Some texts."), Fate::Keep);
    let groups = deduper.finish(&pool(1), &Silent).unwrap();
    assert_eq!(groups.first, [0, 1]);
    assert_eq!(
        (groups.counts.duplicate_ids, groups.counts.duplicate_texts),
        (2, 1)
    );
}

#[test]
fn thresholds_outside_their_range_are_refused_by_name() {
    for threshold in [0.0, -1.0, 1.01, f64::NAN] {
        let options = DedupOptions {
            threshold,
            ..DedupOptions::default()
        };
        let error = Deduper::new(&options).unwrap_err().to_string();
        assert!(error.contains("dedup.threshold"), "{error}");
    }
}

#[test]
fn near_duplicates_are_found_and_independent_texts_are_not() {
    let mut random = Random(3);
    let mut texts = Vec::new();
    let pairs = 2_000;
    for _ in 0..pairs {
        let length = 40 + random.below(200);
        let text = words(&mut random, length);
        let copy = edited(&mut random, &text, 0.85);
        assert!(jaccard(&text, &copy) >= 0.85);
        texts.push(text.join(" "));
        texts.push(copy.join(" "));
    }
    let groups = groups(&texts);
    let found = (0..pairs)
        .filter(|pair| groups.first[2 * pair] == groups.first[2 * pair + 1])
        .count();
    let strangers = groups.first.iter().enumerate();
    let wrong = strangers
        .filter(|&(row, &first)| first as usize / 2 != row / 2)
        .count();
    assert!(found * 100 >= pairs * 95, "{found} of {pairs}");
    assert_eq!(wrong, 0);
    assert_eq!(groups.counts.near_groups, found as u64);
}

#[test]
fn half_rewritten_texts_are_not_near() {
    let mut random = Random(4);
    let mut texts = Vec::new();
    for _ in 0..500 {
        let text = words(&mut random, 150);
        texts.push(text.join(" "));
        // A fifth of the words replaced leaves about a third of the shingles.
        let copy: Vec<String> = text
            .into_iter()
            .map(|word| {
                if random.below(5) == 0 {
                    "x".repeat(9) + &word
                } else {
                    word
                }
            })
            .collect();
        texts.push(copy.join(" "));
    }
    assert_eq!(groups(&texts).counts.near_papers, 0);
}

#[test]
fn a_phrase_shared_by_very_many_costs_little_and_joins_only_equals() {
    let mut random = Random(5);
    let boilerplate = words(&mut random, 30).join(" ");
    let texts: Vec<String> = (0..30_000)
        .map(|row| match row % 3 {
            0 => boilerplate.clone(),
            // Shares three quarters of its bands with the first, yet is near to nothing.
            1 => format!("{boilerplate} {}", words(&mut random, 40).join(" ")),
            _ => words(&mut random, 40).join(" "),
        })
        .collect();
    let groups = groups(&texts);
    assert_eq!(groups.counts.near_groups, 1);
    assert_eq!(groups.counts.largest_group, 10_000);
}

#[test]
fn the_number_of_threads_does_not_change_the_groups() {
    let mut random = Random(6);
    let mut texts: Vec<String> = Vec::new();
    for _ in 0..3_000 {
        let text = words(&mut random, 60);
        for _ in 0..random.below(3) {
            texts.push(edited(&mut random, &text, 0.6).join(" "));
        }
        texts.push(text.join(" "));
    }
    let one = groups_by(&texts, 1);
    assert!(one.counts.near_groups > 100);
    assert_eq!(one, groups_by(&texts, 5));
}

proptest! {
    #[test]
    fn any_text_has_a_fingerprint_that_case_and_blanks_do_not_change(text in "\\PC{0,200}") {
        let once = fingerprint("", &text);
        let spaced: String = text.chars().flat_map(|c| if c == ' ' { vec![' ', '\n'] } else { vec![c] }).collect();
        prop_assert_eq!(fingerprint("", &spaced), once);
        prop_assert_eq!(fingerprint("", &text), once);
    }
}
