"""Files that are broken, or made to do harm, are refused by name while the others are read."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage import knowledge
from triage.article import Article, Problem, parse_article
from triage.errors import KnowledgeError
from triage.knowledge import KnowledgeBase, read_articles
from triage.recommender import ArticleRecommender

GOOD = "---\nid: GOOD\ntitle: Good\n---\n## Steps\n1. Do it.\n"
BILLION_LAUGHS = (
    "---\n"
    'a: &a ["lol", "lol"]\n'
    + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "id: BAD\ntitle: Bad\n---\n"
)


def article_with(body: str) -> bytes:
    return f"---\nid: BAD\ntitle: Bad\n---\n## Steps\n1. {body}\n".encode()


def front_with(entry: str) -> bytes:
    """Write an entry into a front matter: what it escapes, the file's text does not show."""
    title = "" if entry.startswith("title") else "title: Bad\n"
    return f"---\nid: BAD\n{title}{entry}\n---\n".encode()


def refused(folder: Path, content: bytes) -> Problem:
    """Read a folder of one good and one bad file: the good one must come through."""
    (folder / "bad.md").write_bytes(content)
    (folder / "good.md").write_text(GOOD)

    articles, problems = read_articles(folder)

    assert [article.id for article in articles] == ["GOOD"]
    assert [(problem.file, problem.severity) for problem in problems] == [("bad.md", "error")]
    return problems[0]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "no front matter"),
        (b"# Just a heading\n", 1, "no front matter"),
        (b"---\nid: BAD\ntitle: Bad\n", 1, "does not end"),
        (b"---\nid: BAD\ntitle: [unclosed\n---\n", 3, "not valid YAML"),
        (b"---\n- BAD\n---\n", 1, "name: value"),
        (b"---\n---\n", 1, "name: value"),
        (b"---\ntitle: Bad\n---\n", 1, "no id"),
        (b"---\nid: BAD\n---\n", 1, "no title"),
        (b"---\nid: [BAD]\ntitle: Bad\n---\n", 1, "id must be one value"),
        (b"---\nid: BAD\ntitle: Bad\nsymptoms: {a: b}\n---\n", 1, "symptoms must be a list"),
        (b"---\nid: BAD\ntitle: Bad\nsymptoms: [[a]]\n---\n", 1, "symptoms must be a list"),
        (b"---\nid: BAD\ntitle: Bad\nreviewed: soon\n---\n", 1, "reviewed must be a date"),
        (b"---\nid: ../BAD\ntitle: Bad\n---\n", 1, "article id"),
        (b"---\nid: " + b"A" * 65 + b"\ntitle: Bad\n---\n", 1, "article id"),
        (b"---\nid: BAD\ntitle: Bad\nurl: data:text/html,x\n---\n", 1, "url must begin"),
        (b"---\nid: !!python/object/apply:os.system ['x']\ntitle: Bad\n---\n", 2, "tags"),
        (b"---\nid: BAD\ntitle: &anchor Bad\n---\n", 3, "anchors"),
        (BILLION_LAUGHS.encode(), 2, "anchors"),
        (b"---\nid: BAD\ntitle: " + b"[" * 10_000 + b"\n---\n", 3, "lists in the front matter"),
        (
            b"---\nid: BAD\ntitle: Bad\nsymptoms: " + b"x" * 20_000 + b"\n---\n",
            1,
            "front matter over",
        ),
        (b"---\nid: BAD\ntitle: Bad\n---\nB\xe4d\n", None, "UTF-8"),
        ("---\nid: BAD\ntitle: Bad\n---\n".encode("utf-16"), None, "UTF-8"),
        (GOOD.encode() + b"x" * 256 * 1024, None, "over 256 KiB"),
        (article_with("\x00"), 6, "control character U+0000"),
        (article_with("run \u202efdp.exe"), 6, "control character U+202E"),
        (front_with(r'title: "x\u202ey"'), 1, "control character U+202E"),
        (front_with(r'title: "x\0y"'), 1, "control character U+0000"),
        (front_with(r'title: "x\ud800y"'), 1, "half character U+D800"),
        (front_with(r'symptoms: [a, "x\u2028y"]'), 1, "control character U+2028"),
        (front_with(r'url: "https://a.example/\udfff"'), 1, "half character U+DFFF"),
        (front_with(r'"x\u202ey": a'), 1, "control character U+202E"),
        (front_with(r'other: {a: [{"x\u202ey": b}]}'), 1, "control character U+202E"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_reason(
    tmp_path: Path, content: bytes, line: int | None, reason: str
) -> None:
    problem = refused(tmp_path, content)

    assert problem.line == line
    assert reason in problem.reason


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<IMG SRC=x onerror=alert(1)>",
        "</div>",
        "<!-- hidden -->",
        "<?php x ?>",
        "`<b>`",
        "<javascript:alert(1)>",
        "[here](javascript:alert(1))",
        "[here](JaVaScRiPt:alert(1))",
        "[here](\n  javascript:alert(1))",
        "[here](java&#115;cript:alert(1))",
        "[here](<javascript:alert(1)>)",
        "![](data:text/html;base64,PHNjcmlwdD4=)",
        "[here](//evil.example)",
        "[here](vbscript:x)",
        "[here](file:///etc/passwd)",
        "[here][1]\n\n[1]: javascript:alert(1)",
        "[a]: https://x.example\n\n> [b]:javascript:alert(1)",
        "[a]:https://x](javascript:alert(1))",
    ],
)
def test_html_and_links_that_run_code_are_refused(tmp_path: Path, body: str) -> None:
    problem = refused(tmp_path, article_with(body))

    assert problem.line is not None
    assert "HTML" in problem.reason or "links may lead" in problem.reason


