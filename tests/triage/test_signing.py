"""Keys: made once, readable by their owner alone, and only trusted ones vouch for a bundle."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from triage.errors import BundleError, ConfigurationError
from triage.signing import field_key, key_id, signing_key, trusted_keys, verify


def private_bytes(keys: Path) -> bytes:
    return signing_key(keys).private_bytes_raw()


def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    keys = tmp_path / "new" / "keys"

    made = private_bytes(keys), field_key(keys)

    assert (private_bytes(keys), field_key(keys)) == made
    assert len(made[1]) == 32
    assert made[0] != made[1]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    assert private_bytes(tmp_path / "a") != private_bytes(tmp_path / "b")
    assert field_key(tmp_path / "a") != field_key(tmp_path / "b")


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"

    signing_key(keys)
    field_key(keys)

    for name in ("signing.key", "field.key"):
        assert stat.S_IMODE((keys / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {path.name for path in keys.iterdir()} == {"signing.key", "field.key", "trusted"}


def test_writers_at_the_same_time_agree_on_one_secret(tmp_path: Path) -> None:
    together = Barrier(8)

    def load(keys: Path) -> bytes:
        together.wait(timeout=10)
        return field_key(keys)

    with ThreadPoolExecutor(8) as writers:
        for round in range(20):
            keys = tmp_path / f"keys {round}"
            secrets = set(writers.map(load, [keys] * 8))

            assert secrets == {field_key(keys)}
            assert [path.name for path in keys.iterdir()] == ["field.key"]


def test_signature_of_a_trusted_key_is_accepted(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    name = key_id(key.public_key().public_bytes_raw())

    verify(trusted_keys(tmp_path), name, key.sign(b"manifest").hex(), b"manifest")


def test_a_server_needs_public_keys_only(tmp_path: Path) -> None:
    key = signing_key(tmp_path / "training")
    name = key_id(key.public_key().public_bytes_raw())
    server = tmp_path / "server"
    server.mkdir()
    (tmp_path / "training" / "trusted").rename(server / "trusted")

    verify(trusted_keys(server), name, key.sign(b"manifest").hex(), b"manifest")

    assert not (server / "signing.key").exists()


@pytest.mark.parametrize("signature", ["", "00" * 64, "no hexadecimal", "ab" * 63])
def test_wrong_signature_is_refused(tmp_path: Path, signature: str) -> None:
    key = signing_key(tmp_path)
    name = key_id(key.public_key().public_bytes_raw())

    with pytest.raises(BundleError, match="signature does not match"):
        verify(trusted_keys(tmp_path), name, signature, b"manifest")


def test_signature_of_other_data_is_refused(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    name = key_id(key.public_key().public_bytes_raw())

    with pytest.raises(BundleError, match="signature does not match"):
        verify(trusted_keys(tmp_path), name, key.sign(b"manifest").hex(), b"Manifest")


def test_key_of_a_stranger_is_refused_even_under_a_trusted_name(tmp_path: Path) -> None:
    trusted = trusted_keys_of(tmp_path / "ours")
    stranger = signing_key(tmp_path / "theirs")
    signature = stranger.sign(b"manifest").hex()
    own_name = key_id(stranger.public_key().public_bytes_raw())

    with pytest.raises(BundleError, match="not trusted here"):
        verify(trusted, own_name, signature, b"manifest")
    with pytest.raises(BundleError, match="signature does not match"):
        verify(trusted, next(iter(trusted)), signature, b"manifest")


def trusted_keys_of(keys: Path) -> dict[str, Ed25519PublicKey]:
    signing_key(keys)
    return dict(trusted_keys(keys))


def test_nobody_is_trusted_without_a_key_folder(tmp_path: Path) -> None:
    assert trusted_keys(tmp_path / "missing") == {}


def test_damaged_public_key_is_named(tmp_path: Path) -> None:
    signing_key(tmp_path)
    (tmp_path / "trusted" / "old.pub").write_text("cafe\n")

    with pytest.raises(ConfigurationError, match=r"trusted key old\.pub: not the 64 hexadecimal"):
        trusted_keys(tmp_path)


@pytest.mark.parametrize("content", ["", "cafe\n", "zz" * 32, "00" * 33, "ü" * 64])
@pytest.mark.parametrize("name", ["signing.key", "field.key"])
def test_damaged_secret_is_named_but_not_told(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    load = {"signing.key": signing_key, "field.key": field_key}[name]

    with pytest.raises(ConfigurationError) as refusal:
        load(tmp_path)

    assert str(refusal.value) == f"{name}: not 64 hexadecimal digits; restore it"
    assert (tmp_path / name).read_text() == content


def test_key_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    in_the_way = tmp_path / "keys"
    in_the_way.write_text("a file where the folder should be")

    for load in (signing_key, field_key):
        with pytest.raises(ConfigurationError, match="TRIAGE_KEYS_DIR") as refusal:
            load(in_the_way)
        assert "\n" not in str(refusal.value)
        assert str(tmp_path) not in str(refusal.value)


def test_trusted_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "trusted").write_text("a file where the folder should be")

    with pytest.raises(ConfigurationError, match="TRIAGE_KEYS_DIR"):
        signing_key(tmp_path)
