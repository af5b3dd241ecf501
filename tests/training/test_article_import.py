"""Articles of other systems: what becomes of each record, and of what is in it."""

import json
import os
import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.article_html import html_to_markdown, wiki_to_markdown, without_tags
from training.article_import import ImportReport, import_articles
from training.article_steps import name_steps
from triage import article_file as written
from triage.article import Article, parse_article
from triage.article_check import check
from triage.errors import ConfigurationError, KnowledgeError
from triage.knowledge import read_articles
from triage.taxonomy import Taxonomy, load_taxonomy

TODAY = date(2026, 6, 30)
HTML = """
<h1>When the badge printer is silent</h1>
<p>Ask <b>where</b> it stands. See <a href="https://kb.example/a?b=1&amp;c=2">the map</a>,
<a href="javascript:alert(1)">not this</a> and <a href="/hc/en-us/2">the other page</a>.</p>
<ol><li><p>Open the lid.</p></li>
<li>Put in <code>&lt;RIBBON&gt;</code>:<ul><li>shiny side down</li></ul></li></ol>
<p><img src="x" onerror="alert(1)" alt="The open lid"></p>
<ol start="3"><li>Print a test card.</li></ol>
<p>Thank you for reading.</p>
<script>alert(1)</script><style>p{}</style><!-- hidden -->
"""
STEPS = (
    "Open the lid.",
    "Put in RIBBON: shiny side down (picture: The open lid)",
    "Print a test card.",
)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


Import = Callable[..., ImportReport]


@pytest.fixture
def run(tmp_path: Path, taxonomy: Taxonomy) -> Import:
    """Import a text, bytes or plain data as a file; the articles land in tmp_path/kb."""

    def run_import(content: Any, name: str = "export.json", **options: Any) -> ImportReport:
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        source = tmp_path / name
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_articles(source, tmp_path / "kb", taxonomy, today=TODAY, **options)

    return run_import


def articles(tmp_path: Path) -> dict[str, Article]:
    found, problems = read_articles(tmp_path / "kb")
    assert [problem for problem in problems if problem.severity == "error"] == []
    return {article.id: article for article in found}


def results(report: ImportReport) -> list[tuple[str, str | None]]:
    return [(outcome.result, outcome.reason) for outcome in report.outcomes]


def zendesk(**changes: Any) -> dict[str, Any]:
    return {
        "id": 360001,
        "title": "The badge printer is silent",
        "body": HTML,
        "html_url": "https://help.example/hc/en-us/articles/360001",
        "label_names": ["badge", "printer, reception"],
        "draft": False,
        "locale": "en-us",
        "section_id": 9,
        "created_at": "2025-01-05T10:00:00Z",
        "updated_at": "2026-02-03T10:00:00Z",
        "edited_at": "2026-02-01T10:00:00Z",
        **changes,
    }


def test_a_help_centre_export_becomes_articles(run: Import, tmp_path: Path) -> None:
    export = {
        "articles": [zendesk(), zendesk(id=360002, draft=True)],
        "sections": [{"id": 9, "name": "Printing and scanning"}],
        "count": 2,
        "next_page": None,
    }

    report = run(export)

    assert report.format == "zendesk"
    assert results(report) == [("written", None), ("left out", "not published")]
    (article,) = articles(tmp_path).values()
    assert (article.id, article.title) == ("360001", "The badge printer is silent")
    assert article.category == "printing"
    assert article.applies_to == ("badge", "printer", "reception")
    assert article.reviewed == date(2026, 2, 1)
    assert article.url == "https://help.example/hc/en-us/articles/360001"
    assert article.steps == STEPS


def test_html_becomes_markdown_without_html(run: Import, tmp_path: Path) -> None:
    run({"articles": [zendesk()]})

    body = articles(tmp_path)["360001"].body
    assert "## When the badge printer is silent" in body
    assert "[the map](https://kb.example/a?b=1&c=2), not this and the other page." in body
    assert "## Notes\n\nThank you for reading." in body
    assert not re.search(r"<[a-z/!]|alert|hidden|onerror", body)


