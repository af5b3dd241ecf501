"""What tier 2 had to ask for decides what a detail weighs."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from training.canonical import column_array, completed
from training.detail_weights import PRIOR_ASKS, learn_weights
from training.fit import fit_model
from training.history import read_history
from training.mapping import load_mapping
from training.tickets import in_canonical_order
from triage.bundle import load_bundle, save_bundle
from triage.signing import signing_key
from triage.taxonomy import Taxonomy, parse_taxonomy

TAXONOMY = parse_taxonomy(
    {
        "tiers": {"specialists": {"name": "S"}, "desk": {"name": "D"}},
        "categories": {
            "vpn": {"name": "VPN", "details": ["error", "device", "since"]},
            "mail": {"name": "Mail", "details": ["error"]},
        },
        "details": {
            "since": {"name": "Since when", "question": {"en": "Since when?"}},
            "error": {"name": "Error message", "question": {"en": "Which error?"}},
            "device": {"name": "Device", "question": {"en": "Which device?"}},
        },
    }
)


def asked_of(*rows: tuple[str | None, tuple[str, ...]]) -> pd.DataFrame:
    return completed(
        pd.DataFrame(
            {
                "category": column_array("category", [category for category, _ in rows]),
                "asked_details": column_array("asked_details", [asked for _, asked in rows]),
            }
        )
    )


def test_history_that_tells_nothing_teaches_nothing() -> None:
    assert learn_weights(asked_of(("vpn", ()), (None, ("device",))), TAXONOMY) == {}


def test_few_asks_leave_the_order_of_the_taxonomy_and_many_change_it() -> None:
    few = learn_weights(asked_of(("vpn", ("since",))), TAXONOMY)["vpn"]
    many = learn_weights(asked_of(*[("vpn", ("since",))] * 200), TAXONOMY)["vpn"]

    assert sorted(few, key=few.__getitem__, reverse=True) == ["error", "device", "since"]
    assert max(many, key=many.__getitem__) == "since"


def test_weights_are_shares_smoothed_by_the_order() -> None:
    asked = [("vpn", ("device",))] * 10 + [("vpn", ("device", "error"))] * 10

    weights = learn_weights(asked_of(*asked), TAXONOMY)["vpn"]

    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    assert weights["device"] == pytest.approx((20 + PRIOR_ASKS * 2 / 6) / (30 + PRIOR_ASKS))
    assert weights["since"] == pytest.approx(PRIOR_ASKS / 6 / (30 + PRIOR_ASKS), abs=1e-6)


def test_details_are_named_by_id_or_name_and_paths_by_their_entry() -> None:
    asked = asked_of(("vpn > client", ("Since When", "SINCE", "shoe size")), ("attic", ("device",)))

    weights = learn_weights(asked, TAXONOMY)

    assert list(weights) == ["vpn"]
    assert weights["vpn"]["since"] == pytest.approx((1 + PRIOR_ASKS / 6) / (1 + PRIOR_ASKS))


def test_detail_that_the_category_does_not_list_counts_for_nothing() -> None:
    assert learn_weights(asked_of(("mail", ("device",))), TAXONOMY) == {}


@pytest.mark.parametrize(
    ("cell", "asked"),
    [
        ("Error message, device", ("Error message", "device")),
        ("error;  device |since", ("error", "device", "since")),
        ("", ()),
    ],
)
def test_export_lists_what_was_asked(tmp_path: Path, cell: str, asked: tuple[str, ...]) -> None:
    path = tmp_path / "history.csv"
    path.write_text(f'id,subject,category,asked details\n1,vpn,vpn,"{cell}"\n')

    frame = read_history([path], load_mapping(None)).frame

    assert frame["asked_details"].tolist() == [asked]


def test_list_of_a_json_export_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(
        '{"subject": "vpn", "category": "vpn", "asked_details": ["Since when", "error"]}\n'
    )

    frame = read_history([path], load_mapping(None)).frame

    assert frame["asked_details"].tolist() == [("Since when", "error")]


def test_bundle_keeps_weights_and_the_order_of_the_taxonomy(
    history: pd.DataFrame, tmp_path: Path
) -> None:
    frame = in_canonical_order(history)
    asked = [("since",) if category == "vpn" else () for category in frame["category"]]
    frame["asked_details"] = column_array("asked_details", asked)
    signing_key(tmp_path / "keys")

    model = fit_model(frame, taxonomy=with_the_tiers_of(frame), n_jobs=1).model
    folder = save_bundle(model, tmp_path / "models", "v1", tmp_path / "keys")
    restored, _ = load_bundle(folder, tmp_path / "keys")

    assert model.detail_weights["vpn"]["since"] > 0.5
    assert restored.detail_weights == model.detail_weights
    assert restored.canonical_hash() == model.canonical_hash()
    assert list(restored.taxonomy.tiers) == list(model.taxonomy.tiers)
    unlearned = dataclasses.replace(model, detail_weights={})
    assert unlearned.canonical_hash() != model.canonical_hash()


def with_the_tiers_of(frame: pd.DataFrame) -> Taxonomy:
    content = TAXONOMY.to_dict()
    content["tiers"] |= {str(tier): {"name": str(tier)} for tier in frame["tier"].dropna().unique()}
    return parse_taxonomy(content)
