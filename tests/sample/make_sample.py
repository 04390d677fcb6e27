"""Writes the bundled sample corpus: invented papers in the format of arXiv's snapshot.

    python tests/sample/make_sample.py [DIRECTORY]

Nothing in it is a real paper. The sequence part of every identifier lies above what arXiv
gave out in that month, and the comments say what it is. Same code, same bytes.
"""

import json
import random
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phrases import CLOSINGS, DEMO, MIDDLES, OPENINGS, SURNAMES, TITLES
from topics import TOPICS, Topic

TARGET = Path(__file__).parents[2] / "python" / "arxiv_core" / "sample"
MARK = "invented for arxiv-core's sample corpus"
PAPERS_PER_TOPIC = 26
FIRST, MONTHS = (2005, 1), 60
LICENSES = (
    None,
    None,
    "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
    "http://creativecommons.org/licenses/by/4.0/",
)

NUMERALS = ("II", "III", "IV", "V")


def fill(rng: random.Random, topic: Topic, pattern: str) -> str:
    """One sentence or title of a topic."""
    words: dict[str, str] = {}
    for name, choices in (
        ("subject", topic.subjects),
        ("method", topic.methods),
        ("finding", topic.findings),
    ):
        words[name], words[name + "2"] = rng.sample(choices, 2)
        words[name.capitalize()] = words[name][0].upper() + words[name][1:]
    return pattern.format(formula=rng.choice(topic.formulas), **words)


def abstract_of(rng: random.Random, topic: Topic) -> str:
    """Five to eight sentences."""
    patterns = [rng.choice(OPENINGS), *rng.sample(MIDDLES, rng.randint(3, 6)), rng.choice(CLOSINGS)]
    return " ".join(fill(rng, topic, pattern) for pattern in patterns)


def wrapped(text: str) -> str:
    """An abstract as arXiv stores it: two blanks, lines of about 78, a line break at the end."""
    return (
        textwrap.fill(text, 78, initial_indent="  ", break_long_words=False, break_on_hyphens=False)
        + "\n"
    )


