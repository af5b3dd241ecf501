"""Tickets that say much the same, found among a million by what they share and others do not.

Likeness is the cosine of two signatures (`triage.signature`) whose stems count the more, the fewer
tickets have them: 1 for the same words, 0 for none in common. A stem's postings are read from the
rarest stem on; the commonest are looked up for the best candidates alone, as long as no ticket
above the floor can be missed by that. Only where a ticket has nothing but common stems are more of
them left out, so that the work fits (docs/similar.md has the recall measured).
"""

from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from triage.signature import ENTRY, read_signature

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
StemArray = npt.NDArray[np.uint32]

FLOOR = 0.35
"""Least likeness worth showing, see docs/similar.md."""

_WEIGHT_BITS = 4
_WEIGHT_MASK = np.uint32((1 << _WEIGHT_BITS) - 1)
_SMOOTHING = 10.0  # tickets; keeps a word that nobody else has from outweighing all the others
_MERGE_RATIO = 4
_STALE = 1.1  # growth of the whole after which lengths are reckoned anew
_ALWAYS_READ = 20_000  # postings; to leave so few out saves nothing
_BUDGET = 400_000  # postings read for one query
_CANDIDATES = 1_000
_CHUNK = 1 << 20


class TicketIndex:
    """Signatures under the numbers of their tickets; may be asked while another thread adds.

    Parameters
    ----------
    beside : an index that decides, together with this one, how rare a stem is
    """

    def __init__(self, beside: "TicketIndex | None" = None) -> None:
        self._beside = beside
        self._segments: tuple[_Segment, ...] = ()
        self._size_when_measured = 0
        self._changing = Lock()

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        """Memory that the index takes."""
        return sum(segment.size_bytes for segment in self._segments)

    def count(self, stems: StemArray) -> IntArray:
        """Count the tickets with each of the stems; removed ones until they are merged away."""
        return _count(self._segments, stems)

    def add(self, numbers: Sequence[int] | IntArray, signatures: Sequence[bytes]) -> None:
        """Add tickets; a number that is there already gets the new signature.

        Raises
        ------
        ValueError : a number is given twice
        """
        if not len(numbers):
            return
        added = _Segment.of(np.asarray(numbers, dtype=np.int64), signatures)
        with self._changing:
            for segment in self._segments:
                segment.remove(added.numbers)
            segments = [*self._segments, added]
            first_new = len(segments) - 1
            while len(segments) > 1 and len(segments[-1]) * _MERGE_RATIO >= len(segments[-2]):
                last = segments.pop()
                segments[-1] = segments[-1].merged(last)
                first_new = len(segments) - 1
            size = sum(map(len, segments)) + (len(self._beside) if self._beside else 0)
            if size > self._size_when_measured * _STALE:
                self._size_when_measured, first_new = size, 0
            for segment in segments[first_new:]:
                segment.measure(self._rarity(segment.stems, segments))
            self._segments = tuple(segments)

    def remove(self, numbers: Sequence[int] | IntArray) -> None:
        """Forget tickets; numbers that are not there are passed over."""
        with self._changing:
            for segment in self._segments:
                segment.remove(np.asarray(numbers, dtype=np.int64))

    def query(
        self, signature: bytes, *, top: int = 10, floor: float = FLOOR
    ) -> tuple[IntArray, FloatArray]:
        """Find the tickets most like a signature.

        Returns
        -------
        numbers of at most ``top`` tickets, and their likeness from ``floor`` to 1; the most alike
        first, of equals the highest number
        """
        asked = read_signature(signature)
        segments = self._segments
        if not len(asked) or not segments:
            return np.empty(0, dtype=np.int64), np.empty(0)
        stems = np.ascontiguousarray(asked["stem"])
        rarity = self._rarity(stems, segments)
        shares = asked["weight"] * rarity
        shares /= np.linalg.norm(shares)
        is_read, unread = _choose(shares, _count(segments, stems), floor)
        found = [
            segment.query(stems, shares * rarity, is_read, floor=floor, unread=unread)
            for segment in segments
        ]
        numbers = np.concatenate([of_segment for of_segment, _ in found])
        likeness = np.concatenate([of_segment for _, of_segment in found])
        best = np.lexsort((-numbers, -likeness.round(4)))[:top]
        return numbers[best], likeness[best].clip(max=1.0)

    def _rarity(self, stems: StemArray, segments: "Sequence[_Segment]") -> FloatArray:
        size, counts = sum(map(len, segments)), _count(segments, stems)
        if self._beside is not None:
            size, counts = size + len(self._beside), counts + self._beside.count(stems)
        return np.log1p(size / (counts + _SMOOTHING))


