//! The one text a model reads for a paper.

use super::clean::clean_into;

/// Version of cleaning and template together. It is stored with every model and every
/// embedding; any change of what [`template`] returns raises it. 0: nothing is cleaned.
pub const TEMPLATE_VERSION: u32 = if cfg!(feature = "raw-text") { 0 } else { 1 };

/// `title. abstract`, both cleaned.
///
/// One line, because a word-piece model does not see line breaks; the title's end is marked
/// by a full stop, because that it does see. A title that ends in punctuation keeps its own,
/// and where one part is empty the other stands alone.
pub fn template(title: &str, r#abstract: &str) -> String {
    let mut text = String::with_capacity(title.len() + r#abstract.len() + 2);
    clean_into(title, &mut text);
    let end = text.len();
    if end > 0 {
        text.push_str(match text.as_bytes()[end - 1] {
            b'.' | b'!' | b'?' | b':' | b';' | b',' => " ",
            _ => ". ",
        });
    }
    let start = text.len();
    clean_into(r#abstract, &mut text);
    if text.len() == start {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_title_and_abstract_by_a_full_stop() {
        assert_eq!(
            template(" A  title\n", "  An\nabstract.\n"),
            "A title. An abstract."
        );
    }

    #[test]
    fn keeps_the_punctuation_a_title_ends_in() {
        assert_eq!(
            template("Is P = NP?", "We do not know."),
            "Is P = NP? We do not know."
        );
        assert_eq!(template("A title.", "Text."), "A title. Text.");
    }

    #[test]
    fn an_empty_part_leaves_the_other_alone() {
        assert_eq!(template("", "Text."), "Text.");
        assert_eq!(template("Title", " \n"), "Title");
        assert_eq!(template("", ""), "");
    }
}
