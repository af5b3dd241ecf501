"""Personal data and secrets out of text. Every pattern for them lives here.

Made for text that ``triage.text.normalise`` has cleaned (it undoes full-width digits and invisible
characters), English and German; works on any text. A URL stays, without what gives access: user
info and the values of parameters such as ``token`` and ``password``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address
from typing import Literal

Kind = Literal["email", "ip", "mac", "card", "iban", "phone", "password", "username", "secret"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of personal data: ``text[start:end]`` is a ``kind``."""

    kind: Kind
    start: int
    end: int


def redact(text: str) -> str:
    """Put a placeholder such as ``<email>`` where personal data or a secret stood.

    Redacting twice changes nothing more.
    """
    return _replaced(text, find_personal_data(text), lambda finding: f"<{finding.kind}>")


def find_personal_data(text: str) -> list[Finding]:
    """Find personal data and secrets: sorted by place, without overlaps, in linear time."""
    found: list[Finding] = []
    lowered = _lower(text)
    digits = sum(map(lowered.count, "0123456789"))
    for least_digits, hints, find in _FINDERS:
        if digits < least_digits:
            continue
        for hint in hints:
            if hint in lowered:
                break
        else:
            continue
        if new := list(find(text, lowered, hints)):
            # Later finders see what they would see in the redacted text: a placeholder.
            text = _replaced(text, new, lambda finding: _blank(finding.end - finding.start))
            lowered = _lower(text)
            found += new
    return sorted(found, key=lambda finding: finding.start)


def _lower(text: str) -> str:
    """Lower the case and keep every place; "İ" is the one letter that gets longer."""
    return text.replace("İ", "i").lower()


def _blank(length: int) -> str:
    return "<" + "\x00" * (length - 2) + ">"


def _replaced(text: str, findings: list[Finding], replacement: Callable[[Finding], str]) -> str:
    parts: list[str] = []
    end = 0
    for finding in findings:
        parts += (text[end : finding.start], replacement(finding))
        end = finding.end
    return "".join((*parts, text[end:])) if parts else text


def _matches(
    kind: Kind, pattern: re.Pattern[str], text: str, lowered: str, hints: tuple[str, ...]
) -> Iterator[Finding]:
    """Find what a pattern alone decides: its group "value"."""
    for found in pattern.finditer(text):
        yield Finding(kind, *found.span("value"))


def _at_hints(
    pattern: re.Pattern[str], lowered: str, hints: tuple[str, ...]
) -> Iterator[re.Match[str]]:
    """Match a pattern that begins with a hint; finding the hints first is several times faster."""
    places = set()
    for hint in hints:
        place = lowered.find(hint)
        while place >= 0:
            places.add(place)
            place = lowered.find(hint, place + 1)
    for place in sorted(places):
        if found := pattern.match(lowered, place):
            yield found