class _Segment:
    """Signatures that never change, by stem; only whole tickets may leave.

    ``postings`` hold a row of ``numbers`` and a weight in one number each; those of
    ``stems[place]`` lie from ``starts[place]`` to ``starts[place + 1]``, sorted by row.
    """

    def __init__(self, numbers: IntArray, keys: npt.NDArray[np.uint64]) -> None:
        """Make a segment of sorted numbers, and of keys: a stem's 32 bits, then its posting's."""
        keys.sort()
        stem_of = (keys >> np.uint64(32)).astype(np.uint32)
        is_first = np.ones(len(keys), dtype=bool)
        np.not_equal(stem_of[1:], stem_of[:-1], out=is_first[1:])
        firsts = np.flatnonzero(is_first)
        self.numbers = numbers
        self.stems = stem_of[firsts]
        self.starts = np.append(firsts, len(keys))
        self.postings = keys.astype(np.uint32)  # the lower half
        self._is_there = np.ones(len(numbers), dtype=bool)
        self._inverse_lengths = np.zeros(len(numbers), dtype=np.float32)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def size_bytes(self) -> int:
        parts = (self.numbers, self.stems, self.starts, self.postings)
        return sum(part.nbytes for part in (*parts, self._is_there, self._inverse_lengths))

    @classmethod
    def of(cls, numbers: IntArray, signatures: Sequence[bytes]) -> "_Segment":
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        if (numbers[1:] == numbers[:-1]).any():
            raise ValueError("a ticket's number is given twice")
        sizes = np.array([len(signature) // ENTRY.itemsize for signature in signatures])
        entries = read_signature(b"".join(signatures))
        place_of = np.empty(len(order), dtype=np.uint64)
        place_of[order] = np.arange(len(order), dtype=np.uint64)
        keys = entries["stem"].astype(np.uint64) << np.uint64(32)
        keys |= np.repeat(place_of, sizes) << np.uint64(_WEIGHT_BITS)
        keys |= entries["weight"]
        return cls(numbers, keys)

    def merged(self, other: "_Segment") -> "_Segment":
        """Make one segment of two, without the tickets that left either."""
        numbers = np.concatenate([part.numbers[part._is_there] for part in (self, other)])
        order = np.argsort(numbers, kind="stable")
        place_of = np.empty(len(order), dtype=np.uint64)
        place_of[order] = np.arange(len(order), dtype=np.uint64)
        n_own = int(self._is_there.sum())
        keys = [self._keys(place_of[:n_own]), other._keys(place_of[n_own:])]
        return _Segment(numbers[order], np.concatenate(keys))

    def _keys(self, places: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Give the keys of the tickets that are there, with rows of another segment."""
        keys = np.repeat(self.stems.astype(np.uint64) << np.uint64(32), np.diff(self.starts))
        keys |= self.postings
        rows = self.postings >> np.uint32(_WEIGHT_BITS)
        if not self._is_there.all():
            stays = self._is_there[rows]
            keys, rows = keys[stays], rows[stays]
        new_row = np.zeros(len(self), dtype=np.uint64)
        new_row[self._is_there] = places
        keys &= ~np.uint64(0xFFFFFFFF) | _WEIGHT_MASK
        keys |= new_row[rows] << np.uint64(_WEIGHT_BITS)
        return keys

    def find(self, stems: StemArray) -> tuple[IntArray, IntArray]:
        """Find where the postings of each stem start and end; empty where there are none."""
        if not len(self.stems):
            nowhere = np.zeros(len(stems), dtype=np.int64)
            return nowhere, nowhere
        places = np.searchsorted(self.stems, stems).clip(max=len(self.stems) - 1)
        starts = self.starts[places]
        return starts, np.where(self.stems[places] == stems, self.starts[places + 1], starts)

    def measure(self, rarity: FloatArray) -> None:
        """Reckon the length of every ticket, by the rarity of each of `stems`."""
        squares = np.zeros(len(self))
        of_stem = rarity**2
        for begin in range(0, len(self.postings), _CHUNK):
            part = self.postings[begin : begin + _CHUNK]
            first, last = np.searchsorted(self.starts, [begin, begin + len(part) - 1], "right") - 1
            edges = self.starts[first : last + 2].clip(begin, begin + len(part))
            factors = np.repeat(of_stem[first : last + 1], np.diff(edges))
            squares += np.bincount(
                part >> np.uint32(_WEIGHT_BITS),
                (part & _WEIGHT_MASK).astype(np.float64) ** 2 * factors,
                minlength=len(self),
            )
        with np.errstate(divide="ignore"):
            inverse = np.where(squares > 0, 1 / np.sqrt(squares), 0)
        self._inverse_lengths = (inverse * self._is_there).astype(np.float32)

    def remove(self, numbers: IntArray) -> None:
        """Let tickets go: they are found no more, and gone after the next merge."""
        places = np.searchsorted(self.numbers, numbers).clip(max=len(self) - 1)
        gone = places[self.numbers[places] == numbers]
        self._is_there[gone] = False
        self._inverse_lengths[gone] = 0

    def query(
        self,
        stems: StemArray,
        weights: FloatArray,
        is_read: npt.NDArray[np.bool_],
        *,
        floor: float,
        unread: float,
    ) -> tuple[IntArray, FloatArray]:
        """Find tickets of at least ``floor``; ``unread`` is what unread stems may add at most."""
        starts, ends = self.find(stems)
        sizes = np.where(is_read, ends - starts, 0)
        skipped = np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        read = self.postings[np.arange(len(skipped)) + skipped]
        added = (read & _WEIGHT_MASK) * np.repeat(weights.astype(np.float32), sizes)
        dots = np.bincount(read >> np.uint32(_WEIGHT_BITS), added, minlength=len(self))
        sums = (dots * self._inverse_lengths).astype(np.float64, copy=False)
        rows = np.flatnonzero(sums >= max(floor - unread, 1e-6))
        if len(rows) > _CANDIDATES:
            so_far = sums[rows]
            least = np.partition(so_far, -_CANDIDATES)[-_CANDIDATES]
            above, equal = rows[so_far > least], rows[so_far == least]
            # Of equals the newest, which are the last.
            rows = np.sort(np.concatenate([above, equal[len(above) - _CANDIDATES :]]))
        likeness = sums[rows]
        for start, end, weight in zip(
            starts[~is_read], ends[~is_read], weights[~is_read], strict=True
        ):
            if start == end:
                continue
            part = self.postings[start:end]
            places = np.searchsorted(part, rows.astype(np.uint32) << np.uint32(_WEIGHT_BITS))
            posting = part[places.clip(max=len(part) - 1)]
            has_stem = posting >> np.uint32(_WEIGHT_BITS) == rows
            added = (posting & _WEIGHT_MASK) * weight * self._inverse_lengths[rows]
            likeness += np.where(has_stem, added, 0)
        is_like = likeness >= floor
        return self.numbers[rows[is_like]], likeness[is_like]


def _count(segments: Sequence[_Segment], stems: StemArray) -> IntArray:
    counts = np.zeros(len(stems), dtype=np.int64)
    for segment in segments:
        starts, ends = segment.find(stems)
        counts += ends - starts
    return counts


def _choose(
    shares: FloatArray, n_postings: IntArray, floor: float
) -> tuple[npt.NDArray[np.bool_], float]:
    """Choose the stems whose postings are read, from the rarest on.

    Parameters
    ----------
    shares : each stem's part of the query, a vector of length 1

    Returns
    -------
    which stems are read, and the most that the others can add to a likeness: the length of their
    part of the query (Cauchy-Schwarz)
    """
    order = np.argsort(n_postings, kind="stable")
    read = np.cumsum(n_postings[order])
    left = np.sqrt(np.cumsum((shares[order] ** 2)[::-1])[::-1])  # by this stem and those after it
    # While half the floor cannot come from the others, no ticket is missed and few are candidates.
    is_enough = (left <= floor / 2) & (read > _ALWAYS_READ)
    is_too_much = read > _BUDGET
    is_too_much[0] = False
    is_left_out = np.zeros(len(shares), dtype=bool)
    is_left_out[order] = is_enough | is_too_much
    return ~is_left_out, float(np.linalg.norm(shares[is_left_out]))
