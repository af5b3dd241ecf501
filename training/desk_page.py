"""A page of figures: one HTML file that asks for nothing else and runs nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup

from triage.charts import STYLE
from triage.figures.sections import Card, Section


@dataclass(frozen=True, slots=True)
class ReportPage:
    """What a page of figures shows; texts are sentences and may hold strangers' words.

    ``by`` is what time is told in: "week" or "month". ``not_known`` says what nothing tells, under
    the title ``silent``; ``account`` says what became of the rows of a file.
    """

    title: str
    said: str
    headline: Sequence[Card]
    sections: Sequence[Section]
    by: str
    silent: str
    not_known: Sequence[str]
    account: Sequence[str] = ()


def render_page(page: ReportPage) -> str:
    """Render figures; the same input gives the same text.

    Returns
    -------
    str : an HTML page that asks for no other file and runs no script
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("training").joinpath("templates/desk_report.css").read_text("utf-8") + STYLE
    return environment.get_template("desk_report.html").render(
        page=page,
        style=Markup(style),  # our own, and all that the page's policy lets apply
        style_hash=b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
