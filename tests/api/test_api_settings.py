import re
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings, load_settings
from triage.errors import ConfigurationError

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_without_anything_set_the_service_stays_on_this_machine() -> None:
    settings = load_settings()

    assert (settings.host, settings.port, settings.is_loopback) == ("127.0.0.1", 8000, True)
    assert settings.database_url == "sqlite:///models/triage.db"


def test_environment_wins_over_the_file_and_arguments_over_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("triage.toml").write_text('port = 1001\nworkers = 2\nhost = "::1"\nkb = "articles"\n')
    monkeypatch.setenv("TRIAGE_PORT", "1002")
    monkeypatch.setenv("TRIAGE_WORKERS", "3")

    settings = load_settings(port=1003, workers=None)

    assert (settings.port, settings.workers, settings.host) == (1003, 3, "::1")
    assert settings.kb == Path("articles")


def test_keys_lie_in_the_users_own_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_xdg = load_settings().keys_dir
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    without_xdg = load_settings().keys_dir

    assert with_xdg == tmp_path / "config" / "ticket-triage" / "keys"
    assert without_xdg == tmp_path / "home" / ".config" / "ticket-triage" / "keys"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"port": "eighty"}, "setting port: .*TRIAGE_PORT"),
        ({"port": 70000}, "setting port: "),
        ({"workers": 0}, "setting workers: "),
        ({"log_level": "loud"}, "setting log_level: "),
        ({"request_timeout_s": 21}, "setting request_timeout_s: "),
        ({"store_queue": 100}, "store_queue must be at least max_batch"),
        ({"prot": 1}, "there is no setting prot"),
    ],
)
def test_value_that_makes_no_sense_is_told_in_one_line(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as error:
        load_settings(**given)

    assert "\n" not in str(error.value)


def test_wrong_value_itself_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_PORT", "hunter2")

    with pytest.raises(ConfigurationError) as error:
        load_settings()

    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b'prot = 1\nhost = "::1"'])
def test_file_that_cannot_be_used_is_told_in_one_line(content: bytes) -> None:
    Path("triage.toml").write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"triage\.toml") as error:
        load_settings()

    assert "\n" not in str(error.value)


def test_workers_read_the_settings_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(port=1, kb="articles", max_batch=7, request_timeout_s=2.5, host="::1")
    for name, value in given.to_environment().items():
        monkeypatch.setenv(name, value)

    assert load_settings() == given


def test_every_setting_is_in_the_documentation_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home")
    rows = re.findall(
        r"^\| `(\w+)` \| `TRIAGE_(\w+)` \| ([^|]+?) \|", DOCS.read_text("utf-8"), re.MULTILINE
    )
    documented = {name: default.strip("`") for name, _, default in rows}

    assert [variable for _, variable, _ in rows] == [name.upper() for name, _, _ in rows]
    expected = {}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        expected[name] = "none" if default is None else str(default)
    expected["keys_dir"] = expected["keys_dir"].replace("/home", "~")
    assert documented == expected
