from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from training.demo import remember_sample, waiting_sample
from triage.store import open_store


def test_tickets_that_wait_are_not_among_those_remembered(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    remember_sample(url)

    waiting = {ticket.id for ticket in waiting_sample() if ticket.id}

    with closing(open_store(url)) as store:
        assert store.past.ended(waiting) == set()
    assert len(waiting) == 60


def test_tickets_that_wait_came_in_lately_and_in_their_order() -> None:
    moments = [ticket.created_at for ticket in waiting_sample()]

    now = datetime.now(UTC)
    assert all(moment is not None for moment in moments)
    assert moments == sorted(moments, key=lambda moment: moment or now)
    assert now - timedelta(minutes=5) < (moments[-1] or now) < now
