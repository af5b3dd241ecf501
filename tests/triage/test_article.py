"""Reading one article from its Markdown file."""

import json
from datetime import date
from pathlib import Path

import pytest

from triage.article import Article, parse_article
from triage.errors import KnowledgeError

COMPLETE = """---
id: KB0018
title: The VPN does not connect
category: vpn
tier: "1"
symptoms:
  - VPN stuck at connecting
  - "error 809: no answer"
applies_to: [Windows, macOS]
required_details:
  - error_text
reviewed: 2026-03-01
url: https://intranet.example.com/kb/18
---

## Symptoms

The client stops at "connecting".

## Steps

1. Ask which network the requester is in, and
   have them open a web page.
2. **Restart** the client with `vpnctl restart`.
3. Look at [the status page](https://status.example.com):
   - gateway
   - licences

## Verify

The client says "connected".

It stays so for five minutes.

## Escalate when

- Two attempts fail.
- More than one person is affected.
"""


def parsed(text: str) -> Article:
    article, problems = parse_article(text, "KB0018.md")
    assert article is not None, problems
    return article


def test_front_matter_becomes_the_articles_fields() -> None:
    article = parsed(COMPLETE)

    assert (article.id, article.title) == ("KB0018", "The VPN does not connect")
    assert (article.category, article.tier) == ("vpn", "1")
    assert article.symptoms == ("VPN stuck at connecting", "error 809: no answer")
    assert article.applies_to == ("Windows", "macOS")
    assert article.required_details == ("error_text",)
    assert article.reviewed == date(2026, 3, 1)
    assert article.url == "https://intranet.example.com/kb/18"


def test_a_complete_article_has_no_problems() -> None:
    _, problems = parse_article(COMPLETE, "KB0018.md")

    assert problems == []


def test_the_example_in_the_manual_is_a_sound_article() -> None:
    manual = Path(__file__).parents[2] / "docs" / "knowledge.md"
    example = manual.read_text("utf-8").split("```markdown\n")[1].split("```\n")[0]

    article, problems = parse_article(example, "example.md")

    assert article is not None
    assert (len(article.steps), len(article.verify), len(article.escalate_when)) == (4, 1, 2)
    assert problems == []


def test_steps_are_plain_text_without_numbers_or_markdown() -> None:
    article = parsed(COMPLETE)

    assert article.steps == (
        "Ask which network the requester is in, and have them open a web page.",
        "Restart the client with vpnctl restart.",
        "Look at the status page (https://status.example.com): gateway; licences",
    )


def test_paragraphs_and_bullets_are_one_entry_each() -> None:
    article = parsed(COMPLETE)

    assert article.verify == ('The client says "connected".', "It stays so for five minutes.")
    assert article.escalate_when == ("Two attempts fail.", "More than one person is affected.")


def test_headings_inside_code_are_not_headings() -> None:
    text = COMPLETE.replace("   have them", "   ```\n## Verify\n   ```\n   have them")

    assert len(parsed(text).steps) == 3


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_make_no_difference(line_end: str) -> None:
    assert parsed(COMPLETE.replace("\n", line_end)) == parsed(COMPLETE)


def test_letters_in_two_pieces_become_one() -> None:
    article = parsed("---\nid: A\ntitle: Gro\u0308ße\n---\n")

    assert article.title == "Größe"


def test_values_stay_the_text_they_are() -> None:
    article = parsed("---\nid: 0071\ntitle: no\ntier: 1\ncategory: 1.10\n---\n")

    assert (article.id, article.title, article.tier, article.category) == (
        "0071",
        "no",
        "1",
        "1.10",
    )


def test_optional_parts_may_be_left_out() -> None:
    article = parsed("---\nid: A\ntitle: B\nsymptoms:\nreviewed:\n---\n## Steps\n1. Do it.\n")

    assert (article.category, article.reviewed, article.symptoms) == (None, None, ())


def test_an_article_without_steps_is_read_and_left_to_the_check() -> None:
    article, problems = parse_article("---\nid: A\ntitle: B\n---\nJust text.\n", "a.md")

    assert article is not None and article.steps == ()
    assert problems == []


def test_a_misspelt_entry_is_named() -> None:
    _, problems = parse_article(COMPLETE.replace("symptoms:", "symptons:", 1), "a.md")

    assert [(p.severity, p.reason) for p in problems] == [
        ("warning", "unknown entry 'symptons' is ignored")
    ]


def test_json_and_back_gives_the_same_article() -> None:
    article = parsed(COMPLETE)

    copy = Article.from_dict(json.loads(json.dumps(article.to_dict())))

    assert copy == article


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a/b"},
        {"id": ".."},
        {"id": 7},
        {"title": ""},
        {"title": "x" * 201},
        {"url": "javascript:alert(1)"},
        {"url": "https://a.example/ onclick=x"},
        {"reviewed": "yesterday"},
        {"body": "<script>alert(1)</script>"},
        {"body": "[x](javascript:alert(1))"},
        {"title": "a\ud800b"},
        {"url": "https://a.example/\ud800"},
        {"category": "a\u202eb"},
        {"symptoms": ["a", "b\0"]},
        {"steps": ["a\u2067b"]},
        {"body": "a\x1bb"},
        {"surprise": 1},
    ],
)
def test_an_article_that_breaks_the_rules_cannot_be_made(change: dict[str, object]) -> None:
    content = parsed(COMPLETE).to_dict() | change

    with pytest.raises(KnowledgeError):
        Article.from_dict(content)


def test_an_article_lacking_its_title_cannot_be_made() -> None:
    with pytest.raises(KnowledgeError, match="lacks a part"):
        Article.from_dict({"id": "A"})
