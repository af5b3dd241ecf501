"""Save, sign, verify and load a model bundle: plain arrays and JSON, never a pickle.

A bundle is a folder: ``manifest.json`` (facts, size and SHA-256 of every other file, Ed25519
signature), ``*.npy`` (plain numeric arrays) and ``*.json``. Nothing in it can run code, nothing is
compressed, and nothing is read before the signature and the sizes have been checked.
"""

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage.bundle_content import pack, unpack
from triage.errors import BundleError
from triage.model import TriageModel
from triage.signing import (
    fingerprint,
    key_id,
    known_field_key,
    signing_key,
    trusted_keys,
    verify,
)

FORMAT = 2
"""Raise it when an older reader could not read the files, and keep reading the old ones."""

_MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 8 << 20
_MAX_BUNDLE_BYTES = 512 << 20
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def save_bundle(model: TriageModel, models: Path, version: str, keys: Path) -> Path:
    """Write, sign and put in place a bundle; whole or not at all.

    Returns
    -------
    Path : the bundle's folder, ``models / version``

    Raises
    ------
    BundleError : the folder cannot be written, or the version exists already
    ConfigurationError : the key folder cannot be used
    """
    key = signing_key(keys)
    public = key.public_key().public_bytes_raw()
    files = pack(model)
    manifest = {
        "format": FORMAT,
        "version": version,
        "model_hash": model.canonical_hash(),
        "target_precision": model.target_precision,
        "targets": {target: head.labels for target, head in model.heads.items()},
        "field_key": fingerprint(model.features.key) if len(model.features.values_) else None,
        **model.facts,
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
        "key_id": key_id(public),
    }
    manifest["signature"] = key.sign(_signed_part(manifest)).hex()
    files[_MANIFEST] = json.dumps(manifest, indent=2, ensure_ascii=False).encode("utf-8") + b"\n"
    folder, temporary = models / version, models / f".{version}.partial"
    try:
        models.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for name, data in files.items():
            _write_durably(temporary / name, data)
        _sync_folder(temporary)
        temporary.rename(folder)
        _sync_folder(models)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise BundleError(
            f"bundle {version} cannot be written to {models.name}/: {error.strerror}"
        ) from error
    return folder


def load_bundle(folder: Path, keys: Path) -> tuple[TriageModel, dict[str, Any]]:
    """Verify a bundle and load it.

    Returns
    -------
    TriageModel : the model, ready to answer
    dict : its manifest

    Raises
    ------
    BundleError : anything about the folder is not as its trusted signer left it
    """
    manifest, files = verify_bundle(folder, keys)
    try:
        return unpack(files, manifest, _field_key_of(manifest, folder, keys)), manifest
    except (KeyError, ValueError, TypeError, IndexError, EOFError) as error:
        raise BundleError(f"bundle {folder.name}: a part is missing or malformed") from error


def _field_key_of(manifest: Mapping[str, Any], folder: Path, keys: Path) -> bytes:
    """Load the secret that the model's form fields were hashed with; another finds none of them."""
    key = known_field_key(keys) or b""
    if manifest["field_key"] not in (None, fingerprint(key)):
        raise BundleError(
            f"bundle {folder.name} was trained with another field.key than the one here; copy "
            "field.key from the key folder of the machine that trained it"
        )
    return key


