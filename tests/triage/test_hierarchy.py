"""Labels that are paths: their steps, their levels, and the walk down to a leaf."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triage.hierarchy import (
    SEPARATOR,
    at_level,
    depth_of,
    fold_rare,
    last_part,
    levels_of,
    steps_of,
    walk_down,
    with_one_separator,
)

LABELS = ["Access > Card", "Access > VPN", "Mail", "Mail > Spam", "Print > Tray > A3"]
PARTS = st.sampled_from(["Access", "Mail", "VPN", "Spam", "A3"])
LABEL_SETS = st.lists(
    st.lists(PARTS, min_size=1, max_size=3).map(SEPARATOR.join), min_size=1, max_size=9, unique=True
)


@pytest.mark.parametrize(
    ("label", "steps"),
    [
        ("Access", ("Access",)),
        ("Access > VPN", ("Access", "Access > VPN")),
        ("Access::VPN", ("Access", "Access::VPN")),
        ("A :: B > C", ("A", "A :: B", "A :: B > C")),
        ("Load>90%", ("Load>90%",)),
        ("::1", ("::1",)),
        ("Access > ", ("Access > ",)),
    ],
)
def test_steps_of_a_path_lead_from_the_top_to_the_whole(label: str, steps: tuple[str]) -> None:
    assert steps_of(label) == steps


def test_last_part_is_what_a_path_adds() -> None:
    assert [last_part(label) for label in LABELS] == ["Card", "VPN", "Mail", "Spam", "A3"]
    assert last_part("Access::VPN") == "VPN"


def test_other_separators_compare_as_the_same_path() -> None:
    assert with_one_separator("a::b > c") == with_one_separator("a > b :: c") == "a > b > c"


def test_labels_are_cut_off_below_a_level() -> None:
    assert depth_of(LABELS) == 3
    assert at_level(LABELS, 1) == ["Access", "Access", "Mail", "Mail", "Print"]
    assert at_level(LABELS, 2) == [*LABELS[:4], "Print > Tray"]


def test_probability_of_a_node_is_the_sum_of_its_labels() -> None:
    top, middle, leaves = levels_of(LABELS)
    probabilities = np.array([[0.1, 0.2, 0.3, 0.15, 0.25], [0.0, 0.0, 0.0, 0.0, 1.0]])

    assert top.nodes == ["Access", "Mail", "Print"]
    assert top.sums(probabilities) == pytest.approx(np.array([[0.3, 0.45, 0.25], [0, 0, 1]]))
    assert len(middle.nodes) == 5
    np.testing.assert_array_equal(leaves.sums(probabilities), probabilities)


@given(LABEL_SETS, st.data())
def test_sums_of_every_level_add_up_to_what_the_labels_do(
    labels: list[str], data: st.DataObject
) -> None:
    shares = data.draw(arrays(float, (2, len(labels)), elements=st.floats(0, 1)))

    for level in levels_of(labels):
        assert level.sums(shares).sum(axis=1) == pytest.approx(shares.sum(axis=1))


def test_walk_prefers_the_better_parent_to_the_better_leaf() -> None:
    probabilities = np.array([[0.32, 0.31, 0.0, 0.0, 0.37]])

    chosen = walk_down(levels_of(LABELS), probabilities, np.ones(5, dtype=bool))

    assert LABELS[chosen[0]] == "Access > Card"


def test_many_unlikely_labels_do_not_make_their_parent_the_best() -> None:
    labels = [f"Many > {number}" for number in range(8)] + ["One"]
    probabilities = np.array([[0.07] * 8 + [0.44]])

    chosen = walk_down(levels_of(labels), probabilities, np.ones(9, dtype=bool))

    assert labels[chosen[0]] == "One"


@given(LABEL_SETS, st.data())
def test_walk_ends_at_an_allowed_label_and_for_flat_ones_at_the_likeliest(
    labels: list[str], data: st.DataObject
) -> None:
    shares = data.draw(arrays(float, (3, len(labels)), elements=st.floats(0, 1)))
    allowed = data.draw(arrays(bool, len(labels)).filter(np.any))

    chosen = walk_down(levels_of(labels), shares, allowed)

    assert allowed[chosen].all()
    if depth_of(labels) == 1:
        best = np.where(allowed, shares, -1.0).argmax(axis=1)
        np.testing.assert_array_equal(chosen, best)


def test_walk_does_not_depend_on_the_other_tickets() -> None:
    chance = np.random.default_rng(3)
    shares = chance.dirichlet(np.ones(5), 200)
    levels, allowed = levels_of(LABELS), np.ones(5, dtype=bool)

    together = walk_down(levels, shares, allowed)

    alone = [int(walk_down(levels, row[np.newaxis], allowed)[0]) for row in shares]
    assert together.tolist() == alone


def test_rare_leaves_are_folded_upwards_and_others_stay() -> None:
    labels = np.array(
        ["A > B > C"] * 2 + ["A > B > D"] + ["A > E"] * 3 + ["A > F"] + ["G", None], dtype=object
    )

    folded = fold_rare(labels, 3)

    assert folded.tolist() == ["A > B"] * 3 + ["A > E"] * 3 + ["A"] + ["G", None]


@given(st.lists(st.one_of(st.none(), st.sampled_from(LABELS)), max_size=30), st.integers(1, 5))
def test_folding_leaves_no_rare_leaf_and_no_ticket_without_its_top_step(
    labels: list[str | None], min_tickets: int
) -> None:
    folded = fold_rare(np.array(labels, dtype=object), min_tickets).tolist()

    counts = Counter(label for label in folded if label)
    assert all(count >= min_tickets for label, count in counts.items() if len(steps_of(label)) > 1)
    assert [label and steps_of(label)[0] for label in folded] == [
        label and steps_of(label)[0] for label in labels
    ]
