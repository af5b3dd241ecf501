"""The model card: one page of Markdown that tells what a model is for and how far to trust it."""

import re
from collections.abc import Mapping
from typing import Any

import jinja2

from training.accounting import Accounting
from training.fit import Learned
from training.plots import in_percent
from training.study import Study
from triage.classifier import MIN_TICKETS

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_MOST_NAMED = 12  # labels, or slices, before the list is cut


def render_model_card(
    learned: Learned,
    study: Study,
    *,
    version: str,
    facts: Mapping[str, Any],
    accounting: Accounting,
) -> str:
    """Render the model card of a training; the same input gives the same text.

    Parameters
    ----------
    facts : see `training.report.render_report`

    Returns
    -------
    str : Markdown; names of labels are escaped, so that none becomes markup
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training"),
        autoescape=False,  # Markdown, not HTML: the template escapes names with `plain`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=_plain,
        names=_names,
        count="{:,}".format,
        percent="{:.1%}".format,
        decimal="{:.3f}".format,
        goal=in_percent,
    )
    taxonomy = learned.model.taxonomy
    return environment.get_template("model_card.md").render(
        version=version,
        facts=facts,
        sentences=accounting.sentences(),
        learned=learned,
        study=study,
        goal=in_percent(learned.model.target_precision),
        min_tickets=MIN_TICKETS,
        suggest_only={
            target: [
                label
                for label in head.labels
                if head.thresholds[label] is None or not taxonomy.may_route(target, label)
            ]
            for target, head in learned.model.heads.items()
        },
        weak={
            target: [
                (slicing.title, part)
                for slicing in found.slicings
                for part in slicing.slices
                if part.differs == "lower"
            ][:_MOST_NAMED]
            for target, found in study.targets.items()
        },
    )


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _names(labels: list[str]) -> str:
    """List names, the first of them where they are many."""
    shown = ", ".join(map(_plain, labels[:_MOST_NAMED]))
    rest = len(labels) - _MOST_NAMED
    return f"{shown} and {rest:,} more" if rest > 0 else shown
