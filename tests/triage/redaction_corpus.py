"""Made-up sentences with labelled personal data, English and German, from a seed.

Every value is generated: addresses under example domains, checksums computed here, numbers of no
one. The templates were written before the patterns of ``triage.redact``.
"""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from triage.redact import Finding, Kind

Make = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence and the personal data it holds."""

    text: str
    labels: tuple[Finding, ...]


def labelled_corpus(seed: int, per_kind: int = 220, negatives: int = 800) -> list[Labelled]:
    """Make ``per_kind`` distinct sentences for each kind and ``negatives`` without any."""
    rng = random.Random(seed)
    corpus = [
        sentence
        for templates in POSITIVES.values()
        for sentence in _distinct(templates, per_kind, rng)
    ]
    return corpus + _distinct(NEGATIVES, negatives, rng)


def _distinct(templates: tuple[str, ...], count: int, rng: random.Random) -> list[Labelled]:
    found: dict[str, Labelled] = {}
    turn = 0
    while len(found) < count:
        sentence = _fill(templates[turn % len(templates)], rng)
        found.setdefault(sentence.text, sentence)
        turn += 1
    return list(found.values())


def _fill(template: str, rng: random.Random) -> Labelled:
    if rng.random() < 0.4:
        template = f"{rng.choice(LEAD_INS)} {template}"
    if rng.random() < 0.4:
        template = f"{template} {rng.choice(FOLLOW_UPS)}"
    text = ""
    labels = []
    for literal, field, _, _ in string.Formatter().parse(template):
        text += literal
        if field is None:
            continue
        value = (PERSONAL.get(field) or OTHER[field])(rng)
        if field in PERSONAL:
            kind = cast(Kind, field.partition("_")[0])
            labels.append(Finding(kind, len(text), len(text) + len(value)))
        text += value
    return Labelled(text, tuple(labels))


def _digits(rng: random.Random, count: int, first: str = "0123456789") -> str:
    return rng.choice(first) + "".join(rng.choices("0123456789", k=count - 1))


def _pattern(rng: random.Random, shape: str) -> str:
    """Fill a shape: N a digit 2-9, D any digit, L a small letter, U a capital, X a hex digit."""
    sets = {
        "N": "23456789",
        "D": string.digits,
        "L": string.ascii_lowercase,
        "U": string.ascii_uppercase,
        "X": "0123456789abcdef",
    }
    return "".join(rng.choice(sets[c]) if c in sets else c for c in shape)


def _email(rng: random.Random) -> str:
    first, last = rng.choice(FIRST_NAMES).lower(), rng.choice(LAST_NAMES).lower()
    local = rng.choice(
        (
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{first}_{last}{rng.randint(1, 99)}",
            f"{first}+tickets",
            f"{last}-{first}",
            f"{first.capitalize()}.{last.capitalize()}",
            f"{first[0].upper()}.{last.upper()}",
            f"o'{last}",
        )
    )
    domain = rng.choice(
        (
            "example.com",
            "example.org",
            "mail.example.co.uk",
            "firma-nord.example",
            "EXAMPLE.COM",
            "it.sub.example.de",
            "müller.example.de",
            "ex-ample99.net",
        )
    )
    return f"{local}@{domain}"


def _ipv4(rng: random.Random) -> str:
    first = rng.choice(("10", "172", "192", "193", str(rng.randint(1, 223))))
    return ".".join([first, *(str(rng.randint(0, 255)) for _ in range(3))])


def _ipv6(rng: random.Random) -> str:
    def group() -> str:
        return f"{rng.randint(0x100, 0xFFFF):x}"

    return rng.choice(
        (
            "2001:db8:" + ":".join(group() for _ in range(6)),
            f"2001:db8::{group()}",
            f"fe80::{group()}:{group()}:{group()}:{group()}",
            f"fd{rng.randint(0x10, 0xFF):x}:{group()}::{rng.randint(1, 9)}",
            f"2A02:8108:{group().upper()}:{group().upper()}::1",
            f"::ffff:{_ipv4(rng)}",
        )
    )


def _mac(rng: random.Random) -> str:
    shape = rng.choice(("XX:XX:XX:XX:XX:XX", "XX-XX-XX-XX-XX-XX"))
    value = _pattern(rng, shape)
    return value.upper() if rng.random() < 0.5 else value


def luhn_digit(digits: str) -> str:
    """Give the digit that makes a card number pass the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _card(rng: random.Random) -> str:
    prefix, length = rng.choice(
        (
            *(("4", 16), ("51", 16), ("54", 16), ("2221", 16), ("37", 15), ("34", 15)),
            *(("6011", 16), ("3530", 16), ("36", 14), ("6759", 16), ("4", 19), ("62", 17)),
        )
    )
    number = prefix + _digits(rng, length - len(prefix) - 1)
    number += luhn_digit(number)
    sizes = {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 17: (6, 11), 19: (4, 4, 4, 4, 3)}
    mark = rng.choice(("", " ", " ", "-"))
    parts, start = [], 0
    for size in sizes[length]:
        parts.append(number[start : start + size])
        start += size
    return mark.join(parts)


