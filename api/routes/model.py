"""What answers, and how good it is."""

import math
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from api.openapi import problems
from api.schemas import ModelOut, TargetOut
from api.security import KeyedRoute, needs
from api.service import ServiceDep

router = APIRouter(route_class=KeyedRoute, tags=["model"])


@router.get(
    "/v1/model",
    summary="Read about the model that answers",
    responses=problems(401, 403, 503),
    dependencies=[needs("predict")],
)
async def read_model(service: ServiceDep) -> ModelOut:
    """Tell the model's version, its labels, how well it did on unseen tickets, its thresholds.

    Before a first model is trained, `basis` is `knowledge`: answers rest on articles alone.
    """
    engine = service.engine
    trained_at = engine.manifest.get("trained_at")
    metrics = engine.manifest.get("metrics", {})
    return ModelOut(
        version=engine.version,
        basis=engine.basis,
        trained_at=None if trained_at is None else str(trained_at),
        targets={
            target: TargetOut(
                labels=list(thresholds),
                thresholds=dict(thresholds),
                metrics=_figures(metrics.get(target, {})),
            )
            for target, thresholds in engine.thresholds.items()
        },
    )


def _figures(metrics: Mapping[str, Any]) -> dict[str, float | dict[str, float]]:
    """Keep the figures, by themselves or by the tickets they were measured on.

    Tables, such as those by label, are for the report and not for every caller.
    """
    figures: dict[str, float | dict[str, float]] = {}
    for name, value in metrics.items():
        if _is_figure(value):
            figures[name] = float(value)
        elif isinstance(value, Mapping):
            inner = {key: float(one) for key, one in value.items() if _is_figure(one)}
            if inner:
                figures[name] = inner
    return figures


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
