"""Mappings: which column of an export is what, and which assignment group belongs to which tier."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from training.guess import column_key, guess_columns
from triage.errors import ConfigurationError, HistoryError
from triage.hierarchy import SEPARATOR
from triage.ticket import HISTORY_COLUMNS, LABEL_COLUMNS, TEXT_COLUMNS

AUTO = "auto"
ANY_OTHER = "*"
CANONICAL = tuple(name for name in HISTORY_COLUMNS if name not in ("fields", "targets"))
TABLES = ("columns", "fields", "tiers", "targets")
SETTINGS = ("closing_groups", "path_separator")
DEFAULT_PATH_SEPARATOR = ">"

MAX_NAMES_SHOWN = 30
MAX_NAME_CHARS = 40

Names = tuple[str, ...]
"""What a column may be called; the first name that the export has is taken.

For category and further targets, columns joined by `` > `` are the levels of a path.
"""

_TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,63}")


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read an export; docs/history.md tells what each part does.

    ``columns`` is keyed by canonical column, ``fields`` and ``targets`` by names of their own.
    ``tiers`` leads from an assignment group, or a value of the tier column, to a tier.
    A mapping that comes with the package is lenient: columns it names may be absent.
    """

    name: str
    columns: dict[str, Names] = field(default_factory=dict)
    fields: dict[str, Names] = field(default_factory=dict)
    tiers: dict[str, str] = field(default_factory=dict)
    targets: dict[str, Names] = field(default_factory=dict)
    closing_groups: tuple[str, ...] = ()
    path_separator: str = DEFAULT_PATH_SEPARATOR
    is_lenient: bool = False

    @property
    def is_guess(self) -> bool:
        """Say whether columns are guessed from their names."""
        return self.name == AUTO

    def resolve(self, found: Sequence[str], file: str, *, require_labels: bool) -> dict[str, str]:
        """Settle which columns of an export to read.

        Parameters
        ----------
        found : the columns the export has
        file : name of the export, for messages
        require_labels : False for tickets to score: then only columns that describe a new
            ticket have to be there

        Returns
        -------
        dict : canonical column, ``field:NAME`` or ``target:NAME`` -> column of the export; the
            second column of a path has the key of the first with `` > 2`` after it, and so on

        Raises
        ------
        HistoryError : a column the mapping names is absent, or text or labels are not to be found
        """
        if self.is_guess:
            layout = guess_columns(found)
        else:
            layout = self._named_columns(found, file, require_labels)
        if not any(column in layout for column in TEXT_COLUMNS):
            raise HistoryError(self._not_found("text", "subject", found, file))
        if require_labels and not self._gives_labels(layout):
            raise HistoryError(self._not_found("label", "category", found, file))
        return layout

    def _named_columns(
        self, found: Sequence[str], file: str, require_labels: bool
    ) -> dict[str, str]:
        exact = {column: column for column in found}
        by_key = {column_key(column): column for column in reversed(found)}

        def columns_of(name: str, is_path: bool) -> list[str]:
            # A column may be called "A > B" itself.
            levels = name.split(SEPARATOR) if is_path and name not in exact else [name]
            matches = [exact.get(one) or by_key.get(column_key(one) or "-") for one in levels]
            columns = [match for match in matches if match]
            return columns if len(columns) == len(levels) else []

        layout: dict[str, str] = {}
        for canonical, names in self._wanted().items():
            is_path = canonical == "category" or canonical.startswith("target:")
            candidates = (columns_of(name, is_path) for name in names)
            columns = next(filter(None, candidates), None)
            if columns is not None:
                layout |= {
                    level_key(canonical, level): column for level, column in enumerate(columns, 1)
                }
            elif not self.is_lenient and (require_labels or describes_new_ticket(canonical)):
                raise HistoryError(
                    f"{file}: mapping {self.name} takes {canonical} from the column "
                    f"{' or '.join(map(repr, names))}, which is not there; "
                    f"the file has {listed(found)}"
                )
        return layout

    def _wanted(self) -> dict[str, Names]:
        return (
            self.columns
            | {f"field:{name}": names for name, names in self.fields.items()}
            | {f"target:{name}": names for name, names in self.targets.items()}
        )

    def _gives_labels(self, layout: dict[str, str]) -> bool:
        return any(
            column in ("tier", "category")
            or column.startswith("target:")
            or (column in ("assignment_group", "group_path") and bool(self.tiers))
            for column in layout
        )

    def _not_found(self, what: str, example: str, found: Sequence[str], file: str) -> str:
        return (
            f"{file}: no {what} column found by mapping {self.name} among {listed(found)}; "
            f'write a mapping file that says [columns] {example} = "NAME OF THE COLUMN" '
            "and pass it with --mapping FILE (docs/history.md)"
        )


def level_key(canonical: str, level: int) -> str:
    """Name a level of a path in a layout; the first has the name of the whole."""
    return canonical if level == 1 else f"{canonical}{SEPARATOR}{level}"


def describes_new_ticket(canonical: str) -> bool:
    """Say whether a column is known when a ticket arrives: its text and its fields."""
    return canonical in TEXT_COLUMNS or canonical.startswith("field:")


def listed(columns: Sequence[str]) -> str:
    """List column names for a message, shortened: a file without a header has tickets there."""
    shown = [
        column if len(column) <= MAX_NAME_CHARS else column[: MAX_NAME_CHARS - 1] + "…"
        for column in columns[:MAX_NAMES_SHOWN]
    ]
    more = len(columns) - len(shown)
    return ", ".join(map(repr, shown)) + (f" and {more} more" if more else "")


