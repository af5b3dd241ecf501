"""A model's heads as fitted scikit-learn pipelines, for notebooks."""

import copy

from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from triage.meaning import meaning_of
from triage.model import TriageModel
from triage.prepare import prepare_all


def pipelines_of(model: TriageModel) -> dict[str, Pipeline]:
    """Turn each head into a fitted scikit-learn pipeline, tickets in, labels out.

    The secret that hashes form fields is left out: set ``features.key`` to use those fields.
    """
    features = copy.copy(model.features)
    features.key = b""
    with_meaning = FeatureUnion(
        [("ngrams", features), ("meaning", FunctionTransformer(meaning_of))]
    )
    pipelines = {}
    for target, head in model.heads.items():
        classifier = copy.copy(head.classifier)
        # What belongs to single tickets is of no use without the tickets.
        del classifier.out_of_fold_, classifier.is_checked_
        classifier.too_few_ = {}
        pipelines[target] = Pipeline(
            [
                ("prepare", FunctionTransformer(prepare_all)),
                ("features", with_meaning if head.reads_meaning else features),
                ("classifier", classifier),
            ]
        )
    return pipelines
