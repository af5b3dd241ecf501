"""The taxonomy and the articles that come with the project, and how a bad taxonomy is refused."""

import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from triage.errors import ConfigurationError
from triage.taxonomy import Taxonomy, data_folder, load_taxonomy, parse_taxonomy

FRONT_MATTER_KEYS = {
    "id",
    "title",
    "category",
    "tier",
    "symptoms",
    "applies_to",
    "required_details",
    "reviewed",
}
SECTIONS = ["Symptoms", "Steps", "Verify", "Escalate when"]
ARTICLE_FILES = sorted((data_folder() / "kb").glob("*.md"))

SMALL: dict[str, Any] = {
    "tiers": {"1": {"name": "Desk"}},
    "categories": {"vpn": {"name": "VPN", "details": ["device"]}},
    "details": {"device": {"name": "Device", "question": {"en": "Which device?"}}},
    "groups": {"Service Desk": "1"},
}


@dataclass(frozen=True)
class ArticleFile:
    """An article as it lies on disk: its front matter and its sections by title."""

    name: str
    head: dict[str, Any]
    sections: dict[str, str]

    @property
    def steps(self) -> list[tuple[str, str]]:
        """List the lines under ``## Steps``, each parted into its number and its text."""
        lines = [line.partition(". ") for line in self.sections["Steps"].splitlines()]
        return [(number, text) for number, _, text in lines]


def read_article(path: Path) -> ArticleFile:
    """Split an article by hand, so that these tests do not lean on our own reader."""
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    parts = re.split(r"^## (.+)\n", body, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))
    return ArticleFile(path.stem, yaml.safe_load(head), sections)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="module")
def articles() -> list[ArticleFile]:
    return [read_article(path) for path in ARTICLE_FILES]


@pytest.fixture(params=ARTICLE_FILES, ids=lambda path: path.stem[:6])
def article(request: pytest.FixtureRequest) -> ArticleFile:
    return read_article(request.param)


def test_packaged_taxonomy_has_five_tiers_of_which_one_to_three_are_daily(
    taxonomy: Taxonomy,
) -> None:
    daily = [tier.id for tier in taxonomy.tiers.values() if tier.daily]

    assert list(taxonomy.tiers) == ["0", "1", "2", "3", "4"]
    assert daily == ["1", "2", "3"]
    assert all(tier.name and tier.duty for tier in taxonomy.tiers.values())


def test_every_daily_tier_has_groups_and_no_other_tier_does(taxonomy: Taxonomy) -> None:
    assert set(taxonomy.groups.values()) == {"1", "2", "3"}


def test_every_category_says_what_it_is_and_collects_three_to_six_details(
    taxonomy: Taxonomy,
) -> None:
    assert len(taxonomy.categories) == 16
    for category in taxonomy.categories.values():
        assert category.name and category.description
        assert 3 <= len(taxonomy.details_of(category.id)) <= 6, category.id
        assert len(set(category.details)) == len(category.details), category.id


def test_every_detail_is_asked_for_in_english_and_german(taxonomy: Taxonomy) -> None:
    for detail in taxonomy.details.values():
        assert set(detail.question) == {"en", "de"}, detail.id
        assert all("?" in question for question in detail.question.values()), detail.id


def test_no_detail_is_left_unused(taxonomy: Taxonomy, articles: list[ArticleFile]) -> None:
    used = {detail for category in taxonomy.categories.values() for detail in category.details}

    used.update(detail for article in articles for detail in article.head["required_details"])

    assert set(taxonomy.details) == used


def test_wide_impact_phrases_are_lower_case_and_none_is_said_twice(taxonomy: Taxonomy) -> None:
    phrases = taxonomy.wide_impact.phrases

    assert 30 <= len(phrases) <= 50
    assert all(phrase == phrase.casefold().strip() for phrase in phrases)
    assert not [one for one in phrases for other in phrases if one != other and other in one]


@pytest.mark.parametrize(
    "text",
    [
        "The whole office is down since 9",
        "Nobody can log in at our branch",
        "none of us can reach the file server",
        "The ERP is down for everyone in finance",
        "Kompletter Standort ohne Internet",
        "Niemand kann sich anmelden",
        "Die ganze Abteilung ist ohne Telefon",
        "Drucker im EG: alle Kollegen sind betroffen",
    ],
)
def test_an_outage_is_heard_in_the_words_people_use(taxonomy: Taxonomy, text: str) -> None:
    assert any(phrase in text.casefold() for phrase in taxonomy.wide_impact.phrases)


