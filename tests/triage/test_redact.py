import random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triage.redaction_corpus import OTHER, PERSONAL, labelled_corpus, luhn_digit
from triage.redact import Finding, Kind, find_personal_data, redact
from triage.text import normalise

SEED = 20_260_101
RECALL = dict.fromkeys(get_args(Kind), 0.95) | dict.fromkeys(("email", "ip", "card", "iban"), 0.99)
PRECISION = 0.95


@pytest.fixture(scope="module")
def corpus():
    return labelled_corpus(SEED)


def is_covered(label: Finding, found: list[Finding]) -> bool:
    return any(
        f.kind == label.kind and f.start <= label.start and label.end <= f.end for f in found
    )


def is_right(finding: Finding, labels: tuple[Finding, ...]) -> bool:
    """Tell whether a finding is a label, give or take a mark at its end."""
    return any(
        finding.kind == label.kind
        and abs(finding.start - label.start) <= 1
        and abs(finding.end - label.end) <= 1
        for label in labels
    )


def test_the_corpus_is_large_and_labelled(corpus):
    with_labels = [sentence for sentence in corpus if sentence.labels]
    kinds = {label.kind for sentence in corpus for label in sentence.labels}

    assert len(with_labels) >= 1_500
    assert len(corpus) - len(with_labels) >= 500
    assert kinds == set(get_args(Kind))
    assert labelled_corpus(SEED) == corpus


@pytest.mark.parametrize("kind", get_args(Kind))
def test_recall_of_each_kind(corpus, kind):
    labels = [(s, label) for s in corpus for label in s.labels if label.kind == kind]

    missed = [
        sentence.text
        for sentence, label in labels
        if not is_covered(label, find_personal_data(sentence.text))
    ]

    assert 1 - len(missed) / len(labels) >= RECALL[kind], missed[:10]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_precision_of_each_kind(corpus, kind):
    found = [(s, f) for s in corpus for f in find_personal_data(s.text) if f.kind == kind]

    wrong = [s.text for s, finding in found if not is_right(finding, s.labels)]

    assert 1 - len(wrong) / len(found) >= PRECISION, wrong[:10]


def test_bars_hold_when_nobody_uses_capitals(corpus):
    lowered = [(s.text.lower(), s.labels) for s in corpus if len(s.text) == len(s.text.lower())]
    labels = [(text, label) for text, labels in lowered for label in labels]

    missed = [text for text, label in labels if not is_covered(label, find_personal_data(text))]

    assert 1 - len(missed) / len(labels) >= 0.95, missed[:10]


def test_cleaned_text_is_redacted_as_well_as_raw_text(corpus):
    shown = [
        (sentence.text[label.start : label.end], redact(normalise(sentence.text)))
        for sentence in corpus
        for label in sentence.labels
    ]

    leaked = [result for value, result in shown if len(value) > 5 and value in result]

    assert len(leaked) / len(shown) <= 0.01, leaked[:10]


def test_redacting_twice_changes_nothing(corpus):
    for sentence in corpus:
        once = redact(sentence.text)

        assert redact(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail anna@example.com now", "mail <email> now"),
        ("mail <anna.weber@example.com>.", "mail <<email>>."),
        ("ping 10.1.2.3:8080 fails", "ping <ip>:8080 fails"),
        ("http://[2001:db8::1]:443/", "http://[<ip>]:443/"),
        ("MAC 00:1A:2B:3C:4D:5E", "MAC <mac>"),
        ("card 4111 1111 1111 1111 exp 12/27", "card <card> exp 12/27"),
        ("IBAN DE89 3704 0044 0532 0130 00 and more", "IBAN <iban> and more"),
        ("IBAN gb82west12345698765432", "IBAN <iban>"),
        ("call +49 (0)30 1234567 today", "call <phone> today"),
        ("Tel. 030/1234567", "Tel. <phone>"),
        ("call me on 07700900123", "call me on <phone>"),
        ("(202) 555-0143 ext. 44", "<phone>"),
        ("my password is Summer2024!", "my password is <password>"),
        ("my password is swordfish.", "my password is <password>."),
        ("pw: hunter, please", "pw: <password>, please"),
        ("Passwort lautet geheim", "Passwort lautet <password>"),
        ('Kennwort: "drei kleine Worte"', 'Kennwort: "<password>"'),
        ("my password Tiger#12 fails", "my password <password> fails"),
        ("Passwort auf Winter2024 gesetzt", "Passwort auf <password> gesetzt"),
        ("PIN 4711", "PIN <password>"),
        ("username: jdoe", "username: <username>"),
        ("user id jdoe1 is locked", "user id <username> is locked"),
        ("Benutzername mmueller gesperrt", "Benutzername <username> gesperrt"),
        ("login: CORP\\jdoe", "login: <username>"),
        ("Zugangsdaten: jdoe / Sommer2024!", "Zugangsdaten: <username> / <password>"),
        (
            "Server=a;User Id=sa;Password=x1y2z3;",
            "Server=a;User Id=<username>;Password=<password>;",
        ),
        (
            "git clone https://jdoe:geheim@git.example.com/a",
            "git clone https://<secret>@git.example.com/a",
        ),
        ("/cb?lang=de&token=abcdefgh12345678&x=1", "/cb?lang=de&token=<secret>&x=1"),
        ("Authorization: Bearer abcdef1234567890", "Authorization: Bearer <secret>"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrotate it",
            "<secret>\nrotate it",
        ),
    ],
)
def test_what_stands_in_place_of_personal_data(text, expected):
    result = redact(text)

    assert result == expected


