"""From a desk's ticket history to a signed model bundle.

For notebooks: ``from training import run_training``; docs/tutorial.md shows how.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.pipeline import run_training

__all__ = ["run_training"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: commands import this package and must not wait for pandas.
    if name == "run_training":
        from training.pipeline import run_training

        return run_training
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