@pytest.mark.parametrize(
    "text",
    [
        "Nobody can hear me in calls",
        "It works for everyone else, only my laptop fails",
        "All my colleagues have access to the folder, I do not",
        "Please install the Office suite, the entire office package is missing",
        "Please give the whole team access to my calendar",
        "Bei allen Kollegen geht es, nur bei mir nicht",
        "Bitte Postfach für die ganze Abteilung freigeben",
        "Niemand konnte mir bisher helfen",
    ],
)
def test_one_persons_problem_is_not_taken_for_an_outage(taxonomy: Taxonomy, text: str) -> None:
    assert not any(phrase in text.casefold() for phrase in taxonomy.wide_impact.phrases)


def test_taxonomy_survives_the_way_to_plain_data_and_back(taxonomy: Taxonomy) -> None:
    assert parse_taxonomy(taxonomy.to_dict()) == taxonomy


def test_labels_the_taxonomy_does_not_know_are_shown_as_they_are(taxonomy: Taxonomy) -> None:
    assert taxonomy.tier_name("9") == "9"
    assert taxonomy.category_name("gardening") == "gardening"
    assert taxonomy.details_of("gardening") == ()
    assert taxonomy.details_of(None) == ()


def test_there_are_enough_articles_and_each_category_has_some(
    taxonomy: Taxonomy, articles: list[ArticleFile]
) -> None:
    assert len(articles) >= 40
    assert {article.head["category"] for article in articles} == set(taxonomy.categories)


def test_no_two_articles_share_an_id_or_title_or_symptom(articles: list[ArticleFile]) -> None:
    ids = [article.head["id"] for article in articles]
    titles = [article.head["title"] for article in articles]
    symptoms = [symptom.casefold() for article in articles for symptom in article.head["symptoms"]]

    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    assert len(set(symptoms)) == len(symptoms)


def test_article_file_is_named_by_its_id_and_title(article: ArticleFile) -> None:
    title = re.sub(r"[^a-z0-9]+", "-", article.head["title"].casefold()).strip("-")

    assert article.name == f"{article.head['id']}-{title}"


def test_front_matter_is_complete_and_names_what_exists(
    taxonomy: Taxonomy, article: ArticleFile
) -> None:
    head = article.head

    assert set(head) == FRONT_MATTER_KEYS
    assert head["category"] in taxonomy.categories
    assert head["tier"] in taxonomy.tiers
    assert head["required_details"]
    assert set(head["required_details"]) <= set(taxonomy.details)
    assert 5 <= len(head["symptoms"]) <= 14
    assert all(isinstance(text, str) for text in [*head["symptoms"], *head["applies_to"]])
    assert head["reviewed"] >= date(2025, 11, 1)


def test_article_has_the_four_sections_in_order_and_a_readable_length(
    article: ArticleFile,
) -> None:
    words = sum(len(text.split()) for text in article.sections.values())

    assert list(article.sections) == SECTIONS
    assert all(article.sections.values())
    assert 200 <= words <= 350


def test_steps_are_numbered_lines_of_one_or_two_sentences(article: ArticleFile) -> None:
    numbers = [number for number, _ in article.steps]
    sentences = [len(re.findall(r"[.?!](?= |$)", text)) for _, text in article.steps]

    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert 4 <= len(numbers) <= 9
    assert set(sentences) <= {1, 2}


def test_every_escalation_names_a_group_and_one_of_a_higher_tier(
    taxonomy: Taxonomy, article: ArticleFile
) -> None:
    lines = article.sections["Escalate when"].splitlines()

    named = [[group for group in taxonomy.groups if group in line] for line in lines]

    assert all(line.startswith("- ") for line in lines)
    assert all(named)
    assert (
        max(taxonomy.groups[group] for groups in named for group in groups) > article.head["tier"]
    )


def test_article_refers_only_to_articles_that_exist(
    articles: list[ArticleFile], article: ArticleFile
) -> None:
    known = {other.head["id"] for other in articles}

    referred = set(re.findall(r"KB\d+", " ".join(article.sections.values())))

    assert referred <= known - {article.head["id"]}


def without_tier_name(content: dict[str, Any]) -> None:
    del content["tiers"]["1"]["name"]


def without_tiers(content: dict[str, Any]) -> None:
    del content["tiers"]


def with_a_word_for_a_tier(content: dict[str, Any]) -> None:
    content["tiers"]["1"] = "Desk"


def with_an_unknown_detail(content: dict[str, Any]) -> None:
    content["categories"]["vpn"]["details"] = ["device", "shoe_size"]


def with_a_group_of_an_unknown_tier(content: dict[str, Any]) -> None:
    content["groups"]["Night Shift"] = "7"


