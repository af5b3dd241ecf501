"""One text normaliser for training and serving.

``normalise`` makes texts equal that differ only in how they reached the desk: encoding tricks,
HTML, white space, quoted mail, greeting and signature. Letter case stays; features lower it later.
Every expression takes linear time and the length is capped before the first one runs.
"""

import html
import re
import unicodedata

MAX_TEXT_CHARS = 20_000
"""Longer texts are cut here: a ticket says what it is about long before."""

MAX_MARKS = 2
"""Combining marks kept on one letter; no language we ship needs more, stacked "zalgo" text does."""

_MAX_SIGNATURE_LINES = 12  # name, title, address, phones, a disclaimer; more is a message
_MAX_NAME_BLOCK_LINES = 6  # below a mere "thanks", which people also write in the middle
_MAX_CLOSING_CHARS = 90
_MAX_REPLY_LINE_CHARS = 400  # longer than anything _REPLY_LINE matches


def normalise(text: str) -> str:
    """Clean a ticket's text for features, storage and people.

    Takes any str, lone surrogates too, and never raises; the result has at most MAX_TEXT_CHARS
    characters and ``normalise(normalise(text)) == normalise(text)``. Where greeting, signature and
    quoted mail are all there is, they are kept.
    """
    return _without_mail_dressing(_plain(text))


def normalise_subject(subject: str) -> str:
    """Clean a subject: one line, without reply prefixes, ticket tags and greeting."""
    text = _plain(subject).replace("\n", " ")
    start = -1
    end = 0
    while end > start:
        start = end
        end = _greeting_end(text, _prefix_end(text, start))
    return text[end:] or text


def strip_reply_prefix(subject: str) -> str:
    """Drop leading "Re:", "Fwd:", "AW:", "[#1234]" and the like; keep a subject of nothing else."""
    return subject[_prefix_end(subject, 0) :] or subject


def _prefix_end(subject: str, start: int) -> int:
    prefixes = _REPLY_PREFIXES.match(subject, start)
    return prefixes.end() if prefixes else start


# Control characters that are no white space, lone surrogates, format characters (category Cf),
# variation selectors, tags, and letters that show nothing (fillers, Braille blank).
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891"
    "\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Whatever lies outside plain Latin text may be invisible or a mark.
_UNUSUAL = re.compile("[^\n -~\xa1-\xac\xae-\u024f]")
# Marks are neither word characters nor white space; so are symbols, which the callback tells apart.
_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{MAX_MARKS + 1},}}")


def _plain(text: str) -> str:
    text = _clean_characters(text[:MAX_TEXT_CHARS])
    if "<" in text:
        if _TAG.search(text):
            text = _clean_characters(_ENTITY.sub(_decode, _TAG.sub(_tag_space, text)))
        text = _STRAY_TAG.sub("", text)
    return text


def _clean_characters(text: str) -> str:
    if _UNUSUAL.search(text):
        # Marks are capped before NFKC, which sorts them in quadratic time, and after it, because
        # some letters come apart into several.
        text = _MARKS.sub(_capped_marks, _INVISIBLE.sub("", text))
        text = unicodedata.normalize("NFKC", text)[:MAX_TEXT_CHARS]
        text = _MARKS.sub(_capped_marks, text)
    elif not text.isascii():
        text = unicodedata.normalize("NFKC", text)[:MAX_TEXT_CHARS]
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _capped_marks(run: re.Match[str]) -> str:
    kept = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