def _iban(rng: random.Random) -> str:
    country, shape = rng.choice(
        (
            ("DE", "D" * 18),
            ("DE", "D" * 18),
            ("AT", "D" * 16),
            ("CH", "D" * 17),
            ("GB", "UUUU" + "D" * 14),
            ("FR", "D" * 23),
            ("NL", "UUUU" + "D" * 10),
            ("ES", "D" * 20),
            ("IT", "U" + "D" * 22),
            ("PL", "D" * 24),
            ("BE", "D" * 12),
        )
    )
    account = _pattern(rng, shape)
    number = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    iban = f"{country}{98 - int(number) % 97:02d}{account}"
    style = rng.random()
    if style < 0.5:
        return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    if style < 0.6:
        return iban.lower()
    return iban


def _phone(rng: random.Random) -> str:
    """A number that shows by its own form that it is one."""
    shape = rng.choice(
        (
            "+49 NDD NDDDDDD",
            "+49 (0)NDD NDDDDDD",
            "+49 NDD/NDDDDDD",
            "+49-NDD-NDDDDDD",
            "+4917NDDDDDDDD",
            "+49 17N DD DD DDD",
            "0049 NDD NDDDDDD",
            "0049NDDNDDDDDDD",
            "+43 1 NDDDDDD",
            "+41 44 NDD DD DD",
            "+44 20 7DDD DDDD",
            "+44 (0)20 7DDD DDDD",
            "+447NDDDDDDDD",
            "+1 NDD-NDD-DDDD",
            "+1 (NDD) NDD-DDDD",
            "+1NDDNDDDDDD",
            "+1.NDD.NDD.DDDD",
            "+33 1 DD DD DD DD",
            "+91 9DDDD DDDDD",
            "0NDD NDDDDDD",
            "0NDD/NDDDDDD",
            "0NDD / NDD DD DD",
            "0NDD-NDDDDDD",
            "(0NDD) NDDDDDD",
            "0NDDD NDDDD-DD",
            "017N NDDDDDD",
            "017N/NDDDDDDD",
            "015N-NDD DD DD",
            "020 7DDD DDDD",
            "07NDD DDDDDD",
            "(0161) NDD DDDD",
            "01632 96DDDD",
            "(NDD) NDD-DDDD",
            "NDD-NDD-DDDD",
            "NDD.NDD.DDDD",
            "1-800-NDD-DDDD",
        )
    )
    return _pattern(rng, shape)


def _phone_plain(rng: random.Random) -> str:
    """A number that only its cue shows to be one."""
    return _pattern(
        rng,
        rng.choice(
            ("NDDDDDD", "017NDDDDDDDD", "NDDNDDDDDD", "07NDDDDDDDD", "NDD DDDD", "NDD-DDDD")
        ),
    )


