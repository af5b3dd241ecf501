"""Mapping files: what they may say, what they find, and how mistakes are told."""

from pathlib import Path

import pytest

from training.guess import SYNONYMS, column_key, guess_columns
from training.mapping import (
    CANONICAL,
    Mapping,
    builtin_mappings,
    load_mapping,
    parse_mapping,
)
from triage.errors import ConfigurationError, HistoryError

DOCS = Path(__file__).parents[2] / "docs" / "history.md"

EXPORTS = {
    "servicenow": "Number,Opened,Short description,Description,Caller,Priority,State,Category,"
    "Assignment group,Assigned to,Resolution notes,Resolved,Reassignment count,Reopen count",
    "zendesk": "Summation column,Id,Requester,Requester id,Requester email,Submitter,Assignee,"
    "Group,Subject,Tags,Status,Priority,Via,Ticket type,Created at,Updated at,Organization,"
    "Solved at,Satisfaction Score,Reopens,Ticket Category [list]",
    "jira": "Summary,Issue key,Issue id,Issue Type,Status,Project key,Priority,Resolution,"
    "Assignee,Reporter,Created,Resolved,Component/s,Description,Custom field (Request Type),"
    "Satisfaction rating",
    "freshservice": "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Category,"
    "Sub-Category,Created Time,Resolved Time,Requester Name,Department,Description",
    "zammad": "#,Title,State,Priority,Group,Owner,Customer,Organization,Create Channel,Sender,"
    "Tags,Time Units Total,Type,Created At,Updated At,Closed At",
    "glpi": "ID,Title,Entity,Opening date,Priority,Last update,Status,Type,"
    "Requester - Requester,Category,Assigned to - Technician,Assigned to - Technician group,"
    "Resolution date,Description",
    "django-helpdesk": "id,queue,title,description,resolution,submitter_email,assigned_to,"
    "status,on_hold,priority,due_date,created,modified",
}  # fmt: skip


def resolve(mapping: Mapping, header: str, *, require_labels: bool = True) -> dict[str, str]:
    return mapping.resolve(header.split(","), "tickets.csv", require_labels=require_labels)


@pytest.mark.parametrize("name", EXPORTS)
def test_builtin_mapping_fits_the_export_of_its_product(name: str) -> None:
    layout = resolve(load_mapping(name), EXPORTS[name])

    assert {"id", "created_at", "subject", "category", "field:caller"} <= layout.keys()
    assert set(layout.values()) <= set(EXPORTS[name].split(","))


def test_every_promised_product_has_a_builtin_mapping() -> None:
    assert set(EXPORTS) <= set(builtin_mappings())


@pytest.mark.parametrize("name", builtin_mappings())
def test_builtin_mapping_loads_and_is_lenient(name: str) -> None:
    mapping = load_mapping(name)

    assert mapping.is_lenient
    assert mapping.columns


def test_builtin_mapping_still_wants_text_and_labels() -> None:
    with pytest.raises(HistoryError, match="no text column found by mapping servicenow"):
        resolve(load_mapping("servicenow"), "Number,Category")
    with pytest.raises(HistoryError, match="no label column found by mapping servicenow"):
        resolve(load_mapping("servicenow"), "Number,Short description")


def test_first_name_that_the_export_has_is_taken() -> None:
    mapping = parse_mapping('[columns]\nsubject = ["A", "B", "C"]\ncategory = "K"', "m.toml")

    layout = resolve(mapping, "C,B,K")

    assert layout == {"subject": "B", "category": "K"}


def test_case_white_space_and_underscores_of_column_names_do_not_count() -> None:
    mapping = parse_mapping(
        '[columns]\nsubject = "Short description"\ncategory = "Category"', "m.toml"
    )

    layout = resolve(mapping, "short_description,CATEGORY")

    assert layout == {"subject": "short_description", "category": "CATEGORY"}


def test_exact_column_name_wins_over_a_similar_one() -> None:
    mapping = parse_mapping('[columns]\nsubject = "title"\ncategory = "K"', "m.toml")

    layout = resolve(mapping, "Title,title,K")

    assert layout["subject"] == "title"


