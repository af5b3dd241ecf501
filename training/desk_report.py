"""The figures of a help desk's audit log: from file to data, table and page."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.desk_page import render_page
from training.event_log import LogAccount, OnStep, load_tiers, read_event_log
from triage.errors import ConfigurationError, HistoryError
from triage.figures.desk import DeskCounter, DeskFigures
from triage.figures.ended import TierOrder
from triage.figures.figure import figures_csv
from triage.taxonomy import Taxonomy

FILES = {".html": "desk-report.html", ".json": "desk-report.json", ".csv": "desk-report.csv"}
"""What a folder gets; a file gets the kind that its name ends in."""


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
        if output.suffix.lower() in FILES:
            wanted = {output.suffix.lower(): output}
        else:
            wanted = {kind: output / name for kind, name in FILES.items()}
            try:
                output.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise HistoryError(
                    f"the folder {output.name} cannot be made: {error.strerror}"
                ) from error
        for kind, path in wanted.items():
            _write_whole(path, self._text(kind))
        return list(wanted.values())

    def _text(self, kind: str) -> str:
        if kind == ".html":
            return render_page(self.figures, self.order, self.account)
        if kind == ".csv":
            return figures_csv((*self.figures.figures, *self.figures.series))
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)


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


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_text(text, "utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        raise HistoryError(f"{path.name} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
