"""Numbers that are personal data: IBANs, network addresses, cards and phones.

Each check that a number offers is made (IBAN mod 97, Luhn, ranges), and what only looks alike
(versions, dates, references, amounts, dumps) is left alone.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address

from triage.redact_finding import Finding

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
_IBAN_CHARACTER = re.compile("[ -]?([a-z0-9])")


def ibans(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find account numbers whose country, length and check digits are right."""
    done = 0
    for found in _IBAN.finditer(lowered):
        start = end = found.start() - (3 if text[found.start() - 1] == " " else 2)
        length = _IBAN_LENGTHS.get(lowered[start : start + 2], 0)
        number = ""
        while len(number) < length and (character := _IBAN_CHARACTER.match(lowered, end)):
            number += character[1]
            end = character.end()
        if start >= done and len(number) == length > 0 and not lowered[end : end + 1].isalnum():
            digits = "".join(str(int(character, 36)) for character in number[4:] + number[:4])
            if int(digits) % 97 == 1 and sum(map(str.isdecimal, number)) > 9:
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
    r"[0-9a-f:](?:(?<![\w:.][0-9a-f:])|(?<=[a-z]:[0-9a-f:]))"
    r"(?:(?<!:)[0-9a-f](?P<mark>[:-])[0-9a-f]{2}(?:(?P=mark)[0-9a-f]{2}){4}"
    r"|(?:(?<=:)|(?=[0-9a-f]{0,3}:))[0-9a-f:]{1,38}+(?:(?:\.[0-9]{1,3}){3})?+)(?![\w-])"
)


def ipv4s(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find IPv4 addresses; four numbers behind "version" and the like are none."""
    for found in _IPV4.finditer(text):
        parts = found[0].split(".")
        before = lowered[max(0, found.start() - 30) : found.start()]
        if all(part == str(int(part)) and int(part) <= 255 for part in parts) and (
            not _VERSION_BEFORE.search(before)
        ):
            yield Finding("ip", *found.span())


def colon_addresses(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find IPv6 and MAC addresses."""
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
    r"(?<!>[./)‐–-][+(0-9])(?:(?<=[0-9])|[+(]?[0-9])(?:[0-9]|[ ()/.‐–-]{1,4}(?=[0-9]))*+"
)
_GROUP = re.compile(r"[+(]{0,3}+([0-9]++)")
_NO_END = re.compile(r"[\w€$%]|[,:-]\w")
# The words of a hexadecimal dump or of a long account number.
_DUMP_BEFORE = re.compile(
    r"\b(?:(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{4,8}|[a-z]{2}[0-9]{2}(?: [a-z0-9]{4}){0,9}+) $"
)
_DATE = re.compile(r"\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2,4}(?!\d)|\d{4}[./-]\d{1,2}[./-]\d{1,2}(?!\d)")
_CARD = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|35\d{14}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}|5[06-8]\d{14,17}"
)
_CARD_SHAPE = re.compile(r"(?P<usual>4,4,4,4,(?:3,)?|4,6,[45],)|(?:6,)?\d{1,2},|(?:4,){3,4}[1-4],")
_CARD_BEFORE = re.compile(r"(?:(?<!<)card|karte|visa|master|amex|maestro)[^\d\n<>]{0,20}$")
_PHONE = re.compile(
    r"(?P<plus>\(?\+\(?[1-9][\d ./()‐–-]*+)|(?P<zeros>\(?00[1-9][\d ./()‐–-]*+)"
    r"|(?!(?:[01]\d|2[0-4])[0-5]\d ?[-–] ?[012]\d[0-5]\d$)"  # no opening hours
    r"\(?0[1-9]\d{1,4}\)?[ ./()‐–-]{1,4}\d{2,}+[\d ./()‐–-]*+"
    r"|0[1-9](?:[ .]\d\d){4}|06[ -]\d{8}"
    r"|(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]\d{4}"
)
_EXTENSION = re.compile(
    r",? ?(?:ext(?:ension)?\.?|x|durchwahl|dw)[ .:]{0,2}[0-9]{1,6}\b", re.IGNORECASE
)
_PHONE_HINTS = (
    *("phone", "tel", "mob", "handy", "cell", "fax", "festnetz", "hotline", "whatsapp", "call"),
    *("ruf", "reich", "reach", "num", "ph."),
)
_PHONE_BEFORE = re.compile(
    r"(?:(?<![\w<])(?:(?:tele?)?phone|telefon|mobile?|handy|cell|fax|festnetz|hotline|whatsapp"
    r"|callback|rückruf|ruf|anruf|erreich(?:bar|en sie)|reach)\w*|\btel\b"
    r"|\b(?:tel|mob|fax|ph)\.|\bcall(?: me| us| back)"
    r"|\b(?:my|his|her|our|meine|unter der|unter) (?:new |neue )?n(?:umber|ummer))"
    r"(?:[ -]?n[ro]\.)?[^\d\n.!?;<>]{0,24}$"
)
_REFERENCE_BEFORE = re.compile(
    r"(?:ticket|order|incident|case|request|change|bestell|auftrag|rechnung|invoice|asset|serial"
    r"|serien|inventar|material|artikel|vorgang|kunde|customer|version|error|fehler|code|kb|build"
    r"|imei|model|referen|tracking|sendung|kostenstelle|cost|job|plz|zip|sku|part|liefer|delivery"
    r"|personal|employee|event|timestamp|meldung)\w{0,24}+[ -]?(?:number|nummer|nr|no|id)?[.:# ]*+$"
)


