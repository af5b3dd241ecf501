"""The audit finds what was planted in a history, and nothing where nothing was."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from training.audit.conflicts import find_conflicts
from training.audit.fields import find_field_leaks
from training.audit.finding import Finding
from training.audit.inseparable import find_inseparable_labels
from training.audit.leaks import requesters
from training.audit.personal import find_personal
from training.audit.run import CSV_COLUMNS, Audit, audit_frame, run_audit
from training.audit.scores import OutOfFold, score_out_of_fold
from training.audit.terms import find_term_leaks, read_terms
from training.audit.tiers import find_contradicted_tiers
from training.audit.wrong_labels import find_wrong_labels
from training.history import read_history
from training.mapping import Mapping as ExportMapping
from training.mapping import load_mapping
from training.sample import SampleTicket, generate
from training.tickets import field_names, iter_tickets
from triage.cli import app
from triage.errors import HistoryError
from triage.features import TicketFeatures
from triage.prepare import prepare
from triage.taxonomy import Taxonomy, data_folder
from triage.twins import twin_clusters

AsHistory = Callable[[Mapping[str, Sequence[Any]]], pd.DataFrame]

SAMPLE_STEP = 4  # every fourth ticket of the sample is enough to learn from


def no_step(name: str, done: int, total: int) -> None:
    """Show no progress."""


def score(frame: pd.DataFrame, target: str, truth: np.ndarray) -> OutOfFold:
    prepared = [prepare(ticket) for ticket in iter_tickets(frame)]
    matrix = TicketFeatures(field_names(frame)).fit_transform(prepared)
    clusters = twin_clusters(prepared)
    return score_out_of_fold(target, truth, matrix, clusters, n_jobs=1, on_step=no_step)


def term_leaks(frame: pd.DataFrame, target: str) -> list[Finding]:
    personal = find_personal(frame, no_step)
    terms = read_terms([prepare(ticket) for ticket in iter_tickets(frame)], personal.values)
    return find_term_leaks(target, labels(frame, target), terms, requesters(frame))


def field_leaks(frame: pd.DataFrame, target: str) -> list[Finding]:
    return find_field_leaks(target, labels(frame, target), frame, requesters(frame))


def labels(frame: pd.DataFrame, target: str) -> np.ndarray:
    return frame[target].to_numpy(dtype=object)


def rows(finding: Finding) -> list[int]:
    return [suspect.row for suspect in finding.suspects]


def with_text(frame: pd.DataFrame, chosen: Iterable[int], text: str) -> pd.DataFrame:
    """Append a text to the descriptions of some rows."""
    changed = frame.copy()
    changed.loc[list(chosen), "description"] += f" {text}"
    return changed


@pytest.fixture(scope="module")
def truth() -> list[SampleTicket]:
    return generate()


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    path = data_folder() / "sample" / "history.csv.gz"
    return read_history([path], load_mapping("sample")).frame


@pytest.fixture(scope="module")
def part(sample: pd.DataFrame) -> pd.DataFrame:
    """400 tickets of the sample, without telling who asked."""
    return sample[::9].reset_index(drop=True).drop(columns="field:caller")


# Wrong labels


@pytest.mark.parametrize("target", ["tier", "category"])
def test_most_flipped_labels_are_reported_and_the_right_ones_proposed(
    sample: pd.DataFrame, truth: list[SampleTicket], target: str
) -> None:
    frame = sample[::SAMPLE_STEP].reset_index(drop=True)
    right = np.array(
        [getattr(ticket, f"true_{target}") for ticket in truth[::SAMPLE_STEP]], dtype=object
    )
    chance = np.random.default_rng(5)
    flipped = chance.choice(len(right), round(0.03 * len(right)), replace=False)
    given = right.copy()
    for row in flipped:
        given[row] = chance.choice([label for label in sorted(set(right)) if label != right[row]])

    (finding,) = find_wrong_labels(score(frame, target, given))

    hits = [suspect for suspect in finding.suspects if suspect.row in set(flipped.tolist())]
    assert len(hits) >= 0.5 * len(flipped)
    assert len(hits) / finding.count >= 8 * 0.03  # chance alone gets 3 in 100 right
    assert np.mean([suspect.proposed == right[suspect.row] for suspect in hits]) > 0.75
    assert all(suspect.label == given[suspect.row] for suspect in finding.suspects)
    assert all((suspect.confidence or 0) >= 0.5 for suspect in finding.suspects)
    first = [suspect.row in set(flipped.tolist()) for suspect in finding.suspects[: len(flipped)]]
    assert np.mean(first) >= len(hits) / finding.count  # the surest come first


def test_confident_joint_is_the_one_counted_by_hand() -> None:
    probabilities = np.array(
        [
            [0.90, 0.10],  # a, counted as a
            [0.80, 0.20],  # a, counted as a
            [0.10, 0.90],  # a, counted as b: wrong
            [0.45, 0.55],  # a, reaches no mean
            [0.30, 0.70],  # b, counted as b
            [0.20, 0.80],  # b, counted as b
        ]
    )
    given = np.array([0, 0, 0, 0, 1, 1])
    scored = OutOfFold("tier", ["a", "b"], np.arange(10, 16), given, probabilities)

    (finding,) = find_wrong_labels(scored)

    (suspect,) = finding.suspects
    assert (suspect.row, suspect.label, suspect.proposed) == (12, "a", "b")
    assert suspect.confidence == 0.9
    assert (finding.count, finding.looked_at, finding.share) == (1, 6, 1 / 6)


def test_shuffled_labels_are_learned_no_better_than_the_commonest(history: pd.DataFrame) -> None:
    shuffled = np.random.default_rng(3).permutation(labels(history, "tier"))

    scored = score(history, "tier", shuffled)

    accuracy = (scored.predicted == scored.given).mean()
    majority = np.bincount(scored.given).max() / len(history)
    assert accuracy <= majority + 2 * np.sqrt(majority * (1 - majority) / len(history))
    in_order = score(history, "tier", labels(history, "tier"))
    assert (in_order.predicted == in_order.given).mean() > 0.8


def test_rare_labels_are_left_out_and_rows_stay_those_of_the_history(
    history: pd.DataFrame,
) -> None:
    given = labels(history, "tier").copy()
    given[0], given[7] = "rare", None

    scored = score(history, "tier", given)

    assert scored.labels == ["1", "2", "3"]
    assert set(range(len(history))) - set(scored.rows.tolist()) == {0, 7}
    assert [scored.labels[index] for index in scored.given] == given[scored.rows].tolist()


# Labels that cannot be told apart


def test_label_split_by_chance_is_suggested_for_merging(history: pd.DataFrame) -> None:
    given = labels(history, "category").copy()
    split = np.flatnonzero(given == "vpn")
    given[np.random.default_rng(1).permutation(split)[: len(split) // 2]] = "remote"

    scored = score(history, "category", given)
    (finding,) = find_inseparable_labels(scored)

    assert set(finding.labels) == {"vpn", "remote"}
    assert finding.looked_at == len(split)
    assert set(rows(finding)) <= set(split.tolist())
    accuracy = (scored.predicted == scored.given).mean()
    assert f"{accuracy:.1%} to {accuracy + finding.count / len(history):.1%}" in finding.sentence


def test_labels_that_differ_are_not(history: pd.DataFrame) -> None:
    for target in ("tier", "category"):
        assert not find_inseparable_labels(score(history, target, labels(history, target)))


def test_confusion_of_few_tickets_or_in_one_direction_is_not_enough() -> None:
    def scored(n_first: int, taken: int, n_second: int, back: int) -> OutOfFold:
        given = np.repeat([0, 1], [n_first, n_second])
        predicted = np.concatenate(
            [np.arange(n_first) < taken, np.arange(n_second) >= back]
        ).astype(int)
        return OutOfFold("tier", ["a", "b"], np.arange(len(given)), given, np.eye(2)[predicted])

    assert find_inseparable_labels(scored(20, 7, 20, 7))
    assert not find_inseparable_labels(scored(20, 7, 19, 7))
    assert not find_inseparable_labels(scored(20, 7, 20, 6))


# Leaks


def test_sample_gives_no_label_away(sample: pd.DataFrame) -> None:
    frame = sample[::2].reset_index(drop=True)
    terms = read_terms([prepare(ticket) for ticket in iter_tickets(frame)], frozenset())

    for target in ("tier", "category"):
        assert not field_leaks(frame, target)
        leaks = find_term_leaks(target, labels(frame, target), terms, requesters(frame))
        assert len(leaks) <= 1  # a habit of closing sentences, now and then


def test_field_equal_to_the_label_is_found(history: pd.DataFrame) -> None:
    copied = history.assign(**{"field:queue": "Q-" + history["category"]})

    (leak,) = field_leaks(copied, "category")

    assert (leak.code, leak.column, leak.share) == ("field", "field:queue", 1.0)


def test_field_with_more_values_than_labels_is_found(history: pd.DataFrame) -> None:
    agents = history["tier"] + [f"-agent {row % 3}" for row in range(len(history))]

    (leak,) = field_leaks(history.assign(**{"field:agent": agents}), "tier")

    assert (leak.code, leak.column) == ("field", "field:agent")


def test_value_that_tells_one_label_is_found(history: pd.DataFrame) -> None:
    vendor = np.where(history["tier"] == "3", "Vendor form", history["field:site"])

    (leak,) = field_leaks(history.assign(**{"field:form": vendor}), "tier")

    assert (leak.code, leak.term, leak.labels) == ("value", "Vendor form", ("3",))
    assert rows(leak) == np.flatnonzero(history["tier"] == "3").tolist()


def test_field_filled_for_one_label_only_is_found(history: pd.DataFrame) -> None:
    is_third = history["tier"] == "3"
    unique = history["subject"].where(is_third)

    (leak,) = field_leaks(history.assign(**{"field:vendor_note": unique}), "tier")

    assert (leak.code, leak.term, leak.labels) == ("value_presence", "filled", ("3",))
    assert rows(leak) == np.flatnonzero(is_third).tolist()


def test_pattern_of_ticket_numbers_is_found(history: pd.DataFrame) -> None:
    ids = [f"{'REQ' if tier == '1' else 'INC'}{row:05}" for row, tier in enumerate(history["tier"])]

    leaks = field_leaks(history.assign(id=ids), "tier")

    assert {(leak.code, leak.column, leak.term) for leak in leaks} == {
        ("value_pattern", "id", "REQ0")
    }


def test_field_of_one_persons_values_is_found_but_the_person_is_not_named(
    history: pd.DataFrame,
) -> None:
    caller = np.where(history["category"] == "vpn", "Mia Sonnenfeld", "Jon Abend")

    leaks = field_leaks(history.assign(**{"field:caller": caller}), "category")

    assert leaks
    assert {leak.column for leak in leaks} == {"field:caller"}
    assert "Mia" not in repr(leaks) and "Jon" not in repr(leaks)


def test_template_phrase_is_found(part: pd.DataFrame) -> None:
    third = np.flatnonzero(part["tier"] == "3")
    templated = part.copy()
    templated.loc[third, "description"] = "escalation form zeta: " + part["description"][third]

    (leak,) = term_leaks(templated, "tier")

    assert (leak.code, leak.labels) == ("phrase", ("3",))
    assert leak.term in "escalation form zeta"
    assert rows(leak) == third.tolist()
    assert leak.looked_at == len(part)


def test_stamp_with_the_resolvers_name_is_found_at_the_end(part: pd.DataFrame) -> None:
    third = np.flatnonzero(part["tier"] == "3")
    others = np.setdiff1d(np.arange(len(part)), third)
    stamped = with_text(part, third[::2], "resolved by juno")
    stamped = with_text(stamped, others[::2], "resolved by ida")
    inside = part.copy()
    inside.loc[third[::3], "description"] = "juno " + inside["description"][third[::3]]

    leaks = term_leaks(stamped, "tier")

    assert [(leak.code, leak.term, leak.labels) for leak in leaks] == [
        ("ending", "resolved by juno", ("3",))
    ]
    assert set(rows(leaks[0])) <= set(third[::2].tolist())  # cleaning takes some for a signature
    assert not term_leaks(inside, "tier")  # a word that a part of a label's tickets has is honest


def test_tickets_that_name_their_label_are_found(part: pd.DataFrame) -> None:
    renamed = part.assign(category=part["category"].replace("printing", "Print and Scan Services"))
    own = np.flatnonzero(renamed["category"] == "Print and Scan Services")
    others = np.setdiff1d(np.arange(len(part)), own)
    named = renamed.copy()
    named.loc[[*own[1:], others[0]], "subject"] = "print AND scan services"
    everywhere = renamed.assign(subject="print AND scan services")

    (leak,) = term_leaks(named, "category")

    assert (leak.code, leak.term) == ("label_name", "print and scan services")
    assert leak.labels == ("Print and Scan Services",)
    assert rows(leak) == sorted([*own[1:].tolist(), int(others[0])])
    assert not term_leaks(everywhere, "category")


def test_term_of_too_few_requesters_is_not_told(part: pd.DataFrame) -> None:
    third = np.flatnonzero(part["tier"] == "3")
    stamped = with_text(part, third, "from cell block seven")
    many = np.array([f"person {row}" for row in range(len(part))], dtype=object)
    few = many.copy()
    few[third] = [f"person {row % 2}" for row in range(len(third))]

    assert term_leaks(stamped.assign(**{"field:caller": many}), "tier")
    assert not term_leaks(stamped.assign(**{"field:caller": few}), "tier")


def test_term_that_redaction_replaces_anywhere_is_not_told(part: pd.DataFrame) -> None:
    third = np.flatnonzero(part["tier"] == "3")
    stamped = with_text(part, third, "kzimmer42")
    known = with_text(stamped, [0], "my username is kzimmer42.")

    (leak,) = term_leaks(stamped, "tier")

    assert leak.term == "kzimmer0"  # numbers are never told
    assert "kzimmer42" in find_personal(known, no_step).values
    assert not term_leaks(known, "tier")


def test_longest_of_the_terms_in_the_same_tickets_is_told_once(part: pd.DataFrame) -> None:
    third = np.flatnonzero(part["tier"] == "3")
    others = np.setdiff1d(np.arange(len(part)), third)
    stamped = with_text(part, third, "alpha bravo charlie delta")
    stamped = with_text(stamped, others[:40], "alpha bravo")

    (leak,) = term_leaks(stamped, "tier")

    assert leak.term in ("alpha bravo charlie", "bravo charlie delta")


def test_field_that_leaks_does_not_hide_wrong_labels(
    history: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    wrong = list(range(4, len(history), 40))
    given = labels(history, "category").copy()
    given[wrong] = np.where(given[wrong] == "vpn", "email", "vpn")
    changed = history.assign(category=given, **{"field:queue": given}).drop(columns="tier")

    findings, skipped = audit_frame(
        changed.assign(tier=None), ExportMapping("none"), taxonomy, on_step=no_step
    )

    assert {finding.column for finding in findings if finding.kind == "leak"} == {"field:queue"}
    (found,) = (finding for finding in findings if finding.kind == "wrong_labels")
    assert len(set(rows(found)) & set(wrong)) >= len(wrong) / 2
    assert skipped == {}


# Conflicting duplicates


def test_same_and_nearly_same_texts_with_different_labels_are_found(
    as_history: AsHistory,
) -> None:
    text = (
        "since the update this morning the label printer in hall two prints every label twice "
        "and then stops with a red light until somebody opens the lid"
    )
    frame = as_history(
        {
            "subject": ["twice", "Re: TWICE", "twice", "twice", "twice", "toner", "toner", ""],
            "description": [text, text.upper(), text, f"{text} please", "other", "low", "low", " "],
            "category": ["printing", "printing", "hardware", "software", "vpn", "a", "a", "b"],
        }
    )
    prepared = [prepare(ticket) for ticket in iter_tickets(frame)]
    given = labels(frame, "category")

    same, *rest = find_conflicts("category", given, prepared, twin_clusters(prepared))
    (near,) = find_conflicts("category", given[2:], prepared[2:], twin_clusters(prepared[2:]))

    assert (same.code, rows(same), rest) == ("same_text", [0, 1, 2], [])
    assert [suspect.proposed for suspect in same.suspects] == [None, None, "printing"]
    assert same.suspects[2].confidence == pytest.approx(2 / 3)
    assert (near.code, rows(near)) == ("near_twins", [0, 1])
    assert {suspect.proposed for suspect in near.suspects} == {None}  # one against one
    assert {suspect.group for suspect in near.suspects} == {1}


# Contradicted tiers


def test_every_wrong_tier_of_the_sample_contradicts_its_group(
    sample: pd.DataFrame, truth: list[SampleTicket], taxonomy: Taxonomy
) -> None:
    wrong = {row: ticket for row, ticket in enumerate(truth) if ticket.tier != ticket.true_tier}
    assert len(wrong) > 20

    findings = find_contradicted_tiers(sample, load_mapping("sample"), taxonomy)

    by_code = {finding.code: finding for finding in findings}
    found = by_code["tier_of_another_group"]
    assert rows(found) == list(wrong)
    assert [s.proposed for s in found.suspects] == [ticket.true_tier for ticket in wrong.values()]
    assert rows(by_code["first_tier_reassigned"]) == [
        row for row, ticket in enumerate(truth) if ticket.tier == "1" and ticket.reassignments >= 2
    ]


def test_mapping_that_names_the_groups_has_the_say(
    as_history: AsHistory, taxonomy: Taxonomy
) -> None:
    frame = as_history(
        {
            "subject": list("abcd"),
            "tier": ["L1", "L2", "L2", "L1"],
            "group_path": [("Desk", "Net", "Closing"), ("Desk", "Net"), (), ()],
            "assignment_group": [None, None, "desk", "Service Desk"],
        }
    )
    tiers = {"Desk": "L1", "NET": "L2", "*": "L3"}
    mapping = ExportMapping("own", tiers=tiers, closing_groups=("closing",))

    (finding,) = find_contradicted_tiers(frame, mapping, taxonomy)
    of_taxonomy = find_contradicted_tiers(frame, ExportMapping("auto"), taxonomy)

    assert (rows(finding), finding.looked_at) == ([0, 2], 3)
    assert [suspect.proposed for suspect in finding.suspects] == ["L2", "L1"]
    assert of_taxonomy == []  # which says "Service Desk" is 1: another word for it is no mistake


def test_outcomes_that_contradict_the_way_are_found(
    as_history: AsHistory, taxonomy: Taxonomy
) -> None:
    frame = as_history(
        {
            "subject": list("abcdef"),
            "tier": ["1", "1", "2", "1", "1", "1"],
            "reassignments": [2, 1, 5, None, None, 0],
            "group_path": [(), (), (), ("A", "B", "A"), ("A", "A"), ("A",)],
            "first_contact": [False, True, None, False, True, True],
            "reopened": [True, None, True, True, False, True],
        }
    )

    findings = find_contradicted_tiers(frame, ExportMapping("auto"), taxonomy)

    assert {finding.code: rows(finding) for finding in findings} == {
        "first_tier_reassigned": [0, 3],
        "first_contact_reassigned": [1],
        "first_contact_reopened": [5],
    }
    assert {finding.code: finding.looked_at for finding in findings} == {
        "first_tier_reassigned": 5,
        "first_contact_reassigned": 3,
        "first_contact_reopened": 3,
    }


# Personal data


def test_personal_data_is_counted_by_kind_and_column(as_history: AsHistory) -> None:
    frame = as_history(
        {
            "subject": ["mail of ana@example.com", "hello", "hello"],
            "description": [
                "from ana@example.com to ben@example.com, password: Sommer-42x",
                "the printer is offline",
                "ana@example.com",
            ],
            "tier": ["1", "2", "1"],
        }
    )

    personal = find_personal(frame, no_step)

    assert [(found.column, found.code, rows(found)) for found in personal.findings] == [
        ("subject", "email", [0]),
        ("description", "email", [0, 2]),
        ("description", "password", [0]),
    ]
    assert personal.findings[1].sentence.startswith("3 times email")
    assert personal.findings[1].share == pytest.approx(2 / 3)
    assert personal.values == {"ana@example.com", "ben@example.com", "Sommer-42x"}


# The whole


PRIVATE = ("canary", "kanarienvogel", "@example.com", "example.com")


@pytest.fixture(scope="module")
def export(part: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in which everything is wrong at once, and every ticket has words of its own."""
    frame = part[["id", "subject", "description", "tier", "category"]]
    frame = frame[frame["category"].isin(frame["category"].value_counts().index[:4])].copy()
    frame["group"] = frame["tier"].map(
        {"1": "Service Desk", "2": "Identity Team", "3": "ERP Development"}
    )
    frame["queue"] = "Q " + frame["category"]
    frame["description"] += [
        f" canary{'abcdefghij'[row % 10]}{'klmnopqrst'[row // 10 % 10]} mail{row}@example.com"
        " password: Kanarienvogel-77"
        for row in range(len(frame))
    ]
    frame.loc[frame.index[:3], "tier"] = ["2", "1", "2"]
    third = frame["tier"] == "3"
    frame.loc[third, "description"] = "handled on floor nine: " + frame["description"][third]
    copies = frame.iloc[[3, 4]].assign(id=["T0900", "=cmd()"], category=["nowhere", "nowhere"])
    path = tmp_path_factory.mktemp("audit") / "export.csv"
    pd.concat([frame, copies]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def audited(export: Path) -> Audit:
    mapping = export.with_name("own.toml")
    mapping.write_text(
        '[columns]\nid = "id"\nsubject = "subject"\ndescription = "description"\ntier = "tier"\n'
        'category = "category"\nassignment_group = "group"\n[fields]\nqueue = "queue"\n'
    )
    return run_audit([export], mapping=str(mapping), n_jobs=1)


def test_all_kinds_are_told_as_text_json_and_csv_without_any_ticket_text(
    audited: Audit, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"

    audited.write_csv(report)
    as_json = json.dumps(audited.to_dict())
    told = "\n".join(audited.sentences())

    assert {finding.kind for finding in audited.findings} >= {
        "wrong_labels",
        "conflicting_duplicates",
        "leak",
        "personal_data",
        "contradicted_tiers",
    }
    assert "handled on floor" in told  # what many share is shown, what one wrote is not
    for output in (as_json, told, report.read_text("utf-8")):
        assert not [private for private in PRIVATE if private in output.casefold()]


def test_report_has_a_row_for_each_ticket_of_each_finding(audited: Audit, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"

    audited.write_csv(report)

    with report.open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    assert tuple(written[0]) == CSV_COLUMNS
    assert len(written) == sum(finding.count for finding in audited.findings)
    assert "'=cmd()" in {row["ticket"] for row in written}
    assert "=cmd()" not in {row["ticket"] for row in written}
    for finding in audited.to_dict()["findings"]:
        assert finding["count"] == len(finding["tickets"])
        assert finding["share"] == finding["count"] / finding["looked_at"]


def test_report_without_a_place_is_refused_in_one_line(audited: Audit, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"^report\.csv cannot be written: .* --output$"):
        audited.write_csv(tmp_path / "nowhere" / "report.csv")


def test_tickets_without_an_id_are_named_by_file_and_line(tmp_path: Path) -> None:
    words = ("vpn tunnel drops", "printer toner empty")
    lines = ["id,subject,description,category"]
    for row in range(40):
        given = "" if row % 4 else f"T{row % 8}"  # ids come again: the last of each stays
        lines.append(f"{given},{words[row % 2]},user{row}@example.com {row},{'ab'[row % 2]}")
    (tmp_path / "first.csv").write_text("\n".join(lines[:21]))
    (tmp_path / "second.csv").write_text("\n".join([lines[0], *lines[21:]]))

    audit = run_audit([tmp_path / "first.csv", tmp_path / "second.csv"], n_jobs=1)

    assert len(audit.tickets) == audit.accounting.kept == 32
    assert audit.tickets[:3] == ["first.csv:3", "first.csv:4", "first.csv:5"]
    assert audit.tickets[-4:] == ["T4", "second.csv:19", "second.csv:20", "second.csv:21"]


def test_target_that_cannot_be_learned_is_named(history: pd.DataFrame, taxonomy: Taxonomy) -> None:
    urgency = pd.Series("high", index=history.index).where(history.index == 0)
    frame = history.assign(**{"target:urgency": urgency})

    findings, skipped = audit_frame(frame, ExportMapping("none"), taxonomy, on_step=no_step)

    assert set(skipped) == {"urgency"}
    assert {finding.target for finding in findings if finding.kind == "wrong_labels"} <= {
        "tier",
        "category",
    }


def test_command_ends_well_with_findings_and_with_one_line_without_a_history(
    history: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    export, report = tmp_path / "export.csv", tmp_path / "report.csv"
    leaking = history.assign(channel="by " + history["tier"])
    leaking[["id", "subject", "description", "channel", "tier"]].to_csv(export, index=False)
    run = CliRunner().invoke

    audited = run(app, ["data", "audit", str(export), "--json", "--output", str(report)])
    told = run(app, ["data", "audit", str(export)])
    missing = run(app, ["data", "audit", str(tmp_path / "nowhere.csv")])

    assert (audited.exit_code, audited.stderr) == (0, "")
    content = json.loads(audited.stdout)
    assert content["rows"]["kept"] == len(history)
    assert ("leak", "field:channel") in {
        (finding["kind"], finding["column"]) for finding in content["findings"]
    }
    assert report.is_file()
    assert told.exit_code == 0
    assert "leak (100.0%): channel gives tier away" in told.stdout
    assert missing.exit_code == 2
    assert len(missing.stderr.strip().splitlines()) == 1
