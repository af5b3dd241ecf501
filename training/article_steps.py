"""Which list of an imported article is the one to follow: it gets the heading "Steps"."""

import re

_FENCE = re.compile(r"^\s*(?:`{3}|~{3})")
_HEADING = re.compile(r"#{1,6}\s")
_NAMED = re.compile(r"#{1,6}\s++steps\s*+:?\s*+#*+\s*+", re.IGNORECASE)
_ITEM = re.compile(r"(?P<number>\d{1,9})[.)]\s")
_INDENT = "   "


def name_steps(markdown: str) -> str:
    """Put "## Steps" above the first numbered list, and a heading below it where text goes on.

    A list that goes on after a picture or a remark, with the next number, is still the same list.
    A text that has steps, or no numbered list, stays as it is.
    """
    lines = markdown.split("\n")
    free = _outside_code(lines)
    if any(is_free and _NAMED.fullmatch(line) for line, is_free in zip(lines, free, strict=True)):
        return markdown
    starts = [at for at, line in enumerate(lines) if free[at] and _ITEM.match(line)]
    if not starts:
        return markdown
    first = starts[0]
    end, number = _end_of_list(lines, first, 0)
    while (at := _continuation(lines, free, end, number)) is not None:
        for between in range(end, at):
            lines[between] = f"{_INDENT}{lines[between]}" if lines[between].strip() else ""
        end, number = _end_of_list(lines, at, number)
    above = [*lines[:first], "", "## Steps", ""]
    below = lines[end:]
    while below and not below[0].strip():
        below.pop(0)
    if below:
        below = ["", *([] if _HEADING.match(below[0]) else ["## Notes", ""]), *below]
    return "\n".join([*above, *lines[first:end], *below]).strip("\n")


def _end_of_list(lines: list[str], start: int, number: int) -> tuple[int, int]:
    """Find the line after a list, and the list's last number."""
    end = at = start
    while at < len(lines):
        line = lines[at]
        if item := _ITEM.match(line):
            number = int(item["number"])
        elif line.strip() and not line.startswith(("  ", "\t")):
            break
        if line.strip():
            end = at + 1
        at += 1
    return end, number


def _continuation(lines: list[str], free: list[bool], end: int, number: int) -> int | None:
    """Find where the list goes on with its next number, with no heading or code before that."""
    for at in range(end, len(lines)):
        if not free[at] or _HEADING.match(lines[at]):
            return None
        if item := _ITEM.match(lines[at]):
            return at if int(item["number"]) == number + 1 else None
    return None


def _outside_code(lines: list[str]) -> list[bool]:
    free = []
    is_code = False
    for line in lines:
        is_fence = _FENCE.match(line) is not None
        free.append(not is_code and not is_fence)
        is_code ^= is_fence
    return free
