//! What cleaning and the template promise (`src/text/mod.rs`).

use arxiv_core::text::{clean, clean_into, template};

/// Characters that start a rule: none is left.
const RULES: [char; 5] = ['\\', '$', '{', '}', '`'];

/// Pairs that are not left.
const PAIRS: [&str; 3] = ["  ", "--", "''"];

/// Checks both texts, and returns the one that a model reads.
pub fn check(title: &str, text: &str) -> String {
    for raw in [title, text] {
        let once = clean(raw);
        assert!(
            !once.contains(RULES),
            "a rule's character is left: {once:?}"
        );
        assert!(
            !once.contains(char::is_control),
            "a control character is left: {once:?}"
        );
        assert!(
            !PAIRS.iter().any(|pair| once.contains(pair)),
            "a pair is left: {once:?}"
        );
        assert_eq!(once.trim_matches(' '), once, "blanks at an end");
        assert_eq!(clean(&once), once, "cleaned again it is another text");
        let mut behind = String::from("-'{ \u{301}");
        clean_into(raw, &mut behind);
        assert_eq!(
            behind,
            format!("-'{{ \u{301}{once}"),
            "what stands before plays a part"
        );
    }
    let read = template(title, text);
    let (title, text) = (clean(title), clean(text));
    assert!(
        read.starts_with(&*title) && read.ends_with(&*text),
        "a part is missing: {read:?}"
    );
    let between = read.len() - title.len() - text.len();
    let both = !title.is_empty() && !text.is_empty();
    assert_eq!(
        (1..=2).contains(&between),
        both,
        "what joins them: {read:?}"
    );
    read
}
