"""Confidence: promises are kept as often as promised, and numbers are what they are called."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, softmax

from triage.confidence import (
    Calibration,
    calibrated_apart,
    coverage_at,
    expected_calibration_error,
    fit_calibration,
    fit_joint,
    label_thresholds,
    lower_bound,
    precision_threshold,
    set_cutoffs,
    tickets_for_promise,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CONFIDENCES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=25, unique=True)


def draw_labels(chance: np.random.Generator, probabilities: FloatArray) -> npt.NDArray[np.int64]:
    """Draw a label for each row of class probabilities."""
    at_most = probabilities.cumsum(axis=1)
    return np.asarray((chance.random((len(at_most), 1)) > at_most).sum(axis=1), dtype=np.int64)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_calibration_of_simulated_scores_is_recovered(temperature: float, noise: float) -> None:
    chance = np.random.default_rng(0)
    scores = chance.normal(scale=4 * temperature, size=(20_000, 5))
    truth = draw_labels(chance, softmax(scores / temperature, axis=1))
    is_noise = chance.random(len(truth)) < noise
    truth[is_noise] = chance.integers(5, size=int(is_noise.sum()))

    found = fit_calibration(scores, truth)

    assert found.temperature == pytest.approx(temperature, rel=0.08)
    assert found.noise == pytest.approx(noise, abs=0.02)


@pytest.mark.parametrize(
    "calibration", [Calibration(0.05, 0.3), Calibration(1, 0), Calibration(20, 0.01)]
)
def test_calibration_gives_a_distribution_that_ranks_as_the_scores_do(
    calibration: Calibration,
) -> None:
    scores = np.random.default_rng(0).normal(size=(50, 4))

    probabilities = calibration(scores)

    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), scores.argmax(axis=1))


def test_calibration_is_the_softmax_mixed_with_chance() -> None:
    probabilities = Calibration(temperature=2.0, noise=0.2)(np.array([[2 * math.log(3), 0.0]]))

    np.testing.assert_allclose(probabilities, [[0.8 * 0.75 + 0.1, 0.8 * 0.25 + 0.1]])


def test_probabilities_of_huge_scores_stay_numbers() -> None:
    probabilities = Calibration(0.01, 0.0)(np.array([[1e5, -1e5, 0.0]]))

    assert probabilities.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize(("right", "total"), [(1, 1), (59, 59), (58, 60), (180, 200), (3, 100)])
@pytest.mark.parametrize("delta", [0.05, 0.01])
def test_lower_bound_is_scipys_exact_interval(right: int, total: int, delta: float) -> None:
    exact = stats.binomtest(right, total, alternative="greater").proportion_ci(1 - delta, "exact")

    assert lower_bound(right, total, delta) == pytest.approx(exact.low, abs=1e-12)


def test_nothing_right_promises_nothing() -> None:
    assert lower_bound(0, 100, 0.05) == 0.0


@pytest.mark.parametrize(
    ("target", "delta", "needed"), [(0.95, 0.05, 59), (0.9, 0.05, 29), (0.95, 0.01, 90)]
)
def test_tickets_for_a_promise_are_the_fewest_that_can_carry_it(
    target: float, delta: float, needed: int
) -> None:
    assert tickets_for_promise(target, delta) == needed
    assert lower_bound(needed, needed, delta) >= target
    assert lower_bound(needed - 1, needed - 1, delta) < target


def test_calibration_apart_promises_nothing_that_small_labels_cannot_keep() -> None:
    """100 labels of 20 tickets, each right in 92 of 100: luck must not look like merit."""
    broken = {"apart": 0, "on the same": 0}
    for seed in range(2):
        chance = np.random.default_rng(seed)
        truth = np.repeat(np.arange(100), 20)
        scores = chance.normal(scale=0.05, size=(2000, 100))
        is_wrong = chance.random(2000) < 0.08
        said = np.where(is_wrong, chance.integers(100, size=2000), truth)
        scores[np.arange(2000), said] += 1
        correct = scores.argmax(axis=1) == truth
        same = fit_calibration(scores, truth)(scores)
        folds = chance.integers(4, size=2000)
        apart = calibrated_apart(scores, truth, np.ones(2000, dtype=bool), folds)
        for name, probabilities in (("apart", apart), ("on the same", same)):
            threshold = precision_threshold(probabilities.max(axis=1), correct, 0.95)
            broken[name] += threshold is not None

    assert broken["apart"] == 0
    assert broken["on the same"] > 0  # so the test can fail


def test_fold_without_others_to_be_calibrated_on_is_calibrated_on_itself() -> None:
    scores = np.random.default_rng(0).normal(size=(30, 3))
    truth = scores.argmax(axis=1)

    apart = calibrated_apart(scores, truth, np.ones(30, dtype=bool), np.zeros(30, dtype=np.int64))

    np.testing.assert_array_equal(apart, fit_calibration(scores, truth)(scores))


def accuracy_of(confidence: FloatArray) -> FloatArray:
    """Over-confident like a real model: 0.99 is right in 0.98, 0.9 in 0.77 of the cases."""
    return np.asarray(confidence**2.5)


def simulated(chance: np.random.Generator, size: int) -> tuple[FloatArray, BoolArray]:
    confidence = chance.beta(6, 0.6, size)
    return confidence, chance.random(size) < accuracy_of(confidence)


@pytest.mark.parametrize(("target", "size"), [(0.9, 200), (0.95, 600), (0.95, 1500)])
def test_promised_precision_is_kept_in_93_of_100_histories(target: float, size: int) -> None:
    chance = np.random.default_rng(size)
    population = np.sort(chance.beta(6, 0.6, 400_000))[::-1]
    precision_from_top = accuracy_of(population).cumsum() / np.arange(1, len(population) + 1)

    thresholds = [precision_threshold(*simulated(chance, size), target) for _ in range(400)]

    given_out = np.array([value for value in thresholds if value is not None])
    n_routed = np.searchsorted(-population, -given_out, side="right")
    kept = precision_from_top[n_routed - 1] >= target
    assert len(given_out) > 100  # the promise is worth something only where one is made
    assert (~kept).sum() <= 0.07 * len(thresholds)


def test_threshold_routes_a_good_part_of_what_could_be_routed() -> None:
    chance = np.random.default_rng(1)
    confidence, correct = simulated(chance, 4000)

    threshold = precision_threshold(confidence, correct, 0.95)

    best = coverage_at(confidence, correct, 0.95)
    assert threshold is not None
    assert best - 0.15 <= (confidence >= threshold).mean() <= best


def test_threshold_counts_tickets_of_equal_confidence_together() -> None:
    # The errors share their confidence with right ones: no cut takes only the right ones.
    confidence = np.array([0.9] * 200 + [0.5] * 100)
    correct = np.array([True] * 160 + [False] * 40 + [True] * 100)

    assert precision_threshold(confidence, correct, 0.95) is None


def test_threshold_does_not_depend_on_the_order_of_the_tickets() -> None:
    chance = np.random.default_rng(2)
    confidence, correct = simulated(chance, 600)
    confidence = confidence.round(2)
    order = chance.permutation(600)

    assert precision_threshold(confidence[order], correct[order], 0.9) == (
        precision_threshold(confidence, correct, 0.9)
    )


def test_errorless_history_promises_down_to_its_least_sure_ticket() -> None:
    confidence = np.linspace(0.4, 0.9, 300)

    assert precision_threshold(confidence, np.ones(300, dtype=bool), 0.95) == 0.4


def test_errors_among_the_surest_tickets_do_not_hide_that_most_are_right() -> None:
    confidence = np.linspace(1, 0, 2000)
    correct = np.arange(2000) < 1600
    correct[[0, 1, 2, 3, 4, 5]] = False  # mislabelled: no confidence tells them

    threshold = precision_threshold(confidence, correct, 0.95)

    assert threshold is not None
    assert 0.7 < (confidence >= threshold).mean() <= 0.84


@pytest.mark.parametrize(
    "correct",
    [np.ones(79, dtype=bool), np.zeros(500, dtype=bool), np.arange(500) % 10 > 0, np.ones(0) > 0],
    ids=["one ticket short", "never right", "right in 0.9", "no tickets"],
)
def test_no_threshold_where_the_tickets_support_no_promise(correct: BoolArray) -> None:
    confidence = np.random.default_rng(0).random(len(correct))

    assert precision_threshold(confidence, correct, 0.95) is None


def test_search_ends_where_the_promise_first_fails() -> None:
    confidence = np.linspace(1, 0, 2000)
    correct = np.ones(2000, dtype=bool)
    correct[901:961] = False  # 0.94 of the surer half is right, 0.97 of all

    threshold = precision_threshold(confidence, correct, 0.95)

    assert threshold is not None
    assert (confidence >= threshold).sum() == 900


def test_starting_points_share_the_chance_of_a_broken_promise() -> None:
    chance = np.random.default_rng(10)
    confidence = chance.random((1000, 2000))
    correct = chance.random((1000, 2000)) < 0.949  # no threshold whatever keeps 0.95

    broken = [
        precision_threshold(*history, 0.95) is not None
        for history in zip(confidence, correct, strict=True)
    ]

    assert 0.01 < np.mean(broken) <= 0.055


def test_smaller_delta_promises_less() -> None:
    chance = np.random.default_rng(1)
    confidence, correct = simulated(chance, 2000)

    usual = precision_threshold(confidence, correct, 0.95)
    cautious = precision_threshold(confidence, correct, 0.95, delta=1e-6)

    assert usual is not None and cautious is not None
    assert cautious > usual


def test_threshold_refuses_arrays_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="3 confidences but 2 outcomes"):
        precision_threshold(np.zeros(3), np.zeros(2, dtype=bool), 0.95)


@pytest.mark.parametrize("target", [0.0, 1.0, 1.5, -1.0, math.nan])
def test_threshold_refuses_a_target_that_is_no_precision(target: float) -> None:
    with pytest.raises(ValueError, match="target must lie between 0 and 1"):
        precision_threshold(np.ones(100), np.ones(100, dtype=bool), target)


def test_label_with_many_tickets_has_its_own_threshold_and_small_ones_share() -> None:
    chance = np.random.default_rng(3)
    predicted = np.repeat([0, 1, 2, 3], [400, 400, 150, 90])
    confidence = chance.uniform(0.5, 1, len(predicted))
    correct = np.ones(len(predicted), dtype=bool)
    correct[400:800:2] = False  # label "b" is as often wrong as right

    thresholds = label_thresholds(
        ["a", "b", "c", "d", "unseen"], predicted, confidence, correct, 0.95
    )

    small = confidence[predicted >= 2]
    assert thresholds == {
        "a": confidence[predicted == 0].min(),
        "b": None,
        "c": small.min(),
        "d": small.min(),
        "unseen": small.min(),
    }


def test_labels_that_are_few_even_together_are_never_routed() -> None:
    predicted = np.repeat([0, 1], [30, 40])

    thresholds = label_thresholds(
        ["a", "b"], predicted, np.linspace(0.9, 1, 70), np.ones(70, dtype=bool), 0.95
    )

    assert thresholds == {"a": None, "b": None}


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("size", [30, 600])
def test_prediction_sets_hold_the_right_label_as_often_as_stated(
    coverage: float, size: int
) -> None:
    chance = np.random.default_rng(4)
    covered = []

    for _ in range(200):
        scores = chance.normal([1, 0.5, 0, -1], 1.5, size=(2 * size, 4))
        probabilities = softmax(scores, axis=1)
        truth = draw_labels(chance, softmax(0.6 * scores, axis=1))  # the model is over-confident
        cutoffs = set_cutoffs(probabilities[:size], truth[:size], coverage)
        of_truth = probabilities[np.arange(size, 2 * size), truth[size:]]
        covered.append((of_truth >= cutoffs[truth[size:]]).mean())

    assert coverage - 0.01 <= np.mean(covered) <= coverage + 0.04


def test_prediction_sets_keep_their_coverage_label_by_label_from_20_tickets() -> None:
    chance = np.random.default_rng(5)
    easy, hard = chance.uniform(0.9, 1, 500), chance.uniform(0.1, 0.5, 25)
    probabilities = np.vstack(
        [np.column_stack([easy, 1 - easy]), np.column_stack([1 - hard, hard])]
    )
    truth = np.repeat([0, 1], [500, 25])

    cutoffs = set_cutoffs(probabilities, truth)

    assert (probabilities[truth == 0, 0] >= cutoffs[0]).mean() >= 0.9
    assert (probabilities[truth == 1, 1] >= cutoffs[1]).mean() >= 0.9
    assert cutoffs[0] > 0.9 > cutoffs[1]


def test_labels_with_fewer_than_20_tickets_share_a_cutoff() -> None:
    chance = np.random.default_rng(6)
    probabilities = chance.dirichlet([1, 1, 1, 1], 319)
    truth = np.repeat([0, 1, 2, 3], [200, 81, 19, 19])
    of_truth = probabilities[np.arange(319), truth]

    cutoffs = set_cutoffs(probabilities, truth)

    assert 0.9 <= (of_truth[281:] >= cutoffs[2]).mean() < 0.96
    assert cutoffs[2] == cutoffs[3]
    assert len(set(cutoffs)) == 3


def test_calibration_error_of_true_probabilities_is_small() -> None:
    chance = np.random.default_rng(7)
    confidence = chance.uniform(0.3, 1, 50_000)

    error = expected_calibration_error(confidence, chance.random(50_000) < confidence)

    assert error < 0.01


def test_calibration_error_of_the_overconfident_is_how_much_they_are() -> None:
    chance = np.random.default_rng(8)
    accuracy = chance.uniform(0.3, 0.8, 50_000)

    error = expected_calibration_error(accuracy + 0.2, chance.random(50_000) < accuracy)

    assert error == pytest.approx(0.2, abs=0.01)


def test_calibration_error_adds_up_bins_by_their_share() -> None:
    confidence = np.array([1.0, 1.0, 0.0, 0.5])  # three bins, the last one closed
    correct = np.array([True, False, False, True])

    assert expected_calibration_error(confidence, correct) == pytest.approx((1 + 0 + 0.5) / 4)


def test_numbers_about_no_tickets_are_zero() -> None:
    nothing = np.empty(0), np.empty(0, dtype=bool)

    assert expected_calibration_error(*nothing) == 0.0
    assert coverage_at(*nothing, 0.9) == 0.0


@given(confidence=CONFIDENCES, precision=st.sampled_from([0.5, 0.75, 0.9, 1.0]), data=st.data())
def test_coverage_is_the_largest_share_above_some_threshold_that_is_right_enough(
    confidence: list[float], precision: float, data: st.DataObject
) -> None:
    size = len(confidence)
    right = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    sure = np.array(confidence)

    shares = [
        (sure >= threshold).mean()
        for threshold in sure
        if right[sure >= threshold].mean() >= precision
    ]

    assert coverage_at(sure, right, precision) == max(shares, default=0.0)


def test_joint_confidence_is_calibrated_where_errors_go_hand_in_hand() -> None:
    chance = np.random.default_rng(9)

    def draw(size: int) -> tuple[FloatArray, BoolArray]:
        ease = chance.normal(2, 1.5, size)
        confidences = expit(np.column_stack([ease, ease + chance.normal(0, 0.5, size)]))
        return confidences, chance.random(size) < expit(ease - 0.5)

    joint = fit_joint(*draw(5000))

    confidences, all_right = draw(20_000)
    assert expected_calibration_error(joint(confidences), all_right) < 0.02
    product = confidences.prod(axis=1)
    assert expected_calibration_error(product, all_right) > 0.03


@pytest.mark.parametrize("is_right", [True, False])
def test_joint_confidence_without_a_contrast_is_the_cautious_rate(is_right: bool) -> None:
    confidences = np.random.default_rng(0).uniform(0.992, 1, (98, 2))

    joint = fit_joint(confidences, np.full(98, is_right))

    expected = 99 / 100 if is_right else 1 / 100
    np.testing.assert_allclose(joint(confidences), expected)


@settings(max_examples=40)
@given(
    confidences=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=10).map(
        np.array
    ),
    n_right=st.integers(0, 60),
)
def test_joint_confidence_is_never_above_the_least_sure_target(
    confidences: FloatArray, n_right: int
) -> None:
    chance = np.random.default_rng(n_right)
    joint = fit_joint(chance.uniform(0.4, 1, (60, 2)), np.arange(60) < n_right)

    found = joint(confidences)

    assert np.isfinite(found).all()
    assert (found >= 0).all() and (found <= confidences.min(axis=1)).all()
