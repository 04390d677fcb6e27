"""The configuration's types: every key, what it means and its default.

A group's YAML file sets only what makes it that choice; everything else comes from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from arxiv_core.config.choices import (
    CalibrationKind,
    Choice,
    Clean,
    Dtype,
    EvaluationSplit,
    HeadKind,
    Keep,
    LabelMatch,
    Sampler,
    SplitBy,
    Tracker,
    TrackingMode,
    TrainMode,
)

__all__ = [
    "Bootstrap",
    "Calibration",
    "CalibrationKind",
    "Choice",
    "Clean",
    "Config",
    "Data",
    "Dtype",
    "Duplicates",
    "Evaluation",
    "EvaluationSplit",
    "Finetune",
    "Head",
    "HeadKind",
    "Keep",
    "LabelMatch",
    "Labels",
    "Model",
    "Optimizer",
    "Paths",
    "Sampler",
    "Serve",
    "Split",
    "SplitBy",
    "Sweep",
    "Thresholds",
    "Tracker",
    "Tracking",
    "TrackingMode",
    "Train",
    "TrainMode",
    "Words",
]


@dataclass
class Duplicates:
    """Papers that say the same."""

    exact: bool = True
    """Drop a paper whose title and abstract are an earlier one's."""
    near: bool = True
    """Keep papers with nearly the same abstract on one side of the split."""
    threshold: float = 0.7
    """Jaccard similarity of three-word shingles from which two abstracts are nearly the same;
    estimated, to about 0.05: of pairs that lie so near to it, some are taken for the other kind."""


@dataclass
class Data:
    """Which papers there are."""

    source: str = "sample"
    """Snapshot file, or ``sample`` for the corpus in the package."""
    dataset: str = "Cornell-University/arxiv"
    """Kaggle data set that ``data fetch`` downloads."""
    since: str | None = None
    """First month kept, YYYY-MM; null keeps all."""
    until: str | None = None
    """Last month kept, YYYY-MM; null keeps all."""
    max_papers: int | None = None
    """Keep at most so many papers, each primary category in its proportion; null keeps all."""
    clean: Clean = Clean.full
    """LaTeX to Unicode and all, as models are trained; or white space alone."""
    min_abstract_chars: int = 50
    """A shorter abstract cannot be judged and is left out."""
    withdrawn: bool = False
    """Keep papers that say they were withdrawn."""
    unlabelled: bool = False
    """Keep papers without a canonical category."""
    duplicates: Duplicates = field(default_factory=Duplicates)


@dataclass
class Labels:
    """Which categories are learned."""

    categories: list[str] = field(default_factory=list)
    """Only papers of these categories or archives; empty takes all."""
    match: LabelMatch = LabelMatch.any
    """Whether any of a paper's labels must be among them, or its primary one."""
    others: bool = True
    """Keep the other labels of the papers kept."""
    per_category: int | None = None
    """At most so many papers of each primary category; null takes all."""
    min_support: int = 0
    """A label with fewer papers is removed from the papers table."""
    min_train_papers: int = 1
    """A label with fewer papers to fit the head to is not learned."""


@dataclass
class Split:
    """How papers are divided into train, validation and test."""

    by: SplitBy = SplitBy.time
    test_months: int = 3
    """By time: length of test where neither its ends nor one before it are given."""
    validation_months: int = 3
    """By time: length of validation where its ends are not given."""
    train_until: str | None = None
    """By time: last month of train, YYYY-MM."""
    validation_until: str | None = None
    """By time: last month of validation."""
    test_from: str | None = None
    """By time: first month of test; months before it that are not validation are left out."""
    test_until: str | None = None
    """By time: last month of test; later papers are left out."""
    validation_fraction: float = 0.1
    """Stratified: share of the papers in validation."""
    test_fraction: float = 0.1
    """Stratified: share of the papers in test."""


@dataclass
class Model:
    """The encoder and how it is run."""

    name: str = "minilm"
    """Name, Hugging Face repository or directory."""
    max_length: int = 512
    """Word pieces read of a text."""
    device: str = "auto"
    dtype: str = "f32"
    batch_tokens: int = 16384
    """Most tokens in a batch, padding included."""


@dataclass
class Words:
    """Which n-grams a hybrid head knows."""

    features: int = 40_000
    """Most n-grams of title and abstract together that are kept."""
    title_features: int = 8_000
    """Most n-grams of titles that are kept."""
    min_papers: int = 5
    """An n-gram in fewer papers is not looked at."""
    max_papers: int = 200_000
    """Papers looked at, evenly spread; bounds the memory."""


