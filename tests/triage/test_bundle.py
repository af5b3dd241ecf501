"""Bundles: what is saved is what is loaded, and whatever was touched since is refused."""

import hashlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest

from training.tickets import iter_tickets
from triage.bundle import (
    FORMAT,
    champion,
    list_bundles,
    load_bundle,
    resolve_model,
    save_bundle,
    set_champion,
    verify_bundle,
)
from triage.engine import load_engine
from triage.errors import BundleError, ConfigurationError
from triage.model import TriageModel
from triage.signing import field_key, key_id, signing_key


class SavedBundle(Protocol):
    """What the fixture of tests/conftest.py holds."""

    folder: Path
    models: Path
    keys: Path


@pytest.fixture
def bundle(saved: SavedBundle, tmp_path: Path) -> Path:
    """A copy of the saved bundle, to be spoilt."""
    return Path(shutil.copytree(saved.folder, tmp_path / "models" / saved.folder.name))


def refusal(folder: Path, keys: Path) -> str:
    """Load a bundle that must not load; give the one line that says why."""
    with pytest.raises(BundleError) as refused:
        load_bundle(folder, keys)
    message = str(refused.value)
    assert message and "\n" not in message
    assert str(folder.parent) not in message
    return message


def rewritten(folder: Path, keys: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest and sign it again, as only a holder of the key in ``keys`` can."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    key = signing_key(keys)
    manifest["key_id"] = key_id(key.public_key().public_bytes_raw())
    for name in manifest["files"]:
        data = (folder / name).read_bytes()
        manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    del manifest["signature"]
    change(manifest)
    signed = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    path.write_text(json.dumps({**manifest, "signature": key.sign(signed).hex()}))


def nothing(manifest: dict[str, Any]) -> None:
    """Leave the manifest as it is."""


def with_secret(keys: Path, secret: bytes) -> Path:
    """Make a key folder with this secret for form fields, as one copied from the trainer has."""
    keys.mkdir(exist_ok=True)
    (keys / "field.key").write_text(secret.hex())
    return keys


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_loaded_model_gives_bit_equal_probabilities(
    model: TriageModel, saved: SavedBundle, history: pd.DataFrame
) -> None:
    tickets = list(iter_tickets(history))

    restored, _ = load_bundle(saved.folder, saved.keys)

    matrix, familiarity = model.features.analyse(tickets)
    restored_matrix, restored_familiarity = restored.features.analyse(tickets)
    assert (matrix != restored_matrix).nnz == 0
    np.testing.assert_array_equal(restored_familiarity, familiarity)
    for target, head in model.heads.items():
        found = restored.heads[target]
        np.testing.assert_array_equal(
            found.classifier.predict_proba(restored_matrix), head.classifier.predict_proba(matrix)
        )
        assert found.thresholds == head.thresholds
        np.testing.assert_array_equal(found.cutoffs, head.cutoffs)


def test_loaded_model_is_the_saved_one_in_every_part(
    model: TriageModel, saved: SavedBundle
) -> None:
    restored, manifest = load_bundle(saved.folder, saved.keys)

    assert restored.canonical_hash() == model.canonical_hash() == manifest["model_hash"]
    assert restored.joint == model.joint
    assert restored.min_familiarity == model.min_familiarity
    assert restored.target_precision == model.target_precision
    assert restored.taxonomy == model.taxonomy
    assert restored.articles == model.articles
    assert restored.features.get_params() == {
        **model.features.get_params(),
        "key": field_key(saved.keys),
    }


def test_model_of_one_target_without_fields_and_articles_is_restored(
    model: TriageModel, tmp_path: Path
) -> None:
    bare = replace(
        model,
        heads={"category": model.heads["category"]},
        joint=None,
        articles=(),
        facts={"seed": 7, "metrics": {"category": {"accuracy": 0.9}}},
    )

    keys = with_secret(tmp_path / "keys", model.features.key)

    folder = save_bundle(bare, tmp_path / "models", "bare", keys)
    restored, manifest = load_bundle(folder, keys)

    assert list(restored.heads) == ["category"]
    assert restored.joint is None
    assert restored.articles == ()
    assert (manifest["seed"], manifest["metrics"]) == (7, bare.facts["metrics"])


def test_labels_and_articles_in_any_script_are_restored(model: TriageModel, tmp_path: Path) -> None:
    head = model.heads["tier"]
    classifier = pickle.loads(pickle.dumps(head.classifier))
    classifier.classes_ = np.array(["=1+1", "Größe \u2028", "支持"], dtype=object)
    thresholds = dict(zip(classifier.classes_, [0.5, None, 0.9], strict=True))
    odd = replace(
        model,
        heads={'Stufe/"1"': replace(head, classifier=classifier, thresholds=thresholds)},
        joint=None,
    )

    keys = with_secret(tmp_path / "keys", model.features.key)

    folder = save_bundle(odd, tmp_path / "models", "odd", keys)
    restored, _ = load_bundle(folder, keys)

    assert restored.heads['Stufe/"1"'].labels == ["=1+1", "Größe \u2028", "支持"]
    assert restored.heads['Stufe/"1"'].thresholds == thresholds


def test_manifest_tells_size_and_hash_of_every_other_file(saved: SavedBundle) -> None:
    manifest, files = verify_bundle(saved.folder, saved.keys)

    on_disk = {path.name for path in saved.folder.iterdir()}
    assert set(manifest["files"]) == set(files) == on_disk - {"manifest.json"}
    assert all(name.endswith((".npy", ".json")) for name in on_disk)
    assert manifest["targets"] == {
        "tier": ["1", "2", "3"],
        "category": ["access", "email", "printing", "vpn"],
    }


def test_bundle_holds_no_ticket_and_no_secret(saved: SavedBundle, history: pd.DataFrame) -> None:
    content = b"".join(path.read_bytes() for path in saved.folder.iterdir())

    assert field_key(saved.keys) not in content
    assert field_key(saved.keys).hex().encode() not in content
    assert signing_key(saved.keys).private_bytes_raw().hex().encode() not in content
    for subject in history["subject"]:
        assert subject.encode() not in content
    assert b"Lyon" not in content


def test_a_flipped_byte_in_any_file_is_refused(bundle: Path, saved: SavedBundle) -> None:
    names = sorted(path.name for path in bundle.iterdir())
    assert len(names) > 5

    for name in names:
        original = (bundle / name).read_bytes()
        altered = bytearray(original)
        altered[len(altered) // 2] ^= 1
        (bundle / name).write_bytes(altered)

        assert bundle.name in refusal(bundle, saved.keys)

        (bundle / name).write_bytes(original)
    load_bundle(bundle, saved.keys)


def test_no_flipped_bit_of_the_manifest_changes_what_is_loaded(
    bundle: Path, saved: SavedBundle
) -> None:
    original = (bundle / "manifest.json").read_bytes()
    expected = json.loads(original)
    chance = np.random.default_rng(0)

    for position, bit in zip(
        chance.integers(len(original), size=300), chance.integers(8, size=300), strict=True
    ):
        altered = bytearray(original)
        altered[position] ^= 1 << int(bit)
        (bundle / "manifest.json").write_bytes(altered)
        try:
            manifest, _ = verify_bundle(bundle, saved.keys)
        except BundleError:
            continue
        # Only the spelling of the signature may differ (a and A are the same digit).
        assert {**manifest, "signature": manifest["signature"].lower()} == expected


@pytest.mark.parametrize("name", ["model.json", "coef-0.npy", "manifest.json", "articles.json"])
def test_truncated_file_is_refused(bundle: Path, saved: SavedBundle, name: str) -> None:
    os.truncate(bundle / name, (bundle / name).stat().st_size // 2)

    refusal(bundle, saved.keys)


@pytest.mark.parametrize("name", ["model.json", "coef-0.npy", "manifest.json", "taxonomy.json"])
def test_missing_file_is_refused(bundle: Path, saved: SavedBundle, name: str) -> None:
    (bundle / name).unlink()

    refusal(bundle, saved.keys)


@pytest.mark.parametrize("name", ["pipeline.joblib", "extra.json", ".hidden", "model.py"])
def test_surplus_file_is_refused(bundle: Path, saved: SavedBundle, name: str) -> None:
    (bundle / name).write_bytes(b"")

    assert "missing or were added" in refusal(bundle, saved.keys)


def test_folder_inside_a_bundle_is_refused(bundle: Path, saved: SavedBundle) -> None:
    (bundle / "more").mkdir()

    assert "more is not a plain file" in refusal(bundle, saved.keys)


@pytest.mark.parametrize("name", ["model.json", "coef-0.npy", "manifest.json"])
def test_symlinked_file_is_refused(
    bundle: Path, saved: SavedBundle, tmp_path: Path, name: str
) -> None:
    (bundle / name).rename(tmp_path / name)
    (bundle / name).symlink_to(tmp_path / name)

    assert f"{name} is not a plain file" in refusal(bundle, saved.keys)


def test_pipe_in_the_place_of_a_file_is_refused_without_waiting_for_it(
    bundle: Path, saved: SavedBundle
) -> None:
    (bundle / "model.json").unlink()
    os.mkfifo(bundle / "model.json")

    assert "model.json is not a plain file" in refusal(bundle, saved.keys)


def test_symlinked_folder_is_refused(bundle: Path, saved: SavedBundle) -> None:
    link = bundle.with_name("link")
    link.symlink_to(bundle)

    assert "link is not a bundle's folder" in refusal(link, saved.keys)


@pytest.mark.parametrize("what", ["nothing", "a file", "an empty folder"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, saved: SavedBundle, what: str) -> None:
    place = tmp_path / "place"
    if what == "a file":
        place.write_text("{}")
    elif what == "an empty folder":
        place.mkdir()

    assert "place" in refusal(place, saved.keys)


def test_unsigned_bundle_is_refused(bundle: Path, saved: SavedBundle) -> None:
    for missing in ("signature", "key_id"):
        manifest = json.loads((saved.folder / "manifest.json").read_bytes())
        del manifest[missing]
        (bundle / "manifest.json").write_text(json.dumps(manifest))

        assert "is not signed" in refusal(bundle, saved.keys)


def test_bundle_signed_with_another_key_is_refused(
    bundle: Path, saved: SavedBundle, tmp_path: Path
) -> None:
    rewritten(bundle, tmp_path / "strangers", nothing)

    assert "not trusted here" in refusal(bundle, saved.keys)
    with_secret(tmp_path / "strangers", field_key(saved.keys))
    load_bundle(bundle, tmp_path / "strangers")  # whole in itself: only the trust was missing


def test_strangers_signature_under_our_key_id_is_refused(
    bundle: Path, saved: SavedBundle, tmp_path: Path
) -> None:
    ours = json.loads((bundle / "manifest.json").read_bytes())["key_id"]
    rewritten(bundle, tmp_path / "strangers", lambda manifest: manifest.update(key_id=ours))

    assert "signature does not match" in refusal(bundle, saved.keys)


@pytest.mark.parametrize(
    "content",
    ["", "not JSON", "[" * 100_000, "[]", "null", '{"files": []}', '{"files": {}}', "1" * 10_000],
    ids=["empty", "text", "deep", "list", "null", "list of files", "no files", "number"],
)
def test_manifest_that_is_none_is_refused(bundle: Path, saved: SavedBundle, content: str) -> None:
    (bundle / "manifest.json").write_text(content)

    refusal(bundle, saved.keys)


def test_manifest_that_is_no_text_is_refused(bundle: Path, saved: SavedBundle) -> None:
    (bundle / "manifest.json").write_bytes(b"\xff\xfe\x00{")

    assert "manifest.json is not JSON" in refusal(bundle, saved.keys)


def test_huge_manifest_is_refused_unread(bundle: Path, saved: SavedBundle) -> None:
    os.truncate(bundle / "manifest.json", 9 << 20)

    assert "larger than any manifest" in refusal(bundle, saved.keys)


def test_huge_file_is_refused_unread(bundle: Path, saved: SavedBundle) -> None:
    (bundle / "coef-0.npy").write_bytes(b"")
    os.truncate(bundle / "coef-0.npy", 1 << 40)  # a hole: takes no space on the disk

    assert "larger than any model" in refusal(bundle, saved.keys)


def test_swapped_labels_are_refused(bundle: Path, saved: SavedBundle) -> None:
    content = json.loads((bundle / "model.json").read_bytes())
    assert content["heads"][0]["labels"] == ["1", "2", "3"]
    content["heads"][0]["labels"] = ["3", "2", "1"]
    (bundle / "model.json").write_text(
        json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
    )

    assert "model.json was altered" in refusal(bundle, saved.keys)


def pickles(trace: Path) -> Iterator[bytes]:
    """A plain pickle, and one inside a well-formed .npy file."""
    yield pickle.dumps(Bomb(trace))
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb(trace)], dtype=object), allow_pickle=True)
    yield buffer.getvalue()


def test_pickle_is_refused_and_never_run_whoever_signed_it(
    bundle: Path, saved: SavedBundle, tmp_path: Path
) -> None:
    trace = tmp_path / "it ran"
    for content in pickles(trace):
        (bundle / "coef-0.npy").write_bytes(content)

        assert "coef-0.npy" in refusal(bundle, saved.keys)
        rewritten(bundle, saved.keys, nothing)
        assert "malformed" in refusal(bundle, saved.keys)

        assert not trace.exists()
    pickle.loads(next(pickles(trace)))
    assert trace.exists()  # it would have run


@pytest.mark.parametrize("format", [FORMAT + 1, None, "1", 0])
def test_bundle_of_another_format_is_refused(
    bundle: Path, saved: SavedBundle, format: object
) -> None:
    rewritten(bundle, saved.keys, lambda manifest: manifest.update(format=format))

    assert f"has format {format!r}, this version reads {FORMAT}" in refusal(bundle, saved.keys)


def test_signed_model_whose_parts_do_not_fit_is_refused(bundle: Path, saved: SavedBundle) -> None:
    shutil.copy(bundle / "coef-0.npy", bundle / "coef-1.npy")  # three labels' for four
    rewritten(bundle, saved.keys, nothing)

    assert "a part is missing or malformed" in refusal(bundle, saved.keys)


def test_model_that_reads_meaning_with_another_language_model_is_refused(
    bundle: Path, saved: SavedBundle
) -> None:
    content = json.loads((bundle / "model.json").read_bytes())
    content["meaning"] = {"model": "0" * 64, "vocabulary": "0" * 64, "max_tokens": 8, "weight": 1}
    (bundle / "model.json").write_text(json.dumps(content))
    rewritten(bundle, saved.keys, nothing)

    assert "with another language model than this version does" in refusal(bundle, saved.keys)


def test_signed_model_without_a_part_is_refused(bundle: Path, saved: SavedBundle) -> None:
    content = json.loads((bundle / "model.json").read_bytes())
    del content["heads"][0]["calibration"]["noise"]
    (bundle / "model.json").write_text(json.dumps(content))
    rewritten(bundle, saved.keys, nothing)

    assert "a part is missing or malformed" in refusal(bundle, saved.keys)


def test_key_folder_that_cannot_be_used_is_told_before_anything_is_written(
    model: TriageModel, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    with pytest.raises(ConfigurationError, match="TRIAGE_KEYS_DIR"):
        save_bundle(model, tmp_path / "models", "one", tmp_path / "keys")

    assert not (tmp_path / "models").exists()


def test_interrupted_save_leaves_no_bundle_and_the_old_champion(
    model: TriageModel, saved: SavedBundle, bundle: Path
) -> None:
    models = bundle.parent
    set_champion(models, bundle.name)
    in_the_way = models / "next"
    in_the_way.mkdir()
    (in_the_way / "notes.txt").write_text("not a bundle")

    with pytest.raises(BundleError, match="bundle next cannot be written to models/") as refused:
        save_bundle(model, models, "next", saved.keys)

    assert str(models) not in str(refused.value)
    assert champion(models) == bundle.name
    assert list_bundles(models) == [bundle.name]
    assert sorted(path.name for path in models.iterdir()) == sorted(
        [bundle.name, "champion", "next"]
    )
    assert [path.name for path in in_the_way.iterdir()] == ["notes.txt"]
    load_engine(models, keys=saved.keys)


def test_saving_a_version_again_does_not_touch_the_first(
    model: TriageModel, saved: SavedBundle, bundle: Path
) -> None:
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}

    with pytest.raises(BundleError, match="cannot be written"):
        save_bundle(model, bundle.parent, bundle.name, saved.keys)

    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before


def test_rest_of_a_killed_save_is_neither_listed_nor_in_the_way(
    model: TriageModel, saved: SavedBundle, tmp_path: Path
) -> None:
    rest = tmp_path / ".next.partial"
    rest.mkdir()
    (rest / "manifest.json").write_text("{}")
    (rest / "surplus.npy").write_text("")

    assert list_bundles(tmp_path) == []
    folder = save_bundle(model, tmp_path, "next", saved.keys)

    assert list_bundles(tmp_path) == ["next"]
    load_bundle(folder, saved.keys)


def test_models_folder_that_cannot_be_written_is_told_in_one_line(
    model: TriageModel, saved: SavedBundle, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")

    with pytest.raises(BundleError, match="cannot be written to models/"):
        save_bundle(model, tmp_path / "models", "one", saved.keys)
    with pytest.raises(BundleError, match="champion cannot be written"):
        set_champion(tmp_path / "models", "one")


def test_champion_is_what_was_promoted_last(saved: SavedBundle, tmp_path: Path) -> None:
    assert champion(tmp_path) is None

    set_champion(tmp_path, "one")
    set_champion(tmp_path, "two")

    assert champion(tmp_path) == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["champion"]


@pytest.mark.parametrize(
    "pointer", ["../x", "a/../b", "/etc", "", ".hidden", "a\nb", "a b", "x" * 101, "..", "ü"]
)
def test_champion_pointer_that_is_no_bundle_name_is_refused(
    saved: SavedBundle, tmp_path: Path, pointer: str
) -> None:
    shutil.copytree(saved.folder, tmp_path / "x")
    models = tmp_path / "models"
    models.mkdir()
    (models / "champion").write_text(pointer, "utf-8")

    with pytest.raises(BundleError, match="does not hold the name of a bundle"):
        load_engine(models, keys=saved.keys)


def test_champion_pointer_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "champion").write_bytes(b"\xff\xfe")

    with pytest.raises(BundleError, match="champion cannot be read"):
        champion(tmp_path)


def test_champion_that_links_out_of_the_models_folder_is_refused(
    saved: SavedBundle, tmp_path: Path
) -> None:
    (tmp_path / "linked").symlink_to(saved.folder)
    set_champion(tmp_path, "linked")

    with pytest.raises(BundleError, match="linked is not a bundle's folder"):
        load_engine(tmp_path, keys=saved.keys)


def test_path_means_a_bundle_or_the_champion_of_a_models_folder(saved: SavedBundle) -> None:
    assert resolve_model(saved.folder) == saved.folder
    assert resolve_model(saved.models) == saved.folder


def test_models_folder_without_a_model_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="triage train HISTORY"):
        resolve_model(tmp_path)


