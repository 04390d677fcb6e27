//! Behaviour of cleaning as a whole.

use super::clean;
use proptest::prelude::*;
use std::borrow::Cow;

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (raw, cleaned) in cases {
        assert_eq!(clean(raw), *cleaned, "{raw}");
        assert_eq!(clean(cleaned), *cleaned, "again: {raw}");
    }
}

#[test]
fn accents_become_letters() {
    check(&[
        (r"Bal\'azs", "Balázs"),
        (
            r#"Schr\"{o}dinger Schr{\"o}dinger Schr\"odinger"#,
            "Schrödinger Schrödinger Schrödinger",
        ),
        (r"fa\c{c}on fa\c con", "façon façon"),
        (
            r"Garc{\'\i}a Garc\'{\i}a Lema\^{\i}tre",
            "García García Lemaître",
        ),
        (
            r"M{\o}ller M\o ller {\L}uczak Krau\ss",
            "Møller Møller Łuczak Krauß",
        ),
        (
            r"Vre\'{c}ica and \v{Z}ivaljevi\'{c}",
            "Vrećica and Živaljević",
        ),
        (r"Erd\H{o}s--R\'{e}nyi", "Erdős–Rényi"),
        (r"Ole\u \i nik", "Oleĭnik"),
        (r"Nguy\~{\^e}n", "Nguyễn"),
        (r#"{\AA}ngstr\"om, 3 \AA, \'e"#, "Ångström, 3 Å, é"),
        (r"\`a la BPHZ", "à la BPHZ"),
    ]);
}

#[test]
fn text_commands_keep_their_content() {
    check(&[
        (
            r"\emph{is} {\it ab initio} {\em tour} x",
            "is ab initio tour x",
        ),
        (r"\textbf{449} \url{http://a.b/c_d}", "449 http://a.b/c_d"),
        (
            r"Fig.~3, 5\%, A \& B, a\_b, \#1",
            "Fig. 3, 5%, A & B, a_b, #1",
        ),
        (
            "pages 1--10 --- or ``so'' `x'",
            "pages 1–10 — or \"so\" 'x'",
        ),
        (r"by Nelson \cite{Nelson:2007}.", "by Nelson."),
        (r"see \href{https://x.org/a_b}{the page}", "see the page"),
        (r"cost \$5", "cost USD 5"),
        (r"\begin{equation*} a=b \end{equation*} then", "a=b then"),
        (r"\newcommand{\a}{\mathsf{A}} text", "text"),
    ]);
}

#[test]
fn math_reads_like_plain_text() {
    check(&[
        (
            r"$\alpha_{s}$ and $\alpha_s(M_Z)$",
            "alpha s and alpha s(MZ)",
        ),
        (r"$\mathbb{R}^n$, $\mathbb{Z}_2$", "R^n, Z2"),
        (
            r"\frac{a}{b}, $\frac12$, $2\frac{1}{2}x$",
            "a/b, 1/2, 2 1/2 x",
        ),
        (r"$10^{-3}$ and $10^{-3}$s", "10^-3 and 10^-3 s"),
        (
            r"H$_2$O, CO$_{2}$, $T_c$, $E_{\rm max}$",
            "H2O, CO2, Tc, E max",
        ),
        (r"$t\bar{t}$, $\bar\nu$, $B\bar B$", "ttbar, bar nu, BBbar"),
        (
            r"$10 M_{\odot}$, 105$^{\circ}$, $^{12}$C",
            "10 M sun, 105°, 12C",
        ),
        (
            r"$n^{th}$ $\gamma$-ray $2\pi$ $\Delta\phi$",
            "nth gamma-ray 2 pi Delta phi",
        ),
        (
            r"$\{0,1\}^n$ $x\in\R^d$ $\left.x\right|$",
            "(0,1)^n x∈R^d x|",
        ),
        (r"$x \sim y$, $x\sim 10$", "x ~ y, x ~ 10"),
        (r"\binom{n}{k}", "binom n k"),
        (r"$\H^1$ $\c$ $\d x$", "H^1 c d x"),
    ]);
}

#[test]
fn unbalanced_marks_cost_themselves_only() {
    check(&[
        ("costs $5 and more_or less", "costs 5 and moreor less"),
        ("a } b { c", "a b c"),
        (r"\frac{a", "a"),
        (r"\cite{a b c", "a b c"),
        (r"end \", "end"),
        (r"\'", "'"),
    ]);
}

#[test]
fn unicode_is_unified() {
    check(&[
        ("ﬁeld ℝ 𝔼 ＡＢ\u{a0}x", "field R E AB x"),
        ("10² 10⁻³ H₂O", "10^2 10^-3 H2O"),
        ("e\u{301} “q” it’s −1", "é \"q\" it's -1"),
        ("a\u{0}b\u{200b}c\u{feff}\td", "abc d"),
    ]);
}

#[test]
fn clean_text_is_borrowed() {
    for text in [
        "",
        "x",
        "A well-known user's text (1). Snake_case^2.",
        "Møller",
    ] {
        assert!(matches!(clean(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn adversarial_text_takes_linear_time() {
    // Linear work takes a fraction of a second here; quadratic work takes many minutes.
    let start = std::time::Instant::now();
    for piece in [
        r"\",
        "{",
        "}",
        "$",
        "~",
        "-",
        "'",
        "`",
        "^{",
        "_{",
        r"\cite{",
        r"\cite[",
        r"\frac{",
        r"\'",
        r"\'{",
        r"\c ",
        r"\bar",
        r"\bar{",
        "^{ ",
        r"\left",
        " ",
        "\u{301}",
        r"\begin{a}",
    ] {
        clean(&piece.repeat(300_000 / piece.len()));
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

fn fragment() -> impl Strategy<Value = String> {
    let pieces = [
        r"\",
        "$",
        "$$",
        "{",
        "}",
        "~",
        "-",
        "–",
        "'",
        "`",
        "\"",
        "^",
        "_",
        " ",
        "\n",
        "a",
        "e",
        "O",
        "1",
        "23",
        ".",
        "(",
        "/",
        "é",
        "\u{301}",
        "\u{308}",
        "´",
        "²",
        "⁻",
        "ﬁ",
        "＼",
        "＄",
        "｛",
        "\u{200b}",
        "\u{0}",
        "α",
        "≠",
        "\u{338}",
        "=",
        "가",
        "\u{11a8}",
        r"\'",
        r#"\""#,
        r"\`",
        r"\^",
        r"\~",
        r"\=",
        r"\.",
        r"\c",
        r"\v{",
        r"\i",
        r"\o ",
        r"\cite{",
        r"\cite[",
        r"\frac",
        r"\frac{",
        r"\bar",
        r"\bar{",
        r"\binom{",
        r"\sim",
        r"\alpha",
        r"\mathbb{",
        r"\begin{",
        r"\newcommand",
        r"\left",
        r"\$",
        r"\{",
        r"\}",
        r"\%",
        r"\_",
        r"\\",
        r"\(",
        r"\)",
        r"\[",
        "^{",
        "_{",
        r"^\circ",
        r"^{\prime}",
        "^{th}",
        r"\odot",
        r"\emph{",
        "~/",
        "''",
        "--",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cleaning_twice_equals_once_on_latex(text in fragment()) {
        let once = clean(&text).into_owned();
        prop_assert_eq!(&*clean(&once), &*once);
    }

    #[test]
    fn cleaning_twice_equals_once_on_any_text(text in any::<String>()) {
        let once = clean(&text).into_owned();
        prop_assert_eq!(&*clean(&once), &*once);
    }

    #[test]
    fn a_line_end_is_a_blank(text in fragment(), white in prop::sample::select(vec!['\n', '\t', '\r', '\u{c}'])) {
        let in_one_line = text.replace(white, " ");
        let wrapped = text.replace(' ', &white.to_string());
        prop_assert_eq!(clean(&wrapped), clean(&in_one_line));
        prop_assert_eq!(clean(&text), clean(&in_one_line));
    }
}