@dataclass
class Head:
    """The classifier on top of the embedding."""

    kind: HeadKind = HeadKind.hybrid
    c: float = 1.0
    """logistic: weight of the papers against the penalty, as scikit-learn's C."""
    width: int = 1024
    """mlp, hybrid: width of the hidden layer."""
    members: int = 1
    """mlp, hybrid: hidden layers side by side, whose logits are averaged."""
    dropout: float = 0.3
    """mlp, hybrid: share of the hidden layer dropped."""
    embedding_dropout: float = 0.1
    """mlp, hybrid: share of the embedding's values dropped."""
    smoothing: float = 0.0
    """mlp, hybrid: share of every label moved to the label's frequency."""
    dimensions: int = 128
    """hybrid: values of an n-gram's vector."""
    word_dropout: float = 0.3
    """hybrid: share of a paper's n-grams dropped."""
    words: Words = field(default_factory=Words)


@dataclass
class Optimizer:
    """How weights move."""

    lr: float = 2e-3
    """mlp, hybrid: highest step."""
    vectors_lr: float = 2e-3
    """hybrid: highest step of the n-grams' vectors."""
    weight_decay: float = 0.01
    """mlp, hybrid: decoupled decay of the layers' weights."""
    warmup: float = 0.05
    """mlp, hybrid: share of the steps in which the step size rises."""
    tolerance: float = 5e-8
    """logistic: share of the objective that a further step must promise."""
    max_passes: int = 300
    """logistic: passes over all papers after which it stops anyway."""


@dataclass
class Finetune:
    """How the encoder is tuned, with train.mode=full."""

    epochs: int = 3
    """Times every paper is seen."""
    batch_tokens: int = 8192
    """Most tokens of a step, padding included; bounds the memory too."""
    lr: float = 2e-5
    """Highest step of the encoder's weights."""
    head_lr: float = 1e-3
    """Highest step of the linear layer that is tuned with it."""
    weight_decay: float = 0.01
    """Decoupled decay of all weights but biases and LayerNorm's."""
    warmup: float = 0.1
    """Share of the steps in which the step size rises."""
    clip: float = 1.0
    """Length of a step's gradient beyond which it is shortened."""
    keep: Keep = Keep.best
    """Weights after the epoch with the lowest validation loss, or after the last one."""
    checkpoint_seconds: int = 300
    """Seconds between two checkpoints, from which a stopped run goes on."""


@dataclass
class Train:
    """What is fitted, and for how long."""

    mode: TrainMode = TrainMode.head
    """head: the encoder stays frozen; full: it is tuned first."""
    epochs: int = 5
    """mlp, hybrid: times every paper is seen."""
    batch_size: int = 256
    """mlp, hybrid: papers of a step."""
    refit: bool = False
    """Fit the head again to all papers in the end; calibration and thresholds stay."""
    optimizer: Optimizer = field(default_factory=Optimizer)
    finetune: Finetune = field(default_factory=Finetune)


@dataclass
class Thresholds:
    """From probabilities to assignments."""

    min_support: int = 3
    """A label with fewer validation positives takes the common threshold."""
    prior: float = 100.0
    """Positives at which a label's own counts weigh as much as the expected ones."""
    shrinkage: float | None = None
    """Pull toward the common threshold, in positives; null finds it by cross-fitting."""
    micro_weight: float = 0.8
    """Weight of micro-F1 in what is maximised; the rest is macro-F1."""
    folds: int = 5


@dataclass
class Calibration:
    """From scores to probabilities and assignments; fitted on validation."""

    kind: CalibrationKind = CalibrationKind.platt
    holdout: float = 0.0
    """Share of train that is held out and joins validation here."""
    min_support: int = 5
    """A label with fewer validation positives takes the common calibration."""
    shrinkage: float | None = None
    """Pull of each label toward the common calibration; null finds it by cross-fitting."""
    folds: int = 5
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass
class Bootstrap:
    """Intervals around figures."""

    samples: int = 1000
    """Resamples; 0 for no intervals."""
    level: float = 0.95
    """Share of the resamples inside the interval."""


@dataclass
class Evaluation:
    """What is measured."""

    split: EvaluationSplit = EvaluationSplit.test
    min_positives: int = 10
    """Positives that a label needs to count in the macro figures."""
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    report: bool = True
    """Write a page with charts about the run, where matplotlib is installed."""


