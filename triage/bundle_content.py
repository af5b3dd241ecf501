"""What a bundle's files hold: a model as plain arrays and JSON, and a model made of them again."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from triage.article import Article
from triage.classifier import TicketClassifier
from triage.confidence import Calibration, JointConfidence
from triage.errors import BundleError
from triage.experience import ArticleUse, Experience
from triage.features import TicketFeatures
from triage.linear import LinearSettings
from triage.meaning import MEANING_TOKENS, MEANING_WEIGHT
from triage.model import Head, Joint, TriageModel
from triage.semantic import DIMENSIONS, MODEL_SHA256, VOCABULARY_SHA256
from triage.taxonomy import parse_taxonomy


def pack(model: TriageModel) -> dict[str, bytes]:
    """Write a model as files: name -> contents."""
    features = model.features
    files = {
        "buckets.npy": _array_bytes(features.buckets_),
        "idf.npy": _array_bytes(features.idf_),
        "field_values.npy": _array_bytes(features.values_),
        # Its order says which tier is the higher one, and which detail tells most.
        "taxonomy.json": _json_bytes(model.taxonomy.to_dict(), sort_keys=False),
        "articles.json": _json_bytes([article.to_dict() for article in model.articles]),
    }
    heads = []
    for number, (target, head) in enumerate(model.heads.items()):
        fitted = head.classifier
        files[f"coef-{number}.npy"] = _array_bytes(fitted.coef_.astype(np.float16))
        heads.append(
            {
                "target": target,
                **_classifier_facts(fitted),
                "thresholds": [head.thresholds[label] for label in head.labels],
                "cutoffs": head.cutoffs.tolist(),
                "levels": [asdict(one) if one else None for one in head.level_calibrations],
                # Not by name: a label of one ticket may be a text that slipped into its column.
                "too_few": len(fitted.too_few_),
                "reads_meaning": head.reads_meaning,
            }
        )
    joint, experience = model.joint, model.experience
    if experience.weights is not None:
        files["article-weights.npy"] = _array_bytes(experience.weights.data.astype(np.float16))
        files["article-columns.npy"] = _array_bytes(experience.weights.indices.astype(np.uint8))
        files["article-rows.npy"] = _array_bytes(experience.weights.indptr.astype(np.uint32))
    files["model.json"] = _json_bytes(
        {
            "heads": heads,
            "field_names": list(features.field_names),
            "field_weight": features.field_weight,
            "n_tickets": features.n_tickets_,
            "min_familiarity": dict(model.min_familiarity),
            "meaning": _meaning() if model.reads_meaning else None,
            "experience": {
                "articles": list(experience.articles),
                "uses": {name: asdict(use) for name, use in experience.uses.items()},
            },
            "detail_weights": {
                category: dict(weights) for category, weights in model.detail_weights.items()
            },
            "joint": {
                "targets": joint.targets,
                "confidence": asdict(joint.confidence),
                "threshold": joint.threshold,
            }
            if joint
            else None,
        }
    )
    return files


def unpack(files: Mapping[str, bytes], manifest: Mapping[str, Any], key: bytes) -> TriageModel:
    """Make a model of what `pack` wrote.

    Parameters
    ----------
    files : name -> contents, verified
    key : secret that its form fields were hashed with

    Raises
    ------
    BundleError : it reads what texts mean with another language model than this version does
    KeyError, ValueError, TypeError, IndexError, EOFError : a part is missing or malformed
    """
    content = json.loads(files["model.json"])
    features = TicketFeatures(
        tuple(content["field_names"]), field_weight=content["field_weight"], key=key
    )
    features.n_tickets_ = int(content["n_tickets"])
    features.buckets_ = _array(files["buckets.npy"])
    features.idf_ = _array(files["idf.npy"])
    features.values_ = _array(files["field_values.npy"])
    heads = {}
    for number, entry in enumerate(content["heads"]):
        reads_meaning = bool(entry["reads_meaning"])
        n_columns = features.n_features_out_ + (DIMENSIONS if reads_meaning else 0)
        fitted = _classifier(entry, files[f"coef-{number}.npy"], n_columns)
        heads[entry["target"]] = Head(
            fitted,
            dict(zip(entry["labels"], entry["thresholds"], strict=True)),
            np.array(entry["cutoffs"], dtype=np.float64),
            tuple(_calibration(one) if one else None for one in entry["levels"]),
            reads_meaning,
        )
    if content.get("meaning") not in (None, _meaning()):
        raise BundleError(
            f"bundle {manifest['version']} reads what texts mean with another language model than "
            "this version does; train it again"
        )
    joint = content["joint"]
    return TriageModel(
        features=features,
        heads=heads,
        joint=Joint(
            tuple(joint["targets"]),
            JointConfidence(**joint["confidence"]),
            joint["threshold"],
        )
        if joint
        else None,
        min_familiarity=content["min_familiarity"],
        target_precision=manifest["target_precision"],
        taxonomy=parse_taxonomy(json.loads(files["taxonomy.json"])),
        articles=tuple(Article.from_dict(entry) for entry in json.loads(files["articles.json"])),
        experience=_experience(content.get("experience"), files, features.n_features_out_),
        detail_weights=content.get("detail_weights", {}),
        facts={},
    )


def _experience(
    content: Mapping[str, Any] | None, files: Mapping[str, bytes], n_columns: int
) -> Experience:
    if content is None:  # a bundle of before anything was learned about articles
        return Experience()
    articles = tuple(content["articles"])
    uses = {name: ArticleUse(**use) for name, use in content["uses"].items()}
    if not articles:
        return Experience(uses=uses)
    weights = sp.csr_matrix(
        (
            _array(files["article-weights.npy"]).astype(np.float32),
            _array(files["article-columns.npy"]).astype(np.int32),
            _array(files["article-rows.npy"]).astype(np.int32),
        ),
        shape=(n_columns, len(articles)),
    )
    weights.check_format(full_check=True)
    return Experience(articles, weights, uses)


def _classifier_facts(fitted: TicketClassifier) -> dict[str, Any]:
    return {
        "labels": [str(label) for label in fitted.classes_],
        "intercept": [float(value) for value in fitted.intercept_],
        "calibration": asdict(fitted.calibration_),
        "settings": asdict(fitted.settings),
    }


def _classifier(entry: Mapping[str, Any], coefficients: bytes, n_columns: int) -> TicketClassifier:
    fitted = TicketClassifier(settings=LinearSettings(**entry["settings"]))
    fitted.classes_ = np.array(entry["labels"], dtype=object)
    fitted.coef_ = _array(coefficients).astype(np.float32)
    fitted.intercept_ = np.array(entry["intercept"], dtype=np.float32)
    fitted.calibration_ = _calibration(entry["calibration"])
    fitted.too_few_ = {}
    if fitted.coef_.shape != (n_columns, len(fitted.classes_)):
        raise ValueError("coefficients do not fit the features")
    return fitted


def _meaning() -> dict[str, Any]:
    """Name everything that decides the columns of `triage.meaning.meaning_of`."""
    return {
        "model": MODEL_SHA256,
        "vocabulary": VOCABULARY_SHA256,
        "max_tokens": MEANING_TOKENS,
        "weight": MEANING_WEIGHT,
    }


def _calibration(entry: Mapping[str, Any]) -> Calibration:
    return Calibration(
        entry["temperature"], entry["noise"], tuple(entry["evidence"]), tuple(entry["offsets"])
    )


def _json_bytes(content: Any, *, sort_keys: bool = True) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=sort_keys).encode("utf-8") + b"\n"


def _array_bytes(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(data: bytes) -> npt.NDArray[Any]:
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
