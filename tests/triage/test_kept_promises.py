"""Promises of the learning core that once were broken, part by part."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.exceptions import NotFittedError

from training.evaluate import evaluate
from training.fit import fit_model
from training.mapping import load_mapping
from training.predict import predict_file
from training.split import split
from training.tickets import in_canonical_order
from triage.bundle import champion, load_bundle, set_champion
from triage.classifier import TicketClassifier
from triage.confidence import (
    Calibration,
    coverage_at,
    fit_calibration,
    precision_threshold,
    set_cutoffs,
)
from triage.errors import BundleError, HistoryError
from triage.taxonomy import WideImpact
from triage.ticket import Ticket
from triage.twins import twin_clusters


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_prediction_sets_hold_the_right_label_where_only_some_labels_have_20_tickets(coverage):
    chance = np.random.default_rng(4)
    covered = []

    for _ in range(400):
        scores = chance.normal(scale=1.5, size=(120, 4)) + np.array([1, 0.5, 0, -1])
        probabilities = softmax(scores, axis=1)
        at_most = softmax(0.6 * scores, axis=1).cumsum(axis=1)
        truth = (chance.random((120, 1)) > at_most).sum(axis=1)
        cutoffs = set_cutoffs(probabilities[:60], truth[:60], coverage)
        of_truth = probabilities[np.arange(60, 120), truth[60:]]
        covered.append((of_truth >= cutoffs[truth[60:]]).mean())

    assert np.mean(covered) >= coverage - 0.005


def test_prediction_sets_of_a_few_tickets_do_not_promise_more_than_they_know():
    chance = np.random.default_rng(0)
    covered = []

    for _ in range(2000):
        probabilities = chance.dirichlet([1, 1], 6)
        truth = np.zeros(6, dtype=np.int64)
        cutoffs = set_cutoffs(probabilities[:5], truth[:5])
        covered.append(probabilities[5, 0] >= cutoffs[0])

    assert np.mean(covered) >= 0.89


def test_coverage_does_not_depend_on_the_order_of_equally_sure_tickets():
    confidence = np.full(4, 0.9)
    right_first = np.array([True, False, False, False])

    assert coverage_at(confidence, right_first, 0.9) == coverage_at(
        confidence, right_first[::-1], 0.9
    )


@pytest.mark.parametrize("size", [12, 30, 200])
def test_a_few_errorless_tickets_do_not_make_certain(size):
    scores = np.tile([1.0, -1.0, -1.0], (size, 1))
    truth = np.zeros(size, dtype=np.int64)

    confidence = fit_calibration(scores, truth)(scores).max(axis=1).mean()

    assert confidence <= (size + 1) / (size + 2) + 1e-9  # Laplace's rule of succession


@pytest.mark.parametrize("size", [80, 100, 150, 199])
def test_errorless_history_that_can_carry_a_promise_does(size):
    threshold = precision_threshold(np.linspace(0.4, 0.9, size), np.ones(size, dtype=bool), 0.95)

    assert threshold == 0.4


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_asking_before_fitting_is_said_as_scikit_learn_says_it(method):
    with pytest.raises(NotFittedError):
        getattr(TicketClassifier(), method)(np.zeros((1, 2)))


def partition(clusters, names):
    return {
        frozenset(name for name, cluster in zip(names, clusters, strict=True) if cluster == wanted)
        for wanted in set(clusters.tolist())
    }


def test_order_does_not_matter_in_a_family_of_gradual_variants():
    for seed in range(20):
        chance = random.Random(seed)
        tickets = []
        for _ in range(12):
            words = [f"w{number}" for number in range(30)]
            for _ in range(chance.randint(0, 6)):
                words[chance.randrange(30)] = f"x{chance.randrange(1000)}"
            tickets.append(Ticket("", " ".join(words)))
        order = chance.sample(range(12), 12)

        in_order = partition(twin_clusters(tickets), range(12))

        assert partition(twin_clusters([tickets[n] for n in order]), order) == in_order


@pytest.mark.parametrize("size", [1, 10])
def test_history_of_one_cluster_is_learned_from_whole(size):
    created = pd.Series(pd.array([pd.NaT] * size, dtype=pd.DatetimeTZDtype("us", "UTC")))
    labels = np.array(["a", "b"] * size, dtype=object)[:size]

    parts = split(created, labels, np.zeros(size, dtype=np.int64))

    assert parts.train.tolist() == list(range(size)) and parts.test.tolist() == []


def test_undated_history_of_one_form_letter_can_be_learned_from(as_history, taxonomy):
    text = "please reset the access of the user named below in the portal as soon as you can number"
    frame = as_history(
        {
            "subject": [""] * 20,
            "description": [f"{text} {number}" for number in range(20)],
            "tier": ["1", "2"] * 10,
        }
    )

    fit_model(in_canonical_order(frame), taxonomy=taxonomy, n_jobs=1)


CLEAR = Ticket(
    "account locked, forgot password",
    "I forgot my password since monday morning, how can I reset it again. Locked login token.",
)


def changed(engine, **parts):
    return replace(engine, model=replace(engine.model, **parts))


def test_classifying_no_tickets_gives_nothing(loaded_engine):
    verdicts = loaded_engine.classify([])

    assert verdicts["tier"].probabilities.shape == (0, 3)
    assert verdicts["tier"].decisions == verdicts["category"].decisions == []


def test_wide_impact_is_not_told_to_be_routed(loaded_engine):
    answer = loaded_engine.suggest([replace(CLEAR, subject="whole office: account locked")])[0]

    assert answer.decision == "suggest"
    assert "promise_kept" not in [reason.code for reason in answer.reasons]


@pytest.mark.parametrize("phrase", ["Whole Office", "große Störung"])
def test_phrases_of_a_desks_own_taxonomy_are_found_whatever_their_case(
    loaded_engine, taxonomy, phrase
):
    engine = changed(loaded_engine, taxonomy=replace(taxonomy, wide_impact=WideImpact((phrase,))))

    answer = engine.suggest([replace(CLEAR, description=f"{phrase} {CLEAR.description}")])[0]

    assert answer.reasons[0].code == "wide_impact"


def test_second_tiers_article_is_no_routine_at_a_desk_without_self_service(loaded_engine, taxonomy):
    tiers = {name: taxonomy.tiers[name] for name in ("1", "2", "3")}
    engine = changed(loaded_engine, taxonomy=replace(taxonomy, tiers=tiers))
    ticket = Ticket(
        "vpn client certificate expired", "whole office: reinstall driver profile corrupted laptop"
    )

    with_self_service = loaded_engine.suggest([ticket])[0]
    without = engine.suggest([ticket])[0]

    assert [hit.id for hit in with_self_service.articles] == ["KB3"]
    assert [hit.id for hit in without.articles] == ["KB3"]


def test_text_without_one_known_word_is_out_of_domain_however_odd_the_history_was(loaded_engine):
    engine = changed(loaded_engine, min_familiarity={"und": 0.0})  # some empty tickets do it

    answer = engine.suggest([Ticket("qwv zxj krpl", "blorf snig wump trake vonsel drib")])[0]

    assert [reason.code for reason in answer.reasons] == ["out_of_domain"]


def test_explanation_contrasts_with_the_alternative_that_is_shown(loaded_engine):
    head = loaded_engine.model.heads["category"]
    classifier = type(head.classifier)()
    sharp = Calibration(temperature=0.02, noise=0.04)  # all but the first are equally unlikely
    classifier.__dict__.update(head.classifier.__dict__, calibration_=sharp)
    heads = {**loaded_engine.model.heads, "category": replace(head, classifier=classifier)}
    engine = changed(loaded_engine, heads=heads)
    from triage.explain import map_terms, weigh_terms
    from triage.prepare import prepare

    answer = engine.suggest([CLEAR])[0]

    first, second = (head.labels.index(a.label) for a in answer.category.alternatives[:2])
    contrast = head.classifier.coef_[:, first] - head.classifier.coef_[:, second]
    row = engine.model.features.transform([prepare(CLEAR)])
    assert answer.explanation["category"] == weigh_terms(
        map_terms(engine.model.features, prepare(CLEAR), row.indices),
        row.data * contrast[row.indices],
    )


@pytest.mark.parametrize(
    "part", ["joint threshold", "joint weights", "familiarity", "field weight"]
)
def test_hash_changes_with_everything_numeric_that_decides_answers(model, part):
    import copy

    joint = model.joint
    features = copy.copy(model.features)
    features.field_weight = 0.1
    variants = {
        "joint threshold": replace(model, joint=replace(joint, threshold=None)),
        "joint weights": replace(
            model, joint=replace(joint, confidence=replace(joint.confidence, intercept=9.0))
        ),
        "familiarity": replace(model, min_familiarity={"und": 0.99}),
        "field weight": replace(model, features=features),
    }

    assert variants[part].canonical_hash() != model.canonical_hash()


def test_champion_that_could_not_be_read_back_is_not_set(tmp_path):
    set_champion(tmp_path, "good")

    with pytest.raises(BundleError):
        set_champion(tmp_path, "../x")

    assert champion(tmp_path) == "good"


def test_model_whose_fields_were_hashed_with_another_secret_is_refused(saved, tmp_path):
    server = tmp_path / "server"
    server.mkdir()
    (server / "trusted").symlink_to(saved.keys / "trusted")

    with pytest.raises(BundleError, match=r"copy field\.key"):
        load_bundle(saved.folder, server)

    assert not (server / "field.key").exists()


def test_signed_bundle_with_an_empty_array_is_refused_in_one_line(saved, tmp_path):
    import hashlib
    import shutil

    from triage.signing import signing_key

    folder = Path(shutil.copytree(saved.folder, tmp_path / "one"))
    (folder / "idf.npy").write_bytes(b"")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["idf.npy"] = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    del manifest["signature"]
    signed = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    manifest["signature"] = signing_key(saved.keys).sign(signed).hex()
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(BundleError):
        load_bundle(folder, saved.keys)


@pytest.mark.parametrize("name", ["resolution", "assignment_group", "csat"])
def test_target_named_like_a_column_is_measured_against_itself(loaded_engine, history, name):
    heads = {name: loaded_engine.model.heads["tier"]}
    engine = changed(loaded_engine, heads=heads, joint=None)

    metrics = evaluate(engine, history.rename(columns={"tier": f"target:{name}"}))

    assert metrics[name]["accuracy"] > 0.8


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("id,subject\n1,printer jam\n")
    return path


def test_parquet_in_a_missing_folder_is_refused_without_telling_paths(loaded_engine, source):
    output = source.parent / "missing" / "out.parquet"

    with pytest.raises(HistoryError, match="cannot be written: No such file") as refused:
        predict_file(loaded_engine, source, load_mapping(), output)

    assert str(source.parent) not in str(refused.value)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_output_below_a_file_is_refused_in_one_line(loaded_engine, source, name):
    with pytest.raises(HistoryError):
        predict_file(loaded_engine, source, load_mapping(), source / name)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_target_whose_name_ends_like_a_confidence_is_written(loaded_engine, source, ending):
    heads = {"root_confidence": loaded_engine.model.heads["category"]}
    engine = changed(loaded_engine, heads=heads, joint=None)

    predict_file(engine, source, load_mapping(), source.with_name(f"out.{ending}"))


def test_list_of_rejected_rows_that_cannot_be_written_is_told_in_one_line(loaded_engine, tmp_path):
    source = tmp_path / "new.csv"
    source.write_text("id,subject\n1,vpn\n2,a,b,c\n")
    (tmp_path / "out-rejected.csv").mkdir()

    with pytest.raises(HistoryError):
        predict_file(loaded_engine, source, load_mapping(), tmp_path / "out.csv")