def test_a_second_language_of_an_article_gets_an_id_of_its_own(run: Import, tmp_path: Path) -> None:
    report = run({"articles": [zendesk(), zendesk(locale="de"), zendesk(locale="de")]})

    assert set(articles(tmp_path)) == {"360001", "360001-de"}
    assert results(report)[2] == (
        "refused",
        "id 360001-de is taken by export.json, record 2",
    )


def servicenow(**changes: Any) -> dict[str, Any]:
    return {
        "number": "KB0010001",
        "short_description": "The mailbox is full",
        "text": "<ol><li>Open the folder sizes.</li><li>Empty the bin.</li></ol>",
        "wiki": "",
        "article_type": "text",
        "workflow_state": "published",
        "kb_category": {"display_value": "E-mail and calendar", "link": "https://x.example"},
        "sys_updated_on": "2026-01-31 08:00:00",
        "valid_to": "2100-01-01",
        "retired": "",
        "meta": "quota",
        **changes,
    }


def test_a_knowledge_table_becomes_articles(run: Import, tmp_path: Path) -> None:
    records = [
        servicenow(),
        servicenow(number="KB2", workflow_state="draft"),
        servicenow(number="KB3", workflow_state="retired"),
        servicenow(number="KB4", workflow_state="pending_retirement"),
        servicenow(number="KB5", valid_to="2026-01-01"),
        servicenow(number="KB6", text="", wiki="== Do ==\n# Open it\n# Close it\n"),
    ]

    report = run({"result": records})

    assert report.format == "servicenow"
    assert results(report) == [
        ("written", None),
        ("left out", "its state is 'draft'"),
        ("left out", "its state is 'retired'"),
        ("left out", "its state is 'pending retirement'"),
        ("left out", "expired"),
        ("written", None),
    ]
    found = articles(tmp_path)
    assert found["KB0010001"].category == "email"
    assert found["KB0010001"].steps == ("Open the folder sizes.", "Empty the bin.")
    assert found["KB0010001"].applies_to == ("quota",)
    assert found["KB0010001"].reviewed == date(2026, 1, 31)
    assert found["KB6"].steps == ("Open it", "Close it")


def test_a_knowledge_table_may_be_csv_with_labels_for_people(run: Import, tmp_path: Path) -> None:
    text = (
        "Number,Short description,Article body,Workflow,Updated,Category\r\n"
        'KB1,"Full, again","<p>Do</p><ol><li>One</li></ol>",Published,31/01/2026 08:00,E-mail\r\n'
        "KB2,Old,x,Retired,01/02/2026 08:00,\r\n"
    )

    report = run(text, "kb.csv")

    assert report.format == "servicenow"
    assert results(report) == [("written", None), ("left out", "its state is 'retired'")]
    assert report.outcomes[1].place == "kb.csv, line 3"
    article = articles(tmp_path)["KB1"]
    assert (article.title, article.steps) == ("Full, again", ("One",))
    assert article.reviewed == date(2026, 1, 31)
    assert article.applies_to == ("E-mail",)
    assert report.unknown_categories == {"E-mail": 1}


def test_columns_are_guessed_in_german_too(run: Import, tmp_path: Path) -> None:
    text = (
        "Nummer;Titel;Inhalt;Kategorie;Symptome;Schritte;Zustand\n"
        'A1;Kein Netz;Netz fehlt.;network;"kein Netz; LAN tot";"1. Kabel prüfen\n'
        '2. Dose wechseln";freigegeben\n'
        "A2;Alt;x;network;;;veraltet\n"
    )

    report = run(text, "artikel.csv")

    assert results(report) == [("written", None), ("left out", "its state is 'veraltet'")]
    article = articles(tmp_path)["A1"]
    assert article.symptoms == ("kein Netz", "LAN tot")
    assert article.steps == ("Kabel prüfen", "Dose wechseln")
    assert article.category == "network"


