import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

from training.accounting import Accounting, FileAccounting
from training.canonical import column_array
from training.evaluate import NOT_LEARNED
from training.fit import Learned, fit_model
from training.report import render_report
from training.study import Study, study_learning
from triage.taxonomy import load_taxonomy

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    r"$\frac$",
    "$",
    "😀 网络",
    "שלום \u202e abc",
    "'\"--><img src=x onerror=alert(1)>",
    "a " + "very " * 40 + "long name",
)
CATEGORIES = (*HOSTILE, *(f"kind {number}" for number in range(16)))
RARE = "<b>rare</b>"
CANARY = "quokka"
FACTS = MappingProxyType(
    {
        "trained_at": "2025-03-04T05:06:07+00:00",
        "training_s": 12.5,
        "seed": 7,
        "data_hash": "d" * 64,
        "model_hash": "e" * 64,
        "libraries": {"python": "3.11.7", "numpy": "2.3.0"},
    }
)
ACCOUNTING = Accounting(
    files=(
        FileAccounting(
            name="export.csv",
            format="csv",
            encoding="utf-8",
            delimiter=",",
            columns={"subject": "Title"},
            is_guess=False,
            read=500,
            kept=480,
            merged=15,
            rejected=5,
        ),
    ),
    unmapped_groups={SCRIPT: 4},
)
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Page(HTMLParser):
    """What a browser would make of a page: elements, visible text, and tables as rows of cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.text = " ".join(self.text.split())
        self.unclosed = self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open or "script" in self._open:
            return
        self.text += data
        if "th" in self._open or "td" in self._open:
            self.tables[-1][-1][-1] += data

    def headed(self, first: str) -> list[list[list[str]]]:
        return [table for table in self.tables if table[0][0] == first]


def make_history() -> pd.DataFrame:
    """Make tickets whose wording mostly tells their label; a tenth is labelled at random."""
    rng = np.random.default_rng(0)
    n = 480
    category = np.array(CATEGORIES, dtype=object)[np.sort(rng.integers(len(CATEGORIES), size=n))]
    word = [f"topic{CATEGORIES.index(label)}" for label in category]
    noise = rng.random(n) < 0.1
    category[noise] = rng.permutation(category[noise])
    category[:2] = RARE
    order = rng.permutation(n)
    serial = [f"{a}{b}" for a, b in rng.integers(10_000, size=(n, 2))]
    columns: dict[str, Any] = {
        "id": [str(number) for number in range(n)],
        "created_at": pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC"),
        "subject": [f"{CANARY} {word[row]}" for row in order],
        "description": [f"{CANARY} {word[row]} and {serial[row]}" for row in order],
        "tier": ["2" if word[row] < "topic16" else "1" for row in order],
        "category": [category[row] for row in order],
        "target:priority": ["high"] * n,
    }
    return pd.DataFrame({name: column_array(name, values) for name, values in columns.items()})


@pytest.fixture(scope="module")
def learned() -> Learned:
    return fit_model(make_history(), taxonomy=load_taxonomy(), n_jobs=1)


@pytest.fixture(scope="module")
def study(learned: Learned) -> Study:
    return study_learning(learned, make_history(), n_jobs=1)


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    return {"version": "v-1", "facts": dict(FACTS), "accounting": ACCOUNTING}


@pytest.fixture(scope="module")
def html(learned: Learned, study: Study, inputs: dict[str, Any]) -> str:
    return render_report(learned, study, **inputs)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def render(study: Study, inputs: dict[str, Any]) -> Callable[[Learned], Page]:
    def render_targets(learned: Learned) -> Page:
        found = {target: study.targets[target] for target in learned.model.heads}
        return Page(render_report(learned, replace(study, targets=found), **inputs))

    return render_targets


def with_tier_only(learned: Learned) -> Learned:
    """Keep one target, for tests that need no second to be drawn."""
    heads = {"tier": learned.model.heads["tier"]}
    return replace(learned, model=replace(learned.model, heads=heads))


def with_tier_study(study: Study, **changes: Any) -> Study:
    """Keep one target, something about it changed."""
    return replace(study, targets={"tier": replace(study.targets["tier"], **changes)})


def test_page_asks_for_no_other_file(html: str, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    names = {name for _, attributes in page.elements for name in attributes}
    links = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("href", "xlink:href")
    ]

    assert not tags & {"link", "img", "image", "iframe", "object", "embed", "base"}
    assert "src" not in names
    assert not [name for name in names if name.startswith("on")]
    assert links
    assert all(value and value.startswith("#") for value in links)
    assert html.count("url(") == html.count("url(#")
    assert "@import" not in html


def test_page_runs_no_script_but_its_own(html: str, page: Page) -> None:
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    policy = next(a["content"] or "" for _, a in page.elements if "http-equiv" in a)

    [script] = scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "alert" not in script


def test_page_is_well_formed_and_its_ids_are_unique(page: Page) -> None:
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    inner = {value for _, a in page.elements if (value := a.get("href")) and value != "#"}

    assert page.unclosed == []
    assert max(ids.values()) == 1
    assert {value.removeprefix("#") for value in inner} <= set(ids)


def test_every_heading_of_a_table_says_what_it_heads(page: Page) -> None:
    headings = [attributes for tag, attributes in page.elements if tag == "th"]

    assert headings
    assert {heading.get("scope") for heading in headings} == {"col", "row", "rowgroup"}


def test_hostile_label_names_are_shown_as_they_are_written(page: Page) -> None:
    category = page.headed("Label")[4]
    shown = {row[0] for row in category[1:]}

    assert shown == {*CATEGORIES, NOT_LEARNED}
    assert f"{SCRIPT} (4)" in page.text


def test_page_holds_no_ticket_text_but_words_of_many_tickets(html: str) -> None:
    texts = make_history()["description"]
    serials = [text.rsplit(" ", 1)[1] for text in texts]

    assert f"{CANARY} " not in html
    assert not [serial for serial in serials if re.search(rf"\b{serial}\b", html)]


def test_plots_take_their_colours_from_the_page(html: str) -> None:
    plots = html.split("<svg ")[1:]

    assert len(plots) == 6
    for plot in plots:
        drawn = plot.split("</svg>")[0]
        assert "var(--accent)" in drawn
        assert "#0" not in drawn.replace("url(#", "").replace('href="#', "")
        assert "rgb" not in drawn


def test_same_input_gives_the_same_bytes_whatever_the_style_and_the_day(
    learned: Learned,
    study: Study,
    inputs: dict[str, Any],
    html: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")

    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.grid": False}):
        again = render_report(learned, study, **inputs)
        kept = matplotlib.rcParams["lines.linewidth"]

    assert again == html
    assert kept == 9


def test_headline_gives_both_ways_of_asking_with_their_tickets(
    learned: Learned, page: Page
) -> None:
    (headline,) = page.headed("Target and how it was asked")
    lines = [row for row in headline[1:] if len(row) == 7]

    expected = []
    for parts in learned.metrics.values():
        for part in ("out_of_fold", "newest"):
            figures = parts[part]
            expected.append(
                [
                    f"{figures['n']:,}",
                    f"{figures['accuracy']:.1%}",
                    f"{figures['macro_f1']:.3f}",
                    f"{figures['ece']:.3f}",
                    f"{figures['coverage_at_90']:.1%}",
                    f"{figures['coverage_at_95']:.1%}",
                ]
            )
    assert [row[1:] for row in lines] == expected
    assert [row[0] for row in lines] == 2 * [
        "Cross-validated, near twins kept apart",
        "Learned on the older 80%, asked about the newest 20%",
    ]


def test_history_without_dates_is_said_to_be_split_at_random(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    page = render(replace(with_tier_only(learned), is_split_by_time=False))

    assert "Learned on a random 80%, asked about the other 20%" in page.text
    assert "newest 20%" not in page.text


def test_target_that_could_not_be_asked_about_the_newest_says_so(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    metrics = {**learned.metrics, "tier": {**learned.metrics["tier"], "newest": {}}}
    few = replace(with_tier_only(learned), metrics=metrics)

    page = Page(render_report(few, with_tier_study(study, refits=None), **inputs))

    assert page.text.count("not measured: too few labelled tickets") == 1


def test_rows_rare_labels_and_skipped_targets_are_accounted_for(page: Page) -> None:
    assert "500 rows read: 480 kept, 15 merged, 5 rejected" in page.text
    assert f"category: {RARE} (2, 1 missing)" in page.text
    assert "priority: fewer than two labels with 3 tickets each" in page.text


def test_each_label_has_its_threshold_or_may_only_be_suggested(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    thresholds: dict[str, dict[str, float | None]] = {
        "category": dict.fromkeys(CATEGORIES, 0.8125),
        "tier": {"1": None, "2": 0.5},
    }
    heads = {
        target: replace(head, thresholds=thresholds[target])
        for target, head in learned.model.heads.items()
    }

    page = render(replace(learned, model=replace(learned.model, heads=heads)))

    last = {
        row[0]: row[-1] for table in page.headed("Label") for row in table if len(row) in (3, 6)
    }
    assert last["1 Service desk"] == "suggest only"
    assert last["2 Technical support"] == "50.0%"
    assert last[SCRIPT] == "81.2%"
    assert last[NOT_LEARNED] == "too few tickets to learn"


def test_calibration_table_adds_up_to_the_error_and_the_tickets(
    learned: Learned, page: Page
) -> None:
    for target, table in zip(learned.metrics, page.headed("Confidence"), strict=True):
        figures = learned.metrics[target]["out_of_fold"]
        counts = np.array([int(row[1].replace(",", "")) for row in table[1:]])
        mean, right = (
            np.array([float(row[column].rstrip("%")) / 100 for row in table[1:]])
            for column in (2, 3)
        )

        assert counts.sum() == figures["n"]
        error = (counts * abs(mean - right)).sum() / counts.sum()
        assert error == pytest.approx(figures["ece"], abs=0.001)


def test_confusion_shows_the_commonest_labels_and_sums_up_the_others(
    learned: Learned, page: Page
) -> None:
    tier_matrix, category_matrix = page.headed("Label")[1], page.headed("Label")[5]
    counts = {
        label: scores["n"]
        for label, scores in learned.metrics["category"]["out_of_fold"]["per_label"].items()
    }

    assert tier_matrix[0] == ["Label", "1", "2"]
    assert category_matrix[0][-2:] == ["20", "other"]
    assert len(category_matrix) == 21
    sums = [sum(int(cell or 0) for cell in row[1:]) for row in category_matrix[1:]]
    assert sums == sorted(counts.values(), reverse=True)[:20]


def test_long_label_names_are_cut_in_the_confusion_matrix(page: Page) -> None:
    names = [row[0] for row in page.headed("Label")[5][1:]]

    assert any(name.endswith("…") for name in names)
    assert max(map(len, names)) <= 31


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (0.9, "the confidence that all of it is right is at least 90.0%"),
        (None, "no confidence promises that tier and category are right in 95% of cases"),
    ],
)
def test_promise_over_all_targets_is_told(
    learned: Learned, render: Callable[[Learned], Page], threshold: float | None, said: str
) -> None:
    few = with_tier_only(learned)
    assert few.model.joint is not None
    joint = replace(few.model.joint, threshold=threshold)

    page = render(replace(few, model=replace(few.model, joint=joint)))

    assert said in page.text


def test_without_a_tier_nothing_is_routed(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    few = with_tier_only(learned)

    page = render(replace(few, model=replace(few.model, joint=None)))

    assert "Nothing: the history has no tier that could be learned" in page.text


@pytest.mark.parametrize(("n", "is_right"), [(1, True), (20, False), (25_000, True)])
def test_few_or_many_and_all_right_or_all_wrong_tickets_can_be_drawn(
    learned: Learned, study: Study, inputs: dict[str, Any], n: int, is_right: bool
) -> None:
    drawn = with_tier_study(
        study, confidence=np.linspace(0.0, 1.0, n), correct=np.full(n, is_right)
    )

    page = Page(render_report(with_tier_only(learned), drawn, **inputs))

    plots = [tag for tag, _ in page.elements if tag == "svg"]
    counts = [int(row[1].replace(",", "")) for row in page.headed("Confidence")[0][1:]]
    assert len(plots) == 3
    assert sum(counts) == n


def test_slider_can_be_found_and_read_aloud(page: Page) -> None:
    sliders = [a for tag, a in page.elements if tag == "input"]
    labelled = {a["for"] for tag, a in page.elements if tag == "label"}

    assert [slider["type"] for slider in sliders] == ["range", "range"]
    assert {slider["id"] for slider in sliders} == labelled


def test_slider_is_hidden_until_a_script_can_move_it(page: Page) -> None:
    boxes = [a for _, a in page.elements if a.get("class") == "choose"]

    assert len(boxes) == 2
    assert all("hidden" in box for box in boxes)


def test_slider_steps_count_what_reaches_each_threshold(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    confidence = np.array([0.2, 0.5, 0.9, 1.0])
    correct = np.array([False, True, False, True])
    drawn = with_tier_study(study, confidence=confidence, correct=correct)

    page = Page(render_report(with_tier_only(learned), drawn, **inputs))

    [box] = [a for _, a in page.elements if a.get("class") == "choose"]
    steps = json.loads(box["data-steps"] or "")
    assert len(steps) == 201
    assert [steps[at][:2] for at in (0, 41, 100, 101, 200)] == [
        [4, 2],
        [3, 2],
        [3, 2],
        [2, 1],
        [1, 1],
    ]
    assert steps[0][2] < 0.5


def test_what_could_be_promised_is_told_for_each_label(study: Study, page: Page) -> None:
    tier, category = page.headed("Given label")

    assert tier[0][2:] == ["80%", "85%", "90%", "95%", "98%"]
    assert [row[0] for row in tier[1:]] == ["1", "2", "All together"]
    assert {row[0] for row in category[1:-1]} == set(CATEGORIES)
    for row, choice in zip(tier[1][2:], study.targets["tier"].promises["1"].choices, strict=True):
        said = f"{choice.threshold:.1%} {choice.share:.1%}" if choice.is_kept else "no"
        assert row == said


def test_labels_that_are_held_back_are_named(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    head = learned.model.heads["tier"]
    held = replace(learned.model.heads["tier"], thresholds={**head.thresholds, "1": None})
    taxonomy = learned.model.taxonomy
    tiers = {**taxonomy.tiers, "2": replace(taxonomy.tiers["2"], route=False, exclude=True)}
    model = replace(learned.model, heads={"tier": held}, taxonomy=replace(taxonomy, tiers=tiers))

    page = render(replace(learned, model=model))

    assert re.search(r"past tickets do not bear the promise out: 1[,.]", page.text)
    assert "Never routed, because the taxonomy says so: 2." in page.text
    assert "Never suggested, because the taxonomy excludes them: 2." in page.text


def test_paths_are_measured_level_by_level(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    levels = [{"accuracy": 0.9, "macro_f1": 0.8}, {"accuracy": 0.7, "macro_f1": 0.6}]
    parts = learned.metrics["tier"]
    metrics = {"tier": {**parts, "out_of_fold": {**parts["out_of_fold"], "levels": levels}}}

    page = render(replace(with_tier_only(learned), metrics=metrics))

    assert "level 1: 90.0% (macro‑F1 0.800), level 2: 70.0% (macro‑F1 0.600)." in page.text


def test_tiers_that_are_missed_are_told_by_their_side(
    learned: Learned, render: Callable[[Learned], Page]
) -> None:
    parts = learned.metrics["tier"]
    sides = {"under_escalated": 0.034, "over_escalated": 0.012, "mean_cost": 0.5}
    metrics = {"tier": {**parts, "out_of_fold": {**parts["out_of_fold"], **sides}}}

    page = render(replace(with_tier_only(learned), metrics=metrics))

    assert "3.4% of the tickets would be sent too low" in page.text
    assert "1.2% too high" in page.text
    assert "by the desk's costs that is 0.500 a ticket" in page.text


def test_each_label_has_a_forecast(study: Study, page: Page) -> None:
    refits = study.targets["category"].refits
    assert refits is not None

    told = {row[0]: row[-1] for row in page.headed("Label")[6][1:]}

    assert told == {f.label: f.sentence() for f in refits.curve.forecasts}
    assert refits.curve.sentence() in page.text


def test_study_that_was_left_out_says_why(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    short = with_tier_study(study, refits=None, left_out="it is a test")

    page = Page(render_report(with_tier_only(learned), short, **inputs))

    assert "are left out here: it is a test." in page.text
    assert len([tag for tag, _ in page.elements if tag == "svg"]) == 2


def test_terms_that_may_be_one_persons_are_said_to_be(page: Page) -> None:
    assert "the history does not say who asked" in page.text


def test_names_of_form_fields_and_slices_are_shown_as_they_are_written(
    learned: Learned, study: Study, inputs: dict[str, Any]
) -> None:
    [slicing, *_] = study.targets["tier"].slicings
    hostile = replace(
        slicing, title=SCRIPT, slices=tuple(replace(s, name=SCRIPT) for s in slicing.slices)
    )

    page = Page(
        render_report(
            with_tier_only(learned), with_tier_study(study, slicings=(hostile,)), **inputs
        )
    )

    assert page.headed("Tickets of")[0][1][0] == SCRIPT
    assert len([tag for tag, _ in page.elements if tag == "script"]) == 1
