"""The figures of a help desk's audit log: from file to data, table and page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.desk_page import ReportPage, render_page
from training.event_log import LogAccount, OnStep, load_tiers, read_event_log
from training.report_files import as_json, write_report
from triage.errors import ConfigurationError
from triage.figures.desk import DeskCounter, DeskFigures
from triage.figures.desk_sections import desk_headline, desk_sections
from triage.figures.ended import TierOrder
from triage.figures.figure import figures_csv
from triage.figures.measures import TICKETS
from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class DeskReport:
    """What became of a log's rows, and the figures of its tickets."""

    account: LogAccount
    figures: DeskFigures
    order: TierOrder

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            **self.account.to_dict(),
            **self.figures.to_dict(),
            "not_known": [figure.name for figure in self.figures.not_known],
        }

    def write(self, output: Path) -> list[Path]:
        """Write the page, the data and the table; each is there whole or not at all.

        Parameters
        ----------
        output : a file that ends in .html, .json or .csv, or the folder that gets all three

        Raises
        ------
        HistoryError : something cannot be written
        """
        return write_report(output, "desk-report", self._text)

    def _text(self, kind: str) -> str:
        if kind == ".html":
            return render_page(self._page())
        if kind == ".csv":
            return figures_csv((*self.figures.figures, *self.figures.series))
        return as_json(self.to_dict())

    def _page(self) -> ReportPage:
        figures = self.figures
        by = figures.over_time(TICKETS).by
        between = ""
        if figures.first_day and figures.last_day:
            first, last = figures.first_day.isoformat(), figures.last_day.isoformat()
            between = f" between {first} and {last} (UTC),"
        not_known = [f"{one.title}: no ticket tells." for one in figures.not_known]
        not_known.append("Whether the desk itself calls a first contact solved.")
        if figures.without_date:
            not_known.append(
                f"{figures.without_date:,} tickets have no date that can be right; they are in no "
                f"{by}."
            )
        if figures.without_category:
            not_known.append(f"{figures.without_category:,} tickets have no category.")
        return ReportPage(
            title="Desk report",
            said=f"{figures.n_tickets:,} tickets that ended{between} from {self.account.file.name}",
            headline=desk_headline(figures, self.order),
            sections=list(desk_sections(figures, self.order)),
            by=by,
            silent="What this log does not say",
            not_known=not_known if figures.n_tickets else [],
            account=self.account.sentences(),
        )


def report_events(
    log: Path, tiers: Path, taxonomy: Taxonomy, *, on_step: OnStep | None = None
) -> DeskReport:
    """Compute the figures of the desk from its audit log.

    Parameters
    ----------
    log : one row an event; see docs/figures.md
    tiers : TOML file that says which group belongs to which tier
    taxonomy : tells the tiers of the desk from the lowest up

    Raises
    ------
    ConfigurationError : the tiers file makes no sense, or names a tier that the desk lacks
    HistoryError : the log cannot be read
    """
    mapping, order = load_tiers(tiers), TierOrder.of(taxonomy)
    strange = sorted(set(mapping.tiers.values()) - set(order.tiers))
    if strange:
        raise ConfigurationError(
            f"{tiers.name}: [tiers] names {', '.join(map(repr, strange))}, which the taxonomy does "
            f"not have; its tiers are {', '.join(map(repr, order.tiers))} (docs/taxonomy.md)"
        )
    counter = DeskCounter(order)
    account = read_event_log(log, mapping, counter.add, on_step=on_step)
    return DeskReport(account, counter.figures(), order)
