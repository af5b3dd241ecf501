"""What a desk lays down in its taxonomy, from the file to the answer: paths, costs, exclusions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.evaluate import evaluate
from training.fit import fit_model
from training.tickets import in_canonical_order, iter_tickets
from triage.bundle import save_bundle
from triage.engine import TriageEngine, load_engine
from triage.errors import ConfigurationError
from triage.model import TriageModel
from triage.signing import field_key
from triage.taxonomy import Taxonomy, parse_taxonomy
from triage.ticket import Ticket

CLEAR = Ticket(
    "account locked, forgot password",
    "I forgot my password since monday morning, how can I reset it again. Locked login token.",
)
PATHS = {
    "access": "Person > Account",
    "email": "Person > Mail",
    "printing": "Device > Printer",
    "vpn": "Network",
}


def with_rules(engine: TriageEngine, change: Callable[[dict[str, Any]], None]) -> TriageEngine:
    """The same engine at a desk whose taxonomy has been changed."""
    content = engine.model.taxonomy.to_dict()
    change(content)
    return replace(engine, model=replace(engine.model, taxonomy=parse_taxonomy(content)))


def with_costs(engine: TriageEngine, under: float, over: float) -> TriageEngine:
    def change(content: dict[str, Any]) -> None:
        content["costs"] = {"tier": {"under_escalation": under, "over_escalation": over}}

    return with_rules(engine, change)


def codes(engine: TriageEngine, ticket: Ticket) -> list[str]:
    return [reason.code for reason in engine.suggest([ticket])[0].reasons]


@pytest.fixture(scope="module")
def path_history(history: pd.DataFrame) -> pd.DataFrame:
    """The history with categories that are paths, two tickets of which have a leaf of their own."""
    paths = history["category"].map(PATHS)
    paths[history.index[history["category"] == "printing"][:2]] = "Device > Fax"
    return in_canonical_order(history.assign(category=paths.astype("str")))


@pytest.fixture(scope="module")
def path_model(path_history: pd.DataFrame, taxonomy: Taxonomy, keys: Path) -> TriageModel:
    return fit_model(path_history, taxonomy=taxonomy, key=field_key(keys), n_jobs=1).model


@pytest.fixture(scope="module")
def path_engine(
    path_model: TriageModel, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> TriageEngine:
    models = tmp_path_factory.mktemp("path-models")
    return load_engine(save_bundle(path_model, models, "paths", keys), keys=keys)


def test_category_is_answered_as_a_path(path_engine: TriageEngine) -> None:
    answer = path_engine.suggest([CLEAR])[0]

    assert answer.category is not None
    assert answer.category.label == "Person > Account"
    assert [(step.label, step.name) for step in answer.category.path] == [
        ("Person", "Person"),
        ("Person > Account", "Account"),
    ]
    top, leaf = answer.category.path
    assert top.confidence >= leaf.confidence == answer.category.confidence
    assert answer.tier is not None and answer.tier.path == []


def test_confidence_never_rises_on_the_way_down_a_path(
    path_engine: TriageEngine, mixed: pd.DataFrame
) -> None:
    answers = path_engine.suggest(list(iter_tickets(mixed)))

    shown = [answer.category for answer in answers if answer.category and answer.category.label]
    assert len(shown) > 200
    for prediction in shown:
        assert prediction.label == prediction.path[-1].label
        top, *below = (step.confidence for step in prediction.path)
        assert all(confidence <= top for confidence in below)


def test_leaf_too_rare_to_learn_is_learned_as_its_parent(path_model: TriageModel) -> None:
    head = path_model.heads["category"]

    assert head.labels == ["Device > Printer", "Network", "Person > Account", "Person > Mail"]
    assert head.classifier.too_few_ == {"Device": 2}


def test_step_that_only_rare_leaves_were_folded_into_is_never_routed(
    path_history: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    places = path_history.index[path_history["category"] == "Person > Mail"]
    split_up = path_history.copy()
    split_up.loc[places, "category"] = [f"Person > Mail > {n // 2}" for n in range(len(places))]

    head = fit_model(split_up, taxonomy=taxonomy, n_jobs=1).model.heads["category"]

    assert head.labels == ["Device > Printer", "Network", "Person > Account", "Person > Mail"]
    assert head.thresholds["Person > Mail"] is None
    assert head.thresholds["Person > Account"] is not None


def test_steps_are_as_sure_in_the_loaded_model_as_in_the_fitted_one(
    path_model: TriageModel, path_engine: TriageEngine
) -> None:
    (fitted,) = path_model.heads["category"].level_calibrations
    (loaded,) = path_engine.model.heads["category"].level_calibrations

    assert fitted is not None and fitted == loaded
    assert path_engine.model.canonical_hash() == path_model.canonical_hash()


def test_paths_are_measured_by_level(path_engine: TriageEngine, path_history: pd.DataFrame) -> None:
    metrics = evaluate(path_engine, path_history)

    top, leaf = metrics["category"]["levels"]
    assert top["accuracy"] >= leaf["accuracy"] == metrics["category"]["accuracy"]
    assert "levels" not in metrics["tier"]
    assert {"under_escalated", "over_escalated"} <= metrics["tier"].keys()


def test_article_of_a_whole_category_serves_those_below_it(
    path_engine: TriageEngine, taxonomy: Taxonomy
) -> None:
    details = {"Person": {"name": "Person", "details": ["device"]}}
    engine = with_rules(path_engine, lambda content: content["categories"].update(details))

    answer = engine.suggest([CLEAR])[0]

    assert answer.missing_details == [taxonomy.details["device"].question["en"]]


@pytest.fixture(scope="module")
def mixed(history: pd.DataFrame) -> pd.DataFrame:
    """Tickets that speak of two things: the description of each is that of the next."""
    return history.assign(description=history["description"].to_numpy()[np.arange(1, 241) % 240])


def test_dear_under_escalation_raises_tiers_and_cheap_one_lowers_them(
    loaded_engine: TriageEngine, mixed: pd.DataFrame
) -> None:
    dear = evaluate(with_costs(loaded_engine, 20, 1), mixed)["tier"]
    plain = evaluate(loaded_engine, mixed)["tier"]
    cheap = evaluate(with_costs(loaded_engine, 1, 20), mixed)["tier"]

    assert dear["over_escalated"] > plain["over_escalated"]
    assert cheap["under_escalated"] > plain["under_escalated"]
    assert dear["under_escalated"] < plain["under_escalated"]
    assert "mean_cost" in dear and "mean_cost" not in plain


def test_tier_of_least_cost_is_the_same_in_every_answer(
    loaded_engine: TriageEngine, mixed: pd.DataFrame
) -> None:
    engine = with_costs(loaded_engine, 8, 1)
    tickets = list(iter_tickets(mixed))

    verdicts = engine.classify(tickets)["tier"]
    answers = engine.suggest(tickets)

    labels = engine.model.heads["tier"].labels
    overruled = verdicts.chosen != verdicts.probabilities.argmax(axis=1)
    assert 0 < overruled.sum() < len(tickets)
    for row, answer in enumerate(answers):
        tier = answer.tier
        assert tier is not None
        assert tier.basis == "cost"
        assert tier.confidence == round(float(verdicts.confidence[row]), 4)
        if tier.label is not None:
            assert tier.label == labels[verdicts.chosen[row]]
            told = "least_cost" in [reason.code for reason in answer.reasons]
            assert told == overruled[row]
            assert not (told and answer.decision == "route")


def test_costs_need_tiers_that_the_taxonomy_has(history: pd.DataFrame, taxonomy: Taxonomy) -> None:
    content = taxonomy.to_dict()
    content["costs"] = {"tier": {"under_escalation": 2, "over_escalation": 1}}
    foreign = history.assign(tier=("L" + history["tier"]).astype("str"))

    with pytest.raises(ConfigurationError, match="'L1' of the history"):
        fit_model(foreign, taxonomy=parse_taxonomy(content), n_jobs=1)


def test_rules_of_the_desk_are_part_of_the_models_hash(loaded_engine: TriageEngine) -> None:
    def exclude(content: dict[str, Any]) -> None:
        content["categories"]["email"]["exclude"] = True

    hashes = [
        engine.model.canonical_hash()
        for engine in (
            loaded_engine,
            with_costs(loaded_engine, 2, 1),
            with_costs(loaded_engine, 3, 1),
            with_rules(loaded_engine, exclude),
        )
    ]

    assert len(set(hashes)) == 4


def test_excluded_category_is_nowhere_offered(loaded_engine: TriageEngine) -> None:
    def exclude(content: dict[str, Any]) -> None:
        content["categories"]["access"]["exclude"] = True

    assert loaded_engine.suggest([CLEAR])[0].decision == "route"
    engine = with_rules(loaded_engine, exclude)

    answer = engine.suggest([CLEAR])[0]

    assert answer.decision == "suggest"
    assert answer.category is not None and answer.category.label is None
    assert "access" not in [one.label for one in answer.category.alternatives]
    assert codes(engine, CLEAR) == ["excluded_category"]


def test_category_that_may_not_go_unseen_is_suggested(loaded_engine: TriageEngine) -> None:
    def hold(content: dict[str, Any]) -> None:
        content["categories"]["access"]["route"] = False

    engine = with_rules(loaded_engine, hold)

    answer = engine.suggest([CLEAR])[0]

    assert answer.decision == "suggest"
    assert answer.category is not None and answer.category.label == "access"
    assert codes(engine, CLEAR) == ["never_routed_category"]


def test_label_that_may_not_go_unseen_has_no_threshold(
    history: pd.DataFrame, taxonomy: Taxonomy, model: TriageModel
) -> None:
    tiers = dict(taxonomy.tiers)
    tiers["1"] = replace(tiers["1"], route=False)

    held = fit_model(history, taxonomy=replace(taxonomy, tiers=tiers), n_jobs=1).model

    before, after = model.heads["tier"].thresholds, held.heads["tier"].thresholds
    assert before["1"] is not None and after["1"] is None


def usual_tiers(content: dict[str, Any]) -> None:
    for category, tier in (("access", "1"), ("email", "1"), ("vpn", "2")):
        content["categories"][category]["tier"] = tier


def without_tiers(engine: TriageEngine) -> TriageEngine:
    heads = {"category": engine.model.heads["category"]}
    return replace(engine, model=replace(engine.model, heads=heads, joint=None))


def test_usual_tier_of_the_category_is_shown_where_no_tiers_were_learned(
    loaded_engine: TriageEngine,
) -> None:
    engine = with_rules(without_tiers(loaded_engine), usual_tiers)

    answer = engine.suggest([CLEAR])[0]

    probabilities = engine.classify([CLEAR])["category"].probabilities[0]
    labels = engine.model.heads["category"].labels
    share = sum(probabilities[labels.index(label)] for label in ("access", "email"))
    assert answer.tier is not None
    assert (answer.tier.label, answer.tier.basis) == ("1", "taxonomy")
    assert answer.tier.confidence == pytest.approx(share, abs=1e-4)
    assert (answer.tier.decision, answer.decision) == ("suggest", "suggest")
    assert answer.next_tier == "1"


def test_usual_tier_is_raised_where_many_are_hit(loaded_engine: TriageEngine) -> None:
    engine = with_rules(without_tiers(loaded_engine), usual_tiers)
    wide = replace(CLEAR, description=f"{CLEAR.description} the whole office is hit")

    answer = engine.suggest([wide])[0]

    assert answer.tier is not None
    assert (answer.tier.label, answer.tier.basis) == ("2", "policy")


def test_learned_tiers_stand_above_usual_ones(loaded_engine: TriageEngine) -> None:
    engine = with_rules(loaded_engine, usual_tiers)

    learned, with_usual = loaded_engine.suggest([CLEAR])[0], engine.suggest([CLEAR])[0]

    assert learned.tier == with_usual.tier


def test_rules_come_back_from_a_bundle(
    loaded_engine: TriageEngine, keys: Path, tmp_path: Path, mixed: pd.DataFrame
) -> None:
    engine = with_rules(with_costs(loaded_engine, 8, 1), usual_tiers)
    model = replace(engine.model, facts={})

    loaded = load_engine(save_bundle(model, tmp_path, "ruled", keys), keys=keys)

    assert loaded.model.taxonomy == engine.model.taxonomy
    tickets = list(iter_tickets(mixed))
    np.testing.assert_array_equal(
        loaded.classify(tickets)["tier"].chosen, engine.classify(tickets)["tier"].chosen
    )