def test_champion_that_is_gone_is_named(tmp_path: Path) -> None:
    set_champion(tmp_path, "gone")

    with pytest.raises(BundleError, match=r"the champion gone named in .* is not there"):
        resolve_model(tmp_path)


def test_bundles_are_listed_oldest_first(saved: SavedBundle, tmp_path: Path) -> None:
    for name in ("20250102-000000-b", "20240101-000000-z", "20250102-000000-a"):
        (tmp_path / name).mkdir()
        shutil.copy(saved.folder / "manifest.json", tmp_path / name)
    (tmp_path / "reports").mkdir()

    assert list_bundles(tmp_path) == ["20240101-000000-z", "20250102-000000-a", "20250102-000000-b"]
    assert list_bundles(tmp_path / "missing") == []


def test_hash_is_that_of_the_answers_not_of_the_installation(
    model: TriageModel, saved: SavedBundle, tmp_path: Path
) -> None:
    features = pickle.loads(pickle.dumps(model.features))
    features.key = b"k" * 32
    elsewhere = replace(model, features=features)
    keys = with_secret(tmp_path / "keys", features.key)

    copy, manifest = load_bundle(save_bundle(elsewhere, tmp_path / "models", "copy", keys), keys)
    original, _ = load_bundle(saved.folder, saved.keys)

    assert copy.features.key != original.features.key
    assert copy.canonical_hash() == original.canonical_hash() == manifest["model_hash"]


def test_hash_changes_with_what_was_learned(model: TriageModel) -> None:
    head = model.heads["tier"]
    warmer, other = (pickle.loads(pickle.dumps(head.classifier)) for _ in range(2))
    warmer.calibration_ = replace(warmer.calibration_, temperature=0.9)
    other.coef_[0, 0] += 1

    variants = [
        replace(head, classifier=warmer),
        replace(head, classifier=other),
        replace(head, cutoffs=head.cutoffs + 0.01),
        replace(head, thresholds={**head.thresholds, "1": None if head.thresholds["1"] else 0.5}),
    ]

    hashes = {
        replace(model, heads={**model.heads, "tier": variant}).canonical_hash()
        for variant in (head, *variants)
    }
    assert len(hashes) == 5