class Corpus:
    """The papers so far and the numbers given out."""

    def __init__(self) -> None:
        """Start empty."""
        self.rng = random.Random("arxiv-core sample corpus")
        self.lines: list[dict[str, Any]] = []
        self.given: dict[str, int] = {}

    def identifier(self, month: tuple[int, int], archive: str) -> str:
        """Old-style before April 2007, five digits from 2015."""
        year, number = month
        short = f"{year % 100:02}{number:02}"
        key = f"{archive}/{short}" if month < (2007, 4) else f"{short}."
        self.given[key] = count = self.given.get(key, 0) + 1
        if month < (2007, 4):
            return f"{key}{900 + count}"
        return f"{key}{90_000 + count}" if year >= 2015 else f"{key}{9000 + count}"

    def people(self) -> tuple[str, list[list[str]]]:
        """Invented authors, as typed and as parsed."""
        typed, parsed = [], []
        for latex, plain in self.rng.sample(SURNAMES, self.rng.randint(1, 4)):
            initial = self.rng.choice("ABCDEFGHJKLMNPRSTW") + "."
            typed.append(f"{initial} {latex}")
            parsed.append([plain, initial, ""])
        names = typed[0] if len(typed) == 1 else f"{', '.join(typed[:-1])} and {typed[-1]}"
        return names, parsed

    def versions(self, month: tuple[int, int], count: int) -> list[dict[str, str]]:
        """One entry a version, dates as in an e-mail."""
        year, number = month
        found = []
        for version in range(count):
            months = year * 12 + number - 1 + 2 * version
            day = self.rng.randint(1, 28)
            hour, minute, second = (
                self.rng.randrange(24),
                self.rng.randrange(60),
                self.rng.randrange(60),
            )
            date = datetime(months // 12, months % 12 + 1, day, hour, minute, second, tzinfo=UTC)
            stamp = f"{date:%a}, {date.day} {date:%b %Y %H:%M:%S} GMT"
            found.append({"version": f"v{version + 1}", "created": stamp})
        return found

    def add(
        self, categories: str, month: tuple[int, int], title: str, abstract: str, **fields: Any
    ) -> dict[str, Any]:
        """Append one paper; `fields` replace what it would have."""
        rng = self.rng
        primary = categories.split()[0]
        archive = fields.pop("archive", primary.split(".")[0])
        names, parsed = self.people()
        versions = self.versions(month, rng.choice((1, 1, 1, 2, 3)))
        updated = datetime.strptime(versions[-1]["created"], "%a, %d %b %Y %H:%M:%S %Z").date()
        pages = rng.randint(4, 48)
        paper = {
            "id": self.identifier(month, archive),
            "submitter": f"{parsed[0][1]} {parsed[0][0]}",
            "authors": textwrap.fill(names, 78, subsequent_indent="  "),
            "title": textwrap.fill(
                title, 72, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            ),
            "comments": f"{pages} pages, {rng.randint(1, 9)} figures; {MARK}"
            if pages % 3
            else MARK,
            "journal-ref": f"J. Invent. Res. {pages} ({month[0]}) {rng.randint(1, 900)}"
            if pages % 4 == 0
            else None,
            "doi": f"10.5555/invented.{month[0]}.{rng.randint(1, 9999)}"
            if pages % 4 == 0
            else None,
            "report-no": f"SAMPLE-{month[0]}-{pages:02}" if pages % 9 == 0 else None,
            "categories": categories,
            "license": rng.choice(LICENSES),
            "abstract": wrapped(abstract),
            "versions": versions,
            "update_date": updated.isoformat(),
            "authors_parsed": parsed,
        }
        paper.update(fields)
        self.lines.append(paper)
        return paper

    def topics(self) -> None:
        """The papers a model can learn from."""
        rng = self.rng
        used: set[str] = set()
        for name, topic in TOPICS.items():
            for count in range(PAPERS_PER_TOPIC):
                months = (
                    FIRST[0] * 12
                    + FIRST[1]
                    - 1
                    + MONTHS * count // PAPERS_PER_TOPIC
                    + rng.randint(0, 1)
                )
                title = fill(rng, topic, rng.choice(TITLES))
                for numeral in NUMERALS:
                    if title not in used:
                        break
                    stem = title.rsplit(", ", 1)[0] if title.endswith(NUMERALS) else title
                    title = f"{stem}, {numeral}"
                used.add(title)
                cross = rng.choice(("", "", *topic.crosslists))
                month = (months // 12, months % 12 + 1)
                self.add(f"{name} {cross}".strip(), month, title, abstract_of(rng, topic))

    def quirks(self) -> None:
        """What a reader of the real snapshot has to survive."""
        rng = self.rng

        def text(name: str) -> tuple[str, str]:
            topic = TOPICS[name]
            return fill(rng, topic, rng.choice(TITLES)), abstract_of(rng, topic)

        # Archives that others took in long ago, and their identifiers.
        self.add("cmp-lg cs.CL", (1995, 3), *text("cs.CL"))
        self.add("cmp-lg", (1996, 8), *text("cs.CL"))
        self.add("alg-geom math.AG", (1996, 2), *text("math.NT"))
        self.add("chao-dyn nlin.CD", (1997, 5), *text("math.PR"))
        # Archives that are no category any more.
        self.add("astro-ph", (2006, 5), *text("astro-ph.GA"))
        self.add("astro-ph", (2008, 2), *text("astro-ph.GA"))
        self.add("astro-ph gr-qc", (2007, 11), *text("gr-qc"))
        self.add("cond-mat", (2005, 9), *text("cond-mat.supr-con"))
        self.add("cond-mat cond-mat.supr-con", (2005, 10), *text("cond-mat.supr-con"))
        # Alias pairs in either order, half a pair, categories named twice, unknown ones.
        self.add("math.IT cs.IT", (2007, 6), *text("cs.IT math.IT"))
        self.add("math-ph hep-th math.MP", (2007, 7), *text("hep-th"))
        self.add("math.NA cs.NA cs.LG", (2008, 1), *text("cs.LG"))
        self.add("stat.TH math.PR math.ST", (2008, 4), *text("math.PR"))
        self.add("cs.LG cs.CV cs.LG", (2008, 9), *text("cs.LG"))
        self.add("cs.QQ", (2008, 5), *text("cs.LG"))
        self.add("quant-ph physics.made-up", (2008, 6), *text("quant-ph"))
        # Withdrawn papers.
        for wording in (
            "This paper has been withdrawn by the author due to a sign error in equation 1.",
            "Withdrawn.",
            "This article was withdrawn: it was merged with another invented one.",
            "The submission has been withdrawn by the authors for further modifications.",
        ):
            self.add("math.NT", (2007, 9), text("math.NT")[0], wording)
        self.add(
            "hep-ph", (2007, 10), *text("hep-ph"), comments=f"This paper has been withdrawn; {MARK}"
        )
        # Abstracts that say too little, or nothing.
        for short in ("No abstract.", "We prove it.", "Lecture notes.", ""):
            self.add("math.CO", (2008, 3), text("math.CO")[0], short)
        # The same paper again: same line, same text under another id, nearly the same text.
        first, second, third, fourth = rng.sample(self.lines[40:240], 4)
        self.lines.append(dict(first))
        self.add(
            second["categories"], (2009, 3), second["title"], " ".join(second["abstract"].split())
        )
        self.add(
            third["categories"],
            (2009, 4),
            third["title"].upper(),
            " ".join(third["abstract"].upper().split()),
        )
        for count, original in enumerate((fourth, *rng.sample(self.lines[:360], 5))):
            words = original["abstract"].split()
            words[len(words) // 2] = "certainly"
            self.add(
                original["categories"],
                (2009, 5 + count % 3),
                f"{original['title']} (revisited)",
                " ".join([*words, "Errors were corrected."]),
            )
        # Characters: escaped letters, surrogate pairs, ligatures, odd blanks, unbalanced math.
        title, abstract = text("math.NT")
        self.add(
            "math.NT",
            (2015, 2),
            f"{title} over \U0001d53d\u209a",
            abstract.replace("We ", "We\u00a0", 1),
            comments=f"4 pages \U0001f600; {MARK}",
        )
        self.add(
            "cs.CL",
            (2015, 3),
            "R\u00e9sum\u00e9s na\u00efve \u7ffb\u8a33 systems",
            "\ufb01rst: " + text("cs.CL")[1] + " (\u03b1\u2013\u03b2, 10\u207b\u00b3)",
        )
        self.add(
            "hep-th",
            (2015, 4),
            "The cost of $5 and {one brace",
            text("hep-th")[1] + " It costs $5 more \\& ends in \\",
        )
        title, abstract = text("quant-ph")
        self.add("quant-ph", (2015, 5), title, "")["abstract"] = f"\r\n\t{abstract}\u2028\r\n\r\n"
        # Fields that are null, dates that only the identifier knows.
        title, abstract = text("gr-qc")
        self.add(
            "gr-qc",
            (2006, 7),
            title,
            abstract,
            submitter=None,
            comments=None,
            versions=None,
            update_date=None,
            authors_parsed=None,
            authors=f"({MARK})",
        )
        title, abstract = text("cs.CV")
        self.add(
            "cs.CV",
            (2015, 6),
            title,
            abstract,
            versions=[],
            license=None,
            **{"journal-ref": f"({MARK})"},
        )
        # An affiliation and a suffix among the parsed names, an id of the oldest form.
        title, abstract = text("math.CO")
        parsed = [["Testmann", "T.", "Jr.", "Institute of Invented Results"], ["Beispiel", "", ""]]
        self.add(
            "math.CO",
            (2006, 1),
            title,
            abstract,
            authors="T. Testmann Jr. (Institute of Invented Results) and\n  Beispiel",
            authors_parsed=parsed,
        )

    def text(self) -> str:
        """The file, by date of submission, without a line break at the end."""
        self.topics()
        self.quirks()

        def month(paper: dict[str, Any]) -> int:
            digits = paper["id"].split("/")[-1]
            return (int(digits[:4]) + 5000) % 10_000

        self.lines.sort(key=month)
        return "\n".join(json.dumps(paper, separators=(",", ":")) for paper in self.lines)


def demo() -> str:
    """The papers that `make demo` classifies, one JSON object a line."""
    papers = ({"title": title, "abstract": " ".join(text.split())} for title, text in DEMO)
    return "".join(json.dumps(paper) + "\n" for paper in papers)


def files() -> dict[str, bytes]:
    """Name → content of every file of the sample."""
    return {"papers.jsonl": Corpus().text().encode("ascii"), "demo.jsonl": demo().encode("ascii")}


def main() -> None:
    """Write the files."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (target / name).write_bytes(content)


if __name__ == "__main__":
    main()
