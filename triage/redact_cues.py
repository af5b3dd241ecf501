"""Passwords and user names behind a cue: "password: X", "Passwort lautet X", "user id X".

A cue like "password:" or "lautet" announces a value; after "is", "to" and a mere blank a sentence
may go on, so there the value must look like one.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from triage.redact_finding import Finding, Kind, at_hints

Link = Literal["sure", "is", "to", "bare"]

_GAP = (
    r"(?: \([^()\n]{1,40}\)| (?:used|entered|verwendet|eingegeben)| (?:for|of|on|to|in|at|with|für"
    r"|fuer|von|vom|zum|zur|des|der|im|am|bei|i|we|he|she|ich|wir|that|which|you|das)"
    r"(?: (?!(?:is|was|are|ist|war|lautet)\b)[\w.@/&'’\\-]{1,30}+){1,5}?)??"
)
_LINKS: tuple[tuple[Link, re.Pattern[str]], ...] = (
    (
        "sure",
        re.compile(
            rf"{_GAP}(?:[\"'”’]?[ \t]?(?::=|=>|->|→|[:=])| (?:lautete?|heißt):?"
            r"| (?:is|was|ist|war):)\s{0,3}"
        ),
    ),
    (
        "is",
        re.compile(
            rf"{_GAP},?(?: (?:it|es|which))?"
            r" (?:is|was|ist|war|wäre|(?:should|would|must|used to) be)"
            r"(?: (?:now|currently|still|just|simply|jetzt|aktuell|derzeit|noch|einfach))? "
        ),
    ),
    (
        "to",
        re.compile(
            r"(?: (?:was|is|has|been|wurde|ist|got|again|wieder|changed|reset|set|updated|geändert"
            r"|zurückgesetzt|back|for me|now|today|heute)){0,4} (?:to|as|auf|in|into) "
        ),
    ),
    ("bare", re.compile(r" (?:[-–] )?")),
)
_ACCOUNT_WORDS = (" user", " users", " id", " userid", " account", " benutzer", " konto")
_QUOTED = re.compile(r"[\"'“”„»«‘`]([^\"'“”„»«`\n<>]{2,64})[\"'“”»«’`]")
_WORD = re.compile(r"[(\[{]{0,3}+([^\s(\[{]\S{0,127}+)")
_PLACEHOLDER = re.compile(r"<(?:(?:email|ip|mac|card|iban|phone|password|username|secret)?>|\x00)")
_PARAMETER = re.compile(r"[;&][\w ]{1,30}=")
_CLAUSE_END = re.compile(r"[\"'”)]{0,3}+(?:$|\n|[.,;!?]| (?:and|und|but|aber)\b| [A-ZÄÖÜ/–-])")

_PASSWORD_CUE = re.compile(
    r"(?:passwor[dt]|kennwort|(?<![a-z0-9<])(?:pass(?:wd|phrase|code| ?word)?|pwd?|zugangscode"
    r"|geheimzahl|(?P<pin>pin(?:[ -]?(?:code|nummer))?)))(?![\w>]|-(?!>)|['’]s)"
)
_USER_CUE = re.compile(
    r"(?<![a-z<])(?:(?P<name>(?:user|account|log[io]n|(?:be)?nutzer|anmelde|konto)"
    r"[ _-]?(?:name[ns]?|id|kennung|kürzel)"
    r"|(?P<mine>(?<=my )|(?<=mein )|(?<=meine ))(?:log[io]n|user|kennung)(?![ _-]?(?:name|id)))"
    r"|(?:log(?:ged|ging)?[ -]?[io]n|angemeldet|anmelden)"
    r" (?:as|als|with|mit)|(?:user|(?:be)?nutzer)(?:konto|[ -]?account)?|log[io]n|account|konto"
    r"|kennung)(?![\w>]|-(?!>)|['’]s)"
)
_PAIR = re.compile(
    r"(?<![a-z<])(?:(?P<both>credentials?|(?:zugangs|anmelde|login)[ -]?daten)|log[io]n(?: data)?"
    r"|user(?:name)?|benutzer(?:name)?|account|konto)(?:/\w{2,12})? ?[:=]\s?"
    r"(?P<user>[\w.@\\$+-]{2,64}+)(?: ?[/|] ?| (?:and|und) |(?(both), |/))"
    r"(?P<password>[^\s<>]{4,64}+)"
)
_USERNAME = re.compile(r"[\w.@\\$+-]{2,64}")

# Words that go on about a password or an account instead of naming it.
_PLAIN_WORDS = """
a about above access account accounts active admin administrator again all already also always am
an and another any appears are as at auth authentication back bad be because been before below
blank both box broken but by can can't cannot cant case cause change changes check closed code
colleague column complex confidential contains correct could couldn't creation credentials data
database dead denied dialog did didn't different do does doesn't don't down due e-mail each easy
either email empty entry error errors etc even every everywhere exists expire expires expiry fails
faulty field fields file fine for forgot forgotten form format found from generator get gets given
gone good got group had has hasn't have help here hidden hint history how i id identical if in
inactive incorrect info information input inside instead interface into invalid is isn't it its
just keeps key known last later length like link list lock lockout login logins logon long longer
lost mail manager mandatory manually matches me menu message mine mismatch missing must my name
names necessary need needs never new no non none not nothing now number of off ok okay old on once
one only onto open optional or our out outlook over overdue page password passwort per permission
permissions please policies policy popup portal private problem problems profile profiles prompt
public question random reminder request requests required requirement requirements reset resets
right rights role roles rules safe same sap screen see seems self self-service sensitive session
set settings shall she short should shown shows side simple since slow so some soon status still
strong stuck sync system takes team temporary than that the their them then there these they this
through to today together too tool twice two unable unclear unique unknown unlock until up update
us use user username usernames users valid vault very via visible vpn wait was we weak were what
when where which while who why will window windows with within without won't wont work works wrong
yes yesterday yet you your
ab aber aendern aktuell alle als alt alte altes am anmeldung auch auf aus bei beim benutzer
benutzername bereits bitte bleibt da dann das dass daten defekt dem den der des die dieser doch
dort durch ein eine einem einen einer einmal er erneut es falsch fehler fehlerhaft fehlt feld frei
fuer für ganz gar geht gelten gern gestern gleich hab habe haben hat hatte heißt heute hier ich
ihm ihr im immer ist ja jetzt kann kaputt kein keine keinen klappt kommt konnte korrekt kurz
können langsam lautet leer leider liegt lässt läuft mal man mehr mein meine meldung mir mit morgen
muss nach neu neue neuer neues nicht nichts nie noch notwendig nur nötig oder ohne passen passt
plötzlich raus richtig schon schwach sehr sein seine seit seite sich sicher sie sind sofort soll
sonst später stimmen stimmt tot und unklar uns unter usw vom von vor wann war warum weg weil wenn
wer werden weshalb wie wieder wir wird wo wohl wurde wurden wäre zu zum zur zurück zwar zwei
zweimal ändern änderung
"""
_NO_VALUE = frozenset(_PLAIN_WORDS.split())
_STATE = re.compile(
    r"\w{2,24}(?:ed|ing|able|ible|ly|less|ful|tion|ment|iert)"
    r"|(?:ab|an|auf|aus|be|ein|ent|er|ge|über|um|un|ver|zer|zurück)\w{3,24}(?:t|en|bar|ig|lich)"
    r"|\w{3,24}(?:bar|lich|ung|ungen)"
)
# Product names, references, codes, dates and amounts mix letters and digits too.
_NO_MIX = re.compile(
    r"(?:office|ms|microsoft|windows|win|exchange|iphone|ipad|ios|android|server|sql|sap|erp|sid|kb"
    r"|s/?4hana|outlook|teams|chrome|firefox|java|version|step|room|page|no|nr|error|code|inc|req"
    r"|ritm|chg|sr|task|ticket|host|pc|srv|lt|client|laptop|notebook|usb)[-_ #]?[\d.]{1,20}\w?"
    r"|[a-z]-?\d{1,3}|\d{1,20}(?:st|nd|rd|th|x|h|min|mb|gb|kb|ms|s|%|€|[$]|k|fa|er|mal)|0x[0-9a-f]+"
    r"|\d{1,9}(?:[./:-]\d{1,9}){1,9}\w{0,3}|[$€£]\d.*|\w{2,5}-\d+|https?:.*|www\..*"
    r"|.{1,40}\.(?:pdf|docx?|xlsx?|pptx?|txt|exe|log|csv|png|jpe?g|zip|msi|html?|aspx?|php|ini|xml"
    r"|json|dll|com|de|net|org)|(?:e\.g|i\.e|z\.b|d\.h|u\.a)\b.*|.{1,40}@[\w.-]{1,40}\.[a-z]{2,}",
    re.IGNORECASE,
)


class _Value(NamedTuple):
    """What may be the value of a cue, how it is tied to it, and what stands behind."""

    text: str
    link: Link
    quoted: bool
    rest: str

    def is_mixed(self) -> bool:
        """Tell whether letters are mixed with digits or signs as in no word of a language."""
        signs = r"\d|[!@#$%^&*+=?~§_]" if self.link in ("sure", "is") else r"\d|[!@#$%^&*+=?~§]"
        return (
            len(self.text) >= 4
            and any(map(str.isalpha, self.text))
            and bool(re.search(signs, self.text.rstrip("!?")))
            and not _NO_MIX.fullmatch(self.text)
        )

    def is_word(self) -> bool:
        """Tell whether it may be a name or password that is a plain word."""
        word = self.text.lower().rstrip("!?")
        return any(map(str.isalnum, word)) and word not in _NO_VALUE and not _STATE.fullmatch(word)


def _is_password(value: _Value, cue: re.Match[str]) -> bool:
    if value.text.isdecimal():
        # Shorter numbers are counts: "password: 2 attempts left", "password 365 expired".
        least = {"sure": 3, "is": 4, "to": 4, "bare": 6}[value.link]
        return len(value.text) >= (4 if cue["pin"] else least)
    if value.quoted or cue["pin"]:
        return value.quoted and value.is_word()
    if value.is_mixed():
        return value.link in ("sure", "is") or any(map(str.islower, value.text))
    if value.link == "sure":
        return value.is_word() and not value.text.startswith("http")
    return value.link == "is" and _CLAUSE_END.match(value.rest) is not None and value.is_word()


def _is_username(value: _Value, cue: re.Match[str]) -> bool:
    text = value.text
    if not _USERNAME.fullmatch(text):
        return False
    named = cue["name"] is not None
    if value.link == "to" or (value.link == "bare" and len(text) < 3):
        return False
    if text.isdecimal():
        return named and len(text) >= 4
    if value.link != "sure" and _NO_MIX.fullmatch(text):
        return False
    if re.search(r"\d|\w[._\\]\w", text) and any(map(str.isalpha, text)):
        return named or value.link in ("sure", "is") or any(map(str.islower, text))
    if value.link == "bare" and cue["mine"]:
        return False
    return (named or value.link == "sure") and value.is_word()


def passwords(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find passwords, passphrases and PINs behind their cue."""
    return _behind_cue("password", at_hints(_PASSWORD_CUE, lowered, hints), _is_password, text)


