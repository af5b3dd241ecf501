"""What a ticket means, as columns beside its n-grams: an option, see `triage.semantic`."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.semantic import load_encoder
from triage.ticket import Ticket

MEANING_WEIGHT = 0.6
"""Length of the block in a row whose n-grams have length one: best of 0.4, 0.6 and 0.8 inside a
training part of assignment_groups (docs/benchmarks.md)."""

MEANING_TOKENS = 64
"""Read of a ticket: twice as many were no better and took a third longer, half as many were worse
(docs/benchmarks.md)."""

MEANING_TERM = "(meaning of the whole text)"
"""Stands for the block in an explanation: what it adds cannot be split between words."""


def meaning_text(ticket: Ticket) -> str:
    """Give what is read of a prepared ticket: a subject that its description repeats only once."""
    if ticket.subject in ticket.description:
        return ticket.description
    return f"{ticket.subject}\n{ticket.description}"


def meaning_of(tickets: Sequence[Ticket]) -> sp.csr_matrix:
    """Read prepared tickets: rows of shape (n_tickets, DIMENSIONS), see `as_block`.

    Raises
    ------
    ConfigurationError : the extra is missing, or its files are not those this was made for
    """
    texts = [meaning_text(ticket) for ticket in tickets]
    return as_block(load_encoder().encode(texts, MEANING_TOKENS))


def as_block(vectors: npt.NDArray[np.float32]) -> sp.csr_matrix:
    """Bring sentence vectors to the length they have beside n-grams."""
    return sp.csr_matrix(vectors * np.float32(MEANING_WEIGHT))


def vectors_of(block: sp.csr_matrix) -> npt.NDArray[np.float32]:
    """Bring rows of `as_block` back to sentence vectors."""
    return np.asarray(block.todense(), dtype=np.float32) / np.float32(MEANING_WEIGHT)


def beside(matrix: sp.csr_matrix, meaning: sp.csr_matrix) -> sp.csr_matrix:
    """Put the meaning of tickets into columns after those of their n-grams and form fields."""
    return sp.csr_matrix(sp.hstack([matrix, meaning], format="csr"))
