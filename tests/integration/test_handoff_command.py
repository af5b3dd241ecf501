"""``triage handoff``: the note on stdout, what is missing on stderr."""

import json
import subprocess
from collections.abc import Callable

import pytest

from triage.taxonomy import data_folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hand_up(run: Run) -> Run:
    """Call the command with the package's articles and no model."""
    return lambda *arguments: run("handoff", *arguments, TRIAGE_KB=str(data_folder() / "kb"))


def test_note_goes_to_stdout_and_its_readiness_to_stderr(hand_up: Run) -> None:
    done = hand_up("VPN drops", "Since Monday, LT-4471 says 'Tunnel lost'", "--tier", "3")

    assert done.returncode == 0
    assert done.stdout.startswith("# Hand-off: To tier 3 (Specialists)\n")
    assert "not ready; ask first:\nWhat did tier 1 and tier 2 try" in done.stderr


def test_record_and_findings_count(hand_up: Run) -> None:
    done = hand_up(
        *("VPN drops", "It fails", "--tier", "3", "--category", "vpn", "--json"),
        *("--tried", "Renewed the certificate", "--article", "KB0020"),
        *("--detail", "error_text=Tunnel lost", "--field", "device=LT-4471"),
    )

    note = json.loads(done.stdout)
    assert note["parts"]["steps_tried"] == ["Renewed the certificate"]
    assert {one["id"] for one in note["parts"]["known"]} == {"error_text", "device", "steps_tried"}


@pytest.mark.parametrize(
    "arguments", [("--tier", "9"), ("--detail", "device"), ("--detail", "shoe=44")]
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    hand_up: Run, arguments: tuple[str, str]
) -> None:
    done = hand_up("VPN drops", *arguments)

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