def test_named_columns_win_over_guesses(run: Import, tmp_path: Path) -> None:
    text = "nr,title,what,how\n1,internal,No sound,Turn it on.\n"

    report = run(text, "a.csv", columns={"title": "what", "body": "how", "id": "nr"})

    assert report.columns == {"title": "what", "body": "how", "id": "nr"}
    assert articles(tmp_path)["1"].title == "No sound"


def test_a_list_of_objects_keeps_lists_as_lists(run: Import, tmp_path: Path) -> None:
    report = run(
        [
            {
                "id": "A",
                "title": "No sound",
                "steps": ["Turn it on.", "Turn it up."],
                "verify": ["It plays."],
                "escalate_when": "It smells.",
                "tier": "Tier 1",
                "required_details": ["device", "shoe_size"],
            }
        ]
    )

    assert report.format == "json"
    article = articles(tmp_path)["A"]
    assert (article.steps, article.verify) == (("Turn it on.", "Turn it up."), ("It plays.",))
    assert article.escalate_when == ("It smells.",)
    assert (article.tier, article.required_details) == ("1", ("device",))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "vpn").mkdir(parents=True)
    return folder


def test_a_folder_of_notes_becomes_articles(
    notes: Path, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    ours = "---\nid: KB7\ntitle: Ours\n---\n\n## Steps\n\n1. Keep me as I am.\n"
    (notes / "ours.md").write_text(ours)
    (notes / "vpn" / "No tunnel.md").write_text(
        "# The tunnel stays down\n\nSee [the list](../list.md) on <HOST>.<br>Then:\n\n"
        "1. Restart `<client>`.\n2. Wait.\n"
    )
    (notes / "tagged.md").write_text(
        "---\ntitle: Tagged\ntags: [a, b]\ndate: 2026-01-01\ndraft: false\nlastmod: 2026-02-02\n"
        "category: vpn\n---\n\nText.\n"
    )
    (notes / "unripe.md").write_text("---\ntitle: Unripe\ndraft: true\n---\nText.\n")
    (notes / ".hidden.md").write_text("# x")

    report = import_articles(notes, tmp_path / "kb", taxonomy, today=TODAY)

    assert [(one.place, one.result) for one in report.outcomes] == [
        ("ours.md", "written"),
        ("tagged.md", "written"),
        ("unripe.md", "left out"),
        ("vpn/No tunnel.md", "written"),
    ]
    assert (tmp_path / "kb" / "KB7.md").read_text() == ours
    found = articles(tmp_path)
    assert (found["tagged"].applies_to, found["tagged"].category) == (("a", "b"), "vpn")
    assert found["tagged"].reviewed == date(2026, 2, 2)
    (tunnel,) = (one for one in found.values() if one.title == "The tunnel stays down")
    assert re.fullmatch(r"vpn-No-tunnel-[0-9a-f]{8}", tunnel.id)
    assert tunnel.steps == ("Restart CLIENT.", "Wait.")
    assert "See the list on HOST." in tunnel.body


def test_what_is_written_passes_the_check_of_form(
    run: Import, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    run({"articles": [zendesk(), zendesk(id="x y", title="Another <b>one</b>", label_names=None)]})

    problems = check(list(articles(tmp_path).values()), taxonomy, today=TODAY)

    assert {problem.severity for problem in problems} <= {"warning"}


def test_invalid_ids_are_made_valid_and_stay_the_same(run: Import, tmp_path: Path) -> None:
    records = [
        {"id": "../../etc/passwd", "title": "a", "body": "x"},
        {"id": "KB 7/ä", "title": "b", "body": "x"},
        {"title": "C:\\nul", "body": "x"},
    ]
    first = [outcome.id for outcome in run(records).outcomes]

    again = run(records)

    assert [outcome.id for outcome in again.outcomes] == first
    assert results(again) == [("written", None)] * 3
    names = sorted(path.name for path in (tmp_path / "kb").iterdir())
    assert names == sorted(f"{name}.md" for name in first)
    assert {path.parent for path in tmp_path.rglob("*.md")} == {tmp_path / "kb"}


def test_a_file_that_is_there_is_not_written_over(run: Import, tmp_path: Path) -> None:
    run([{"id": "A", "title": "One", "body": "old"}])
    changed = [{"id": "A", "title": "One", "body": "new"}, {"id": "B", "title": "Two", "body": "x"}]

    kept = run(changed)
    body = articles(tmp_path)["A"].body
    replaced = run(changed, replace=True)

    assert results(kept) == [
        ("refused", "A.md is there with other content; --replace writes it anew"),
        ("written", None),
    ]
    assert body == "old"
    assert results(replaced) == [("written", None)] * 2
    assert articles(tmp_path)["A"].body == "new"


def test_a_link_in_the_folder_is_not_written_through(run: Import, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "kb" / "A.md").symlink_to(tmp_path / "precious")

    report = run([{"id": "A", "title": "One", "body": "x"}], replace=True)

    assert results(report) == [("refused", "A.md is there and is no regular file")]
    assert (tmp_path / "precious").read_text() == "mine"


def test_an_id_of_a_file_with_another_name_is_not_given_twice(run: Import, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a-fine-name.md").write_text("---\nid: A\ntitle: Mine\n---\n\nText.\n")

    report = run([{"id": "a", "title": "One", "body": "x"}])

    assert report.count("refused") == 1
    assert set(articles(tmp_path)) == {"A"}


def test_every_record_is_accounted_for(run: Import) -> None:
    records: list[Any] = [
        {"id": "A", "title": "One", "body": "x"},
        {"id": "a", "title": "Two", "body": "x"},
        {"id": "B", "title": " ", "body": "x"},
        {"id": "C", "title": "Three", "body": "<p> </p>"},
        {"id": "D", "title": "Four", "body": "x" * 300_000},
        {"id": "E", "title": "Five", "body": "x", "archived": True},
        "no object",
    ]

    report = run(records)

    assert results(report) == [
        ("written", None),
        ("refused", "id a is taken by export.json, record 1"),
        ("refused", "no title"),
        ("refused", "no text"),
        ("refused", "over 256 KiB: split the article"),
        ("left out", "retired"),
        ("refused", "not an object with names"),
    ]
    counts = report.to_dict()["records"]
    assert counts == {"read": 7, "written": 1, "left_out": 1, "refused": 5}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"", "is empty"),
        ("a.json", b"{", "not valid JSON at line 1"),
        ("a.json", b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        ("a.json", b'{"articles": 7}', "no list of articles"),
        ("a.json", b"[[]" + b",[]" * 2_100_000 + b"]", "lists and objects"),
        ("a.json", b'[{"title": "a", "who": "b"}]', "no column for title or for text"),
        ("a.csv", b"a,b\n1,2\n", "no column for title or for text"),
        ("a.csv", b"<html><body>Sign in</body></html>", "HTML or XML"),
        ("a.xlsx", b"PK\x03\x04", "save its table as CSV"),
        ("a.json.gz", b"\x1f\x8b\x08", "unpack it"),
    ],
)
def test_an_export_that_cannot_be_read_is_refused_in_one_line(
    run: Import, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(KnowledgeError, match=reason) as error:
        run(content, name)

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{name}: ")


def test_a_file_of_100_mb_is_refused_before_it_is_read(tmp_path: Path, taxonomy: Taxonomy) -> None:
    with (tmp_path / "big.json").open("wb") as file:
        file.truncate(100_000_000)

    with pytest.raises(KnowledgeError, match="over 60 MB"):
        import_articles(tmp_path / "big.json", tmp_path / "kb", taxonomy)


def test_links_pipes_and_hostile_files_of_a_folder_are_refused_by_name(
    notes: Path, tmp_path: Path, taxonomy: Taxonomy
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("# Secret\n\nText")
    (notes / "file.md").symlink_to(outside / "secret.md")
    (notes / "folder").symlink_to(outside)
    os.mkfifo(notes / "pipe.md")
    (notes / "bomb.md").write_text("---\ntitle: &a [x]\nb: *a\n---\nText\n")
    (notes / "object.md").write_text("---\ntitle: !!python/object/apply:os.system [x]\n---\nText\n")
    (notes / "large.md").write_bytes(b"x" * 300_000)
    (notes / "latin.md").write_bytes(b"# B\xe4d\n\nText")
    (notes / "open.md").write_text("---\ntitle: Open\n")
    (notes / "good.md").write_text("# Good\n\nText")

    report = import_articles(notes, tmp_path / "kb", taxonomy)

    assert [(one.place, one.result) for one in report.outcomes if one.result == "written"] == [
        ("good.md", "written")
    ]
    reasons = {one.place: one.reason or "" for one in report.outcomes}
    for place, reason in {
        "file.md": "symbolic link",
        "folder": "symbolic link",
        "pipe.md": "not a regular file",
        "bomb.md": "line 2: YAML anchors",
        "object.md": "line 2: YAML anchors",
        "large.md": "over 256 KiB",
        "latin.md": "not UTF-8",
        "open.md": "line 1: the front matter does not end",
    }.items():
        assert reason in reasons[place]


@pytest.mark.parametrize("name", ["link.json", "linked"])
def test_a_source_that_is_a_link_is_refused(tmp_path: Path, taxonomy: Taxonomy, name: str) -> None:
    target = tmp_path / "real"
    target.mkdir()
    (tmp_path / name).symlink_to(target)

    with pytest.raises(KnowledgeError, match="symbolic link is not followed"):
        import_articles(tmp_path / name, tmp_path / "kb", taxonomy)


def test_a_format_or_part_that_does_not_exist_is_told(run: Import) -> None:
    with pytest.raises(ConfigurationError, match="use one of auto, markdown, csv"):
        run("[]", form="docx")
    with pytest.raises(ConfigurationError, match="--column colour"):
        run("title,body\na,b\n", "a.csv", columns={"colour": "title"})
    with pytest.raises(KnowledgeError, match="names a column that is not there"):
        run("title,body\na,b\n", "a.csv", columns={"title": "name"})


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>x",
        "<IMG SRC=x onerror=alert(1)>x",
        "x <svg><a href='javascript:x'>y</a></svg>",
        "[x](javascript:alert(1))",
        "[x]<b>(javascript:alert(1))</b>",
        "x &lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;<b>script>x",
        "<a href='java&#115;cript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "[a]: javascript:x",
        "x\u202e\x00\ud800y",
        "<p># x</p><p>---</p><p>## Steps</p>",
        "<pre>\n```\n## Steps\n```\n</pre>x",
    ],
)
@pytest.mark.parametrize("part", ["title", "body", "steps", "applies_to", "category"])
def test_hostile_content_is_inert(run: Import, tmp_path: Path, text: str, part: str) -> None:
    report = run([{"id": "A", "title": "One", "body": "x", part: text}])

    assert results(report) == [("written", None)]
    content = (tmp_path / "kb" / "A.md").read_text("utf-8")
    article = articles(tmp_path)["A"]
    assert not re.search(
        r"<[a-z/!?]|\]\((?!https?:|mailto:)", article.body + article.title, re.IGNORECASE
    )
    assert not re.search("[\x00\u202e\ud800]", content)
    assert part == "steps" or article.steps == ()


@pytest.mark.parametrize(
    "reader", [html_to_markdown, without_tags, wiki_to_markdown, name_steps, written.inert_line]
)
@pytest.mark.parametrize(
    "unit",
    [
        *("<", "</", "<a", "<a ", "<a href=", '<a "', "<a b='", "<!--", "<![CDATA[", "<?", "<a/"),
        *("<script>", "</script", "<svg>", "<pre>", "<ol>", "<ul><li>", "<td>x", "<a href='x'>"),
        *(
            "&",
            "&#9",
            "&a",
            "[",
            "](",
            "[[",
            "''",
            "= ",
            "*",
            "#",
            "1. ",
            "1. a\n",
            "a\n\n",
            "# a\n",
        ),
        *("- ", "<p>- ", "<a href='https://a.example'>x", "</a>", "<svg></math>", "<svg><math>"),
    ],
)
def test_reading_time_grows_with_the_page_not_its_square(
    reader: Callable[[str], str], unit: str
) -> None:
    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        times = []
        for _ in range(3):
            start = time.process_time()
            reader(text)
            times.append(time.process_time() - start)
        return min(times)

    # 8 times the text: 8 times as long is linear, 64 times is quadratic.
    assert seconds(40_000) < 24 * seconds(5_000) + 0.02


@pytest.mark.parametrize(
    ("reader", "page"),
    [
        (written.inert_line, lambda size: "- " * 25 * size),
        (html_to_markdown, lambda size: f"<p>{'- ' * 10 * size}</p>"),
        (html_to_markdown, lambda size: "<a href=https://a.example>x" * size + "</a>" * size),
        (html_to_markdown, lambda size: "<svg></math>" * size),
        (html_to_markdown, lambda size: "<svg>" * size + "</svg>" * size),
    ],
    ids=["marks of a line", "marks of a page", "open links", "strange ends", "deep"],
)
def test_marks_links_and_hidden_parts_take_linear_time(
    reader: Callable[[str], str], page: Callable[[int], str]
) -> None:
    def seconds(size: int) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            reader(page(size))
            times.append(time.process_time() - start)
        return min(times)

    # 8 times the text: 8 times as long is linear, 64 times is quadratic.
    assert seconds(8_000) < 24 * seconds(1_000) + 0.02


def test_a_link_within_a_link_ends_it() -> None:
    text = '<p><a href="https://a.example">one <a href="https://b.example">two</a></a> three</p>'

    assert html_to_markdown(text) == "[one](https://a.example)[two](https://b.example) three"


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("<p>a</p><video><audio></video><p>1. b</p>", "a\n\nb"),
        ("<video><audio><svg></video><p>a</p></audio><p>b</p>", "a\n\nb"),
        ("<div><p>a<video src=x></p><p>b</p></div>", "a\n\nb"),
        ("<video><p>a</p></video><p>b</p>", "b"),
        ("<p>a</p><video></p>b</video><p>c</p>", "a\n\nc"),
        ("<p>a<template></p>b</template>c</p>", "ac"),
        ("<p>a</p><video><p>b</p>", "a"),
    ],
)
def test_what_is_hidden_ends_with_what_it_stands_in(page: str, seen: str) -> None:
    assert html_to_markdown(page) == seen


