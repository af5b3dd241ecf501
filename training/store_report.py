"""The figures of a store: what the insights page shows, as a page, data and a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.desk_page import ReportPage, render_page
from training.report_files import as_json, write_report
from triage.bundle import has_model
from triage.engine import open_engine
from triage.figures.ended import TierOrder
from triage.figures.figure import figures_csv
from triage.figures.handled import Desk
from triage.figures.insight_sections import insight_headline, insight_sections
from triage.figures.insights import Insights, Wanted
from triage.store import Store
from triage.store.insights import read_insights
from triage.taxonomy import load_taxonomy


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The insights of a store."""

    insights: Insights

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return self.insights.to_dict()

    def write(self, output: Path) -> list[Path]:
        """Write the page, the data and the table; each is there whole or not at all.

        Parameters
        ----------
        output : a file that ends in .html, .json or .csv, or the folder that gets all three

        Raises
        ------
        HistoryError : something cannot be written
        """
        return write_report(output, "insights", self._text)

    def _text(self, kind: str) -> str:
        if kind == ".html":
            return render_page(self._page())
        if kind == ".csv":
            found = self.insights
            desk = found.desk
            return figures_csv((*desk.figures, *desk.series, *found.figures, *found.series))
        return as_json(self.to_dict())

    def _page(self) -> ReportPage:
        found = self.insights
        desk = found.desk
        return ReportPage(
            title="Insights",
            said=found.said,
            headline=insight_headline(found),
            sections=list(insight_sections(found)),
            by=found.by,
            silent="What the outcomes do not say",
            not_known=[f"{one.title}: no outcome tells." for one in desk.not_known]
            if desk.n_tickets
            else [],
        )


def report_store(store: Store, desk: Desk, wanted: Wanted) -> StoreReport:
    """Count the figures of a store.

    Raises
    ------
    StoreError : the database cannot be reached
    """
    return StoreReport(read_insights(store, desk, wanted))


def read_desk(
    models: Path, *, keys: Path, knowledge: Path | None = None, taxonomy: Path | None = None
) -> Desk:
    """Read what the service would serve with; before there is a model, the taxonomy alone.

    Raises
    ------
    TriageError : there is a model, articles or a taxonomy, and it cannot be used
    """
    if has_model(models) or knowledge is not None:
        return Desk.of(open_engine(models, keys=keys, knowledge=knowledge, taxonomy=taxonomy))
    own = load_taxonomy(taxonomy)
    return Desk(TierOrder.of(own), own.names("category"))
