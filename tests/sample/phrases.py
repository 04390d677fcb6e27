"""How the invented papers say it: patterns with slots for a topic's words, names, demo."""


def _sentences(text: str) -> tuple[str, ...]:
    """One item a line; a line that starts with a blank goes on with the one before."""
    return tuple(text.strip().replace("\n  ", " ").split("\n"))


OPENINGS = _sentences(
    """
We study {subject} by means of {method}.
{Subject} have been studied for decades, yet little is known about them beyond the simplest
  cases.
This paper is concerned with {subject} and with {subject2}.
We present a new approach to {subject}, based on {method}.
Motivated by recent work on {subject}, we ask when one may expect {finding}.
A long-standing question about {subject} is settled here.
In recent years {method} and its variants changed our view of {subject}.
The aim of this note is to revisit {subject} in the light of {method}.
"""
)

MIDDLES = _sentences(
    """
Our main tool is {method}, which we combine with {method2}.
Using {method}, we obtain {finding}.
In contrast to earlier treatments of {subject2}, we do not assume that the system is close to
  equilibrium or otherwise special.
The case of {formula} is worked out in detail.
For {formula} we find {finding}.
A comparison with {method2} shows where the usual assumptions about {subject2} fail.
The key step is to replace {method} by {method2} once {formula} holds.
Special attention is paid to {subject2}, where {method} would not be enough.
It turns out that {finding} can be traced back to {subject2}.
We also discuss {formula} and its relation to {subject2}.
Numerical evidence, obtained with {method2}, supports {finding}.
As a by-product we recover {finding2} under weaker hypotheses.
Previous estimates are improved by a factor that depends only on {formula}.
"""
)

CLOSINGS = _sentences(
    """
Consequences for {subject2} are discussed.
This gives {finding}, and in many cases also {finding2}.
We close with open problems on {subject2}.
The results suggest that more attention should be paid to {method2}.
Taken together, this points to {finding2}.
Possible extensions to {subject2} are indicated in the last section.
"""
)

TITLES = _sentences(
    """
On {subject}
{Subject} and {subject2}
{Subject} via {method}
A note on {subject}
{Method} for {subject}
New results on {subject}
{Subject}: {finding}
What does {method} tell us about {subject} and about {subject2}?
"""
)

# Surname as typed in LaTeX, as arXiv parses it.
SURNAMES = (
    ("Testmann", "Testmann"),
    ("Beispiel", "Beispiel"),
    ("Exempl\\'ar", "Exemplár"),
    ("Mustermann", "Mustermann"),
    ('Fict\\"oe', "Fictöe"),
    ("Sampleton", "Sampleton"),
    ("Invent\\u{a}", "Inventă"),
    ("Prob\\v{e}k", "Proběk"),
    ("Ersatz", "Ersatz"),
    ("Placeholder", "Placeholder"),
    ("{\\O}vingsen", "Øvingsen"),
    ("de la Muestra", "de la Muestra"),
    ("Esempio", "Esempio"),
    ("Przyk{\\l}ad", "Przykład"),
    ("Dummy", "Dummy"),
    ("Lipsumov", "Lipsumov"),
)

# Title and abstract of the papers that `make demo` classifies.
DEMO = (
    (
        "Learning to rank invented citations with kernel methods",
        r"""We consider the problem of ranking citations from implicit feedback. A support vector
        machine with a kernel on pairs of documents is trained by stochastic gradient descent,
        and a bound on its generalization error is derived from Rademacher complexity. On three
        benchmark data sets the learned ranking has a lower test error than boosting and than a
        linear classifier, at a fraction of the training time. The code is imaginary, as is this
        paper.""",
    ),
    (
        "Rotation curves of two dwarf galaxies that do not exist",
        r"""We present deep spectroscopy of stars in two dwarf spheroidal galaxies of the Local
        Group. From the radial velocities of 312 members we measure a velocity dispersion of
        $\sigma_{\rm v} = 8.7 \pm 0.6$ km s$^{-1}$, which implies a mass of $10^{7} M_{\odot}$
        within the half-light radius. The metallicity distribution shows two stellar populations
        of different age, and dark matter dominates at all radii. Both galaxies were made up for
        this example.""",
    ),
    (
        "A short proof that almost all imaginary graphs are Hamiltonian",
        r"""Let $G$ be an Erd\H{o}s--R\'enyi random graph on $n$ vertices with edge probability $p$.
        By a double counting argument together with the probabilistic method we show that $G$
        contains a Hamiltonian cycle with high probability as soon as $p \geq \frac{\log n +
        \omega(1)}{n}$, and that the number of perfect matchings is concentrated around its
        mean. The chromatic number is discussed as well. This abstract was invented for a
        demonstration.""",
    ),
)