def _password(rng: random.Random) -> str:
    """Something that looks like a password wherever it stands."""
    word = rng.choice(WORDS)
    return rng.choice(
        (
            f"{word.capitalize()}{rng.randint(1, 9999)}!",
            f"{word}{rng.randint(10, 9999)}",
            f"{word.capitalize()}_{rng.randint(1, 99)}",
            f"{rng.randint(10, 99)}{word}${rng.choice(WORDS)}",
            f"{word.capitalize()}@{rng.randint(1, 999)}",
            f"P@ss{word}{rng.randint(0, 9)}",
            f"{word.capitalize()}{rng.choice(WORDS).capitalize()}#{rng.randint(0, 9)}",
            "".join(rng.choices(string.ascii_letters + string.digits, k=8)) + "a7Q",
            "".join(rng.choices(string.ascii_letters + string.digits + "!#$%&*+?", k=10)) + "9z",
        )
    )


def _password_any(rng: random.Random) -> str:
    """A password that may also be a plain word or a number."""
    if rng.random() < 0.25:
        return rng.choice((rng.choice(WORDS), _digits(rng, 6, "123456789")))
    return _password(rng)


def _passphrase(rng: random.Random) -> str:
    return " ".join(rng.sample(WORDS, 3))


def _username(rng: random.Random) -> str:
    first, last = rng.choice(FIRST_NAMES).lower(), rng.choice(LAST_NAMES).lower()
    return rng.choice(
        (
            f"{first[0]}{last}",
            f"{first[0]}{last}{rng.randint(1, 99)}",
            f"{first}.{last}",
            f"{first}_{last}",
            f"{last}{first[0]}",
            f"u{rng.randint(10000, 99999)}",
            f"{last[:3]}{first[:2]}",
            f"{last[:4].upper()}{rng.randint(1, 9)}",
        )
    )


def _username_mark(rng: random.Random) -> str:
    """A user name that shows by its form that it is not a word."""
    first, last = rng.choice(FIRST_NAMES).lower(), rng.choice(LAST_NAMES).lower()
    return rng.choice(
        (
            f"{first[0]}{last}{rng.randint(1, 99)}",
            f"{first}.{last}",
            f"{first[0]}_{last}",
            f"u{rng.randint(10000, 99999)}",
        )
    )


def _domain_user(rng: random.Random) -> str:
    return f"{rng.choice(('CORP', 'NORD', 'ad'))}\\{_username(rng)}"


def _secret(rng: random.Random) -> str:
    alphabet = string.ascii_letters + string.digits

    def some(count: int) -> str:
        return "".join(rng.choices(alphabet, k=count))

    return rng.choice(
        (
            f"eyJ{some(20)}.eyJ{some(40)}.{some(43)}",
            "AKIA" + _pattern(rng, "UDUDUUDDUUUDUDUU"),
            f"ghp_{some(36)}",
            f"github_pat_{some(22)}_{some(59)}",
            f"glpat-{some(20)}",
            f"xoxb-{_digits(rng, 11)}-{some(24)}",
            f"sk_live_{some(24)}",
        )
    )


def _bearer(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits + "-_", k=32)) + "x1"


def _pem(rng: random.Random) -> str:
    lines = "\n".join(
        "".join(rng.choices(string.ascii_letters + string.digits + "+/", k=64)) for _ in range(3)
    )
    kind = rng.choice(("", "RSA ", "EC ", "OPENSSH "))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def _date(rng: random.Random) -> str:
    day, month = rng.randint(1, 28), rng.randint(1, 12)
    year = rng.randint(2015, 2026)
    return rng.choice(
        (
            f"{day:02d}.{month:02d}.{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{month:02d}/{day:02d}/{year}",
            f"{day:02d}-{month:02d}-{year}",
            f"{day:02d}.{month:02d}.{year} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
            f"{year}-{month:02d}-{day:02d}T{rng.randint(0, 23):02d}:15:42Z",
            f"{day:02d}.{month:02d}.{year % 100:02d}",
        )
    )


