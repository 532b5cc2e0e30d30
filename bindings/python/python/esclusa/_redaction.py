"""What may be shown of another program's text (11.21)."""

from __future__ import annotations

from ._deciding import decide


def redacted(text: str) -> str:
    """The text in one line and of limited length, without what looks like a secret."""
    # Half a surrogate pair becomes U+FFFD, as everywhere (12.5).
    plain = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return str(decide("redacted", text=plain))


def describe_error(problem: BaseException) -> str:
    """An exception in one line."""
    try:
        text = str(problem)
    except Exception:
        text = ""
    kind = type(problem).__name__
    return redacted(f"{kind}: {text}" if text else kind)
