"""Words of strangers in a Markdown note: shown as they are, never markup, a link or a heading."""

import re

# Look like the signs they stand for, and mean nothing in HTML, whatever shows the note.
_ANGLES = str.maketrans({"<": "‹", ">": "›"})
_TICKS = re.compile(r"`+")
# Whatever can begin markup within a line; the colon and the dots only where readers see an address.
_MARKUP = re.compile(r"[\\`*_\[\]#|~&$@]|:(?=//)|(?<=www)\.|!(?=\[)")
_ADDRESS = re.compile(r"(?:[a-z][a-z+.-]{1,14}://|www\.)\S*+", re.IGNORECASE)
_SUMMARY_SIGNS = str.maketrans(
    {"[": "(", "]": ")", "`": "'", "|": "/", "*": "", "<": "‹", ">": "›"}
)


def as_code(text: str) -> str:
    """Write a text as a code span: one line in which Markdown finds nothing."""
    line = " ".join(text.split()).translate(_ANGLES)
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{edge}{line}{edge}{ticks}"


def as_block(text: str) -> str:
    """Write a text as a block of code, its lines kept."""
    lines = [line.rstrip() for line in text.translate(_ANGLES).splitlines()]
    fence = "`" * max(3, _longest_run(text) + 1)
    return "\n".join([fence, *lines, fence])


def as_words(text: str) -> str:
    """Write the desk's own words, such as a category's name: each sign stands for itself."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()).translate(_ANGLES))


def as_plain(text: str) -> str:
    """Write a text for a line without markup, such as a title: no links, brackets or HTML in it."""
    line = _ADDRESS.sub("(address)", " ".join(text.split()))
    return line.translate(_SUMMARY_SIGNS)


def shortened(text: str, limit: int) -> str:
    """Cut a text between two words; an ellipsis says so."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = max(head.rfind(" "), head.rfind("\n"))
    return f"{head[:cut] if cut > limit // 2 else head}…"


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