def with_a_usual_tier_that_is_unknown(content: dict[str, Any]) -> None:
    content["categories"]["vpn"]["tier"] = "7"


def with_a_word_for_a_flag(content: dict[str, Any]) -> None:
    content["categories"]["vpn"]["route"] = "no"


def with_costs_of_a_tier_left_open(content: dict[str, Any]) -> None:
    content["tiers"]["2"] = {"name": "Technical"}
    content["costs"] = {"tier": {"under_escalation": 2}}


@pytest.mark.parametrize(
    ("spoil", "culprits"),
    [
        (with_a_usual_tier_that_is_unknown, ["'vpn'", "'7'"]),
        (with_a_word_for_a_flag, ["'vpn'", "true or false"]),
        (with_costs_of_a_tier_left_open, ["[costs.tier]", "over_escalation"]),
        (without_tier_name, ["'name'"]),
        (without_tiers, ["'tiers'"]),
        (with_a_word_for_a_tier, ["wrong form"]),
        (with_an_unknown_detail, ["'vpn'", "'shoe_size'"]),
        (with_a_group_of_an_unknown_tier, ["'Night Shift'", "'7'"]),
    ],
)
def test_bad_taxonomy_is_refused_in_one_line_that_names_the_culprit(
    spoil: Any, culprits: list[str]
) -> None:
    content = deepcopy(SMALL)
    spoil(content)

    with pytest.raises(ConfigurationError) as refusal:
        parse_taxonomy(content, "desk.toml")

    message = str(refusal.value)
    assert "\n" not in message
    assert all(culprit in message for culprit in ["desk.toml", *culprits])


def test_the_taxonomy_that_is_spoilt_above_is_a_good_one() -> None:
    taxonomy = parse_taxonomy(SMALL)

    assert taxonomy.tier_name("1") == "Desk"
    assert [detail.id for detail in taxonomy.details_of("vpn")] == ["device"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"[tiers\nnothing", "not valid TOML"), (b"\xff\xfe\x00", "UTF-8")],
)
def test_file_that_is_not_toml_is_refused_by_name_and_not_by_path(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "desk.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as refusal:
        load_taxonomy(path)

    message = str(refusal.value)
    assert "desk.toml" in message
    assert complaint in message
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_missing_taxonomy_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        load_taxonomy(tmp_path / "nowhere.toml")


def test_what_holds_for_a_category_holds_below_it_unless_that_has_its_own_entry() -> None:
    content = deepcopy(SMALL)
    content["categories"]["vpn"] |= {"tier": "1", "route": False, "exclude": True}
    content["categories"]["vpn > token"] = {"name": "Token"}
    taxonomy = parse_taxonomy(content)

    assert taxonomy.usual_tier("vpn > client > old") == "1"
    assert [detail.id for detail in taxonomy.details_of("vpn > client")] == ["device"]
    assert not taxonomy.may_route("category", "vpn > client")
    assert taxonomy.is_excluded("category", "vpn > client")
    assert taxonomy.usual_tier("vpn > token") is None
    assert taxonomy.details_of("vpn > token") == ()
    assert taxonomy.may_route("category", "vpn > token")
    assert not taxonomy.is_excluded("category", "vpn > token")


def test_labels_without_an_entry_may_be_suggested_and_routed() -> None:
    taxonomy = parse_taxonomy(SMALL)

    for target, label in (("tier", "9"), ("category", "mail"), ("priority", "vpn")):
        assert taxonomy.may_route(target, label)
        assert not taxonomy.is_excluded(target, label)
    assert taxonomy.usual_tier("mail") is None
    assert taxonomy.names("priority") == {}
    assert taxonomy.names("tier") == {"1": "Desk"} and taxonomy.names("category") == {"vpn": "VPN"}


def test_taxonomy_written_and_read_again_is_the_same() -> None:
    content = deepcopy(SMALL)
    content["tiers"]["2"] = {"name": "Technical", "route": False}
    content["categories"]["vpn"] |= {"tier": "2", "exclude": True}
    content["costs"] = {"tier": {"under_escalation": 2, "over_escalation": 1}}
    taxonomy = parse_taxonomy(content)

    assert parse_taxonomy(taxonomy.to_dict()) == taxonomy


def test_packaged_taxonomy_excludes_nothing_and_sets_no_costs(taxonomy: Taxonomy) -> None:
    assert taxonomy.costs is None
    assert all(entry.route and not entry.exclude for entry in taxonomy.tiers.values())
    assert all(entry.route and not entry.exclude for entry in taxonomy.categories.values())