def _version(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{rng.randint(1, 20)}.{rng.randint(0, 20)}.{rng.randint(0, 99)}",
            f"{rng.randint(1, 20)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 250)}",
            f"10.0.{rng.randint(17000, 26100)}.{rng.randint(1, 9999)}",
            f"{rng.randint(90, 140)}.0.{rng.randint(4000, 7000)}.{rng.randint(10, 200)}",
        )
    )


def _reference(rng: random.Random) -> str:
    return _pattern(
        rng,
        rng.choice(
            (
                *("INCDDDDDDD", "CHG00DDDDD", "SR-DDDDDD", "REQDDDDDDDDD", "#DDDDDD", "UUU-DDDD"),
                *("DDDDDDDD", "NDDDDDDDDD", "20DD-DDDDDD", "45DDDDDDDD", "KBDDDDDDD", "00DDDDDDDD"),
            )
        ),
    )


def _error_code(rng: random.Random) -> str:
    return _pattern(
        rng,
        rng.choice(("0x8007DDDD", "0x800XXXXX", "0xc000XXXX", "ORA-0DDDD", "50DDD", "AADSTSDDDDD")),
    )


def _amount(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{rng.randint(1, 999)},{rng.randint(0, 99):02d} EUR",
            f"${rng.randint(1, 99)},{rng.randint(100, 999)}.{rng.randint(0, 99):02d}",
            f"{rng.randint(1, 9)}.{rng.randint(100, 999)}.{rng.randint(100, 999)},00 €",
            f"{rng.randint(1000, 9999999)} EUR",
        )
    )


def _not_card(rng: random.Random) -> str:
    number = "4" + _digits(rng, 14)
    wrong = (int(luhn_digit(number)) + rng.randint(1, 9)) % 10
    number += str(wrong)
    mark = rng.choice(("", " ", "-"))
    return mark.join(number[i : i + 4] for i in range(0, 16, 4))


def _not_iban(rng: random.Random) -> str:
    return "DE00 " + " ".join(_digits(rng, 4) for _ in range(4)) + " " + _digits(rng, 2)


def _uuid(rng: random.Random) -> str:
    return _pattern(rng, "XXXXXXXX-XXXX-4XXX-aXXX-XXXXXXXXXXXX")


def _serial(rng: random.Random) -> str:
    return _pattern(rng, rng.choice(("5CGDDDDUUU", "PF-DUDDUU", "DDDD-DDDD-DDDD", "UUUDDDDDDDD")))


SYSTEMS = ("VPN", "SAP", "Outlook", "Office 365", "the intranet", "Citrix", "Jira", "the WLAN")

PERSONAL: dict[str, Make] = {
    "email": _email,
    "ip": lambda rng: _ipv6(rng) if rng.random() < 0.35 else _ipv4(rng),
    "ip_v4": _ipv4,
    "mac": _mac,
    "card": _card,
    "iban": _iban,
    "phone": _phone,
    "phone_plain": _phone_plain,
    "password": _password,
    "password_any": _password_any,
    "password_phrase": _passphrase,
    "username": _username,
    "username_mark": _username_mark,
    "username_domain": _domain_user,
    "secret": _secret,
    "secret_bearer": _bearer,
    "secret_pem": _pem,
}

OTHER: dict[str, Make] = {
    "date": _date,
    "time": lambda rng: f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
    "version": _version,
    "reference": _reference,
    "error": _error_code,
    "amount": _amount,
    "not_card": _not_card,
    "not_iban": _not_iban,
    "uuid": _uuid,
    "serial": _serial,
    "number": lambda rng: str(rng.randint(2, 99999)),
    "long_number": lambda rng: _digits(rng, rng.randint(7, 12), "123456789"),
    "host": lambda rng: f"{rng.choice(('srv', 'PC', 'lt-', 'HOST'))}{rng.randint(10, 99999)}",
    "system": lambda rng: rng.choice(SYSTEMS),
}