_TOKEN = re.compile(
    r"(?P<value>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!-----(?:BEGIN|END) )[\s\S])*+"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|(?<![A-Za-z0-9])(?:eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?|A[KS]IA[A-Z0-9]{16}(?!\w)"
    r"|AIza[\w-]{30,}+|gh[opsur]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+|glpat-[\w-]{18,}+"
    r"|xox[abeoprs]-[\w-]{10,}+|sk-[\w-]{20,}+|[spr]k_(?:live|test)_\w{16,}+|npm_\w{30,}+"
    r"|hf_\w{30,}+|ya29\.[\w-]{20,}+))"
)
_URL_LOGIN = re.compile(r"://(?P<value>[^\s/:@<>]{1,64}:[^\s/@<>]{1,128})(?=@)")
_CUED_SECRET = re.compile(
    r"(?:(?:key|token|secret|schlüssel|signature|session(?:_?id)?)"
    r"(?:[\"'”’]? ?[:=]+>? ?[\"'“„]?| (?:is|ist|lautet):? [\"'“„]?)|sig=|bearer |basic )"
    r"(?=[\w.~+/=-]{0,60}?[0-9])(?P<value>[\w.~+/=-]{16,}+)"
)
_EMAIL = re.compile(
    r"(?<![\w.+%&'’-])['’.-]*+(?P<value>[\w+%&][\w.+%&'’-]*+(?:@| ?[(\[{](?:at|@|ät)[)\]}] ?)"
    r"(?:[\w-]++(?:\.(?=\w)| ?[(\[{](?:dot|punkt)[)\]}] ?))++"
    r"(?!(?:png|jpe?g|gif|svg|webp)\b)(?:[^\W\d_]{2,24}|xn--[\w-]{2,59}))(?![\w@])",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"(?<!\w)(?:ext(?:ension)?|durchwahl|nebenstelle)\.?:? (?:is |ist |lautet )?"
    r"(?P<value>[0-9]{3,6})\b"
)
# Starts at the dot, which a search finds fast, and looks back.
_DOTTED_MAC = re.compile(
    r"\.(?<=(?<![\w.])[0-9a-f]{4}\.)[0-9a-f]{4}\.[0-9a-f]{4}(?!\w|\.\w)", re.IGNORECASE
)


def _cued(
    kind: Kind, pattern: re.Pattern[str], text: str, lowered: str, hints: tuple[str, ...]
) -> Iterator[Finding]:
    """Find the group "value" of a pattern that begins with a hint."""
    done = 0
    for found in _at_hints(pattern, lowered, hints):
        if found.start() >= done:
            yield Finding(kind, *found.span("value"))
            done = found.end()


def _dotted_macs(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    for found in _DOTTED_MAC.finditer(text):
        start = found.start() - 4
        if not text[start : found.end()].replace(".", "").isdecimal():
            yield Finding("mac", start, found.end())


# What stands behind a cue. "password: X" and "Passwort lautet X" announce a value; after "is", "to"
# and a mere blank a sentence may go on, so there the value must look like one.
Link = Literal["sure", "is", "to", "bare"]
_GAP = (
    r"(?: \([^()\n]{1,40}\)| (?:used|entered|verwendet|eingegeben)| (?:for|of|on|to|in|at|with|für"
    r"|fuer|von|vom|zum|zur|des|der|im|am|bei|i|we|he|she|ich|wir|that|which|you|das)"
    r"(?: (?!(?:is|was|are|ist|war|lautet)\b)[\w.@/&'’\\-]{1,30}+){1,5}?)?"
)
_SOON = r"(?: (?:now|currently|still|just|simply|jetzt|aktuell|derzeit|noch|einfach))?"
_LINKS: tuple[tuple[Link, re.Pattern[str]], ...] = (
    (
        "sure",
        re.compile(
            rf"{_GAP}(?:[\"'”’]?[ \t]?(?::=|=>|->|→|[:=])| (?:lautete?|heißt|heisst):?"
            r"| (?:is|was|ist|war):)\s{0,3}"
        ),
    ),
    ("is", re.compile(rf"{_GAP},?(?: (?:it|es|which))? (?:is|was|ist|war|wäre){_SOON} ")),
    (
        "to",
        re.compile(
            r"(?: (?:was|is|has|been|wurde|ist|got|again|wieder|changed|reset|set|updated|geändert"
            r"|zurückgesetzt|back|for me|now|today|heute)){0,4} (?:to|auf|in|into) "
        ),
    ),
    ("bare", re.compile(r" (?:[-–] )?")),
)
_QUOTED = re.compile(r"[\"'“”„»«‘`]([^\"'“”„»«`\n<>]{2,64})[\"'“”»«’`]")
_WORD = re.compile(r"[(\[{]*+([^\s(\[{]\S{0,127}+)")
_PLACEHOLDER = re.compile(r"<(?:email|ip|mac|card|iban|phone|password|username|secret|\x00*+)>")
_PARAMETER = re.compile(r"[;&][\w ]{1,30}=")
_CLAUSE_END = re.compile(r"[\"'”)]*+(?:$|\n|[.,;!?]| (?:and|und|but|aber)\b| [A-ZÄÖÜ/–-])")

_PASSWORD_CUE = re.compile(
    r"(?:passwor[dt]|kennwort|(?<![a-z0-9<])(?:pass(?:wd|phrase|code| ?word)?|pwd?|zugangscode"
    r"|geheimzahl|(?P<pin>pin(?:[ -]?(?:code|nummer))?)))(?![\w>-])(?!['’]s)"
)
_USER_CUE = re.compile(
    r"(?<![a-z<])(?:(?P<name>(?:user|account|log[io]n|sign-?in|(?:be)?nutzer|anmelde|konto|network"
    r"|windows)[ _-]?(?:name[ns]?|id|kennung|kürzel)|samaccountname"
    r"|(?:(?<=my )|(?<=mein )|(?<=meine ))(?:log[io]n|user|kennung)(?![ _-]?(?:name|id)))"
    r"|(?:log(?:ged|ging)?[ -]?[io]n|sign(?:ed|ing)? in|angemeldet|einloggen|anmelden)"
    r" (?:as|als|with|mit)|user(?: account)?|(?:be)?nutzer(?:konto|account)?|log[io]n|account|konto"
    r"|kennung|upn)(?![\w>-])(?!['’]s)"
)
# "Zugangsdaten: jdoe / Sommer2024!" gives both at once, "Sommer2024! is my password" the other way.
_PAIR = re.compile(
    r"(?<![a-z<])(?:credentials?|(?:zugangs|anmelde|login)[ -]?daten|log[io]n(?: data)?"
    r"|user(?:name)?|benutzer(?:name)?|account|konto)(?:/\w{2,12})? ?[:=]\s?"
    r"(?P<user>[\w.@\\$+-]{2,64}+)(?: ?[/|] ?| (?:and|und) )(?P<password>[^\s<>]{4,64}+)"
)
_NAMED_BEFORE = re.compile(
    r"(?<![^\s(\"'„“])(?P<value>[^\s(\"'„“<>]{4,64}+)[\"'“”]? (?:is|was|ist|war)"
    r" (?:my|the|our|mein|das|unser) (?:\w{1,15}[ -])?$"
)
_USERNAME = re.compile(r"[\w.@\\$+-]{2,64}")

# Words that go on about a password or an account instead of naming it.
_NO_VALUE = set(
    re.findall(
        r"\S+",
        """
    a about above access account accounts active admin administrator again all already also always
    am an and another any appears are as at auth authentication back bad be because been before
    below blank both box broken but by can cannot cant can't case cause change changes check closed
    code colleague column complex confidential contains correct could couldn't creation credentials
    data database dead denied dialog did didn't different do does doesn't don't down due each easy
    either email e-mail empty entry error errors etc even every everywhere exists expire expires
    expiry fails faulty field fields file fine for forgot forgotten form format found from generator
    get gets given gone good got group had has hasn't have help here hidden hint history how i id
    identical if in inactive incorrect info information input inside instead interface into invalid
    is isn't it its just keeps key known last later length like link list lock lockout login logins
    logon long longer lost mail manager mandatory manually matches me menu message mine mismatch
    missing must my name names necessary need needs never new no non none not nothing now number of
    off ok okay old on once one only onto open optional or our out outlook over overdue page per
    permission permissions please policies policy popup portal private problem problems profile
    profiles prompt public question random reminder request requests required requirement
    requirements reset resets right rights role roles rules safe same sap screen see seems self
    self-service sensitive session set settings shall she short should shows shown side simple since
    slow so some soon status still strong stuck sync system takes team temporary than that the their
    them then there these they this through to today together too tool twice two unable unclear
    unique unknown unlock until up update us use user username usernames users valid vault very via
    visible vpn wait was we weak were what when where which while who why will window windows with
    within without won't wont work works wrong yes yesterday yet you your
    ab aber aendern aktuell alle als alt alte altes am anmeldung auch auf aus bei beim benutzer
    benutzername bereits bitte bleibt da dann das dass daten defekt dem den der des die dieser doch
    dort durch ein eine einem einen einer einmal er erneut es falsch fehler fehlerhaft fehlt feld
    frei fuer für ganz gar geht gelten gern gestern gleich hab habe haben hat hatte heißt heute hier
    ich ihr ihm im immer ist ja jetzt kann kaputt kein keine keinen klappt kommt konnte können
    korrekt kurz langsam lautet läuft leer leider lässt liegt mal man mehr mein meine meldung mir
    mit morgen muss nach neu neue neuer neues nicht nichts nie noch notwendig nötig nur oder ohne
    passen passt plötzlich raus richtig schon schwach sehr sein seine seit seite sich sicher sie
    sind sofort soll sonst später stimmen stimmt tot und uns unklar unter usw vom von vor wann war
    warum weg weil wenn wer werden weshalb wie wieder wir wird wo wohl wurde wurden wäre zu zum zur
    zurück zwar zwei zweimal ändern änderung
    """,
    )
)
_STATE = re.compile(
    r"\w{2,}(?:ed|ing|able|ible|ly|less|tion|ment|iert)"
    r"|(?:ab|an|auf|aus|be|ein|ent|er|ge|über|um|un|ver|zer|zurück)\w{3,}(?:t|en|bar|ig|lich)"
    r"|\w{3,}(?:bar|lich|ung|ungen)"
)
# Product names, references, codes, dates and amounts mix letters and digits too.
_NO_MIX = re.compile(
    r"(?:office|ms|microsoft|windows|win|exchange|iphone|ipad|ios|android|server|sql|sap|erp|sid|kb"
    r"|s/?4hana|outlook|teams|chrome|firefox|java|version|step|room|page|no|nr|error|code|inc|req"
    r"|ritm|chg|sr|task|ticket|host|pc|srv|lt|client|laptop|notebook|usb)[-_ #]?[\d.]+\w?"
    r"|[a-z]-?\d{1,3}|\d+(?:st|nd|rd|th|x|h|min|mb|gb|kb|ms|s|%|€|[$]|k|fa|er)|0x[0-9a-f]+"
    r"|\d+[./:-]\d+(?:[./:-]\d+)*\w{0,3}|[$€£]\d.*|\w{2,5}-\d+|https?:.*|www\..*"
    r"|.*\.(?:pdf|docx?|xlsx?|pptx?|txt|exe|log|csv|png|jpe?g|zip|msi|html?|aspx?|php|ini|xml|json"
    r"|dll|com|de|net|org)|(?:e\.g|i\.e|z\.b|d\.h|u\.a)\b.*|.+@[\w.-]+\.[a-z]{2,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Value:
    """What may be the value of a cue, and how it is tied to it."""

    text: str
    link: Link
    quoted: bool
    ends_clause: bool

    def is_mixed(self) -> bool:
        """Tell whether letters are mixed with digits or signs as in no word of a language."""
        return (
            len(self.text) >= 4
            and any(map(str.isalpha, self.text))
            and bool(re.search(r"\d|[!@#$%^&*+=?~§_]", self.text.rstrip("!?")))
            and not _NO_MIX.fullmatch(self.text)
        )

    def is_word(self) -> bool:
        """Tell whether it may be a name or password that is a plain word."""
        word = self.text.lower().rstrip("!?")
        return any(map(str.isalnum, word)) and word not in _NO_VALUE and not _STATE.fullmatch(word)


def _is_password(value: _Value, cue: re.Match[str]) -> bool:
    if value.text.isdecimal():
        least = {"sure": 3, "is": 4, "to": 4, "bare": 6}[value.link]
        return len(value.text) >= (4 if cue["pin"] else least)
    if value.quoted or cue["pin"]:
        return value.quoted and value.is_word()
    if value.is_mixed():
        return value.link in ("sure", "is") or any(map(str.islower, value.text))
    if value.link == "sure":
        return value.is_word() and not value.text.startswith("http")
    return value.link == "is" and value.ends_clause and value.is_word()


def _is_username(value: _Value, cue: re.Match[str]) -> bool:
    text = value.text
    if not _USERNAME.fullmatch(text):
        return False
    named = cue["name"] is not None
    if text.isdecimal():
        return named and len(text) >= 4 and value.link != "to"
    if value.link != "sure" and _NO_MIX.fullmatch(text):
        return False
    if re.search(r"\d|\w[._\\]\w", text) and any(map(str.isalpha, text)):
        return named or value.link in ("sure", "is") or any(map(str.islower, text))
    return value.link in (("sure", "is", "bare") if named else ("sure",)) and value.is_word()


def _behind_cue(
    kind: Kind,
    cues: re.Pattern[str],
    accepts: Callable[[_Value, re.Match[str]], bool],
    text: str,
    lowered: str,
    hints: tuple[str, ...],
) -> Iterator[Finding]:
    done = 0
    for cue in _at_hints(cues, lowered, hints):
        if cue.start() < done:
            continue
        for value, start, end in _values(text, cue):
            if accepts(value, cue):
                yield Finding(kind, start, end)
                done = end
                break


def _values(text: str, cue: re.Match[str]) -> Iterator[tuple[_Value, int, int]]:
    """Read what stands behind a cue, the surest reading first."""
    for link, pattern in _LINKS:
        if not (tie := pattern.match(cue.string, cue.end())):
            continue
        if _PLACEHOLDER.match(text, tie.end()):
            return
        if quoted := _QUOTED.match(text, tie.end()):
            start, end = quoted.span(1)
        elif word := _WORD.match(text, tie.end()):
            start, end = _trimmed(text, *word.span(1))
        else:
            continue
        if end - start >= 2 and text[end : end + 1] != ":":
            ends_clause = _CLAUSE_END.match(text, end) is not None
            yield _Value(text[start:end], link, quoted is not None, ends_clause), start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut what belongs to the sentence, the URL or the connection string off a value."""
    value = text[start:end]
    for stop in (_PLACEHOLDER, _PARAMETER):
        if found := stop.search(value):
            value = value[: found.start()]
    return start, start + len(value.rstrip(".,;:)]}>\"'“”’»«`"))


def _pairs(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    done = 0
    for pair in _at_hints(_PAIR, lowered, hints):
        start, end = _trimmed(text, *pair.span("password"))
        if pair.start() >= done and _Value(text[start:end], "bare", False, True).is_mixed():
            yield Finding("username", *pair.span("user"))
            yield Finding("password", start, end)
            done = end


def _passwords_before_cue(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    done = 0
    for cue in _at_hints(_PASSWORD_CUE, lowered, hints):
        offset = max(done, cue.start() - 120)
        if found := _NAMED_BEFORE.search(lowered[offset : cue.start()]):
            start, end = (offset + place for place in found.span("value"))
            if _Value(text[start:end], "is", False, True).is_mixed():
                yield Finding("password", start, end)
                done = end


_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([a-z]{2})(\d\d)",
        "ad24ae23al28at20az28ba20be16bg22bh22bi27br29by28ch21cr22cy28cz24de22dj27dk18do28ee20eg29"
        "es24fi18fk18fo18fr27gb22ge22gi23gl18gr27gt28hr21hu28ie22il23iq23is26it27jo30kw30kz20lb28"
        "lc32li21lt20lu20lv21ly25mc27md24me22mk19mn20mr27mt31mu30ni28nl18no15om23pk24pl28ps29pt25"
        "qa29ro24rs22ru33sa24sc31sd18se24si19sk24sm27so23st25sv28tl23tn24tr26ua29va22vg24xk20ye30",
    )
}
# Starts at the first digit, where a search is fast, and looks back at the country.
_IBAN = re.compile(
    r"[0-9](?:(?<=(?<![a-z0-9])[a-z]{2}[0-9])|(?<=(?<![a-z0-9])[a-z]{2} [0-9]))[0-9]"
    r"(?=[ -]?[a-z0-9])"
)


def _ibans(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    done = 0
    for found in _IBAN.finditer(lowered):
        start = end = found.start() - (3 if text[found.start() - 1] == " " else 2)
        length = _IBAN_LENGTHS.get(lowered[start : start + 2], 0)
        number = ""
        while len(number) < length and end < len(text) and re.match("[a-z0-9 -]", lowered[end]):
            number += lowered[end].strip(" -")
            end += 1
        if start >= done and len(number) == length > 0 and not lowered[end : end + 1].isalnum():
            digits = "".join(str(int(character, 36)) for character in number[4:] + number[:4])
            if int(digits) % 97 == 1:
                yield Finding("iban", start, end)
                done = end


_IPV4 = re.compile(r"[0-9](?<![\w.][0-9])[0-9]{0,2}+(?:\.[0-9]{1,3}+){3}(?!\w|\.[0-9])")
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:version(?:en|s)?|ver|v|release|build|firmware|driver|treiber|update|upgrade|patch"
    r"|chrome|firefox|edge|java|jre|jdk|teams|reader|acrobat|office|gui|zoom|ios|android|agent"
    r"|plugin|add-?in|manager|software|chapter|section|kapitel|abschnitt|punkt|oid)|§)"
    r"(?:[ .:=(]|is|ist|to|auf|from|von|nr|no)*+$"
)
_COLONS = re.compile(
    r"(?:(?<![\w:.])|(?<=[a-z]:))(?:[0-9a-f]{2}(?P<mark>[:-])[0-9a-f]{2}(?:(?P=mark)[0-9a-f]{2}){4}"
    r"|(?=[0-9a-f]{0,4}:)[0-9a-f:]{2,39}+(?:(?:\.\d{1,3}){3})?+)(?![\w-])"
)


def _ipv4s(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    for found in _IPV4.finditer(text):
        parts = found[0].split(".")
        before = lowered[max(0, found.start() - 30) : found.start()]
        if all(part == str(int(part)) and int(part) <= 255 for part in parts) and (
            not _VERSION_BEFORE.search(before)
        ):
            yield Finding("ip", *found.span())


def _colon_addresses(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    if "::" not in lowered and lowered.count(":") < 5 and lowered.count("-") < 5:
        return
    for run in _COLONS.finditer(lowered):
        if run["mark"]:
            yield Finding("mac", *run.span())
        elif length := _ipv6_length(run[0]):
            yield Finding("ip", run.start(), run.start() + length)


def _ipv6_length(run: str) -> int:
    """Give the length of the address that a run of hexadecimal digits and colons is, or 0."""
    if run.endswith(":") and not run.endswith("::"):
        run = run[:-1]
    # "a::b" and "12::30" are code and typing errors
    if "::" in run and run != "::1" and not re.search("[0-9a-f]{3}", run):
        return 0
    try:
        IPv6Address(run)
    except ValueError:
        return 0
    return len(run)


# Numbers that only blanks and marks stand between: cards and phones, or dates and references.
_RUN = re.compile(
    r"[+(0-9](?<![\w#$€£][+(0-9])(?<![0-9][.,:/][+(0-9])(?<!\w-[+(0-9])(?<![a-z]/[+(0-9])"
    r"(?<![a-z]{2}[0-9]{2} [0-9])(?:(?<=[0-9])|[+(]?[0-9])"
    r"(?:[0-9]|[ ()/.‐–-]{1,4}(?=[0-9]))*+(?![\w€$%]|[,:-]\w)"
)
_GROUP = re.compile(r"[+(]*[0-9]++")
_DATE = re.compile(r"\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2,4}(?!\d)|\d{4}[./-]\d{1,2}[./-]\d{1,2}(?!\d)")
_CARD = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|35\d{14}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}|5[06-8]\d{14,17}"
)
_CARD_GROUPS = ([4, 4, 4, 4], [4, 4, 4, 4, 3], [4, 6, 5], [4, 6, 4])
_CARD_BEFORE = re.compile(r"(?:card|karte|visa|master|amex|american express|maestro)[^\d\n]{0,20}$")
_PHONE = re.compile(
    r"(?P<plus>\(?\+\(?[1-9][\d ./()‐–-]*+)|(?P<zeros>\(?00[1-9][\d ./()‐–-]*+)"
    r"|\(?0[1-9]\d{1,4}\)?[ ./()‐–-]{1,4}\d{2,}+[\d ./()‐–-]*+|0[1-9](?:[ .]\d\d){4}|06[ -]\d{8}"
    r"|(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]\d{4}"
)
_PHONE_BEFORE = re.compile(
    r"(?:\b(?:phone|tele?(?:fon|phone)?|mobile?|handy|cell|fax|festnetz|hotline|whatsapp|callback"
    r"|rückruf|ruf|anruf|erreich|reach)\w*|\b(?:tel|mob|fax|ph)\.|\bcall(?: me| us| back)"
    r"|\b(?:my|his|her|our|meine|unter der|unter) (?:new |neue )?n(?:umber|ummer))"
    r"(?:[ -]?n[ro]\.)?[^\d\n.!?;]{0,24}$"
)
_REFERENCE_BEFORE = re.compile(
    r"(?:ticket|order|incident|case|request|change|bestell|auftrag|rechnung|invoice|asset|serial"
    r"|serien|inventar|material|artikel|vorgang|kunde|customer|version|error|fehler|code|kb|build"
    r"|imei|model|referen|tracking|sendung|kostenstelle|cost|job|plz|zip|sku|part|liefer|delivery"
    r"|personal|employee|event|timestamp|meldung)\w*[ -]?(?:number|nummer|nr|no|id)?[.:# ]*+$"
    r"|\b[a-z]{2}\d\d(?: [a-z0-9]{4})*+ $"  # an IBAN with a wrong digit
)


def _numbers(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    for run in _RUN.finditer(lowered):
        if run.end() - run.start() >= 6:
            yield from _in_run(text, lowered[max(0, run.start() - 60) : run.start()], *run.span())


def _in_run(text: str, before: str, start: int, end: int) -> Iterator[Finding]:
    groups = [group.span() for group in _GROUP.finditer(text, start, end)]
    skipped = 0
    while groups:
        if date := _DATE.match(text, groups[0][0], end):
            done, skipped, before = date.end(), 0, ""
        else:
            found = _card_at(text, groups, before)
            if not found and skipped <= 3:  # a room number may precede, more is one long reference
                found = _phone_at(text, groups, before)
            if found:
                yield found
            done = found.end if found else groups[0][1]
            skipped = 0 if found else skipped + groups[0][1] - groups[0][0]
        groups = [group for group in groups if group[0] >= done]


def _card_at(text: str, groups: list[tuple[int, int]], before: str) -> Finding | None:
    start = groups[0][0] + (text[groups[0][0]] == "(")
    digits = ""
    sizes: list[int] = []
    found = None
    for first, end in groups:
        digits += text[max(first, start) : end]
        sizes.append(end - max(first, start))
        if len(digits) > 19 or not digits.isdecimal():
            break
        known = sizes in _CARD_GROUPS or _CARD.fullmatch(digits) or _CARD_BEFORE.search(before)
        if len(digits) >= 12 and known and _passes_luhn(digits):
            found = Finding("card", start, end)
    return found


def _passes_luhn(digits: str) -> bool:
    rest = [int(digit) for digit in reversed(digits)]
    return (sum(rest[::2]) + sum(2 * d - 9 * (d > 4) for d in rest[1::2])) % 10 == 0


def _phone_at(text: str, groups: list[tuple[int, int]], before: str) -> Finding | None:
    start = groups[0][0]
    ends: list[tuple[int, int]] = []
    count = 0
    for first, end in groups:
        count += sum(map(str.isdecimal, text[first:end]))
        if count > 15 or (ends and text[first - 1] == " " and _DATE.match(text, first)):
            break
        ends.append((end, count))
    for end, count in reversed(ends):
        if _is_phone(text[start:end], count, before):
            return Finding("phone", start, end)
    return None


def _is_phone(candidate: str, digits: int, before: str) -> bool:
    shape = _PHONE.fullmatch(candidate)
    if shape and shape["plus"]:
        return digits >= 8 and not re.fullmatch(r"\+\d{1,3}(?:\.\d{3})+", candidate)
    if _REFERENCE_BEFORE.search(before):
        return False
    if _PHONE_BEFORE.search(before):
        return digits >= 6 and candidate.count(".") < 4
    if shape and shape["zeros"]:
        return digits >= (12 if candidate.isdecimal() else 10)
    return shape is not None and 8 <= digits <= 13


Finder = Callable[[str, str, tuple[str, ...]], Iterator[Finding]]

# What is surest comes first, because the next one no longer sees it. A finder runs when the text
# has so many digits and one of the hints in it.
_FINDERS: tuple[tuple[int, tuple[str, ...], Finder], ...] = (
    (
        1,
        ("_", "eyj", "akia", "asia", "aiza", "glpat-", "xox", "sk-", "ya29.", "private key"),
        partial(_matches, "secret", _TOKEN),
    ),
    (0, ("://",), partial(_matches, "secret", _URL_LOGIN)),
    (
        1,
        (
            "key",
            "token",
            "secret",
            "schlüssel",
            "signature",
            "session",
            "sig=",
            "bearer ",
            "basic ",
        ),
        partial(_cued, "secret", _CUED_SECRET),
    ),
    (9, ("",), _ibans),
    (
        0,
        ("user", "log", "benutzer", "account", "konto", "credential", "zugangs", "anmelde"),
        _pairs,
    ),
    (
        0,
        ("pass", "pw", "kennwort", "pin", "zugangscode", "geheimzahl"),
        partial(_behind_cue, "password", _PASSWORD_CUE, _is_password),
    ),
    (0, ("passwor", "kennwort", "pw"), _passwords_before_cue),
    (0, ("@", "at)", "at]"), partial(_matches, "email", _EMAIL)),
    (1, (":", "-"), _colon_addresses),
    (4, (".",), _ipv4s),
    (1, (".",), _dotted_macs),
    (6, ("",), _numbers),
    (3, ("ext", "durchwahl", "nebenstelle"), partial(_cued, "phone", _EXTENSION)),
    (
        0,
        (
            *("user", "log", "benutzer", "nutzer", "account", "konto", "kennung", "anmelde", "upn"),
            *("sign", "samaccount", "network", "windows", "angemeldet", "einloggen"),
        ),
        partial(_behind_cue, "username", _USER_CUE, _is_username),
    ),
)