def cards_and_phones(text: str, lowered: str, hints: tuple[str, ...]) -> Iterator[Finding]:
    """Find payment cards and phone numbers."""
    done = 0
    for run in _RUN.finditer(lowered):
        start, end = run.span()
        if end - start >= 6 and start >= done:
            groups = list(_GROUP.finditer(lowered, start, end))
            if _NO_END.match(lowered, end):
                groups.pop()
            for found in _in_run(lowered, groups, lowered[max(0, start - 60) : start]):
                yield found
                done = found.end


def _in_run(lowered: str, groups: list[re.Match[str]], before: str) -> Iterator[Finding]:
    skipped = done = 0
    for place, group in enumerate(groups):
        if group.start() < done:
            continue
        if date := _DATE.match(lowered, group.start()):
            skipped, before, done = 0, "", date.end()
            continue
        # A room number may stand before; more digits belong to a longer number or a dump.
        found = None
        if group[0][0] == "+" or (
            skipped <= 3 and (place == 0 or lowered[group.start() - 1] == " ")
        ):
            near = groups[place : place + 15]
            found = _card_at(near, before) or _phone_at(lowered, near, before)
        skipped += len(group[1])
        if found and (group[0][0] == "+" or not _DUMP_BEFORE.search(before)):
            yield found
            skipped, before, done = 0, "", found.end


def _card_at(groups: list[re.Match[str]], before: str) -> Finding | None:
    digits = shape = ""
    found = None
    for group in groups:
        digits += group[1]
        shape += f"{len(group[1])},"
        if len(digits) > 19:
            break
        if len(digits) >= 12 and _passes_luhn(digits):
            shaped = _CARD_SHAPE.fullmatch(shape)
            known = shaped and (shaped["usual"] or _CARD.fullmatch(digits))
            if known or _CARD_BEFORE.search(before):
                found = Finding("card", groups[0].start(1), group.end())
    return found


def _passes_luhn(digits: str) -> bool:
    rest = [int(digit) for digit in reversed(digits)]
    return (sum(rest[::2]) + sum(2 * d - 9 * (d > 4) for d in rest[1::2])) % 10 == 0


def _phone_at(lowered: str, groups: list[re.Match[str]], before: str) -> Finding | None:
    start = groups[0].start()
    ends: list[tuple[int, int]] = []
    count = 0
    for group in groups:
        count += len(group[1])
        if count > 15 or (ends and _DATE.match(lowered, group.start())):
            break
        ends.append((group.end(), count))
    if count < 6 or not ends:
        return None
    is_cued = any(hint in before for hint in _PHONE_HINTS) and bool(_PHONE_BEFORE.search(before))
    for end, count in reversed(ends):
        if _is_phone(lowered[start:end], count, before, is_cued):
            extension = _EXTENSION.match(lowered, end)
            return Finding("phone", start, extension.end() if extension else end)
    return None


def _is_phone(candidate: str, digits: int, before: str, is_cued: bool) -> bool:
    shape = _PHONE.fullmatch(candidate)
    if shape and shape["plus"]:
        return digits >= 8 and not re.fullmatch(r"\+\d{1,3}(?:\.\d{3})+", candidate)
    looks_right = shape and (12 <= digits <= 16 if shape["zeros"] else 8 <= digits <= 13)
    if not looks_right and is_cued and digits >= 6:
        looks_right = not re.search(r"\.\d{3}$|\..*\..*\..*\.", candidate)  # an amount, an OID
    return bool(looks_right) and not _REFERENCE_BEFORE.search(before)