FIRST_NAMES = (
    *("Anna", "Jonas", "Maria", "Peter", "Lena", "Felix", "Sarah", "Tom"),
    *("Nina", "Oliver", "Eva", "Max", "Julia", "David", "Laura", "Simon"),
    *("Emma", "Paul", "Ines", "Karl", "Priya", "Omar", "Chloe", "Ruth"),
    "Hugo",
)
LAST_NAMES = (
    *("Schmidt", "Fischer", "Weber", "Wagner", "Becker", "Hoffmann", "Koch", "Richter"),
    *("Wolf", "Neumann", "Brown", "Taylor", "Wilson", "Davies", "Evans", "Walker"),
    *("Harris", "Clarke", "Patel", "Kowalski", "Novak", "Rossi", "Garcia", "Dubois"),
    "Jansen",
)
WORDS = (
    *("sommer", "winter", "dragon", "sunshine", "monkey", "blume", "schnee", "kaffee"),
    *("tiger", "falcon", "hamster", "banane", "football", "purple", "garten", "wolke"),
    *("silver", "rocket", "donner", "pepper", "apfel", "fenster", "ocean", "castle"),
)

LEAD_INS = (
    "My laptop is slow since the update.",
    "This is urgent.",
    "Ticket opened by phone.",
    "Seit heute Morgen geht nichts mehr.",
    "Bitte um schnelle Hilfe.",
    "The printer on floor 3 jams again.",
    "Ich komme nicht ins System.",
    "As discussed yesterday:",
)
FOLLOW_UPS = (
    "Please help.",
    "Thanks a lot!",
    "It worked last week.",
    "Danke im Voraus.",
    "Das Problem besteht seit Montag.",
    "I tried it three times.",
    "Der Fehler tritt immer wieder auf.",
)