@dataclass
class Tracking:
    """What is recorded of a run, and where."""

    kind: Tracker = Tracker.none
    mode: TrackingMode = TrackingMode.auto
    """auto: online where a key is set, else offline, to be sent later."""
    project: str = "arxiv-core"
    entity: str | None = None
    """User or team; null takes the key's own."""
    group: str | None = None
    """Runs that belong together; a sweep sets it."""
    tags: list[str] = field(default_factory=list)
    artifacts: bool = True
    """Record models and papers tables as artifacts, with what was made from what."""


@dataclass
class Serve:
    """The HTTP service."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every interface."""
    port: int = 8000
    """Port; 0 takes a free one."""
    model: str | None = None
    """Model directory or registry:NAME@ALIAS; null takes the default model."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    dtype: Dtype = Dtype.f32
    """Number format of the encoder."""
    capacity: int = 512
    """Requests under way at most; one more is answered 429."""
    max_wait: float = 0.002
    """Seconds that a request waits at most for others to share its batch."""
    batch_tokens: int | None = None
    """Tokens a batch holds at most; null takes what suits the device."""
    tokenizer_threads: int = 1
    """Threads that tokenize ahead of the encoder."""
    timeout: float | None = 30.0
    """Seconds after which a request is answered 504; null: never."""
    max_body: int = 1048576
    """Largest request body in bytes; more is answered 413."""
    drain: float = 8.0
    """Seconds that a stopping service takes at most, for requests under way and their last spans;
    below the 10 that docker stop and Cloud Run leave it."""
    watch: float | None = 30.0
    """Seconds between looks whether another model is meant by now: the alias moved, or the
    directory was replaced. null: only the signal HUP has the model loaded again."""
    keys_file: str | None = None
    """API keys, one a line, or sha256:HEX of them; read again when the file changes. Without it
    and without ARXIV_CORE_SERVE_KEYS everybody may ask."""
    origins: list[str] = field(default_factory=list)
    """Origins whose pages may ask from a browser, as https://desk.example.org."""
    arxiv_lookup: str | None = None
    """Where the page looks papers up by their identifier: https://export.arxiv.org/api/query; null:
    nowhere."""
    limits_keep: float = 0.5
    """Probability from which a declared primary stays, where a request gives no limits.keep."""
    limits_propose: float = 0.57
    """Probability from which another primary is proposed, where a request gives no
    limits.propose."""
    limits_cross_list: float = 0.57
    """Probability from which a cross-list is suggested, where a request gives no
    limits.cross_list."""
    limits_cross_lists: int = 2
    """Cross-lists suggested at most, where a request gives no limits.cross_lists."""


@dataclass
class Sweep:
    """A search for better hyperparameters."""

    name: str = "sweep"
    """Its directory under paths.runs; the same name goes on with what is there."""
    trials: int = 20
    """Trials in all, those of earlier calls included."""
    metric: str = "micro_f1"
    """Figure of the split validation that is maximised."""
    sampler: Sampler = Sampler.tpe
    space: dict[str, str | None] = field(default_factory=dict)
    """Key of the configuration → what it may be, in Hydra's words: ``choice(256, 512)``,
    ``interval(0.1, 0.5)``, ``range(1, 8)``, ``tag(log, interval(1e-4, 1e-2))``; null leaves out a
    key of the group."""


@dataclass
class Paths:
    """Where things lie."""

    data: str = "data"
    """Snapshot, papers table and embeddings."""
    runs: str = "runs"
    """One directory a run: model, metrics, the configuration that made them."""
    cache: str | None = None
    """Embedding cache; null takes ARXIV_CORE_HOME."""


@dataclass
class Config:
    """The whole tree."""

    data: Data = field(default_factory=Data)
    labels: Labels = field(default_factory=Labels)
    split: Split = field(default_factory=Split)
    model: Model = field(default_factory=Model)
    head: Head = field(default_factory=Head)
    train: Train = field(default_factory=Train)
    calibration: Calibration = field(default_factory=Calibration)
    evaluation: Evaluation = field(default_factory=Evaluation)
    tracking: Tracking = field(default_factory=Tracking)
    serve: Serve = field(default_factory=Serve)
    sweep: Sweep = field(default_factory=Sweep)
    paths: Paths = field(default_factory=Paths)
    run: str = "${model.name}-${head.kind}"
    """The run's name: its directory under paths.runs."""
    seed: int = 0
