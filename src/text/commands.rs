//! What each LaTeX command becomes.

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action {
    /// Writes this, as tight as the source had it.
    Symbol(&'static str),
    /// Writes this as a word of its own.
    Word(&'static str),
    /// A letter outside math mode, a user's macro inside.
    Glyph(&'static str),
    /// Puts this combining mark on the letter that follows.
    Accent(char),
    /// The same, but only outside math and before a letter: these names are popular macros.
    LetterAccent(char),
    /// A font, a size, a decoration: the content stays, the command goes.
    Nothing,
    /// `\left` and its kin: goes with the full stop that may stand for no delimiter.
    Delimiter,
    /// Blank space.
    Space,
    /// Goes together with its options and so many groups.
    Drop(u8),
    /// `\bar{p}` → `pbar`, as physicists write it in plain text.
    Bar,
    /// `\frac{a}{b}` → `a/b`.
    Fraction,
    /// `\binom{n}{k}` → `binom n k`.
    Binomial,
}
use Action::*;

/// The action of a command of letters; `None`: not a command known here.
pub(super) fn named(name: &str) -> Option<Action> {
    let first = usize::from(*name.as_bytes().first()?);
    let known = usize::from(*FIRST.get(first)?)..usize::from(*FIRST.get(first + 1)?);
    let head = head(name.as_bytes());
    let start = known.start + HEADS[known.clone()].partition_point(|known| *known < head);
    let alike = COMMANDS[start..known.end].iter().zip(&HEADS[start..]);
    alike
        .take_while(|(_, known)| **known == head)
        .find(|((known, _), _)| *known == name)
        .map(|((_, action), _)| *action)
}

/// The first eight bytes of a name as a number, in the order of names.
const fn head(name: &[u8]) -> u64 {
    let (mut head, mut at) = (0, 0);
    while at < 8 {
        let byte = if at < name.len() { name[at] } else { 0 };
        head = head << 8 | byte as u64;
        at += 1;
    }
    head
}

/// [`head`] of each of [`COMMANDS`].
static HEADS: [u64; COMMANDS.len()] = {
    let mut heads = [0; COMMANDS.len()];
    let mut at = 0;
    while at < heads.len() {
        heads[at] = head(COMMANDS[at].0.as_bytes());
        at += 1;
    }
    heads
};

/// Where the commands that start with each ASCII character begin in [`COMMANDS`].
static FIRST: [u16; 129] = {
    let mut first = [0; 129];
    let (mut letter, mut at) = (0, 0);
    while letter < first.len() {
        while at < COMMANDS.len() && (COMMANDS[at].0.as_bytes()[0] as usize) < letter {
            at += 1;
        }
        first[letter] = at as u16;
        letter += 1;
    }
    first
};

/// The action of a command of one other character.
pub(super) fn single(c: char) -> Action {
    match c {
        '\'' => Accent('\u{301}'),
        '`' => Accent('\u{300}'),
        '^' => Accent('\u{302}'),
        '"' => Accent('\u{308}'),
        '~' => Accent('\u{303}'),
        '=' => Accent('\u{304}'),
        '.' => Accent('\u{307}'),
        '{' => Symbol("("),
        '}' => Symbol(")"),
        '$' => Word("USD"),
        '&' => Symbol("&"),
        '%' => Symbol("%"),
        '#' => Symbol("#"),
        '_' => Symbol("_"),
        '|' => Symbol("|"),
        '!' | '-' | '/' | '@' => Nothing,
        _ => Space,
    }
}

/// Sorted by name. Greek letters and functions are missing on purpose: a command not listed
/// is written as its own name, and `alpha`, `log` or a user's `SL` are what a reader wants.
const COMMANDS: &[(&str, Action)] = &[
    ("AA", Symbol("Å")),
    ("AE", Glyph("Æ")),
    ("Bbb", Nothing),
    ("Big", Delimiter),
    ("Bigg", Delimiter),
    ("Biggl", Delimiter),
    ("Biggr", Delimiter),
    ("Bigl", Delimiter),
    ("Bigr", Delimiter),
    ("DH", Glyph("Ð")),
    ("H", LetterAccent('\u{30b}')),
    ("L", Glyph("Ł")),
    ("Large", Nothing),
    ("Leftrightarrow", Symbol("⇔")),
    ("Longrightarrow", Symbol("⇒")),
    ("O", Glyph("Ø")),
    ("OE", Glyph("Œ")),
    ("P", Glyph("¶")),
    ("Rightarrow", Symbol("⇒")),
    ("S", Glyph("§")),
    ("TH", Glyph("Þ")),
    ("Vert", Symbol("|")),
    ("aa", Glyph("å")),
    ("acute", LetterAccent('\u{301}')),
    ("ae", Glyph("æ")),
    ("approx", Symbol("≈")),
    ("arcdeg", Symbol("°")),
    ("ast", Symbol("*")),
    ("b", LetterAccent('\u{331}')),
    ("backslash", Symbol("/")),
    ("bar", Bar),
    ("begin", Drop(1)),
    ("bf", Nothing),
    ("big", Delimiter),
    ("bigg", Delimiter),
    ("biggl", Delimiter),
    ("biggr", Delimiter),
    ("bigl", Delimiter),
    ("bigr", Delimiter),
    ("binom", Binomial),
    ("bm", Nothing),
    ("bmod", Word("mod")),
    ("boldmath", Nothing),
    ("boldsymbol", Nothing),
    ("breve", LetterAccent('\u{306}')),
    ("bullet", Symbol("•")),
    ("c", LetterAccent('\u{327}')),
    ("cal", Nothing),
    ("cap", Symbol("∩")),
    ("cdot", Symbol("·")),
    ("cdots", Symbol("...")),
    ("ce", Nothing),
    ("check", LetterAccent('\u{30c}')),
    ("circ", Symbol("∘")),
    ("cite", Drop(1)),
    ("citealt", Drop(1)),
    ("citep", Drop(1)),
    ("citet", Drop(1)),
    ("colon", Symbol(":")),
    ("color", Drop(1)),
    ("cong", Symbol("≈")),
    ("cup", Symbol("∪")),
    ("d", LetterAccent('\u{323}')),
    ("dag", Symbol("†")),
    ("dagger", Symbol("†")),
    ("ddot", Nothing),
    ("def", Space),
    ("deg", Word("deg")),
    ("degree", Symbol("°")),
    ("dfrac", Fraction),
    ("dh", Glyph("ð")),
    ("displaystyle", Nothing),
    ("dot", Nothing),
    ("dots", Symbol("...")),
    ("dotsc", Symbol("...")),
    ("ell", Word("l")),
    ("em", Nothing),
    ("emph", Nothing),
    ("emptyset", Symbol("∅")),
    ("end", Drop(1)),
    ("enskip", Space),
    ("ensuremath", Nothing),
    ("epsfig", Drop(1)),
    ("eqref", Drop(1)),
    ("equiv", Symbol("≡")),
    ("euro", Symbol("€")),
    ("footnotesize", Nothing),
    ("frac", Fraction),
    ("frak", Nothing),
    ("ge", Symbol("≥")),
    ("geq", Symbol("≥")),
    ("geqslant", Symbol("≥")),
    ("gets", Symbol("←")),
    ("gg", Symbol(">>")),
    ("grave", LetterAccent('\u{300}')),
    ("gsim", Symbol(">")),
    ("gt", Symbol(">")),
    ("gtrsim", Symbol(">")),
    ("hat", Nothing),
    ("hbar", Symbol("ħ")),
    ("hbox", Nothing),
    ("hfill", Space),
    ("href", Drop(1)),
    ("hskip", Space),
    ("hspace", Drop(1)),
    ("huge", Nothing),
    ("i", Glyph("i")),
    ("in", Symbol("∈")),
    ("includegraphics", Drop(1)),
    ("infty", Symbol("∞")),
    ("it", Nothing),
    ("item", Space),
    ("j", Glyph("j")),
    ("k", LetterAccent('\u{328}')),
    ("kern", Nothing),
    ("l", Glyph("ł")),
    ("label", Drop(1)),
    ("land", Symbol("∧")),
    ("langle", Symbol("<")),
    ("large", Nothing),
    ("lbrace", Symbol("(")),
    ("ldots", Symbol("...")),
    ("le", Symbol("≤")),
    ("left", Delimiter),
    ("leftarrow", Symbol("←")),
    ("leftrightarrow", Symbol("↔")),
    ("leq", Symbol("≤")),
    ("leqslant", Symbol("≤")),
    ("lesssim", Symbol("<")),
    ("limits", Nothing),
    ("ll", Symbol("<<")),
    ("longleftrightarrow", Symbol("↔")),
    ("longmapsto", Symbol("→")),
    ("longrightarrow", Symbol("→")),
    ("lor", Symbol("∨")),
    ("lq", Symbol("'")),
    ("lsim", Symbol("<")),
    ("lt", Symbol("<")),
    ("lvert", Symbol("|")),
    ("mapsto", Symbol("→")),
    ("mathbb", Nothing),
    ("mathbf", Nothing),
    ("mathbin", Nothing),
    ("mathcal", Nothing),
    ("mathds", Nothing),
    ("mathfrak", Nothing),
    ("mathit", Nothing),
    ("mathop", Nothing),
    ("mathord", Nothing),
    ("mathrel", Nothing),
    ("mathring", Nothing),
    ("mathrm", Nothing),
    ("mathscr", Nothing),
    ("mathsf", Nothing),
    ("mathtt", Nothing),
    ("mbox", Nothing),
    ("mid", Symbol("|")),
    ("middle", Delimiter),
    ("mp", Symbol("±")),
    ("nabla", Symbol("∇")),
    ("ne", Symbol("≠")),
    ("neg", Symbol("¬")),
    ("neq", Symbol("≠")),
    ("newcommand", Drop(2)),
    ("newline", Space),
    ("nobreak", Nothing),
    ("noindent", Nothing),
    ("nolimits", Nothing),
    ("nonumber", Nothing),
    ("normalfont", Nothing),
    ("normalsize", Nothing),
    ("o", Glyph("ø")),
    ("odot", Word("sun")),
    ("oe", Glyph("œ")),
    ("operatorname", Nothing),
    ("oplus", Symbol("⊕")),
    ("otimes", Symbol("⊗")),
    ("over", Symbol("/")),
    ("overline", Bar),
    ("par", Space),
    ("parallel", Word("parallel")),
    ("partial", Symbol("∂")),
    ("pm", Symbol("±")),
    ("pmod", Word("mod")),
    ("prime", Symbol("'")),
    ("protect", Nothing),
    ("qquad", Space),
    ("quad", Space),
    ("r", LetterAccent('\u{30a}')),
    ("rangle", Symbol(">")),
    ("rbrace", Symbol(")")),
    ("ref", Drop(1)),
    ("right", Delimiter),
    ("rightarrow", Symbol("→")),
    ("rm", Nothing),
    ("rq", Symbol("'")),
    ("rvert", Symbol("|")),
    ("sc", Nothing),
    ("scriptscriptstyle", Nothing),
    ("scriptsize", Nothing),
    ("scriptstyle", Nothing),
    ("setminus", Symbol("/")),
    ("sf", Nothing),
    ("sim", Symbol(" ~")),
    ("simeq", Symbol("≈")),
    ("sl", Nothing),
    ("slash", Symbol("/")),
    ("small", Nothing),
    ("ss", Glyph("ß")),
    ("star", Symbol("*")),
    ("subset", Symbol("⊂")),
    ("subseteq", Symbol("⊆")),
    ("text", Nothing),
    ("textbf", Nothing),
    ("textcolor", Drop(1)),
    ("textit", Nothing),
    ("textmd", Nothing),
    ("textnormal", Nothing),
    ("textrm", Nothing),
    ("textsc", Nothing),
    ("textsf", Nothing),
    ("textsl", Nothing),
    ("textstyle", Nothing),
    ("textsubscript", Nothing),
    ("textsuperscript", Nothing),
    ("texttrademark", Symbol("TM")),
    ("texttt", Nothing),
    ("textup", Nothing),
    ("tfrac", Fraction),
    ("th", Glyph("þ")),
    ("thanks", Drop(1)),
    ("thinspace", Space),
    ("tilde", Nothing),
    ("times", Symbol("×")),
    ("tiny", Nothing),
    ("to", Symbol("→")),
    ("tt", Nothing),
    ("u", LetterAccent('\u{306}')),
    ("underline", Nothing),
    ("unit", Nothing),
    ("url", Nothing),
    ("v", LetterAccent('\u{30c}')),
    ("varepsilon", Word("epsilon")),
    ("varphi", Word("phi")),
    ("varpi", Word("pi")),
    ("varrho", Word("rho")),
    ("varsigma", Word("sigma")),
    ("vartheta", Word("theta")),
    ("vec", Nothing),
    ("vee", Symbol("∨")),
    ("vert", Symbol("|")),
    ("vspace", Drop(1)),
    ("wedge", Symbol("∧")),
    ("widehat", Nothing),
    ("widetilde", Nothing),
];

#[cfg(test)]
mod tests;