def builtin_mappings() -> list[str]:
    """List the mappings that come with the package."""
    folder = resources.files("training") / "mappings"
    return sorted(
        file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")
    )


def load_mapping(name_or_path: str | None = None) -> Mapping:
    """Load a mapping by the name of a built-in one or from a TOML file; None is "auto".

    Raises
    ------
    ConfigurationError : there is no such mapping, or the file does not make sense
    """
    if name_or_path in (None, AUTO):
        return Mapping(AUTO)
    builtin = builtin_mappings()
    if name_or_path in builtin:
        text = (resources.files("training") / "mappings" / f"{name_or_path}.toml").read_text(
            "utf-8"
        )
        return parse_mapping(text, name_or_path, is_lenient=True)
    path = Path(name_or_path)
    try:
        return read_mapping_file(path)
    except FileNotFoundError:
        raise ConfigurationError(
            f"mapping {path.name!r}: no such file, and no built-in mapping of that name; "
            f"built in are {AUTO}, {', '.join(builtin)}"
        ) from None


def read_mapping_file(path: Path, canonical: Sequence[str] = CANONICAL) -> Mapping:
    """Read a mapping from a TOML file; see `parse_mapping`.

    Raises
    ------
    FileNotFoundError : there is no such file
    ConfigurationError : the file cannot be read, or does not make sense
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigurationError(
            f"mapping {path.name!r}: cannot be read as UTF-8 text; name a TOML file"
        ) from error
    return parse_mapping(text, path.name, canonical=canonical)


def parse_mapping(
    text: str, name: str, *, is_lenient: bool = False, canonical: Sequence[str] = CANONICAL
) -> Mapping:
    """Build a mapping from TOML.

    Parameters
    ----------
    canonical : what [columns] may name

    Raises
    ------
    ConfigurationError : not TOML, an unknown key, or a value of the wrong type
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"mapping {name}: not valid TOML: {error}") from error
    for key in content:
        if key not in TABLES + SETTINGS:
            raise ConfigurationError(
                f"mapping {name}: unknown key {key!r}; allowed are the tables "
                f"{', '.join(f'[{table}]' for table in TABLES)} and, above them, "
                f"{' and '.join(SETTINGS)}"
            )
    columns = _names(content, "columns", name)
    for key in columns:
        if key not in canonical:
            more = "; further columns go into [fields] or [targets]" * (canonical is CANONICAL)
            raise ConfigurationError(
                f"mapping {name}: columns.{key} is no canonical column; allowed are "
                f"{', '.join(canonical)}{more}"
            )
    separator = content.get("path_separator", DEFAULT_PATH_SEPARATOR)
    if not isinstance(separator, str) or not separator:
        raise ConfigurationError(
            f"mapping {name}: path_separator must be text that is not empty, "
            f'e.g. path_separator = "{DEFAULT_PATH_SEPARATOR}"'
        )
    return Mapping(
        name=name,
        columns=columns,
        fields=_names(content, "fields", name),
        tiers=_tiers(content, name),
        targets=_names(content, "targets", name),
        closing_groups=_closing_groups(content, name),
        path_separator=separator,
        is_lenient=is_lenient,
    )


def _table(content: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    entries = content.get(table, {})
    if not isinstance(entries, dict):
        raise ConfigurationError(f"mapping {name}: {table} must be a table that begins [{table}]")
    for key in entries:
        if key in SETTINGS:
            raise ConfigurationError(
                f"mapping {name}: {key} stands inside [{table}]; write it above the first table"
            )
        if not key.strip():
            raise ConfigurationError(f"mapping {name}: [{table}] has a key without a name")
    return entries


def _names(content: dict[str, Any], table: str, name: str) -> dict[str, Names]:
    names = {}
    for key, value in _table(content, table, name).items():
        if table == "targets" and key in LABEL_COLUMNS:
            raise ConfigurationError(
                f"mapping {name}: {key} is no further target; write it under [columns]"
            )
        is_taken = key == "id" or key.endswith(("_confidence", "_decision"))
        if table == "targets" and (is_taken or not _TARGET_NAME.fullmatch(key)):
            raise ConfigurationError(
                f"mapping {name}: a target cannot be called {key!r}; take letters, digits and _, "
                "not id, and no ending _confidence or _decision"
            )
        candidates = [value] if isinstance(value, str) else value
        if not _is_list_of_text(candidates) or not candidates:
            raise ConfigurationError(
                f"mapping {name}: {table}.{key} must be the name of a column or a list of names, "
                f'e.g. {key} = "Short description"'
            )
        names[key] = tuple(candidates)
    return names


def _tiers(content: dict[str, Any], name: str) -> dict[str, str]:
    tiers = _table(content, "tiers", name)
    for key, value in tiers.items():
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(
                f'mapping {name}: tiers.{key} must be a tier as text, e.g. "{key}" = "1"'
            )
    return tiers


def _closing_groups(content: dict[str, Any], name: str) -> tuple[str, ...]:
    groups = content.get("closing_groups", [])
    if not _is_list_of_text(groups):
        raise ConfigurationError(
            f"mapping {name}: closing_groups must be a list of assignment groups, "
            'e.g. closing_groups = ["Service Desk"]'
        )
    return tuple(groups)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, str) and bool(item.strip()) for item in value
    )