def test_a_part_of_more_than_a_megabyte_is_refused(run: Import) -> None:
    report = run([{"title": "One", "body": "x" * 1_000_001}, {"title": "Two", "body": "x"}])

    assert [one.result for one in report.outcomes] == ["refused", "written"]
    assert report.outcomes[0].reason is not None
    assert report.outcomes[0].reason.startswith("body over 1,000,000 characters")


MARKUP = st.text(
    alphabet=st.sampled_from("<>/ab =\"'&;#1.-*_[](){}|`~!:\n\t\\é\u202e"), max_size=60
)


@given(MARKUP)
def test_whatever_is_written_can_be_read_again(text: str) -> None:
    for body in (
        html_to_markdown(text),
        without_tags(text),
        wiki_to_markdown(text),
        written.inert_markdown(text),
        written.section("Steps", [written.inert_line(text)], is_numbered=True),
    ):
        line = written.inert_line(text)
        front = {"id": "A", "title": line or "A", "symptoms": [line]}
        content = written.article_file(front, body)

        article, problems = parse_article(content, "a.md")

        assert article is not None, problems


@given(MARKUP)
def test_a_plain_line_is_plain_for_good(text: str) -> None:
    line = written.inert_line(text)

    assert written.inert_line(line) == line
    assert "\n" not in line