@pytest.mark.parametrize(
    "body",
    [
        "[the portal](https://portal.example.com/a?b=c)",
        "[us](mailto:desk@example.com)",
        "[the portal](<https://portal.example.com>)",
        "<https://portal.example.com>",
        "[the portal][1]\n\n[1]: http://portal.example.com",
        "load below 80 % (x < 80), then a <- b",
    ],
)
def test_harmless_links_and_signs_are_allowed(body: str) -> None:
    article, problems = parse_article(article_with(body).decode(), "a.md")

    assert article is not None
    assert problems == []


def test_links_to_files_and_folders_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text(GOOD.replace("GOOD", "SECRET"))
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "good.md").write_text(GOOD)
    (folder / "file.md").symlink_to(outside / "secret.md")
    (folder / "folder").symlink_to(outside)
    (folder / "loop").symlink_to(folder)

    articles, problems = read_articles(folder)

    assert [article.id for article in articles] == ["GOOD"]
    assert [problem.file for problem in problems] == ["file.md", "folder", "loop"]
    assert all("symbolic link" in problem.reason for problem in problems)


def test_a_pipe_does_not_block_the_reader(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe.md")

    articles, problems = read_articles(tmp_path)

    assert len(articles) == 1
    assert [problem.reason for problem in problems] == ["not a regular file"]


def test_a_file_of_100_mb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(100_000_000)

    tracemalloc.start()
    articles, problems = read_articles(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000
    assert len(articles) == 1
    assert [(problem.file, problem.line) for problem in problems] == [("huge.md", None)]
    assert "over 256 KiB" in problems[0].reason


def test_the_second_file_with_an_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "first.md").write_text(GOOD)
    (tmp_path / "sub" / "second.md").write_text(GOOD)

    articles, problems = read_articles(tmp_path)

    assert len(articles) == 1
    assert [(p.file, p.reason) for p in problems] == [
        ("sub/second.md", "id GOOD is taken by first.md")
    ]


def test_a_file_name_cannot_forge_lines_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "a\nok: all fine.md").write_text("")

    _, problems = read_articles(tmp_path)

    assert [problem.file for problem in problems] == ["a?ok: all fine.md"]


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("not an article")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("not an article")

    articles, problems = read_articles(tmp_path)

    assert (len(articles), problems) == (1, [])


def test_a_missing_or_empty_folder_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"no such folder"):
        read_articles(tmp_path / "nowhere")
    with pytest.raises(KnowledgeError, match=r"no Markdown file"):
        read_articles(tmp_path)


def test_a_folder_too_large_altogether_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.md").write_text(GOOD.replace("GOOD", f"GOOD{number}"))

    monkeypatch.setattr(knowledge, "FOLDER_LIMIT_BYTES", 4 * len(GOOD))
    with pytest.raises(KnowledgeError, match="MB of articles"):
        read_articles(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(knowledge, "FOLDER_LIMIT_FILES", 4)
    with pytest.raises(KnowledgeError, match="more than 4 files"):
        read_articles(tmp_path)


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "](",
        "[a](",
        "[a]: ",
        "# ",
        "`",
        "<",
        "1. a\n",
        "a\n",
        "\n",
        " ",
        "**",
        "]:\t",
        "\u0316\u0301",
    ],
)
def test_reading_time_grows_with_the_file_not_its_square(unit: str) -> None:
    def seconds(size: int) -> float:
        text = GOOD + (unit * size)[:size]
        times = []
        for _ in range(3):
            start = time.perf_counter()
            parse_article(text, "a.md")
            times.append(time.perf_counter() - start)
        return min(times)

    # 16 times the text: 16 times as long is linear, 256 times is quadratic.
    assert seconds(160_000) < 64 * seconds(10_000) + 0.01


@given(st.text(alphabet=st.sampled_from("-\n ab:[]{}&*!|>#1.`<(\"'?,\t%@\x00é"), max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for source in (text, f"---\n{text}\n---\n", f"---\nid: a\ntitle: b\n{text}\n---\n{text}"):
        article, problems = parse_article(source, "a.md")

        assert article is not None or [problem.severity for problem in problems] == ["error"]


WORDS = ["vpn", "connect", "tunnel", "home", "password", "printer"]
RIGHT = Article(
    id="RIGHT",
    title="The VPN does not connect",
    symptoms=("VPN stuck at connecting", "no tunnel from home"),
    body="The VPN client does not connect from home.\n" + "Check the network first. " * 40,
)
OTHERS = [
    Article(id=f"OTHER{n}", title=f"Topic {n}", body="Check the network, then the cable. " * 30)
    for n in range(20)
]


@pytest.mark.parametrize(
    "stuffed",
    [
        Article(id="STUFFED", title="Great article", body="vpn connect " * 10_000),
        Article(id="STUFFED", title="Great article", symptoms=("vpn connect",) * 500),
        Article(id="STUFFED", title="vpn connect " * 16),
        Article(id="STUFFED", title="Great article", body=" ".join(WORDS) * 5_000),
        Article(id="STUFFED", title="vpn " * 49, symptoms=("vpn",) * 999, body="vpn " * 50_000),
    ],
    ids=["body", "symptoms", "title", "many-words", "everywhere"],
)
def test_a_stuffed_article_does_not_outrank_the_right_one(stuffed: Article) -> None:
    base = KnowledgeBase([stuffed, RIGHT, *OTHERS])

    hits = ArticleRecommender(base).search("VPN does not connect")

    assert hits[0].id == "RIGHT"