def test_absent_column_is_named_with_those_that_are_there() -> None:
    mapping = parse_mapping(
        '[columns]\nsubject = "Betreff"\ncategory = "K"\n[fields]\nsite = ["Ort", "Stadt"]',
        "m.toml",
    )

    with pytest.raises(HistoryError) as refusal:
        resolve(mapping, "Betreff,K,Standort")

    assert str(refusal.value) == (
        "tickets.csv: mapping m.toml takes field:site from the column 'Ort' or 'Stadt', "
        "which is not there; the file has 'Betreff', 'K', 'Standort'"
    )


def test_tickets_to_score_need_no_label_columns_but_all_fields() -> None:
    mapping = parse_mapping(
        '[columns]\nsubject = "S"\ncategory = "K"\nid = "N"\n[fields]\nsite = "Ort"\n'
        '[targets]\npriority = "P"',
        "m.toml",
    )

    layout = resolve(mapping, "S,Ort", require_labels=False)

    assert layout == {"subject": "S", "field:site": "Ort"}
    with pytest.raises(HistoryError, match="field:site"):
        resolve(mapping, "S,K", require_labels=False)


def test_assignment_group_is_a_label_where_tiers_are_listed() -> None:
    columns = '[columns]\nsubject = "S"\nassignment_group = "G"\n'

    with pytest.raises(HistoryError, match="no label column"):
        resolve(parse_mapping(columns, "m.toml"), "S,G")
    layout = resolve(parse_mapping(columns + '[tiers]\nDesk = "1"', "m.toml"), "S,G")

    assert layout == {"subject": "S", "assignment_group": "G"}


def test_mapping_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(
        'closing_groups = ["Service Desk"]\npath_separator = " / "\n'
        '[columns]\nsubject = "Short description"\n'
        '[fields]\ncaller = "Caller"\n'
        '[tiers]\nGRP_0 = "1"\n"*" = "3"\n'
        '[targets]\npriority = ["Priority", "Prio"]\n',
        encoding="utf-8",
    )

    mapping = load_mapping(str(path))

    assert mapping == Mapping(
        name="desk.toml",
        columns={"subject": ("Short description",)},
        fields={"caller": ("Caller",)},
        tiers={"GRP_0": "1", "*": "3"},
        targets={"priority": ("Priority", "Prio")},
        closing_groups=("Service Desk",),
        path_separator=" / ",
    )


