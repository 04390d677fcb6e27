use super::*;
use unicode_normalization::UnicodeNormalization;

#[test]
fn table_is_sorted() {
    let names: Vec<_> = COMMANDS.iter().map(|(name, _)| *name).collect();
    for pair in names.windows(2) {
        assert!(pair[0] < pair[1], "{pair:?}");
    }
}

#[test]
fn every_command_is_found_and_nothing_else() {
    for (name, action) in COMMANDS {
        assert_eq!(named(name), Some(*action), "{name}");
    }
    for name in ["", "alpha", "zz", "A", "wedg", "é"] {
        assert_eq!(named(name), None, "{name}");
    }
}

#[test]
fn what_is_written_starts_no_rule() {
    for (name, action) in COMMANDS {
        let (Symbol(text) | Word(text) | Glyph(text)) = action else {
            continue;
        };
        assert!(!text.contains(['\\', '$', '{', '}', '`']), "{name}");
        assert_eq!(text.nfkc().collect::<String>(), *text, "{name}");
    }
}
