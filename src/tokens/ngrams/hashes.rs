//! Text → hashes of its n-grams.

use twox_hash::XxHash3_64;

/// The hashes of all n-grams of title and abstract together, and of the title alone, each
/// sorted, repeated as often as they occur. No pair spans the two texts.
pub(super) fn grams(title: &str, r#abstract: &str) -> (Vec<u32>, Vec<u32>) {
    let mut titles = Vec::with_capacity(32);
    hash_grams(title, &mut titles);
    let mut body = Vec::with_capacity(512);
    body.extend_from_slice(&titles);
    hash_grams(r#abstract, &mut body);
    body.sort_unstable();
    titles.sort_unstable();
    (body, titles)
}

fn hash_grams(text: &str, out: &mut Vec<u32>) {
    let mut lower = String::new();
    let mut previous = None;
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        lower.clear();
        if word.is_ascii() {
            lower.push_str(word);
            lower.make_ascii_lowercase();
        } else {
            lower.extend(word.chars().flat_map(char::to_lowercase));
        }
        let hash = XxHash3_64::oneshot(lower.as_bytes());
        out.push((hash >> 32) as u32);
        if let Some(previous) = previous {
            out.push((pair(previous, hash) >> 32) as u32);
        }
        previous = Some(hash);
    }
}

/// Hash of two neighbours; their order counts.
fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(29) ^ second).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
