"""What may be shown of a text that somebody else wrote: addresses without passwords and queries."""

from __future__ import annotations

import re

_MAX_LENGTH = 500
_SECRETS = [
    # What stands before an @ in an address, and everything behind its path.
    (re.compile(r"([a-z][a-z0-9+.-]*://)[^\s'\"<>]*@", re.IGNORECASE), r"\1"),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s'\"<>?#]*)[?#][^\s'\"<>]*", re.IGNORECASE), r"\1"),
    # The query of an address whose host stands elsewhere.
    (re.compile(r"([?&][\w.-]+=)[^\s&'\"<>)]*"), r"\1***"),
    # Connection strings of keywords, and headers.
    (
        re.compile(
            r"(\b\w*(?:password|passwd|pwd|secret|token|api[-_]?key|authorization|cookie)\w*['\"]?\s*[=:]\s*)"
            r"(?:(?:bearer|basic)\s+)?(?:'[^']*'|\"[^\"]*\"|\S+)",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    (re.compile(r"\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE), r"\1***"),
]


def redacted(text: str) -> str:
    """The text in one line, without what looks like a secret, and not too long."""
    line = " ".join(text.split())
    for pattern, instead in _SECRETS:
        line = pattern.sub(instead, line)
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 1]}…"


def told(problem: BaseException) -> str:
    """An exception in one line."""
    try:
        text = str(problem)
    except Exception:
        text = ""
    kind = type(problem).__name__
    return redacted(f"{kind}: {text}" if text else kind)