POSITIVES: dict[str, tuple[str, ...]] = {
    "email": (
        "Please answer to {email}.",
        "my address is {email}, thanks",
        "From: Anna <{email}>",
        "Mails to {email} and {email} bounce.",
        "mailto:{email}",
        "cannot send to ({email})",
        "Outlook shows '{email}' twice.",
        "The account {email}; it is locked.",
        "Meine E-Mail-Adresse lautet {email}",
        "Bitte an {email} senden!",
        "Weiterleitung von {email} nach {email} einrichten.",
        "E-Mail:{email}",
        "Das Postfach {email} ist voll.",
        "Antwort bitte an „{email}“.",
        "received from: {email}\nhello",
        "shared mailbox [{email}] not visible",
        "https://portal.example.com/reset?to={email}",
        "email={email}",
    ),
    "ip": (
        "The server {ip} does not answer.",
        "ping {ip} fails",
        "my ip is {ip}.",
        "IP: {ip}",
        "cannot reach http://{ip_v4}:8080/admin",
        "route from {ip} to {ip} is missing",
        "Firewall blocks {ip_v4}/24 since {date}",
        "Der Drucker mit der IP-Adresse {ip} ist offline.",
        "Adresse {ip} nicht erreichbar",
        "Verbindung zu {ip} bricht ab, Fehler {error}.",
        "IP={ip}, Port 443",
        "RDP auf ({ip}) geht nicht",
        "DNS server is set to {ip_v4},{ip_v4}",
        "client [{ip}] was refused",
        "nslookup liefert {ip}; vorher ging es",
        "login from {ip_v4} at {time}",
    ),
    "mac": (
        "The MAC address is {mac}.",
        "device {mac} is not allowed on the network",
        "MAC: {mac}",
        "Bitte {mac} im WLAN freischalten",
        "Die MAC-Adresse lautet {mac}, Gerät {host}",
        "dhcp lease for {mac} expired",
    ),
    "card": (
        "My card {card} was charged twice.",
        "card number: {card}",
        "I typed {card} and got error {error}",
        "Payment with {card}, valid 12/27, failed.",
        "credit card {card}.",
        "the customer gave {card} on the phone",
        "Visa {card} exp 04/28",
        "Meine Kreditkarte {card} wurde abgelehnt.",
        "Kartennummer {card}",
        "Zahlung mit der Karte {card} am {date} nicht möglich",
        "Bitte {card} aus dem Ticket löschen",
        "Corporate card ({card}) is blocked",
    ),
    "iban": (
        "Please refund to {iban}.",
        "IBAN: {iban}",
        "my new bank account is {iban}, effective {date}",
        "payroll still uses {iban}",
        "Meine IBAN lautet {iban}.",
        "Bitte die Bankverbindung auf {iban} ändern",
        "Konto {iban} BIC COBADEFFXXX",
        "Überweisung an {iban} fehlgeschlagen",
        "IBAN={iban};",
        "Gehalt bitte künftig auf ({iban})",
        "The supplier's account {iban} is rejected in SAP",
        "SEPA mandate for {iban} and {iban}",
    ),
    "phone": (
        "Call me at {phone}.",
        "my number is {phone}, thanks",
        "Phone: {phone}",
        "Reach me under {phone} after {time}",
        "Callback: {phone}",
        "Mobile {phone}",
        "Tel.: {phone}",
        "The line {phone} is dead",
        "please call {phone} or write to {email}",
        "cell phone: {phone_plain}",
        "call me on {phone_plain} please",
        "Tel: {phone_plain}",
        "my phone number is {phone_plain}.",
        "mobile number {phone_plain}",
        "Bitte um Rückruf unter {phone}.",
        "Meine Telefonnummer lautet {phone}",
        "Tel. {phone}",
        "Ich bin unter {phone} erreichbar.",
        "Handy: {phone}",
        "Mobil {phone}",
        "Rufnummer {phone} ist gestört",
        "Telefon: {phone}",
        "Festnetz {phone}, mobil {phone}",
        "Sie erreichen mich unter der Nummer {phone_plain}",
        "Telefon {phone_plain}",
        "Handynummer: {phone_plain}",
        "Bitte rufen Sie mich an: {phone_plain}",
        "Fax: {phone}",
        "T: {phone} F: {phone}",
        "Anna Weber, Buchhaltung, {phone}",
        "The hotline {phone} does not pick up",
    ),
    "password": (
        "my password is {password_any}",
        "The password is {password}, please check.",
        "password: {password_any}",
        "Password:{password_any}",
        "pw: {password_any}",
        "pwd={password_any}",
        "PW {password}",
        "passwd = {password_any}",
        "I changed my password to {password}.",
        "the password was reset to {password} and it still fails",
        "My password for {system} is {password}.",
        "the old password was {password}",
        'the password is "{password_any}"',
        'Password "{password_phrase}" is refused',
        "I tried password {password} three times",
        "new password {password} does not work",
        "passcode: {password_any}",
        "temporary password: {password_any}",
        "user {username_mark} password {password}",
        "Username: {username}\nPassword: {password_any}",
        "login with {username_mark} is impossible, password = {password_any}",
        "passphrase: {password}",
        "wifi password - {password}",
        "the pin is {password_pin}",
        "mein Passwort ist {password}",
        "Das Passwort lautet {password_any}",
        "Passwort: {password_any}",
        "Kennwort: {password_any}",
        "kennwort lautet: {password_any}",
        "Mein Kennwort ist {password}, es geht nicht.",
        "Passwort {password} wird nicht akzeptiert",
        "Ich habe das Passwort auf {password} geändert.",
        "Das neue Kennwort wurde auf {password} gesetzt",
        "Passwort für {system}: {password_any}",
        "Das Passwort für den Benutzer ist {password}",
        "WLAN-Passwort: {password_any}",
        "Initialpasswort {password}",
        "PW lautet {password_any}",
        "Passwort = {password_any}",
        "Zugangscode: {password_any}",
        "mit dem Passwort „{password_any}“ komme ich nicht rein",
        "Passwort war {password}",
        "Benutzer: {username} / Passwort: {password_any}",
        "Server=db1;User Id={username};Password={password_any};",
        '{{"user": "{username}", "password": "{password_any}"}}',
    ),
    "username": (
        "username: {username}",
        "Username {username} is locked",
        "my user name is {username}",
        "user id {username_mark}",
        "User ID: {username}",
        "userid={username}",
        "userid {username}",
        "user-id: {username_domain}",
        "login: {username}",
        "Login name: {username}",
        "login {username_mark} fails since {date}",
        "my login is {username}",
        "logon name {username}",
        "user: {username}",
        "the user {username_mark} cannot log in",
        "account name: {username}",
        "account {username_mark} is disabled",
        "My username for {system} is {username}.",
        "user account: {username_domain}",
        "please unlock user id {username}",
        "please reset (user id: {username})",
        "my user ID is {username} and I see error {error}",
        "Benutzername: {username}",
        "Benutzername {username} gesperrt",
        "mein Benutzername ist {username}",
        "Der Benutzername lautet {username}.",
        "Benutzer: {username}",
        "Benutzer {username_mark} kann sich nicht anmelden",
        "Benutzerkennung {username}",
        "Benutzer-ID: {username}",
        "Anmeldename {username}",
        "Anmeldename: {username_domain}",
        "Mein Anmeldename lautet {username}",
        "Loginname: {username}",
        "Login lautet {username}",
        "Kennung: {username}",
        "User: {username}, Rechner {host}",
        "Nutzername {username}",
        "Userkennung: {username}",
        "Das Konto {username_mark} ist gesperrt",
        "Benutzername für {system}: {username}",
    ),
    "secret": (
        "The API key {secret} stopped working",
        "token: {secret}",
        "I committed {secret} by mistake",
        "Authorization: Bearer {secret_bearer}",
        "curl -H 'Authorization: Bearer {secret_bearer}' fails",
        "Der Token {secret} ist abgelaufen",
        "key:\n{secret_pem}\nplease rotate",
        "api_key={secret_bearer}",
        "API key: {secret_bearer}",
        "client_secret: {secret_bearer}",
        "access token = {secret_bearer}",
        "API-Schlüssel: {secret_bearer}",
        "https://app.example.com/callback?token={secret_bearer}",
        "git clone https://{secret_login}@git.example.com/repo.git",
    ),
}
PERSONAL["password_pin"] = lambda rng: _digits(rng, 5)
PERSONAL["secret_login"] = lambda rng: f"{_username(rng)}:{_password(rng).replace('@', 'x')}"

