"""The glossary that comes with the project: what its groups of words look like."""

import time
import tomllib
from collections import Counter
from typing import Any

import pytest

from triage.glossary import load_glossary
from triage.taxonomy import data_folder

LANGUAGES = ("en", "de")
LEAST_GROUPS = 700
LEAST_WORDS = 2_200
LONGEST_PLAIN_WORD = 3
"""Words in the first English entry, which stands for the whole group in a translation."""

Group = dict[str, Any]
"""Words by language; ``everyday`` marks a group that serves to translate alone."""


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    content = tomllib.loads((data_folder() / "glossary.toml").read_text(encoding="utf-8"))

    assert set(content) == {"group"}
    found: list[Group] = content["group"]
    return found


def test_glossary_covers_the_words_of_a_help_desk(groups: list[Group]) -> None:
    words = sum(len(group[language]) for group in groups for language in LANGUAGES)

    assert len(groups) >= LEAST_GROUPS
    assert words >= LEAST_WORDS


def test_each_group_has_words_in_english_and_german_and_nothing_else(groups: list[Group]) -> None:
    wrong = [
        group
        for group in groups
        if {*group} - {"everyday"} != {*LANGUAGES} or not all(group.values())
    ]

    assert wrong == []


def test_first_english_word_of_a_group_is_short_and_its_own(groups: list[Group]) -> None:
    plain = Counter(group["en"][0] for group in groups)

    assert [word for word, times in plain.items() if times > 1] == []
    assert [word for word in plain if len(word.split()) > LONGEST_PLAIN_WORD] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_twice_in_one_list(groups: list[Group], language: str) -> None:
    lists = [group[language] for group in groups]

    assert [words for words in lists if len(set(words)) < len(words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_in_small_letters_and_trimmed(groups: list[Group], language: str) -> None:
    words = [word for group in groups for word in group[language]]

    assert [word for word in words if word != " ".join(word.lower().split()) or not word] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_few_words_are_in_several_groups(groups: list[Group], language: str) -> None:
    uses = Counter(word for group in groups for word in group[language])

    shared = [word for word, times in uses.items() if times > 1]

    assert len(shared) <= len(uses) / 100, shared


@pytest.mark.parametrize(
    ("german", "english"),
    [
        ("Kennwort vergessen", "password forgotten"),
        ("Netzlaufwerk verschwunden", "network drive missing"),
        ("Druckerwarteschlange", "print queue"),
        ("xylofrumpf", "xylofrumpf"),
    ],
)
def test_german_is_said_in_english_word_by_word_and_compounds_part_by_part(
    german: str, english: str
) -> None:
    said = load_glossary().in_english(german)

    assert said == english


def test_words_for_the_same_thing_are_one_concept_in_both_languages() -> None:
    glossary = load_glossary()

    first = glossary.concepts("pw")

    assert first and first == glossary.concepts("Kennwort") == glossary.concepts("login secret")


def test_everyday_words_are_no_concepts() -> None:
    assert load_glossary().concepts("please give me a new one, danke") == []


def test_hostile_words_take_no_longer_than_others() -> None:
    text = "drucker" * 3000

    began = time.perf_counter()
    load_glossary().concepts(text)

    assert time.perf_counter() - began < 1
