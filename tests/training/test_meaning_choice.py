"""What texts mean is read where it helps beyond chance, and read from the texts only once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.ablation import MEANING
from training.fit import Learned, fit_model
from training.meaning import MeaningChoice, choose_meaning, read_meaning
from training.pipelines import pipelines_of
from training.study import study_learning
from triage.classifier import TicketClassifier
from triage.errors import HistoryError
from triage.semantic import is_available
from triage.taxonomy import Taxonomy
from triage.ticket import Ticket

pytestmark = pytest.mark.skipif(not is_available(), reason="the extra 'semantic' is not installed")

LETTERS = ("alpha", "beta", "gamma")


def silent(name: str, done: int, total: int) -> None:
    """Tell nobody."""


def answering(right: list[bool]) -> TicketClassifier:
    """A classifier of tickets that are all "a", right out of fold where told."""
    classifier = TicketClassifier()
    classifier.classes_ = np.array(["a", "b"], dtype=object)
    classifier.out_of_fold_ = np.array([[0.9, 0.1] if one else [0.1, 0.9] for one in right])
    classifier.is_checked_ = np.ones(len(right), dtype=bool)
    return classifier


def test_meaning_is_read_where_tickets_share_no_words(reading: Learned) -> None:
    choice = reading.meaning["category"]

    assert choice.is_used
    assert choice.gain > 0.2
    assert reading.model.heads["category"].reads_meaning
    assert reading.metrics["category"]["out_of_fold"]["accuracy"] > 0.75


def test_meaning_is_not_read_where_words_tell_it_all(
    as_history: Callable[..., pd.DataFrame], taxonomy: Taxonomy
) -> None:
    history = as_history(
        {
            "id": [str(number) for number in range(60)],
            "subject": [f"{LETTERS[number % 3]} again, place {number}" for number in range(60)],
            "category": [LETTERS[number % 3] for number in range(60)],
        }
    )

    learned = fit_model(history, taxonomy=taxonomy, n_jobs=1, semantic=True)

    assert not learned.meaning["category"].is_used
    assert not learned.model.reads_meaning
    plain = fit_model(history, taxonomy=taxonomy, n_jobs=1)
    assert learned.model.canonical_hash() == plain.model.canonical_hash()
    assert plain.meaning == {}


def test_gain_that_may_be_chance_is_not_enough() -> None:
    truth, twins = np.full(100, "a", dtype=object), np.arange(100)
    without = answering([True] * 90 + [False] * 10)

    few = choose_meaning(without, answering([True] * 92 + [False] * 8), truth, twins, 0)
    many = choose_meaning(without, answering([True] * 99 + [False]), truth, twins, 0)

    assert few.accuracy == pytest.approx(0.02) and not few.is_used
    assert many.accuracy == pytest.approx(0.09) and many.is_used


def test_near_twins_count_once() -> None:
    truth, twins = np.full(100, "a", dtype=object), np.r_[np.arange(90), np.full(10, 90)]

    choice = choose_meaning(
        answering([True] * 90 + [False] * 10), answering([True] * 100), truth, twins, 0
    )

    assert choice.n == 91
    assert not choice.is_used


def test_rare_labels_count_as_much_as_common_ones() -> None:
    truth = np.array(["a"] * 95 + ["b"] * 5, dtype=object)
    without, reading = answering([True] * 100), answering([True] * 95 + [False] * 5)

    choice = choose_meaning(without, reading, truth, np.arange(100), 0)

    assert choice.accuracy == pytest.approx(0.05)
    assert choice.macro_f1 == pytest.approx(1 - 190 / 195 / 2)


def test_choice_is_said_in_a_line() -> None:
    gained = MeaningChoice(0.021, 0.03, 0.004, 1200)
    unsure = MeaningChoice(0.001, -0.002, 0.004, 1200)

    assert gained.sentence("tier") == (
        "tier: what texts mean is read: +2.1 points of accuracy, +3.0 of macro-F1 "
        "(standard error of their mean 0.4; 1,200 tickets, cross-validated)"
    )
    assert "is not read, for the gain may be chance: +0.1 points" in unsure.sentence("tier")


def test_vectors_are_read_again_from_the_cache(paraphrased: pd.DataFrame, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    first = read_meaning(paraphrased, tmp_path, 1, lambda *step: steps.append(step))
    encoded = [step for step in steps if step[0] == "reading what they mean"]
    steps.clear()

    second = read_meaning(paraphrased.iloc[::-1], tmp_path, 2, lambda *step: steps.append(step))

    assert encoded[0][1:] == (0, 90) and encoded[-1][1:] == (90, 90)
    assert all(total == 0 for name, _, total in steps if name == "reading what they mean")
    np.testing.assert_array_equal(second.toarray(), first.toarray()[::-1])


def test_vectors_of_tickets_that_are_gone_leave_the_cache(
    paraphrased: pd.DataFrame, tmp_path: Path
) -> None:
    read_meaning(paraphrased, tmp_path, 1, silent)
    (file,) = tmp_path.iterdir()
    before = np.load(file, allow_pickle=False)

    read_meaning(paraphrased.iloc[5:], tmp_path, 1, silent)

    (file,) = tmp_path.iterdir()
    after = np.load(file, allow_pickle=False)
    assert (len(before), len(after)) == (90, 85)


def test_damaged_cache_is_said_in_one_line(paraphrased: pd.DataFrame, tmp_path: Path) -> None:
    read_meaning(paraphrased, tmp_path / "cache", 1, silent)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:1000])

    with pytest.raises(HistoryError, match="is damaged; delete it") as refused:
        read_meaning(paraphrased, tmp_path / "cache", 1, silent)

    assert str(tmp_path.parent) not in str(refused.value)


def test_history_too_long_to_be_read_is_refused(
    paraphrased: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    with pytest.raises(HistoryError, match="at most 80 tickets, this history has 90"):
        fit_model(paraphrased, taxonomy=taxonomy, n_jobs=1, semantic=True, by_parts_above=80)


def test_notebook_pipeline_answers_as_the_model_does(reading: Learned) -> None:
    tickets = [Ticket("Trouble with the bathtub"), Ticket("Trouble with a notebook computer")]

    answers = pipelines_of(reading.model)["category"].predict(tickets)

    assert answers.tolist() == ["building", "device"]


def test_study_tells_what_the_meaning_brings(reading: Learned, paraphrased: pd.DataFrame) -> None:
    study = study_learning(reading, paraphrased, n_jobs=1)

    refits = study.targets["category"].refits
    assert refits is not None
    (meaning,) = [part for part in refits.brings if part.name == MEANING]
    assert meaning.accuracy.value > 0