MISTAKES = {
    "[columns": "not valid TOML",
    'colums = "x"': "unknown key 'colums'; allowed are the tables [columns]",
    "[groups]": "unknown key 'groups'",
    '[columns]\ntitle = "T"': "columns.title is no canonical column; allowed are id, created_at",
    '[columns]\nfields = "T"': "columns.fields is no canonical column",
    "[columns]\nsubject = 3": "columns.subject must be the name of a column or a list",
    "[columns]\nsubject = []": "columns.subject must be the name",
    '[columns]\nsubject = [""]': "columns.subject must be the name",
    '[columns]\nsubject = ["a", 3]': "columns.subject must be the name",
    '[fields.site]\nname = "x"': "fields.site must be the name",
    '[fields]\n"" = "x"': "[fields] has a key without a name",
    '[tiers]\nDesk = 1': "tiers.Desk must be a tier as text",
    '[tiers]\nDesk = " "': "tiers.Desk must be a tier as text",
    '[targets]\npriority = true': "targets.priority must be the name",
    'columns = "x"': "columns must be a table that begins [columns]",
    "[[tiers]]": "tiers must be a table",
    'closing_groups = "Desk"': "closing_groups must be a list",
    "closing_groups = [1]": "closing_groups must be a list",
    "path_separator = 1": "path_separator must be text",
    'path_separator = ""': "path_separator must be text that is not empty",
    '[targets]\nclosing_groups = ["Desk"]': "closing_groups stands inside [targets]",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_in_a_mapping_file_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as refusal:
        load_mapping(str(path))

    message = str(refusal.value)
    assert message.startswith("mapping desk.toml: ")
    assert MISTAKES[text] in message
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_unknown_mapping_is_refused_with_the_builtin_ones() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_mapping("somewhere/servicenau.toml")

    assert "mapping 'servicenau.toml': no such file" in str(refusal.value)
    assert "servicenow" in str(refusal.value)


def test_folder_or_binary_file_is_no_mapping(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path, tmp_path / "binary.toml"):
        with pytest.raises(ConfigurationError, match="cannot be read as UTF-8 text"):
            load_mapping(str(path))


@pytest.mark.parametrize(
    ("header", "guess"),
    [
        (
            "number,Opened,Short description,Description,Caller,Assignment group",
            {
                "id": "number",
                "created_at": "Opened",
                "subject": "Short description",
                "description": "Description",
                "field:caller": "Caller",
                "assignment_group": "Assignment group",
                "target:assignment_group": "Assignment group",
            },
        ),
        (
            "Ticketnummer;Erstellt am;Betreff;Beschreibung;Kategorie;Stufe;Gruppe;Gelöst am",
            {
                "id": "Ticketnummer",
                "created_at": "Erstellt am",
                "subject": "Betreff",
                "description": "Beschreibung",
                "category": "Kategorie",
                "tier": "Stufe",
                "assignment_group": "Gruppe",
                "resolved_at": "Gelöst am",
            },
        ),
        (
            "ticketId;createdAt;supportLevel;title;body;queue;type;priority",
            {
                "id": "ticketId",
                "created_at": "createdAt",
                "tier": "supportLevel",
                "subject": "title",
                "description": "body",
                "category": "queue",
            },
        ),
        ("split;text;intent", {"description": "text", "category": "intent"}),
        (
            "Opened (UTC);Summary;Type",
            {"created_at": "Opened (UTC)", "category": "Type", "subject": "Summary"},
        ),
    ],
)
def test_columns_are_guessed_from_their_names(header: str, guess: dict[str, str]) -> None:
    found = guess_columns(header.split(";" if ";" in header else ","))

    assert found == guess


def test_priority_urgency_and_impact_are_never_guessed_as_fields() -> None:
    found = guess_columns(["subject", "category", "priority", "urgency", "impact", "status"])

    assert set(found) == {"subject", "category"}


def test_every_synonym_leads_to_one_column_only() -> None:
    keys = [column_key(name) for names in SYNONYMS.values() for name in names]

    assert len(keys) == len(set(keys))
    assert {name for name in SYNONYMS if ":" not in name} <= set(CANONICAL)


def test_guess_without_text_shows_how_to_write_a_mapping() -> None:
    with pytest.raises(HistoryError) as refusal:
        resolve(load_mapping(), "number,state,category")

    assert str(refusal.value) == (
        "tickets.csv: no text column found by mapping auto among 'number', 'state', 'category'; "
        'write a mapping file that says [columns] subject = "NAME OF THE COLUMN" '
        "and pass it with --mapping FILE (docs/history.md)"
    )


def test_documentation_names_every_column_and_every_builtin_mapping() -> None:
    text = DOCS.read_text("utf-8")

    missing = [name for name in (*CANONICAL, *builtin_mappings()) if f"`{name}`" not in text]

    assert missing == []


def test_category_in_several_columns_is_a_path() -> None:
    mapping = parse_mapping(
        '[columns]\nsubject = "S"\ncategory = ["Category > Sub > Item", "Category > Sub", "Kind"]\n'
        '[targets]\nservice = "Service > Part"',
        "m.toml",
    )

    layout = resolve(mapping, "S,Category,sub,Service,Part")

    assert layout == {
        "subject": "S",
        "category": "Category",
        "category > 2": "sub",
        "target:service": "Service",
        "target:service > 2": "Part",
    }


def test_column_that_is_called_like_a_path_is_one_column() -> None:
    mapping = parse_mapping('[columns]\nsubject = "S"\ncategory = "Kind > Part"', "m.toml")

    layout = resolve(mapping, "S,Kind > Part,Kind,Part")

    assert layout == {"subject": "S", "category": "Kind > Part"}


def test_absent_level_of_a_path_is_told() -> None:
    mapping = parse_mapping('[columns]\nsubject = "S"\ncategory = "Kind > Part"', "m.toml")

    with pytest.raises(HistoryError, match=r"takes category from the column 'Kind > Part'"):
        resolve(mapping, "S,Kind")
