"""The compiled core, a section per room."""

from collections.abc import Callable
from os import PathLike
from typing import Any, TypeAlias, final

from numpy import bool_, float32, float64, int32, uint8
from numpy.typing import NDArray

_Progress: TypeAlias = Callable[[dict[str, Any]], None]

__version__: str

# --- text

TEMPLATE_VERSION: int
"""Version of cleaning and template; stored with models and embeddings."""

def clean(text: str, /) -> str:
    """`text` without LaTeX, in one Unicode form and with single spaces; idempotent."""

def template(title: str, abstract: str) -> str:
    """Return the text a model reads for a paper: both parts cleaned, `title. abstract`."""

# --- corpus

def prepare(
    source: str | PathLike[str],
    out_dir: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Prepare a snapshot into `out_dir`; options and the manifest it gives are JSON."""

def checksum(path: str | PathLike[str]) -> str:
    """Checksum of a file, as a manifest has its source's: XXH3 over blocks of 512 KiB, in hex."""

def taxonomy() -> str:
    """JSON list of {category, name, group, archive, active, canonical, aliases}."""

def canonical(category: str, /) -> str | None:
    """Return the canonical label of `category`; `None` for a bare legacy archive."""

def paper_statistics(papers: str | PathLike[str], progress: _Progress | None = None) -> str:
    """Count what is in a papers table (JSON).

    papers, splits, months {months, archives, papers}, categories [{category, name, archive, papers,
    primary, splits}], categories_per_paper, together {categories, papers}, title_words and
    abstract_words {mean, quantiles, width, bars}.
    """

@final
class Papers:
    """Rows of a papers table."""

    @staticmethod
    def read(
        path: str | PathLike[str],
        split: str | None = None,
        limit: int | None = None,
    ) -> Papers:
        """Read the rows of `split` (all without one), at most the first `limit`."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> list[str]: ...
    @property
    def titles(self) -> list[str]: ...
    @property
    def abstracts(self) -> list[str]: ...
    @property
    def categories(self) -> list[list[str]]: ...
    @property
    def primaries(self) -> list[str | None]: ...
    @property
    def archives(self) -> list[str | None]: ...
    @property
    def submitted(self) -> list[int]: ...
    @property
    def splits(self) -> list[str]: ...
    def texts(self) -> list[str]:
        """Return the text a model reads of each paper."""

# --- classifier

@final
class Category:
    """One category, or archive, of a prediction."""

    @property
    def category(self) -> str:
        """Canonical name: `cs.LG`, or `cs` at archive level."""
    @property
    def name(self) -> str:
        """The name as people read it: `Machine Learning`."""
    @property
    def probability(self) -> float:
        """Calibrated probability, or share where a distribution was asked for."""
    @property
    def assigned(self) -> bool:
        """Whether the probability reaches the label's threshold, or what else was to decide."""
    @property
    def threshold(self) -> float | None:
        """The probability from which the label is assigned; None where there is none."""

@final
class Prediction:
    """What is said about one paper."""

    @property
    def categories(self) -> list[Category]:
        """Best first."""
    @property
    def truncated(self) -> bool:
        """Whether the text was longer than the model reads."""

@final
class Classifier:
    """A model directory on its encoder; may be used by several threads at once."""

    @staticmethod
    def load(
        model_dir: str | PathLike[str],
        encoder_dir: str | PathLike[str] | None = None,
        device: str = "auto",
        dtype: str = "f32",
    ) -> Classifier:
        """Load a model directory; `encoder_dir` is its encoder where that is not inside."""
    @property
    def labels(self) -> list[str]:
        """Canonical categories in the order of the scores' columns."""
    @property
    def thresholds(self) -> NDArray[float32]:
        """Per label: the probability from which it is assigned."""
    def info(self) -> str:
        """Return what the model is and where it came from: a JSON object."""
    def scores(
        self, titles: list[str], abstracts: list[str], progress: _Progress | None = None
    ) -> tuple[NDArray[float32], NDArray[bool_]]:
        """Calibrated probabilities [papers, labels], and per paper whether its text was cut."""
    def classify(
        self,
        titles: list[str],
        abstracts: list[str],
        options: str = "{}",
        declared: list[str | None] | None = None,
        progress: _Progress | None = None,
    ) -> list[Prediction]:
        """Predictions for papers, in their order."""
    def explain(
        self,
        title: str,
        abstract: str,
        options: str = "{}",
        progress: _Progress | None = None,
    ) -> str:
        """Return which parts of a paper speak for its categories: a JSON object.

        Options: unit (sentence, word), most (parts), categories, top_k.
        """
    def classify_file(
        self, input: str, output: str, options: str = "{}", progress: _Progress | None = None
    ) -> str:
        """Classify every paper of a file into another; returns a JSON summary."""

def package(
    model_dir: str | PathLike[str],
    out: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Copy a verified model directory to hand on; returns a JSON summary."""

def variants(
    title: str, abstract: str, options: str = "{}"
) -> list[tuple[str, int, int, str, str]]:
    """Papers to score for an explanation, each without one part.

    (field, start, end, title, abstract); options as `Classifier.explain`.
    """

# --- live engine

@final
class Answer:
    """What a request got."""

    @property
    def values(self) -> NDArray[float32]:
        """A paper's calibrated probabilities [labels], or a text's embedding [hidden]."""
    @property
    def truncated(self) -> bool:
        """Whether the text was longer than the model reads."""
    @property
    def tokens(self) -> int:
        """Tokens that the model read."""
    @property
    def timing(self) -> tuple[float, float, float, float, int]:
        """Seconds in the queue, of tokenization, of waiting, of the batch; requests in it."""
    @property
    def model(self) -> str:
        """SHA-256 of the manifest of the model that answered."""
    def assigned(self) -> list[str]:
        """Return the categories that the model's thresholds assign to the paper."""
    def rank(self, options: str = "{}", declared: str | None = None) -> Prediction:
        """Return what a paper's probabilities say, as `options` ask for."""
    def decide(self, declared: str | None = None, limits: str = "{}") -> str:
        """Return what a moderator may do with a paper, within `limits`: a JSON object."""
    def explain(self, without: list[Answer], options: str = "{}") -> str:
        """Return what each part contributes, by the answers to `variants`: a JSON list."""

def check_ranking(options: str) -> None:
    """Check the options of `Answer.rank` before there is an answer."""

@final
class Engine:
    """Single requests from many callers, answered in batches."""

    def __new__(cls, classifier: Classifier, options: str = "{}") -> Engine:
        """Start an engine around a loaded classifier."""
    def fileno(self) -> int:
        """Return a descriptor that is readable when there are answers to collect."""
    def classify(
        self, title: str, text: str, declared: str | None = None, timeout: float | None = None
    ) -> int:
        """Accept a paper, whose declared primary category must exist; returns its number."""
    def embed(self, text: str, timeout: float | None = None) -> int:
        """Accept a text to embed as it is; returns the request's number."""
    def cancel(self, ticket: int) -> bool:
        """Forget a request; false where it is no longer under way."""
    def expire(self, ticket: int) -> bool:
        """Forget a request whose deadline has passed; false where it is no longer under way."""
    def collect(self) -> list[tuple[int, Answer | Exception]]:
        """Return what has become of requests since the last call."""
    def drain(self, timeout: float) -> bool:
        """Accept no more requests and wait for those under way."""
    @property
    def depth(self) -> int:
        """Requests under way."""
    def counters(self) -> str:
        """Return what has happened so far: a JSON object of counts and histograms."""

# --- encoder

@final
class Encoder:
    """A sentence encoder."""

    @staticmethod
    def load(
        model_dir: str | PathLike[str],
        device: str = "auto",
        dtype: str = "f32",
        max_length: int | None = None,
    ) -> Encoder:
        """Load a sentence-transformers model directory."""

    def encode(
        self,
        texts: list[str],
        batch_tokens: int = ...,
        progress: _Progress | None = None,
        cache_dir: str | PathLike[str] | None = None,
    ) -> NDArray[float32]:
        """Embeddings `[texts, hidden]`, in the order of `texts`."""

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, cut at `max_length`."""

    def truncated(self, texts: list[str]) -> NDArray[bool_]:
        """Whether each text is longer than the model reads."""

    @property
    def hidden_size(self) -> int: ...
    @property
    def max_length(self) -> int: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> str: ...

def embed(
    papers: str | PathLike[str],
    model_dir: str | PathLike[str],
    out: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Embed every row of a papers table through the on-disk cache; returns a JSON summary."""

def tokenizer_json(model_dir: str | PathLike[str]) -> str:
    """Text of `tokenizer.json` for a `vocab.txt`, as transformers' `BertTokenizer` builds it."""

def save_weights(path: str | PathLike[str], weights: dict[str, NDArray[float32]]) -> None:
    """Write contiguous arrays by name as `model.safetensors`."""

# --- errors

class ArxivCoreError(Exception):
    """Base of every error this library raises on its own."""

class InputError(ArxivCoreError):
    """A file's content is not what it must be; names file, line and field."""

class OptionError(ArxivCoreError):
    """An option has a value that cannot be used."""

class ModelError(ArxivCoreError):
    """A model directory or one of its files cannot be used."""

class ShapeError(ArxivCoreError):
    """Two arrays that must fit do not."""

class FitError(ArxivCoreError):
    """Training cannot go on."""

class DeviceError(ArxivCoreError):
    """The device asked for is not there."""

class TorchError(ArxivCoreError):
    """libtorch refused an operation."""

class ForkError(ArxivCoreError):
    """The process was forked from one in which this library had worked."""

class OverloadedError(ArxivCoreError):
    """As many requests are under way as may be."""

class DeadlineError(ArxivCoreError):
    """A request's time was over before it could be answered."""

class StoppingError(ArxivCoreError):
    """The engine is stopping and takes no more requests."""

class EngineError(ArxivCoreError):
    """The live engine itself failed."""

# --- metrics
# Matrices are C-contiguous `[papers, labels]`; truth is 0/1. A label is assigned where its score
# is at least its threshold; a ratio with nothing below the line is 0.

def evaluate_scores(
    probabilities: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    thresholds: NDArray[float32],
    primary: NDArray[int32] | None = None,
    options: str = "{}",
) -> str:
    """All figures as JSON; `primary` holds label indices, -1 for none.

    Options: min_positives, bins, bootstrap {samples, seed, level}, labels (names),
    slices [{name, groups, of}], expanded (the label that each column of the raw space copies).
    """

def compare_scores(
    probabilities_a: NDArray[float32],
    thresholds_a: NDArray[float32],
    probabilities_b: NDArray[float32],
    thresholds_b: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    options: str = "{}",
) -> str:
    """Two models on the same papers, by paired bootstrap (JSON).

    A figure is {a, b, difference (b - a), interval of the difference (null without resamples),
    above (share of resamples in which b is better)}; beside the figures stand papers,
    macro_labels, samples and level. Options: min_positives, bootstrap {samples, seed, level}.
    """

def f1_scores(
    scores: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    thresholds: NDArray[float32],
) -> str:
    """Precision, recall and F1: `labels` of each, `macro_all` over all labels (JSON)."""

def average_precision(
    scores: NDArray[float32], truth: NDArray[uint8] | NDArray[bool_]
) -> tuple[NDArray[float64], float]:
    """Average precision of each label (0 without positives), and of all pairs as one ranking."""

def reliability_scores(
    probabilities: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    bins: int = ...,
) -> str:
    """ECE (equal-width bins), Brier score and log loss, pooled and per label (JSON)."""

def fit_thresholds(
    probabilities: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    options: str = "{}",
) -> tuple[NDArray[float32], str]:
    """One threshold per label from validation papers, and the report (JSON).

    Options: min_support, prior, shrinkage (null: cross-fitted), micro_weight (the rest of the
    objective is macro-F1), folds, seed.
    """

def fit_calibration(
    logits: NDArray[float32],
    truth: NDArray[uint8] | NDArray[bool_],
    options: str = "{}",
) -> tuple[NDArray[float32], NDArray[float32], str]:
    """Scale and bias per label from validation papers, and the report (JSON).

    Options: min_support, shrinkage (null: cross-fitted), folds, seed.
    """

def calibrate(
    logits: NDArray[float32], scale: NDArray[float32], bias: NDArray[float32]
) -> NDArray[float32]:
    """`sigmoid(scale * logit + bias)` of every logit."""

# --- stages
def finetune(
    papers: str | PathLike[str],
    encoder_dir: str | PathLike[str],
    out_dir: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Tune an encoder to the papers' categories and write its directory (JSON summary).

    Options: epochs, batch_tokens, learning_rate, head_learning_rate, weight_decay, warmup, clip,
    keep (best, last), max_length, device, min_papers, holdout, checkpoint_dir, checkpoint_seconds,
    seed.
    """

def check_train(options: str) -> None:
    """Fail with OptionError where `train` would refuse the options."""

def train(
    papers: str | PathLike[str],
    embeddings: str | PathLike[str],
    out_dir: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Fit head, calibration and thresholds and write a model directory (JSON summary).

    Options: head (logistic, mlp, hybrid), max_length, dtype, min_papers, holdout, refit, logistic,
    mlp, calibrate, calibration, thresholds, encoder, seed.
    """

def evaluate(
    papers: str | PathLike[str],
    embeddings: str | PathLike[str] | None,
    model_dir: str | PathLike[str],
    split: str = "test",
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Score a model on one split of a papers table (JSON figures).

    Options: min_positives, bootstrap, encoder, device, dtype, scores (safetensors file to write
    `probabilities` and `truth` [papers, labels], `thresholds` and `ids` to), insight (whether
    to add curves, confusions and papers worth a look).
    """

def compare_files(
    scores_a: str | PathLike[str],
    scores_b: str | PathLike[str],
    options: str = "{}",
    progress: _Progress | None = None,
) -> str:
    """Compare two models by the files of scores that `evaluate` wrote (JSON).

    Figures as `compare_scores` has them, over the labels both know; `only_a`, `only_b` are the
    others. Refuses other papers, splits or categories. Options as `compare_scores`.
    """

# --- logistic

def fit_logistic(
    embeddings: NDArray[float32],
    labels: NDArray[uint8] | NDArray[bool_],
    options: str = "{}",
    progress: _Progress | None = None,
) -> tuple[NDArray[float32], NDArray[float32], str]:
    """Weights `[L, d]`, biases `[L]` and the report (JSON) for labels 0/1 `[n, L]`.

    Options: c (scikit-learn's C), tolerance, max_passes, memory.
    """

# --- threads

def show_threads() -> bool:
    """Make the threads that Rust starts from now on Python's too, for py-spy.

    False where rayon's common threads had been started before.
    """
