"""The installation's keys: Ed25519 to sign and trust bundles, one secret to hash form fields.

A key folder holds ``signing.key`` (training machines only), ``trusted/*.pub`` (the signers whose
bundles are served) and ``field.key``. It lies outside the models folder: whoever can replace a
model must not be able to vouch for it.
"""

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from triage.errors import BundleError, ConfigurationError

_KEY_BYTES = 32


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """Load the key that signs bundles; make it, trusted here, when there is none yet.

    Raises
    ------
    ConfigurationError : the folder cannot be written, or the key in it is damaged
    """
    key = Ed25519PrivateKey.from_private_bytes(_secret(keys, "signing.key"))
    public = key.public_key().public_bytes_raw()
    published = keys / "trusted" / f"{key_id(public)}.pub"
    if not published.exists():
        try:
            published.parent.mkdir(parents=True, exist_ok=True)
            published.write_text(public.hex() + "\n", "ascii")
        except OSError as error:
            raise _unusable(error) from error
    return key


def field_key(keys: Path) -> bytes:
    """Load the secret that hashes form fields; make it when there is none yet.

    Raises
    ------
    ConfigurationError : the folder cannot be written, or the secret in it is damaged
    """
    return _secret(keys, "field.key")


def known_field_key(keys: Path) -> bytes | None:
    """Load the secret that hashes form fields, or None where there is none.

    Raises
    ------
    ConfigurationError : the secret is damaged or cannot be read
    """
    return _secret(keys, "field.key") if (keys / "field.key").exists() else None


def fingerprint(secret: bytes) -> str:
    """Name a secret without giving it away."""
    return hashlib.sha256(b"fingerprint" + secret).hexdigest()[:16]


def trusted_keys(keys: Path) -> Mapping[str, Ed25519PublicKey]:
    """Load the public keys whose signatures are accepted, by key id."""
    found = {}
    for path in sorted((keys / "trusted").glob("*.pub")):
        try:
            public = bytes.fromhex(path.read_text("ascii").strip())
            found[key_id(public)] = Ed25519PublicKey.from_public_bytes(public)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"trusted key {path.name}: not the 64 hexadecimal digits of an Ed25519 public key"
            ) from error
    return found


def key_id(public: bytes) -> str:
    """Name a public key by the start of its hash."""
    return hashlib.sha256(public).hexdigest()[:16]


def verify(trusted: Mapping[str, Ed25519PublicKey], name: str, signature: str, data: bytes) -> None:
    """Check a signature made by the key called ``name``.

    Raises
    ------
    BundleError : the key is not trusted here, or the signature is not its own
    """
    key = trusted.get(name)
    if key is None:
        raise BundleError(
            "the bundle is signed with a key that is not trusted here; "
            "put the signer's .pub file into the trusted folder of the key folder"
        )
    try:
        key.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError) as error:
        raise BundleError(
            "the bundle's signature does not match its manifest; train it again or restore it"
        ) from error


def _secret(keys: Path, name: str) -> bytes:
    path = keys / name
    try:
        if not path.exists():
            keys.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_once(path, secrets.token_bytes(_KEY_BYTES))
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise _unusable(error) from error
    except ValueError:
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise ConfigurationError(f"{name}: not {2 * _KEY_BYTES} hexadecimal digits; restore it")
    return secret


def _write_once(path: Path, secret: bytes) -> None:
    """Write a secret that only its owner can read; the first of two writers wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _unusable(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the key folder cannot be used ({error.strerror}); set TRIAGE_KEYS_DIR to a folder "
        "this user can write"
    )
