import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.charts import (
    NOTHING,
    STYLE,
    WIDTH,
    Bar,
    Line,
    Reliable,
    Stage,
    bar_chart,
    funnel_chart,
    line_chart,
    reliability_chart,
)
from triage.figures.desk import desk_figures
from triage.figures.drawn import MAX_BARS, draw_bars, draw_over_time
from triage.figures.ended import EndedTicket, TierOrder
from triage.svg_text import clean, shortened, width

SVG = "{http://www.w3.org/2000/svg}"
SAID = {"title": "How often", "description": "From January to March."}
MONTHS = ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"]
HOSTILE = '</title><script>alert(1)</script>" onload=\'x\' style="x"&amp;\u202e\x00\ud800]]><!--'

Draw = Callable[[str], str]
DRAWS: list[Draw] = [
    lambda text: line_chart(
        [Line(text, [0.1, 0.3], notes=[text, text]), Line(text, [0.2, None])],
        [text, text],
        title=text,
        description=text,
        unit="share",
    ),
    lambda text: bar_chart(
        [Bar(text, 3.0, text), Bar(text, None)], title=text, description=text, unit="mean"
    ),
    lambda text: funnel_chart([Stage(text, 3, text)], title=text, description=text),
    lambda text: reliability_chart([Reliable(0.5, 0.4, 3)], title=text, description=text),
    lambda text: bar_chart([], title=text, description=text, unit="mean", empty=text),
]