def usernames(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find user names and logins behind their cue."""
    return _behind_cue("username", at_hints(_USER_CUE, lowered, hints), _is_username, text)


def _behind_cue(
    kind: Kind,
    cues: Iterator[re.Match[str]],
    accepts: Callable[[_Value, re.Match[str]], bool],
    text: str,
) -> Iterator[Finding]:
    """Read what stands behind each cue, the surest reading first."""
    done = 0
    for cue in cues:
        if cue.start() < done:
            continue
        for link, pattern in _LINKS:
            if not (tie := pattern.match(cue.string, cue.end())):
                continue
            if _PLACEHOLDER.match(text, tie.end()):
                break
            start, end, quoted = _value_at(text, tie.end())
            value = _Value(text[start:end], link, quoted, text[end : end + 8])
            if end - start < 2 or value.rest.startswith(":") or not accepts(value, cue):
                continue
            if "\n" in tie[0] and not value.is_mixed():
                continue  # the next line of a form is rarely the value of an empty field
            if link == "sure" and tie[0].rstrip(" :=").endswith(_ACCOUNT_WORDS):
                continue  # "reset the password for user: X" names the user, not the password
            yield Finding(kind, start, end)
            done = end
            break


def _value_at(text: str, start: int) -> tuple[int, int, bool]:
    if quoted := _QUOTED.match(text, start):
        return *quoted.span(1), True
    if word := _WORD.match(text, start):
        return *_trimmed(text, *word.span(1)), False
    return start, start, False


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut what belongs to the sentence, the URL or the connection string off a value."""
    value = text[start:end]
    if "<" in value and (placeholder := _PLACEHOLDER.search(value)):
        value = value[: placeholder.start()]
    if "=" in value and (parameter := _PARAMETER.search(value)):
        value = value[: parameter.start()]
    return start, start + len(value.rstrip(".,;:)]}>\"'“”’»«`"))


def login_pairs(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find a user name and a password given together: "Zugangsdaten: jdoe / Sommer2024!"."""
    done = 0
    for pair in at_hints(_PAIR, lowered, hints):
        start, end = _trimmed(text, *pair.span("password"))
        if pair.start() >= done and _Value(text[start:end], "bare", False, "").is_mixed():
            yield Finding("username", *pair.span("user"))
            yield Finding("password", start, end)
            done = end