NEGATIVES: tuple[str, ...] = (
    "Please reset my password.",
    "password reset for {system}",
    "My password expired on {date}",
    "The password is not working since {date}.",
    "password is expired",
    "The password is wrong, error {error}",
    "my password is no longer accepted by {system}",
    "password is incorrect after {number} attempts",
    "forgot password, ticket {reference}",
    "password change fails with {error}",
    "The password was changed yesterday",
    "password must have 12 characters",
    "password policy: see intranet",
    "password for {system} is locked",
    "password has been rejected {number} times",
    "Password: forgotten",
    "the password field is empty",
    "password manager {version} crashes",
    "Password and username are refused",
    "password does not sync to {system}",
    "I need a new password for {system}.",
    "password is required at every start",
    "Self-service password portal is down",
    "password is about to expire in {number} days",
    "need password to log in to {system}",
    "The pin is bent on connector {number}",
    "pin the window to the taskbar",
    "Passwort vergessen",
    "Passwort zurücksetzen für {system}",
    "Mein Passwort ist abgelaufen",
    "Das Passwort ist falsch, Meldung {error}",
    "Passwort wird nicht angenommen",
    "Das Kennwort muss geändert werden",
    "Kennwort abgelaufen seit {date}",
    "Passwort ist nicht korrekt",
    "Passwort läuft in {number} Tagen ab",
    "Kennwort ändern geht nicht",
    "Passwort: bitte zurücksetzen",
    "Passwort und Benutzername stimmen nicht",
    "Ich brauche ein neues Passwort für {system}",
    "Das Passwort wurde am {date} geändert",
    "Passwortänderung nicht möglich, {error}",
    "Nach der Kennwortänderung geht {system} nicht",
    "The user cannot log in",
    "user is locked out of {system}",
    "users report that {system} is slow",
    "the user interface of {system} is broken",
    "user account locked since {date}",
    "User: cannot print",
    "username is not recognised",
    "Username and password do not work",
    "username field shows {error}",
    "user id is missing in the form",
    "user ID not found",
    "user id creation for a new colleague",
    "user name changed after marriage",
    "login page does not load",
    "login fails with {error}",
    "Login: failed at {time}",
    "login is not possible since {date}",
    "unable to login to {system}",
    "logon takes {number} seconds",
    "account is disabled",
    "account locked, please unlock",
    "new account for {system} needed",
    "Der Benutzer kann sich nicht anmelden",
    "Benutzername unbekannt",
    "Benutzername oder Kennwort falsch",
    "Benutzername ist nicht bekannt",
    "Benutzer ist gesperrt",
    "Benutzerkonto gesperrt, {error}",
    "Anmeldename wird nicht erkannt",
    "Anmeldung dauert {number} Minuten",
    "Die Kennung ist abgelaufen",
    "Login nicht möglich seit {date}",
    "Konto gesperrt seit {time}",
    "Neuer Benutzer für {system} gewünscht",
    "Order {long_number} is missing",
    "order number {long_number} was not shipped",
    "Bestellung {long_number} nicht angekommen",
    "Auftragsnummer {long_number}",
    "Rechnung {reference} über {amount}",
    "invoice {reference} amount {amount}",
    "see ticket {reference}",
    "Ticketnummer {reference} vom {date}",
    "duplicate of {reference}, opened {date} {time}",
    "Incident {reference} again",
    "Fehler {error} beim Start von {system}",
    "blue screen {error} on {host}",
    "error code {error} (0x{number})",
    "event id {number} at {date}",
    "Windows build {version}",
    "Version {version} installed on {date}",
    "Update auf Version {version} schlägt fehl",
    "driver version {version} from {date}",
    "firmware v{version}",
    "Chrome {version} crashes",
    "between {date} and {date}",
    "from {time} to {time} on {date}",
    "am {date} um {time} Uhr",
    "The invoice shows {amount} instead of {amount}",
    "Kosten: {amount}",
    "asset {serial} is broken",
    "Serial number {serial}",
    "Seriennummer: {serial}",
    "Inventarnummer {long_number}",
    "device id {uuid}",
    "correlation id: {uuid}",
    "session {uuid} on {host}",
    "reference {not_card} is no card",
    "tracking number {not_card}",
    "Vorgang {not_iban}",
    "material {long_number}, plant {number}",
    "cost center {number}, room 4.{number}",
    "PLZ 01069 Dresden, Gebäude {number}",
    "disk has {number} GB of {number} GB free",
    "{host} is down since {time}",
    "port 8080 on {host} is closed",
    "screen resolution 1920x1080 at 60 Hz",
    "IMEI of the device is in asset {reference}",
    "meeting at 10:00-11:30 in room 12",
    "std::vector<int> fails in build {version}",
    "ratio 3:4:5 and time 12:30:45",
    "OID 1.3.6.1.4.1.{number}",
    "chapter 3.2.1 and 4.10.2.7.1 of the manual",
    "press F12, then 3 times 0",
    "we need 10 x 24 inch monitors, budget {amount}",
    "follow @helpdesk on the intranet",
    "cc @all: {system} is back",
    "the token expired",
    "token is invalid, error {error}",
    "The API key was revoked on {date}",
    "Bearer authentication fails",
    "key is missing in the registry",
    "the secret is out: {system} is slow",
    "https://portal.example.com/kb?id={number}&lang=de",
    "open https://intranet.example.com/home/start.html#top",
    "extension .xlsx does not open",
    "phone does not ring",
    "phone {host} has no display",
    "Telefon funktioniert nicht seit {date}",
    "mobile device not enrolled, ticket {reference}",
    "call {reference} was closed on {date}",
    "Handy seit {number} Tagen defekt",
    "Nummer {reference} ist der Vorgang",
    "room 0.12, floor 00",
    "backup job 0815 failed {number} times",
    "GUID {uuid} duplicate",
    "SLA 99.95 percent, {number} users",
    "timestamp 1712345678 in log line {number}",
    "on 2024-01-15 10:30:00.123 UTC+0200",
)
