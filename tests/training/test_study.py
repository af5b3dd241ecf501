from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.ablation import columns_without, contributions
from training.baselines import compare, majority, public_recipe
from training.fit import Learned
from training.refit import Lesson, ask_again
from training.study import Study, study_learning


@pytest.fixture(scope="module")
def study(learned: Learned, history: pd.DataFrame) -> Study:
    return study_learning(learned, history, n_jobs=1)


def test_every_target_is_studied(study: Study, learned: Learned) -> None:
    assert list(study.targets) == list(learned.model.heads)
    assert study.joint is not None


def test_same_seed_gives_the_same_study(
    study: Study, learned: Learned, history: pd.DataFrame
) -> None:
    again = study_learning(learned, history, n_jobs=1)

    for target, found in study.targets.items():
        assert found.refits == again.targets[target].refits
        assert found.telling == again.targets[target].telling
    assert study.promises.packed() == again.promises.packed()


def test_thresholds_for_the_promised_precision_are_those_of_the_model(
    study: Study, learned: Learned
) -> None:
    for target, head in learned.model.heads.items():
        for label, promise in study.targets[target].promises.items():
            [choice] = [c for c in promise.choices if c.precision == 0.95]
            assert choice.threshold == head.thresholds[label]
    assert learned.model.joint is not None
    assert study.joint is not None
    assert study.joint.choices[3].threshold == learned.model.joint.threshold


def test_last_point_of_the_curve_is_the_headline_figure(study: Study, learned: Learned) -> None:
    for target, found in study.targets.items():
        assert found.refits is not None
        newest = learned.metrics[target]["newest"]
        assert found.refits.curve.points[-1].accuracy == newest["accuracy"]
        assert found.refits.curve.points[-1].macro_f1 == pytest.approx(newest["macro_f1"])


def test_progress_is_told_to_the_end(learned: Learned, history: pd.DataFrame) -> None:
    steps: list[tuple[str, int, int]] = []

    study_learning(learned, history, n_jobs=1, on_step=lambda *step: steps.append(step))

    for target in learned.model.heads:
        told = [step for step in steps if step[0] == f"looking into {target}"]
        assert [done for _, done, _ in told] == list(range(told[0][2] + 1))


def test_target_that_could_not_be_asked_says_why_it_is_left_out(
    learned: Learned, history: pd.DataFrame
) -> None:
    blind = replace(learned, evidence=replace(learned.evidence, newest={}))

    found = study_learning(blind, history, n_jobs=1).targets["tier"]

    assert found.refits is None
    assert "too few different labelled tickets" in found.left_out
    assert found.promises


def test_refit_on_everything_answers_as_the_model_of_the_older_tickets(learned: Learned) -> None:
    evidence = learned.evidence
    asked = evidence.newest["category"]
    lesson = Lesson(
        evidence.matrix,
        evidence.truths["category"],
        asked.train,
        asked.test,
        learned.model.heads["category"].classifier.settings,
        0,
    )

    [answers] = ask_again([lesson], 1, lambda: None)

    assert np.mean(answers == asked.answers) >= 0.98


def test_lesson_of_one_label_answers_with_it(learned: Learned) -> None:
    evidence = learned.evidence
    truth = evidence.truths["category"]
    one = np.flatnonzero(truth == "vpn")[:10]
    lesson = Lesson(evidence.matrix, truth, one, np.arange(5), 1.0, 0)

    [answers] = ask_again([lesson], 1, lambda: None)

    assert set(answers) == {"vpn"}


def test_columns_of_each_part_are_found(learned: Learned, history: pd.DataFrame) -> None:
    features = learned.model.features

    found = columns_without(features, history, features.n_features_out_)

    assert set(found) == {"subject", "description", "site"}
    n_sites = history["field:site"].nunique()
    assert len(found["site"]) == features.n_features_out_ - n_sites
    both = np.intersect1d(found["subject"], found["description"])
    assert len(both) == n_sites  # no text is left, only the form field


def test_what_matters_brings_more_than_what_does_not() -> None:
    truth = np.array(["a", "b"] * 50, dtype=object)
    blind = np.array(["a"] * 100, dtype=object)

    found = contributions(truth, truth, {"useless": truth, "vital": blind})

    assert [part.name for part in found] == ["vital", "useless"]
    assert found[0].accuracy.value == 0.5
    assert found[0].accuracy.low > 0
    assert found[1].accuracy.low < 0 < found[1].accuracy.high


def test_recipe_learns_what_words_tell_and_the_majority_does_not() -> None:
    texts = [f"{word} is broken" for word in ("printer", "mailbox", "tunnel", "tunnel") * 20]
    truth = np.array(["printing", "email", "vpn", "vpn"] * 20, dtype=object)
    train, test = np.arange(60), np.arange(60, 80)

    recipe = public_recipe(texts, truth, train, test, seed=0)
    assert recipe is not None
    simple, clever = compare(
        truth[test], truth[test], {"majority": majority(truth[train], 20), "recipe": recipe}
    )

    assert simple.accuracy == 0.5
    assert clever.accuracy == 1.0
    assert simple.lead.value == 0.5


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["one two"] * 10, ["a"] * 10),
        ([f"w{number}" for number in range(10)], ["a", "b"] * 5),
        (["one two"] * 10, ["a"] * 8 + ["b"] * 2),
    ],
)
def test_recipe_that_cannot_learn_is_left_out(texts: list[str], labels: list[str]) -> None:
    truth = np.array(labels, dtype=object)

    assert public_recipe(texts, truth, np.arange(10), np.arange(2), seed=0) is None