def drawn(svg: str) -> ElementTree.Element:
    """Parse a chart; whatever no browser should have to show is a failure."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "path", "rect", "circle", "text"),
        }
        assert not {name for name in element.attrib if name == "style" or name.startswith("on")}
    assert (root.get("role"), root[0].tag, root[1].tag) == ("img", f"{SVG}title", f"{SVG}desc")
    return root


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in drawn(svg).iter(f"{SVG}text")]


def notes(svg: str) -> list[str]:
    circles = drawn(svg).iter(f"{SVG}circle")
    return ["".join(circle.itertext()) for circle in circles]


def lengths(svg: str) -> list[float]:
    return [
        float(one.attrib["width"])
        for one in drawn(svg).iter(f"{SVG}rect")
        if one.get("class") == "chart-1"
    ]


def line_of(values: Sequence[float | None], unit: str = "share") -> str:
    return line_chart([Line("a", values)], MONTHS[: len(values)], unit=unit, **SAID)  # type: ignore[arg-type]


@pytest.mark.parametrize("draw", DRAWS)
def test_hostile_texts_stay_texts(draw: Draw) -> None:
    svg = draw(HOSTILE)

    assert "script" not in {one.tag.removeprefix(SVG) for one in drawn(svg).iter()}
    assert "<script" not in svg
    assert not re.search("[\u202e\x00\ud800]", svg)
    svg.encode("utf-8")


@given(st.text(max_size=60))
def test_any_text_gives_a_chart_that_can_be_read(text: str) -> None:
    for draw in DRAWS:
        drawn(draw(text))


@pytest.mark.parametrize("draw", DRAWS)
def test_long_names_stay_inside(draw: Draw) -> None:
    for text in ("W" * 500, "日本" * 300, "i" * 500):
        for one in drawn(draw(text)).iter(f"{SVG}text"):
            shown = "".join(part.text or "" for part in one if part.tag != f"{SVG}title")
            shown += "".join(part.tail or "" for part in one) or (one.text or "")
            assert width(shown, float(one.attrib["font-size"])) <= WIDTH


def test_whole_of_a_shortened_name_is_told_to_a_pointer() -> None:
    name = "a very long category of tickets " * 5

    svg = bar_chart([Bar(name, 1.0)], unit="mean", **SAID)

    titles = [one.text for one in drawn(svg).iter(f"{SVG}title")]
    assert name.strip() in titles
    assert f"{name[:20]}" in texts(svg)[0] and "…" in texts(svg)[0]


def test_text_that_turns_the_line_round_or_climbs_out_of_it_is_tamed() -> None:
    assert clean("a\u202eb\nc\u200bd") == "a b c d"
    assert len(clean("x" + "\u0301" * 50)) <= 3
    assert shortened("abc", 1000) == "abc"


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([0.12, 0.43], "share", ["0%", "20%", "40%", "60%"]),
        ([0.98, 0.9], "share", ["0%", "25%", "50%", "75%", "100%"]),
        ([0.004, 0.001], "share", ["0%", "0.1%", "0.2%", "0.3%", "0.4%"]),
        ([3, 1], "count", ["0", "1", "2", "3"]),
        ([1234, 5], "count", ["0", "500", "1,000", "1,500"]),
        ([0.3, 1.1], "mean", ["0", "0.5", "1", "1.5"]),
        ([0, 0], "count", ["0", "1"]),
    ],
)
def test_axis_begins_at_zero_and_has_round_steps(
    values: list[float], unit: str, expected: list[str]
) -> None:
    told = texts(line_of(values, unit))

    assert told[: len(expected)] == expected
    assert told[len(expected)] == "Jan 2026"


def test_higher_values_are_drawn_higher_and_later_ones_further_right() -> None:
    circles = list(drawn(line_of([0.2, 0.8, 0.5])).iter(f"{SVG}circle"))

    xs, ys = ([float(one.attrib[name]) for one in circles] for name in ("cx", "cy"))

    assert xs == sorted(xs) and len(set(xs)) == 3
    assert ys[1] < ys[2] < ys[0]


def test_gap_breaks_the_line() -> None:
    svg = line_of([0.1, None, 0.2, 0.3])

    lines = [one for one in drawn(svg).iter(f"{SVG}path") if one.get("class") == "chart-1"]
    assert len(lines) == 2
    assert notes(svg) == ["Jan 2026: 10.0%", "Mar 2026: 20.0%", "Apr 2026: 30.0%"]


def test_several_lines_are_told_apart_by_name_and_by_more_than_colour() -> None:
    svg = line_chart(
        [Line("tier 1", [0.1, 0.2]), Line("tier 2", [0.3, 0.4])], MONTHS[:2], unit="share", **SAID
    )

    paths = [
        one for one in drawn(svg).iter(f"{SVG}path") if one.get("class") in ("chart-1", "chart-2")
    ]
    assert {"tier 1", "tier 2"} <= set(texts(svg))
    assert {one.get("stroke-dasharray") for one in paths} == {None, "7 3"}


def test_band_is_drawn_where_it_is_known() -> None:
    svg = line_chart(
        [Line("a", [0.1, 0.2, 0.3], [(0.05, 0.2), (0.1, 0.3), None])],
        MONTHS[:3],
        unit="share",
        **SAID,
    )

    [band] = [one for one in drawn(svg).iter(f"{SVG}path") if one.get("fill-opacity")]
    assert band.attrib["d"].endswith("Z")
    assert band.attrib["d"].count("L") == 3


def test_names_of_many_weeks_do_not_run_into_one_another() -> None:
    names = [f"{day} Sep 2026" for day in range(1, 27)]
    svg = line_chart([Line("a", [0.5] * 26)], names, unit="share", **SAID)

    below = [one for one in drawn(svg).iter(f"{SVG}text") if "Sep" in "".join(one.itertext())]

    middles = [float(one.attrib["x"]) for one in below]
    room = width(names[-1], 10.5)
    assert len(below) >= 3
    assert all(later - earlier >= room for earlier, later in pairwise(middles))
    assert middles[0] >= room / 2
    assert middles[-1] <= WIDTH - room / 2


def test_bars_are_as_long_as_their_values() -> None:
    svg = bar_chart(
        [Bar("a", 4.0, "8"), Bar("b", 1.0), Bar("c", None), Bar("d", 0.0)], unit="mean", **SAID
    )

    assert lengths(svg) == [WIDTH, WIDTH / 4, 0, 0]
    assert texts(svg) == ["a", "4.00 (8)", "b", "1.00", "c", "not known", "d", "0.00"]


def test_large_shares_are_told_of_the_whole_small_ones_of_the_largest() -> None:
    large = bar_chart([Bar("a", 0.75), Bar("b", 0.25)], unit="share", **SAID)
    small = bar_chart([Bar("a", 0.2), Bar("b", 0.1)], unit="share", **SAID)

    assert lengths(large) == [0.75 * WIDTH, 0.25 * WIDTH]
    assert lengths(small) == [WIDTH, WIDTH / 2]


def test_funnel_tells_each_stage_and_what_is_left_of_the_one_before() -> None:
    svg = funnel_chart(
        [Stage("received", 200), Stage("routed", 50, "150 left to a person"), Stage("right", 0)],
        **SAID,
    )

    assert lengths(svg) == [WIDTH, WIDTH / 4, 0]
    assert texts(svg) == [
        *("received", "200", "routed", "50 (25.0% of those before)", "150 left to a person"),
        *("right", "0 (0.0% of those before)"),
    ]


def test_reliability_stands_beside_the_diagonal_with_its_counts() -> None:
    svg = reliability_chart(
        [Reliable(0.5, 0.5, 40, (0.35, 0.65)), Reliable(0.9, 0.6, 10), Reliable(0.1, 0.0, 0)],
        **SAID,
    )

    [diagonal] = [one for one in drawn(svg).iter(f"{SVG}path") if one.get("stroke-dasharray")]
    x0, y0, x1, y1 = map(float, re.findall(r"[\d.]+", diagonal.attrib["d"]))
    honest, proud = (
        (float(one.attrib["cx"]), float(one.attrib["cy"]))
        for one in drawn(svg).iter(f"{SVG}circle")
    )
    assert math.isclose(honest[1], y0 + (y1 - y0) * (honest[0] - x0) / (x1 - x0), abs_tol=0.2)
    assert proud[1] > y0 + (y1 - y0) * (proud[0] - x0) / (x1 - x0) + 20
    assert notes(svg)[1] == "90.0% sure, 60.0% right, 10 tickets"
    assert {"40", "10"} <= set(texts(svg))


@pytest.mark.parametrize(
    "svg",
    [
        line_chart([], [], unit="share", **SAID),
        line_of([None, None]),
        bar_chart([Bar("a", None)], unit="mean", **SAID),
        funnel_chart([Stage("a", 0)], **SAID),
        reliability_chart([], **SAID),
    ],
)
def test_without_data_the_chart_says_so(svg: str) -> None:
    assert texts(svg) == [NOTHING]


def test_every_class_of_a_chart_that_is_coloured_is_in_the_style() -> None:
    used = {
        name
        for draw in DRAWS
        for one in drawn(draw("a")).iter()
        for name in (one.get("class") or "").split()
    }

    assert used - {"chart-track"} <= set(re.findall(r"\.([\w-]+) {", STYLE))


def test_series_are_drawn_with_what_they_are_counted_from() -> None:
    tickets = [
        EndedTicket(
            str(n), datetime(2026, 1, 5) + timedelta(weeks=n % 3), f"c{n % 15}", ("1",), "1", n % 2
        )
        for n in range(60)
    ]
    told = desk_figures(tickets, TierOrder(("1", "2", "3"), ("1", "2", "3")))

    line = draw_over_time([told.over_time("reassigned")])
    bars = draw_bars(told.grouped("reassigned", "category"))
    both = draw_over_time(
        [told.over_time("reassignments"), told.over_time("reopenings")], names=["one", "other"]
    )

    assert notes(line)[0] == "5 Jan 2026: 50.0% (10 of 20 tickets)"
    assert drawn(line)[1].text == (
        "Reassigned at all: 50.0% (5 Jan 2026) to 50.0% (19 Jan 2026), 3 points."
    )
    assert len(lengths(bars)) == MAX_BARS
    assert "50.0% (2 of 4)" in texts(bars)
    assert {"one", "other"} <= set(texts(both))