@pytest.mark.parametrize(
    "text",
    [
        "password reset",
        "my password expired yesterday",
        "the password is not working",
        "Password: forgotten",
        "password is about to expire in 14 days",
        "Passwort ist abgelaufen",
        "Kennwort zurücksetzen für Office 365",
        "user cannot log in",
        "the user is locked out",
        "username or password is wrong",
        "Benutzername ist unbekannt",
        "unable to login to collaboration_platform",
        "ticket INC0012345 of 01.02.2024 10:30",
        "order 0049123456789 and invoice 2024-00123",
        "error 0x80070005 in version 10.0.19045.3803",
        "firmware 4.2.1.0 and OID 1.3.6.1.4.1.311",
        "amount 1.234.567,89 EUR or $1,234,567.89",
        "open 08:00 - 17:00, 0800-1700 on request",
        "IMEI 356938035643809, EAN 4006381333931",
        "card number 4111 1111 1111 1112 fails the check",
        "IBAN DE00 3704 0044 0532 0130 00 fails the check",
        "device 123e4567-e89b-12d3-a456-426614174000",
        "std::map and Foo::Bar at 12:30:45",
        "react@18.2.0, icon@2x.png, @helpdesk, user@localhost",
        "the token expired, the key is stuck",
        "https://portal.example.com/kb?id=4711&lang=de",
        "0000c0 3235 3565 6235 3935 3130",
    ],
)
def test_what_only_looks_like_personal_data_stays(text):
    result = redact(text)

    assert result == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna\u200b@exa\u00admple.com", "<email>"),
        ("４１１１ １１１１ １１１１ １１１１", "<card>"),
        ("pass\u200dword: Summer2024", "password: <password>"),
        ("１０.１.２.３", "<ip>"),
        ("call +49\u00a030\u202f1234567", "call <phone>"),
    ],
)
def test_disguised_data_is_found_after_cleaning(text, expected):
    result = redact(normalise(text))

    assert result == expected


def test_a_wrong_check_digit_is_no_card():
    number = "411111111111111"
    right = luhn_digit(number)

    results = {digit: redact(f"paid with {number}{digit}") for digit in "0123456789"}

    assert [digit for digit, result in results.items() if result == "paid with <card>"] == [right]


CUES = (
    *("password", "password is", "password:", "pw=", "pin", "Passwort lautet", "to", "for", "is"),
    *("user", "user id", "login:", "Benutzername", "Zugangsdaten:", "account", "as", "my", "the"),
    *("Tel.", "call me", "ticket", "version", "card", "IBAN", "token=", "key:", "bearer", "ext."),
    *("<email>", "<password>", "<", ">", "(", ")", '"', "'", "@", "+", "/", ":", "://", "00", "12"),
    *("-----BEGIN PRIVATE KEY-----", "&x=", "::", "ab12", "\x00", "İ", "ß"),
)


@st.composite
def glued_texts(draw):
    """Values, cues and marks, run together in every way."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    makers = [*PERSONAL.values(), *OTHER.values()]
    parts = []
    for _ in range(draw(st.integers(1, 9))):
        parts.append(rng.choice(CUES) if rng.random() < 0.6 else rng.choice(makers)(rng))
        parts.append(rng.choice(("", " ", " ", "\n", ".")))
    return "".join(parts)


@settings(max_examples=400, deadline=None)
@given(glued_texts() | st.text())
def test_findings_are_in_order_and_redaction_is_final(text):
    found = find_personal_data(text)
    once = redact(text)

    ends = [0, *(finding.end for finding in found)]
    assert all(
        end <= finding.start < finding.end for end, finding in zip(ends, found, strict=False)
    )
    assert ends[-1] <= len(text)
    assert redact(once) == once


@given(st.text(st.characters(), max_size=200))
def test_any_text_can_be_redacted(text):
    result = redact(text + "\ud800")

    assert isinstance(result, str)