# A tag is a known name in a form that only HTML has, so that "<name>", "a < b", "<b@example.com>"
# and "<script name>" stay. Tags that do nothing without an attribute must have one.
_BLOCKS = (
    "html|head|body|title|p|div|br|hr|h[1-6]|[uod]l|li|dt|dd|table|thead|tbody|tfoot|tr"
    "|blockquote|pre|center|header|footer|section|article"
)
_INLINE = "[bius]|em|strong|span|small|big|su[bp]|strike|tt|style|script|o:p"
_WITH_ATTRIBUTE = "a|img|font|meta|link|base|input|iframe"
_NAME = (
    rf"(?:(?:(?P<block>{_BLOCKS})|(?P<cell>t[dh])|{_INLINE})(?=>|\s*/>|\s[a-z:-]++=)"
    rf"|(?:{_WITH_ATTRIBUTE})(?=\s[a-z:-]++=)|(?<=/)(?:{_WITH_ATTRIBUTE})(?=>)"
    r"|!doctype(?=\s)|!(?=\[)|\?xml(?=\s))"
)
_TAG = re.compile(
    r"<!--(?:(?!<!--|-->)[\s\S])*+-->"
    r"|<(?P<hidden>style|script)(?:\s[^<>]*+)?>(?:(?!</?(?P=hidden))[\s\S])*+</(?P=hidden)\s*>"
    rf"|</?{_NAME}[^<>]*+>",
    re.IGNORECASE,
)
# What still opens like a tag (cut off, or spelled with entities) loses its "<", so that cleaning
# the result again finds no tag in it.
_STRAY_TAG = re.compile(
    rf"(?<![</])/*+<[</]*+(?:(?={_NAME})|(?=!--)|(?=(?:{_BLOCKS}|t[dh]|{_INLINE}|{_WITH_ATTRIBUTE})\n))",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}+(?![0-9])|#x[0-9a-f]{1,6}+(?![0-9a-f])|[a-z][a-z0-9]{1,31});?", re.IGNORECASE
)


def _tag_space(tag: re.Match[str]) -> str:
    return "\n" if tag["block"] else " " if tag["cell"] else ""


def _decode(entity: re.Match[str]) -> str:
    return html.unescape(entity[0])


_ADDRESSEE = (
    "team|all(?:e|erseits)?|every(?:one|body)|there(?! (?:is|are|was|were|seems)\\b)|zusammen|leute"
    "|guys|folks|colleagues|sir(?:s|(?: or |/)madam)?|madam|ladies and gentlemen|damen und herren"
    "|kolleginnen(?: (?:und|&) kollegen)?|kollegen|liebe[sr]?|dear|support(?:[ -]?team)?"
    "|(?:service|help|support)[ -]?desk"
    "|it(?=[ -](?:team|support|service|help|desk|abteilung|department))"
    "|(?:it|edv|customer|technical|kunden)[ -]?(?:team|support|service|help|desk|abteilung)"
)
_HELLO = (
    "hi++|hey|hell?o|hallo|hallöchen|moin|servus|grüezi|gr(?:üß|uess|üss) gott|greetings"
    "|good (?:morning|day|afternoon|evening)|guten (?:tag|morgen|abend|mittag)|bonjour|bonsoir|hola"
    "|buen[oa]s (?:d[ií]as|tardes)|bom dia|boa tarde|buon ?giorno|goede?(?:morgen|middag|ndag)"
)
_GREETING = re.compile(
    # "hello team,", "hi John,", "good morning Mr. Smith": the names end with a mark or the line.
    rf"(?:(?:{_HELLO})(?![\w'’-])(?! (?:for business|world|pin|face)\b)"
    rf"(?: (?:{_ADDRESSEE})(?![\w'’-]))*+(?:, ?(?:{_ADDRESSEE})(?=[,!:.]|$))?"
    r"(?: (?:(?:mr|mrs|ms|dr|herr|frau)\b\.? ?)?[\w.'’/<>-]{1,30}(?=[,!]|$)"
    r"| (?-i:[A-ZÄÖÜ][\w'’-]{1,30} [A-ZÄÖÜ][\w'’-]{1,30})(?=[,!:]))?"
    # "dear customer support of Example," opens nothing but letters.
    r"|(?:dear|sehr geehrte[rsn]?|liebe[rsn]?|estimad[oa]s?|ch[eè]re?s?|car[oa]s?|prezad[oa]s?"
    r"|gentile|geachte)"
    rf" (?!gr[uü])(?:(?:{_ADDRESSEE})(?![\w'’-])(?: (?:{_ADDRESSEE})(?![\w'’-]))*+"
    r"|(?:[\w.'’/&-]{1,30}+ ?){1,7}+(?=[,!:]|$))"
    # words that also open sentences
    r"|(?:morning|to whom it may concern|ciao|ol[aá]|salut|mahlzeit|tach)(?=[,!:]))"
    r"[ ,.!:;–—-]*+",
    re.IGNORECASE,
)

