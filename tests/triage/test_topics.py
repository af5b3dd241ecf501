import numpy as np

from triage.topics import Topics, shares_of


def filled() -> Topics:
    topics = Topics()
    topics.add([3, 4, 8], ["vpn", "printing", None])
    topics.add([11, 12], ["printing", "email"])
    return topics


def test_most_alike_tickets_decide() -> None:
    numbers = np.array([3, 4, 11, 12])

    assert filled().vote(numbers, np.array([0.5, 0.3, 0.3, 0.2])) == "printing"
    assert filled().vote(numbers, np.array([0.9, 0.3, 0.3, 0.2])) == "vpn"


def test_tickets_without_a_category_have_no_vote() -> None:
    topics = filled()

    assert topics.vote(np.array([8]), np.array([0.9])) is None
    assert topics.vote(np.array([8, 12]), np.array([0.9, 0.2])) == "email"
    assert topics.vote(np.empty(0, dtype=np.int64), np.empty(0)) is None


def test_forgotten_ticket_has_no_vote() -> None:
    topics = filled()

    topics.remove([12, 3, 5])

    assert topics.vote(np.array([3, 4, 12]), np.array([0.9, 0.2, 0.9])) == "printing"
    assert topics.vote(np.array([3, 12]), np.array([0.9, 0.9])) is None
    assert Topics().vote(np.array([3]), np.array([0.9])) is None


def test_share_of_a_topic_seen_once_is_not_taken_for_exact() -> None:
    shares = shares_of(["vpn"] * 98 + ["email", None])

    assert shares["vpn"] > 0.9
    assert shares["email"] > 0.01
    assert sum(shares.values()) <= 1
