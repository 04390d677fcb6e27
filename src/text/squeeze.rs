//! White space alone, without cleaning.

/// Appends `text` to `out` with runs of ASCII white space (blank, tab, line feed, form feed,
/// carriage return) as one blank and none at either end.
pub(super) fn squeeze(text: &str, out: &mut String) {
    for (at, word) in text.split_ascii_whitespace().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::squeeze;

    #[test]
    fn runs_become_one_blank() {
        let mut out = String::from("before");
        squeeze(" \n a  b\t\r\u{c}c é \n", &mut out);
        assert_eq!(out, "beforea b c é");
    }
}