def verify_bundle(folder: Path, keys: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Check signature, names, sizes and hashes of a bundle.

    Returns
    -------
    dict : the manifest
    dict : name -> contents of each file, the very bytes that were checked

    Raises
    ------
    BundleError : a file is missing, surplus, altered, a link; the signature is absent or foreign
    """
    present = _regular_files(folder)
    if _MANIFEST not in present:
        raise BundleError(f"{folder.name} is not a model bundle: it has no {_MANIFEST}")
    if present[_MANIFEST] > _MAX_MANIFEST_BYTES:
        raise BundleError(f"bundle {folder.name}: {_MANIFEST} is larger than any manifest can be")
    manifest = _parse_json(folder, _MANIFEST, _read(folder / _MANIFEST))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise BundleError(f"bundle {folder.name}: {_MANIFEST} is not a manifest")
    signature, name = manifest.get("signature"), manifest.get("key_id")
    if not isinstance(signature, str) or not isinstance(name, str):
        raise BundleError(f"bundle {folder.name} is not signed; train it again with this version")
    try:
        verify(trusted_keys(keys), name, signature, _signed_part(manifest))
    except BundleError as error:
        raise BundleError(f"bundle {folder.name}: {error}") from error
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"bundle {folder.name} has format {manifest.get('format')!r}, this version reads "
            f"{FORMAT}; train it again"
        )
    expected = manifest["files"]
    if set(expected) != set(present) - {_MANIFEST}:
        raise BundleError(f"bundle {folder.name}: files are missing or were added")
    files = {}
    for file, entry in expected.items():
        if present[file] != entry["bytes"]:
            raise BundleError(f"bundle {folder.name}: {file} is truncated or was altered")
        data = _read(folder / file)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise BundleError(f"bundle {folder.name}: {file} was altered")
        files[file] = data
    return manifest, files


def resolve_model(path: Path) -> Path:
    """Find the bundle that a path means: the folder itself, or a models folder's champion.

    Raises
    ------
    BundleError : there is neither a bundle nor a champion there
    """
    if (path / _MANIFEST).exists():
        return path
    name = champion(path)
    if name is None and list_bundles(path):
        raise BundleError(
            f"no model in {path} was promoted yet; name one of its bundles, such as "
            f"{path / list_bundles(path)[-1]}"
        )
    if name is None:
        raise BundleError(
            f"{path} holds no model yet; train one with: triage train HISTORY --output {path}"
        )
    folder = path / name
    if not (folder / _MANIFEST).exists():
        raise BundleError(f"the champion {name} named in {path} is not there; promote another")
    return folder


def has_model(path: Path) -> bool:
    """Say whether a path is a bundle or holds any, be they fit to serve or not.

    Raises
    ------
    BundleError : the champion's pointer does not hold a bundle's name
    """
    return (path / _MANIFEST).exists() or champion(path) is not None or bool(list_bundles(path))


def champion(models: Path) -> str | None:
    """Name the bundle that serves, or None when none was promoted yet.

    Raises
    ------
    BundleError : the pointer does not hold a bundle's name
    """
    try:
        name = (models / "champion").read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{models.name}/champion cannot be read") from error
    if not _VERSION.fullmatch(name):
        raise BundleError(f"{models.name}/champion does not hold the name of a bundle")
    return name


def set_champion(models: Path, version: str) -> None:
    """Make a bundle the one that serves, in one step.

    Raises
    ------
    BundleError : that is no bundle's name, or the pointer cannot be written
    """
    if not _VERSION.fullmatch(version):
        raise BundleError(f"{version!r} is not the name of a bundle")
    temporary = models / ".champion.partial"
    try:
        _write_durably(temporary, f"{version}\n".encode())
        temporary.replace(models / "champion")
        _sync_folder(models)
    except OSError as error:
        raise BundleError(f"{models.name}/champion cannot be written: {error.strerror}") from error


def list_bundles(models: Path) -> list[str]:
    """Name the bundles in a models folder, oldest first (versions begin with their time)."""
    if not models.is_dir():
        return []
    return sorted(
        path.name
        for path in models.iterdir()
        if not path.name.startswith(".") and (path / _MANIFEST).is_file()
    )


def _signed_part(manifest: Mapping[str, Any]) -> bytes:
    part = {key: value for key, value in manifest.items() if key != "signature"}
    return json.dumps(part, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _regular_files(folder: Path) -> dict[str, int]:
    """Size of each file of a bundle; anything that is not a plain file is refused."""
    sizes = {}
    try:
        if folder.is_symlink() or not folder.is_dir():
            raise BundleError(f"{folder.name} is not a bundle's folder")
        for path in folder.iterdir():
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise BundleError(f"bundle {folder.name}: {path.name} is not a plain file")
            sizes[path.name] = status.st_size
    except OSError as error:
        raise BundleError(f"bundle {folder.name} cannot be read: {error.strerror}") from error
    if sum(sizes.values()) > _MAX_BUNDLE_BYTES:
        raise BundleError(f"bundle {folder.name} is larger than any model can be")
    return sizes


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path.parent.name}/{path.name} cannot be read") from error


def _parse_json(folder: Path, name: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"bundle {folder.name}: {name} is not JSON") from error


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
