"""Every command as a user calls it: the shapes it promises, and one clear line when it cannot."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer

from triage.cli import app

TRIAGE = Path(sys.executable).with_name("triage")
METRICS = {"accuracy", "macro_f1", "ece", "coverage_at_90", "coverage_at_95", "n"}
ACCOUNT = {"read", "kept", "merged", "rejected"}
PREDICTED = ["id"] + [
    f"{target}{part}"
    for target in ("tier", "category")
    for part in ("", "_confidence", "_decision")
]


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Walk the tree of commands: words to type, and the command they lead to."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, inner in command.commands.items():
        yield from commands(inner, *path, name)


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def models(desk: Path) -> Path:
    return desk / "models"


@pytest.fixture
def export(tmp_path: Path, rows: list[dict[str, str]], write: Any) -> Path:
    """200 rows, all of them tickets."""
    return Path(write(tmp_path / "history.csv", rows))


@pytest.fixture
def broken(tmp_path: Path, rows: list[dict[str, str]], write: Any) -> Path:
    """A folder of things that are not what a command needs."""
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><html><body>Sign in</body></html>")
    (tmp_path / "wrong.toml").write_text('[columns]\nsubject = "nocolumn"\n')
    (tmp_path / "notoml.toml").write_text("[columns\n")
    write(tmp_path / "history.csv", rows)
    write(tmp_path / "five.csv", rows[:5])
    write(tmp_path / "oneclass.csv", [row | {"tier": "1", "category": "vpn"} for row in rows])
    return tmp_path


def test_train_tells_what_it_made_and_from_what(desk: Path, trained: dict[str, Any]) -> None:
    folder = Path(trained["folder"])

    assert folder == desk / "models" / trained["version"]
    assert (folder / "manifest.json").is_file()
    assert Path(trained["report"]).read_text("utf-8").startswith("<!doctype html>")
    assert Path(trained["model_card"]).read_text("utf-8").startswith("# Model card: ")
    assert trained["rows"] == {"read": 204, "kept": 202, "merged": 0, "rejected": 2}
    assert trained["champion"] is True
    for target in ("tier", "category"):
        for part in ("out_of_fold", "newest"):
            assert set(trained["metrics"][target][part]) >= METRICS | {"confusion"}


def test_outcome_of_a_search_is_kept_and_learned_with_again(
    export: Path, answer: Any, tmp_path: Path
) -> None:
    searched = answer("train", export, "--budget-s", 6, "--output", tmp_path / "searched")
    again = answer(
        "train", export, "--settings-of", searched["folder"], "--output", tmp_path / "again"
    )

    assert searched["searches"].keys() == {"tier", "category"}
    for found in searched["searches"].values():
        assert found["tried"] >= 2
        assert found["best"]["C"] > 0
    assert again["searches"] == {}
    assert again["model_hash"] == searched["model_hash"]


def test_evaluate_measures_every_target(export: Path, models: Path, answer: Any) -> None:
    measured = answer("evaluate", export, "--mapping", "sample", "--model", models)

    assert set(measured["rows"]) == ACCOUNT
    assert set(measured["targets"]) == {"tier", "category"}
    for metrics in measured["targets"].values():
        assert set(metrics) >= METRICS | {"confusion"}
        assert metrics["n"] == 200
        assert metrics["accuracy"] > 0.9


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_scores_every_row_in_order(
    export: Path, models: Path, answer: Any, tmp_path: Path, ending: str
) -> None:
    output = tmp_path / f"scored.{ending}"

    told = answer("predict", export, "--mapping", "sample", "--model", models, "--output", output)

    scored = read_table(output)
    assert told["rows"] == {"scored": 200, "rejected": 0}
    assert [row["id"] for row in scored] == [f"INC{number:04}" for number in range(200)]
    assert list(scored[0]) == PREDICTED
    assert {row["tier"] for row in scored} == {"1", "2", "3"}
    assert all(0 <= float(row["tier_confidence"]) <= 1 for row in scored)
    assert {row["category_decision"] for row in scored} <= {"route", "suggest", "review"}


def read_table(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_suggest_answers_one_ticket(rows: list[dict[str, str]], models: Path, answer: Any) -> None:
    row = rows[3]
    text = row["short_description"], row["description"]

    suggestion = answer("suggest", *text, "--field", f"site={row['site']}", "--model", models)

    assert suggestion["category"]["label"] == row["category"] == "vpn"
    assert suggestion["tier"]["label"] == row["tier"] == "1"


def test_data_check_accounts_for_every_row(
    rows: list[dict[str, str]], write: Any, answer: Any, tmp_path: Path
) -> None:
    unlabelled = rows[0] | {"number": "X1", "tier": "", "category": ""}
    history = write(tmp_path / "history.csv", [*rows, rows[0], unlabelled])
    rejected = tmp_path / "rejected.csv"

    checked = answer("data", "check", history, "--rejected", rejected)

    assert checked["rows"] == {"read": 202, "kept": 200, "merged": 1, "rejected": 1}
    assert checked["labels"]["category"] == {
        "access": 50,
        "email": 50,
        "printing": 50,
        "vpn": 50,
    }
    assert [row["line"] for row in read_table(rejected)] == ["203"]


def test_kb_check_finds_no_error_in_our_own_articles(answer: Any) -> None:
    checked = answer("kb", "check")

    assert checked["articles"] >= 50
    assert {problem["severity"] for problem in checked["problems"]} <= {"warning"}


def test_kb_check_fails_on_a_broken_article(run: Any, tmp_path: Path) -> None:
    (tmp_path / "KB9-broken.md").write_text("no front matter", "utf-8")

    ran = run("kb", "check", tmp_path, "--json")

    checked = json.loads(ran.stdout)
    assert ran.returncode == 2
    assert [problem["file"] for problem in checked["problems"]] == ["KB9-broken.md"]


def test_kb_search_gives_the_best_first(answer: Any) -> None:
    hits = answer("kb", "search", "account is locked", "--top", 3)

    assert hits[0]["id"] == "KB0001"
    assert [set(hit) for hit in hits] == [{"id", "title", "score"}] * len(hits)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_thresholds_of_a_model_are_told_for_each_label(models: Path, answer: Any) -> None:
    told = answer("models", "thresholds", "--model", models, "--target", "category")

    category = told["targets"]["category"]
    assert set(told["targets"]) == {"category"}
    assert set(category["labels"]) == {"access", "email", "printing", "vpn"}
    for choices in (entry["choices"] for entry in category["labels"].values()):
        assert [choice["precision"] for choice in choices] == [0.8, 0.85, 0.9, 0.95, 0.98]
        assert all(choice["kept"] == (choice["threshold"] is not None) for choice in choices)


def test_models_are_listed_and_verified(trained: dict[str, Any], models: Path, answer: Any) -> None:
    (listed,) = answer("models", "list", "--model", models)
    verified = answer("models", "verify", "--model", models)

    assert listed["version"] == verified["version"] == trained["version"]
    assert listed["state"] == "champion"
    assert listed["targets"] == ["category", "tier"]
    assert verified["model_hash"] == trained["model_hash"]
    assert verified["files"] > 3 and verified["bytes"] > 10_000


def test_key_is_shown_once_listed_and_revoked(answer: Any, tmp_path: Path) -> None:
    database = {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'triage.db'}"}

    assert answer("db", "upgrade", **database) == {"upgraded": True}
    made = answer("keys", "create", "desk", "--scope", "predict", "--scope", "review", **database)
    (listed,) = answer("keys", "list", **database)
    revoked = answer("keys", "revoke", made["id"], **database)
    (gone,) = answer("keys", "list", **database)

    assert made["scopes"] == listed["scopes"] == ["predict", "review"]
    assert made["key"].startswith(f"tt_{made['id']}_")
    assert listed | {"key": made["key"]} == made
    assert listed["revoked_at"] is None
    assert revoked["revoked_at"] == gone["revoked_at"] is not None


def test_unknown_key_is_told_in_one_line(run: Any, answer: Any, tmp_path: Path) -> None:
    database = {"TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'triage.db'}"}
    answer("db", "upgrade", **database)

    assert_told_in_one_line(run("keys", "revoke", "nokey", **database), "triage keys list")


def test_every_command_speaks_json() -> None:
    speaks = {
        name: any("--json" in option.opts for option in command.params)
        for name, command in COMMANDS.items()
    }

    assert {name for name, does in speaks.items() if not does} == {"serve"}
    assert {"train", "demo", "data check", "kb search", "keys revoke", "db upgrade"} <= set(speaks)


def test_help_does_not_wait_for_heavy_libraries(environment: dict[str, str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", TRIAGE, "--help"],
        env=environment,
        capture_output=True,
        text=True,
    )

    imported = {line.rsplit("|", 1)[-1].strip() for line in shown.stderr.splitlines()}
    assert shown.returncode == 0 and "Usage" in shown.stdout
    assert {"triage.cli", "training.commands", "api.commands"} <= imported
    assert not imported & {"numpy", "pandas", "sklearn", "sqlalchemy", "fastapi", "mlflow"}


USER_ERRORS = {
    "history is missing": ("train nowhere.csv --output out", "nowhere.csv"),
    "history is a web page": ("train page.csv --output out", "HTML"),
    "history has one class": ("train oneclass.csv --output out", "oneclass.csv"),
    "history has five tickets": ("train five.csv --output out", "at least 10"),
    "promise is over 1": ("train history.csv --target-precision 1.5 --output out", "1.5"),
    "output is below a file": ("train history.csv --output five.csv/models", "--output"),
    "settings are searched and given": (
        "train history.csv --budget-s 9 --settings-of models --output out",
        "--settings-of",
    ),
    "settings are of no model": ("train history.csv --settings-of nowhere --output out", "nowhere"),
    "mapping is unknown": ("data check history.csv --mapping nothing", "servicenow"),
    "mapping is no TOML": ("data check history.csv --mapping notoml.toml", "notoml.toml"),
    "mapping names an absent column": ("data check history.csv --mapping wrong.toml", "nocolumn"),
    "rejected rows have no place": ("data check history.csv --rejected five.csv/r.csv", "r.csv"),
    "model is missing": ("evaluate history.csv --model nowhere", "triage train"),
    "neither model nor articles": ("suggest hello --model nowhere", "--kb FOLDER"),
    "checked articles are missing": ("kb check nowhere", "nowhere"),
    "searched articles are missing": ("kb search printer --kb nowhere", "nowhere"),
    "scope is unknown": ("keys create desk --scope everything", "predict"),
    "command is unknown": ("learn history.csv", "learn"),
    "argument is missing": ("train", "history"),
    "seed is no number": ("train history.csv --seed many --output out", "seed"),
}
NEEDS_A_MODEL = {
    "field has no value": ("suggest hello --field site", "name=value"),
    "scores are of an unknown kind": ("predict history.csv --output scored.docx", ".parquet"),
    "scores have no place": ("predict history.csv --output five.csv/scored.csv", "scored.csv"),
}
SETTINGS = {
    "keys are below a file": ({"TRIAGE_KEYS_DIR": "five.csv/keys"}, "train history.csv"),
    "database is below a file": ({"TRIAGE_DATABASE_URL": "sqlite:///five.csv/x.db"}, "db upgrade"),
    "port is no number": ({"TRIAGE_PORT": "many"}, "models list"),
}


@pytest.mark.parametrize(("typed", "hint"), USER_ERRORS.values(), ids=USER_ERRORS)
def test_user_error_is_told_in_one_line(run: Any, broken: Path, typed: str, hint: str) -> None:
    ran = run(*typed.split(), "--json", cwd=broken)

    assert_told_in_one_line(ran, hint)


@pytest.mark.parametrize(("typed", "hint"), NEEDS_A_MODEL.values(), ids=NEEDS_A_MODEL)
def test_error_beside_a_good_model_is_told_in_one_line(
    run: Any, broken: Path, models: Path, typed: str, hint: str
) -> None:
    ran = run(*typed.split(), "--model", models, "--json", cwd=broken)

    assert_told_in_one_line(ran, hint)


@pytest.mark.parametrize(("variables", "typed"), SETTINGS.values(), ids=SETTINGS)
def test_setting_that_cannot_be_used_is_named_in_one_line(
    run: Any, broken: Path, variables: dict[str, str], typed: str
) -> None:
    ran = run(*typed.split(), "--json", cwd=broken, **variables)

    assert_told_in_one_line(ran, *variables)


@pytest.mark.parametrize("typed", ["train page.csv --output out", "data check page.csv"])
def test_progress_leaves_the_line_of_an_error_alone(run: Any, broken: Path, typed: str) -> None:
    ran = run(*typed.split(), cwd=broken)

    assert_told_in_one_line(ran, "HTML")


def assert_told_in_one_line(ran: subprocess.CompletedProcess[str], hint: str) -> None:
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert hint in ran.stderr
    # Every name typed is a relative one: an absolute path tells what nobody asked.
    assert not re.search(r"(?<![\w./:])/\w", ran.stderr), ran.stderr