_NAMES = r"(?:[\w.'’&/<>-]{1,30}+,? ?){0,5}+"
_REGARDS = (
    r"(?:(?:with )?(?:best|kind|kindest|warm|warmest|friendly) (?:regards|rgds|wishes)(?! to\b)"
    r"|mit (?:den )?(?:freundliche[nm]|besten|herzlichen|lieben|vielen) gr(?:ü|u|ue)(?:ß|ss)e?n?"
    r"|(?:freundliche|viele|beste|liebe|schöne|herzliche|sonnige)r? gr(?:ü|u|ue)(?:ß|ss)e?"
    r"|thank(?:s| you) (?:and|&) (?:(?:best|kind) )?regards"
    r"|(?:vielen )?dank(?:e)? (?:und|&|\+) (?:viele |beste |freundliche )?gr(?:ü|u|ue)(?:ß|ss)e?"
    r"|yours (?:sincerely|faithfully|truly)|met vriendelijke groet(?:en)?|cordiali saluti)"
)
_CLOSE = (
    rf"(?:{_REGARDS}|(?:regards|rgds)(?! to\b)|sincerely|mfg|gr(?:ü|u|ue)(?:ß|ss)e?"
    r"|hochachtungsvoll|cordialement|saludos|atentamente|atenciosamente|distinti saluti|mvg"
    r"|groeten)"
)
_THANKS = (
    r"(?:(?:many )?thanks|thank ?you|thx|cheers|danke(?:schön)?|(?:vielen|besten|herzlichen) dank"
    r"|merci|gracias|grazie|obrigad[oa]|bedankt)"
    r"(?: (?:a lot|a million|so much|very much|again|in advance|im voraus|sehr|schön|vielmals"
    r"|for (?:your|the|any|all) (?:\w{1,20} )?(?:help|support|assistance|time|attention)"
    r"|für (?:ihre|eure|deine|die) (?:hilfe|unterstützung|mühe|bemühungen)))*+"
)
_THANKS_NAMES = (
    r"(?:[,.!;:]+ ?(?!please\b|bitte\b)(?:[\w.'’<>-]{1,30}+,? ?){0,3}+"
    r"| (?-i:(?:[A-ZÄÖÜ][\w.'’-]{1,30}+ ?){1,3}+))?"
)
_CLOSING_LINE = re.compile(
    rf"(?P<sure>{_CLOSE}(?!\w)[ ,.!;:-]*+{_NAMES}"
    r"|(?<!-)--++|(?:sent|gesendet) (?:from|von|mit) (?:my|meinem|outlook|mail|yahoo).{0,60}"
    r"|von meinem .{1,40} gesendet|(?:get )?outlook (?:for|für) (?:ios|android).{0,20})[,.!]*$"
    rf"|(?:{_THANKS}(?!\w){_THANKS_NAMES}|(?:best|br|lg|vg|bg)(?:,[ ]?{_NAMES})?)[ ,.!;:-]*+$",
    re.IGNORECASE,
)
_CLOSING_AT_END = re.compile(
    rf" (?:(?<!: ){_REGARDS}(?!\w)[ ,.!;:-]*+{_NAMES}"
    rf"|(?<=[.!?,;)] )(?:{_CLOSE}(?!\w)[ ,.!;:-]*+{_NAMES}|{_THANKS}(?!\w){_THANKS_NAMES}))"
    r"[ ,.!;:-]*+$",
    re.IGNORECASE,
)

_HEADER_HINTS = ("wrote:", "schrieb", "from:", "von:", "message", "nachricht", "e-mail")
_REPLY = r"(?:on|am) (?=.{0,120}?(?:\b20\d\d\b|\d[:.]\d\d))"
_WROTE = r"\b(?:wrote|schrieb\b.{0,120}?):"
_REPLY_LINE = re.compile(rf"{_REPLY}.{{4,250}}?{_WROTE}$", re.IGNORECASE)
# Mail programs wrap long reply lines; without a quotation below, two lines may be anything.
_WRAPPED_REPLY_LINE = re.compile(
    rf"^{_REPLY}.{{4,200}}+\n.{{0,100}}?{_WROTE}(?=\n>)", re.IGNORECASE | re.MULTILINE
)
_SEPARATOR = re.compile(
    r"(?<![-_=* ])[-_=* ]*+(?:original(?: message|nachricht)|ursprüngliche nachricht"
    r"|(?:begin )?forwarded message"
    r"|(?:anfang der )?weitergeleiteten? (?:nachricht|e-mail))[-_=* :]*+$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?:(?P<sender>from|von)|(?P<subject>subject|betreff)|sent|to|cc|bcc|date|reply-to|importance"
    r"|attachments?|gesendet|an|kopie|datum|priorität|wichtigkeit|anlagen?|antwort an):",
    re.IGNORECASE,
)

