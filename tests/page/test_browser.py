"""The page as people meet it, in Chromium."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serve.process import serving

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

if TYPE_CHECKING:
    from page.conftest import Open

pytestmark = pytest.mark.slow

TITLE = "Deep residual learning for galaxy images 🧮"
ABSTRACT = (
    "We train a convolutional neural network on images of galaxies. The network learns their "
    "redshift $z. z$ from pixels alone, cf. Fig. 3 of Smith et al.\n\nA Bayesian last layer gives "
    "calibrated uncertainties. We compare with spectroscopic surveys."
)


def fill(page: Any, **fields: str) -> None:
    for name, text in ({"title": TITLE, "abstract": ABSTRACT} | fields).items():
        page.fill(f"#{name}", text)


def classified(page: Any, **fields: str) -> Any:
    fill(page, **fields)
    page.click("#classify")
    page.wait_for_selector(".why")
    return page


def read(page: Any) -> list[str]:
    """The answer as it is read, white space aside."""
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    texts = page.locator("#answer").all_inner_texts()
    return " ".join(texts).split()


def test_a_paper_is_classified_and_explained(visit: Open) -> None:
    page = classified(visit(), primary="cs.CV")
    assert page.locator(".category").count() >= 5
    best = page.locator(".category").first
    assert best.locator(".code").first.inner_text()
    assert "%" in best.locator(".share").inner_text()
    width = float(best.locator(".fill").get_attribute("width"))
    assert width == pytest.approx(
        float(best.locator(".share").inner_text().strip("%<> \u00a0")), abs=0.06
    )
    assert best.locator("rect.threshold").count() == 1
    assert best.locator("mark").count() >= 1
    assert best.locator(".marked-title").inner_text().startswith("Deep residual")
    assert page.locator(".decision .sentence").inner_text()
    assert page.locator("#status").inner_text().startswith("Classified. Best category:")
    assert page.evaluate("document.activeElement.id") == "results-heading"


@pytest.mark.parametrize("primary", ["", "cs.CV", "hep-lat", "cs.GL"])
def test_who_has_no_javascript_reads_the_same(visit: Open, primary: str) -> None:
    scripted = read(classified(visit(), primary=primary))
    plain = visit(java_script_enabled=False)
    fill(plain, primary=primary)
    plain.click("#classify")
    plain.wait_for_selector(".why")
    assert plain.input_value("#abstract") == ABSTRACT
    assert not plain.locator("#batch").is_visible()
    assert plain.locator("noscript").inner_text()
    closed = plain.locator("details:not([open]) summary")
    while closed.count():
        closed.first.click()
    assert " ".join(plain.locator("#answer").all_inner_texts()).split() == scripted
    # The one category that the default model does not know.
    assert ("does not know cs.GL, so it cannot judge" in " ".join(scripted)) == (primary == "cs.GL")


def test_a_mistake_is_named_and_nothing_is_lost(visit: Open) -> None:
    page = visit()
    fill(page, primary="cs.XX")
    page.click("#classify")
    page.wait_for_selector(".problem")
    said = page.locator(".problem .message").inner_text()
    assert said == 'primary: "cs.XX" is not a category of arXiv'
    assert page.input_value("#abstract") == ABSTRACT
    fill(page, title="", abstract=" ", primary="")
    page.click("#classify")
    page.locator(".message", has_text="Give a title").wait_for()
    classified(page)
    assert page.locator(".problem").count() == 0


def test_overload_is_told_with_what_to_do(visit: Open) -> None:
    page = visit()
    body = {"error": {"type": "overloaded", "message": "512 requests are under way"}}
    page.route(
        "**/v1/classify",
        lambda route: route.fulfill(status=429, json=body, headers={"Retry-After": "7"}),
    )
    fill(page)
    page.click("#classify")
    page.wait_for_selector(".problem")
    assert page.locator(".problem .heading").inner_text() == "The service is busy"
    assert "Wait 7 s" in page.locator(".problem .advice").inner_text()
    page.unroute("**/v1/classify")
    page.route("**/v1/explain", lambda route: route.fulfill(status=429, json=body))
    page.click("#classify")
    page.wait_for_selector(".unexplained")
    assert page.locator(".category").count() >= 5
    page.unroute("**/v1/explain")
    page.route("**/v1/classify", lambda route: route.abort())
    page.click("#classify")
    page.wait_for_selector(".problem")
    assert page.locator(".problem .heading").inner_text() == "The service cannot be reached"
    page.unroute("**/v1/classify")


def test_what_breaks_off_or_is_of_another_model_is_told(visit: Open) -> None:
    page = visit()
    page.route("**/v1/classify", lambda route: route.fulfill(body='{"papers": ['))
    fill(page)
    page.click("#classify")
    page.wait_for_selector(".problem")
    assert page.locator(".problem .heading").inner_text() == "The service cannot be reached"
    page.unroute("**/v1/classify")
    other = {"model": "other", "spans": [], "categories": []}
    page.route("**/v1/explain", lambda route: route.fulfill(json=other))
    page.click("#classify")
    page.wait_for_selector(".unexplained")
    assert "another model answers since" in page.locator(".unexplained").inner_text()
    assert page.locator(".why").count() == 0


def papers(count: int) -> list[dict[str, str]]:
    return [{"id": f"p{n}", "title": f"{TITLE} {n}", "abstract": ABSTRACT} for n in range(count)]


def saved(page: Any, what: str, folder: Path) -> str:
    with page.expect_download() as download:
        page.click(f"#save-{what}")
    place = folder / what
    download.value.save_as(place)
    return place.read_text(encoding="utf-8")


def choose(page: Any, name: str, text: str) -> None:
    file = {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
    page.set_input_files("#file", files=[file])


def ended(page: Any) -> str:
    page.wait_for_selector("#save-csv:visible")
    return str(page.locator("#batch-status").inner_text())


def test_a_file_is_classified_and_saved(visit: Open, tmp_path: Path) -> None:
    page = visit()
    rows = [json.dumps(paper) for paper in papers(20)]
    rows[3:3] = ["{", '{"title": "T"}', json.dumps(papers(1)[0] | {"primary": "cs.XX"}), ""]
    choose(page, "papers.jsonl", "\ufeff" + "\r\n".join(rows) + "\n")
    assert ended(page) == "20 of 23 papers have an answer, 3 have none."
    faults = page.locator("#faults li").all_inner_texts()
    assert faults[0].startswith("line 4: not JSON")
    assert faults[1] == "line 5: abstract is missing"
    assert faults[2].startswith('line 6: primary: "cs.XX"')
    assert page.locator("#rows tbody tr").count() == 20
    assert page.locator("#progress").get_attribute("value") == "21"
    told = [json.loads(line) for line in saved(page, "jsonl", tmp_path).splitlines()]
    assert [one["row"] for one in told] == list(range(23))
    assert [row for row, one in enumerate(told) if "error" in one] == [3, 4, 5]
    assert told[0]["id"] == "p0"
    assert len(told[0]["categories"]) == 5
    table = list(csv.DictReader(saved(page, "csv", tmp_path).splitlines()))
    assert len(table) == 23
    assert table[0]["categories"].split() == [one["category"] for one in told[0]["categories"]]
    assert table[0]["verdict"] == told[0]["decision"]["verdict"]
    assert table[4]["error"] == "abstract is missing"


def test_a_table_with_quotes_is_read_and_formulas_are_defused(visit: Open, tmp_path: Path) -> None:
    page = visit()
    text = 'Title,ID,abstract\n"A, ""quoted"" title",=1+1,"Two\nlines"\nshort,x\n'
    choose(page, "papers.csv", text)
    assert ended(page) == "1 of 2 papers have an answer, 1 have none."
    assert page.locator("#faults li").all_inner_texts() == [
        "line 4: 2 cells, but the first line has 3"
    ]
    assert 'A, "quoted" title' in page.locator("#rows tbody").inner_text()
    [first, _] = csv.DictReader(saved(page, "csv", tmp_path).splitlines())
    assert first["id"] == "'=1+1"
    choose(page, "old.csv", "title,abstract\rRings,Modules\rFields\r")
    page.locator("#faults li", has_text="line 3: 1 cells").wait_for()


def test_of_very_many_faults_the_first_are_listed(visit: Open) -> None:
    page = visit()
    choose(page, "wrong.jsonl", "{\n" * 1234)
    assert ended(page) == "0 of 1234 papers have an answer, 1234 have none."
    assert page.locator("#faults li").count() == 500
    assert page.locator("#more-faults").inner_text() == "and 734 more; all are in the files."


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "name,abstract\nx,y\n", "no column “title”"),
        ("a.csv", 'title,abstract\n"x,y\n', "line 2: a quotation mark is never closed"),
        ("a.jsonl", "\n", "there is no paper in it"),
        ("a.json", "[1,", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_so(
    visit: Open, name: str, text: str, said: str
) -> None:
    page = visit()
    choose(page, name, text)
    page.wait_for_selector("#batch-status:not(:empty)")
    assert said in page.locator("#batch-status").inner_text()
    assert not page.locator("#run").is_visible()


def test_a_batch_waits_for_a_busy_service_and_goes_on(visit: Open) -> None:
    page = visit()
    refused: list[int] = []

    def answer(route: Any) -> None:
        if len(refused) < 2:
            refused.append(len(route.request.post_data_json["papers"]))
            body = {"error": {"type": "overloaded", "message": "busy"}}
            route.fulfill(status=429, json=body, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/v1/classify", answer)
    choose(page, "a.jsonl", "\n".join(json.dumps(paper) for paper in papers(18)))
    page.locator("#batch-status", has_text="waiting 1 s").wait_for()
    assert ended(page) == "18 of 18 papers have an answer, 0 have none."
    assert refused == [16, 8]
    page.unroute("**/v1/classify")


def test_a_batch_can_be_stopped_and_keeps_what_it_has(visit: Open, tmp_path: Path) -> None:
    page = visit()
    asked: list[Any] = []

    def answer(route: Any) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.continue_()
        # The second is never answered.

    page.route("**/v1/classify", answer)
    choose(page, "a.jsonl", "\n".join(json.dumps(paper) for paper in papers(40)))
    page.wait_for_selector("#rows tbody tr")
    page.focus("#cancel")
    page.keyboard.press("Enter")
    assert ended(page) == "Stopped. 16 of 40 papers have an answer, 24 have none."
    assert page.evaluate("document.activeElement.id") == "save-jsonl"
    told = [json.loads(line) for line in saved(page, "jsonl", tmp_path).splitlines()]
    assert [one.get("error") for one in told[15:17]] == [None, "not classified"]
    page.focus("#save-csv")
    choose(page, "b.jsonl", "\n")
    page.locator("#batch-status", has_text="b.jsonl cannot be read").wait_for()
    assert page.evaluate("document.activeElement.id") == "batch-status"
    page.unroute("**/v1/classify")


def test_everything_is_reached_by_the_keyboard_alone(visit: Open) -> None:
    page = visit()

    def focused() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.className"))

    page.keyboard.press("Tab")
    assert focused() == "skip"
    page.keyboard.press("Enter")
    assert focused() == "title"
    page.keyboard.type(TITLE)
    page.keyboard.press("Tab")
    assert focused() == "abstract"
    page.keyboard.type("We train a network on images of galaxies. It is fast.")
    page.keyboard.press("Tab")
    assert focused() == "primary"
    page.keyboard.type("cs.CV")
    page.keyboard.press("Tab")
    assert focused() == "classify"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(".why")
    assert focused() == "results-heading"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.evaluate("document.activeElement.parentElement.open") is True
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is False
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.add(focused())
    assert "file" in seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_nothing_sticks_out(visit: Open, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})

    def check() -> None:
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    check()
    classified(page, primary="cs.CV")
    read(page)
    choose(page, "a.jsonl", "\n".join([json.dumps(papers(1)[0]), "{"]))
    ended(page)
    check()
    fill(page, primary="cs.XX")
    page.click("#classify")
    page.wait_for_selector(".problem")
    check()


def test_a_service_of_one_place_is_used_one_paper_at_a_time(chromium: Any) -> None:
    with serving("serve.capacity=1") as url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        fill(page)
        page.click("#classify")
        page.wait_for_selector(".why")
        assert page.locator(".category").count() == 5
        choose(page, "a.jsonl", "\n".join(json.dumps(paper) for paper in papers(3)))
        assert ended(page) == "3 of 3 papers have an answer, 0 have none."
        context.close()


def test_a_service_with_keys_answers_whoever_types_one(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "correct-horse-battery"
    monkeypatch.setenv("ARXIV_CORE_SERVE_KEYS", key)
    with serving() as url:
        for scripted in (True, False):
            page = visit(url, java_script_enabled=scripted)
            fill(page, key="staple-of-another-kind")
            page.click("#classify")
            page.wait_for_selector(".problem")
            assert "API key" in page.locator(".problem .heading").inner_text()
            classified(page, key=key)
            assert page.locator(".category").count() >= 5
        # A file goes the same way: with a wrong key not one of its papers is sent again.
        page = visit(url)
        page.fill("#key", "staple-of-another-kind")
        paper = json.dumps({"title": TITLE, "abstract": ABSTRACT})
        file = {"name": "two.jsonl", "mimeType": "application/json"}
        page.set_input_files("#file", file | {"buffer": f"{paper}\n{paper}\n".encode()})
        page.locator("#batch-status", has_text="asks for an API key").wait_for()
        assert page.locator("#count").inner_text() == "0 of 2"
        page.fill("#key", key)
        page.set_input_files("#file", file | {"buffer": f"{paper}\n{paper}\n".encode()})
        page.locator("#batch-status", has_text="2 of 2 papers have an answer").wait_for()
