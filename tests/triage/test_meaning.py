"""What a ticket means, as columns: one encoder a process, the same answer alone and in a batch."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.fit import Learned
from triage.bundle import save_bundle
from triage.engine import TriageEngine, load_engine
from triage.explain import map_terms, weigh_terms
from triage.meaning import MEANING_TERM, MEANING_WEIGHT, beside, meaning_of
from triage.prepare import prepare
from triage.semantic import DIMENSIONS, is_available, load_encoder, load_tokenizer
from triage.ticket import Ticket

pytestmark = pytest.mark.skipif(not is_available(), reason="the extra 'semantic' is not installed")

ROOT = Path(__file__).parents[2]
TICKETS = [
    Ticket("The kettle", "it does not boil"),
    Ticket("", "keyboard"),
    Ticket("Trouble with the spreadsheet", "it stopped this morning, and nobody knows why. " * 30),
    Ticket("", ""),
    Ticket("scanner", ""),
]


@pytest.fixture(scope="module")
def folder(reading: Learned, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bundle(reading.model, tmp_path_factory.mktemp("reading"), "20250301-reads", keys)


@pytest.fixture(scope="module")
def reader(folder: Path, keys: Path) -> TriageEngine:
    return load_engine(folder, keys=keys)


def run_without_extra(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['onnxruntime'] = None\n{code}"]
        + [str(argument) for argument in arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_vocabulary_comes_whole_with_the_package_and_its_licence_beside_it() -> None:
    ids = load_tokenizer().encode("forgot my password")

    assert ids == [101, 9471, 2026, 20786, 102]
    licence = ROOT / "triage" / "assets" / "bert-uncased-vocab.LICENSE.txt"
    assert "Apache License" in licence.read_text("utf-8")


def test_all_threads_share_one_encoder() -> None:
    with ThreadPoolExecutor(4) as pool:
        encoders = list(pool.map(lambda _: load_encoder(), range(8)))

    assert len(set(map(id, encoders))) == 1


def test_meaning_has_the_same_length_in_every_ticket_with_words() -> None:
    rows = meaning_of(TICKETS)

    assert rows.shape == (len(TICKETS), DIMENSIONS)
    lengths = np.linalg.norm(rows.toarray(), axis=1)
    np.testing.assert_allclose(lengths, MEANING_WEIGHT * np.array([1, 1, 1, 0, 1]), rtol=1e-5)


def test_columns_of_the_features_stay_where_they_are(reading: Learned) -> None:
    matrix = reading.model.features.transform(TICKETS)

    wide = beside(matrix, meaning_of(TICKETS))

    assert (wide[:, : matrix.shape[1]] != matrix).nnz == 0
    assert wide.shape[1] == matrix.shape[1] + DIMENSIONS


def test_answers_are_equal_after_saving_and_loading(reading: Learned, reader: TriageEngine) -> None:
    head, loaded = reading.model.heads["category"], reader.model.heads["category"]
    prepared = [prepare(ticket) for ticket in TICKETS]
    wide = beside(reading.model.features.transform(prepared), meaning_of(prepared))

    answered = reader.classify(TICKETS)["category"].probabilities

    assert head.reads_meaning and loaded.reads_meaning
    np.testing.assert_array_equal(answered, head.classifier.predict_proba(wide))
    assert reader.model.canonical_hash() == reading.model.canonical_hash()


def test_ticket_gets_one_answer_in_whatever_company(reader: TriageEngine) -> None:
    together = reader.classify(TICKETS)["category"].probabilities

    alone = np.vstack([reader.classify([one])["category"].probabilities for one in TICKETS])

    np.testing.assert_array_equal(together, alone)


def test_word_never_seen_is_understood(reader: TriageEngine) -> None:
    answers = reader.suggest([Ticket("Trouble with the bathtub"), Ticket("Trouble with a tablet")])

    assert [answer.category.alternatives[0].label for answer in answers] == ["building", "device"]


def test_explanation_tells_what_the_meaning_adds_in_one_line(reader: TriageEngine) -> None:
    ticket = prepare(Ticket("Trouble with the kettle"))
    coefficients = reader.model.heads["category"].classifier.coef_
    contrast = coefficients[:, 0] - coefficients[:, 1]
    row, meaning = reader.model.features.transform([ticket]), meaning_of([ticket])

    terms = weigh_terms(
        map_terms(reader.model.features, ticket, row.indices),
        row.data * contrast[row.indices],
        10**6,
        by_meaning=float((meaning @ contrast[row.shape[1] :])[0]),
    )

    (added,) = [term.weight for term in terms if term.term == MEANING_TERM]
    assert added == pytest.approx(float((meaning @ contrast[row.shape[1] :])[0]), abs=1e-4)
    lead = float((beside(row, meaning) @ contrast)[0])
    assert sum(term.weight for term in terms) == pytest.approx(lead, abs=1e-3)
    told = reader.suggest([Ticket("Trouble with the kettle")])[0].explanation["category"]
    assert MEANING_TERM in [term.term for term in told]


def test_bundle_holds_no_vector_of_a_ticket(folder: Path, paraphrased: pd.DataFrame) -> None:
    shapes = {path.name: np.load(path).shape for path in folder.glob("*.npy")}

    assert len(paraphrased) not in [size for shape in shapes.values() for size in shape]
    assert set(shapes) == {"buckets.npy", "idf.npy", "field_values.npy", "coef-0.npy"}


def test_model_without_the_extra_it_needs_is_refused_in_one_line(folder: Path, keys: Path) -> None:
    code = """
from pathlib import Path
from triage.engine import load_engine
from triage.errors import ConfigurationError
try:
    load_engine(Path(sys.argv[1]), keys=Path(sys.argv[2]))
except ConfigurationError as error:
    print(error)
"""

    told = run_without_extra(code, folder, keys)

    assert told.stderr == ""
    (line,) = told.stdout.splitlines()
    assert "pip install 'ticket-triage[semantic]'" in line


def test_other_models_do_without_the_extra(saved, tmp_path: Path) -> None:
    code = """
from pathlib import Path
from triage.engine import load_engine
from triage.ticket import Ticket
engine = load_engine(Path(sys.argv[1]), keys=Path(sys.argv[2]))
print(engine.suggest([Ticket("vpn down")])[0].model_version)
"""

    told = run_without_extra(code, saved.folder, saved.keys)

    assert (told.stdout, told.stderr) == (f"{saved.folder.name}\n", "")


def test_subject_that_the_description_repeats_is_read_once() -> None:
    repeated = Ticket("printer jam", "printer jam since monday")

    rows = meaning_of([repeated, Ticket("", "printer jam since monday")])

    np.testing.assert_array_equal(rows[0].toarray(), rows[1].toarray())


def test_long_ticket_is_read_by_its_beginning() -> None:
    beginning = "my printer does not print. " * 20

    rows = meaning_of([Ticket("", beginning), Ticket("", beginning + "reset the password. " * 50)])

    np.testing.assert_array_equal(rows[0].toarray(), rows[1].toarray())