_REPLY_PREFIXES = re.compile(
    r"(?:\s*(?:(?:re|fwd?|aw|wg|antw|sv|vs|rv|tr|res|enc|答复|回复|转发)\s?(?:[\[(]\d{1,3}[\])])?\s?[:：]"
    r"|\[(?:[^\[\]\d]{0,30}\d[\d.-]{0,20}|extern(?:al)?)\]))*+\s*",
    re.IGNORECASE,
)


def _without_mail_dressing(text: str) -> str:
    parts = _mail_parts(text) if "\n" in text or text.startswith(">") else [[text]]
    lines = [line for part in parts for line in _without_closing(_without_greeting(part))]
    return "\n".join(lines) or text


def _mail_parts(text: str) -> list[list[str]]:
    """Drop quoted lines and reply headers; give the messages that stood between the headers."""
    if "\n>" in text:
        text = _WRAPPED_REPLY_LINE.sub(">", text)
    lines = [line for line in text.split("\n") if not line.startswith(">") and not _is_rule(line)]
    lowered = text.lower()
    for hint in _HEADER_HINTS:
        if hint in lowered:
            break
    else:
        return [lines]
    parts: list[list[str]] = [[]]
    headers: list[str] = []
    for line in [*lines, ""]:
        if _is_header(line):
            headers.append(line)
            continue
        if headers:
            if _is_reply_header(headers):
                parts.append([])
            else:
                parts[-1] += headers
            headers = []
        if line:
            parts[-1].append(line)
    return parts


def _is_header(line: str) -> bool:
    return bool(_HEADER.match(line) or _SEPARATOR.match(line) or _REPLY_LINE.match(line))


def _is_rule(line: str) -> bool:
    return len(line) >= 5 and not line.strip("-_=*~")


def _is_dressing(line: str) -> bool:
    """Tell whether a line could be dropped as mail; cutting must not leave one behind."""
    return line.startswith(">") or _is_rule(line) or _is_header(line)


def _is_reply_header(lines: list[str]) -> bool:
    """Tell a mail's header from a form that happens to ask "From:" and "To:"."""
    fields = [_HEADER.match(line) for line in lines]
    if not all(fields):
        return True
    names = {field.lastgroup for field in fields if field}
    return len(lines) >= 3 and {"sender", "subject"} <= names


def _without_greeting(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        rest = line[_greeting_end(line, 0) :]
        if rest:
            return [rest, *lines[number + 1 :]]
    return []


def _greeting_end(line: str, start: int) -> int:
    """Find where the greetings that begin at ``start`` end."""
    while found := _GREETING.match(line, start):
        if _is_dressing(line[found.end() : found.end() + _MAX_REPLY_LINE_CHARS]):
            break
        start = found.end()
    return start


def _without_closing(lines: list[str]) -> list[str]:
    """Cut at the first closing that nothing but a signature follows, looking from the end."""
    end = len(lines)
    number = end - 1
    while number >= 0 and end - number <= _MAX_SIGNATURE_LINES + 1:
        line = lines[number]
        if len(line) <= _MAX_CLOSING_CHARS and (found := _CLOSING_LINE.match(line)):
            if found["sure"] or _is_name_block(lines[number + 1 : end]):
                end = number
        elif number == end - 1:
            start = max(0, len(line) - _MAX_CLOSING_CHARS)
            found = _CLOSING_AT_END.search(line, start)
            # A tag cut off in the middle could be whole with the next line.
            if found and not _is_dressing(rest := line[: found.start()]) and "<" not in rest[-20:]:
                lines[number] = rest
                continue
        number -= 1
    return lines[:end]


def _is_name_block(lines: list[str]) -> bool:
    return len(lines) <= _MAX_NAME_BLOCK_LINES and not any(
        len(line) > 60 or (line.endswith((".", "?", "!", ":")) and line.count(" ") >= 3)
        for line in lines
    )
