"""Answers a file of questions, so that hosts can be compared byte by byte.

    python triples.py questions.jsonl

Each line is `{"snapshot": JSON}`, published into flags of its own, or `{"key", "context", "now"}`, which is resolved
against the last snapshot; `now` is in milliseconds. `{"rows": text, "mapping", "parameters"}` is published by that mapping,
and prints `{"refused": place}` if it is refused. Each resolution is printed as one line of canonical JSON (RFC 8785):
names sorted, no spaces, numbers as ECMAScript prints them.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from esclusa import Flags, Mapping, MappingError, SnapshotError


def canonical(value: Any) -> str:
    """Canonical JSON."""
    # JavaScript has one kind of numbers.
    if isinstance(value, float) or (type(value) is int and abs(value) > 2**53):
        return number(float(value))
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """A double as `Number.prototype.toString` prints it: Python has the same shortest digits in another layout."""
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    # The value is 0.digits times ten to the power of `point`.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        padded = digits.ljust(point, "0")
        return sign + padded[:point] + ("." + padded[point:] if padded[point:] else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = f"e{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if digits[1:] else "") + power


def main(path: str) -> None:
    """Prints the answers to a file's questions."""
    flags = Flags()
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    with open(path, encoding="utf-8") as file:
        for line in file:
            question = json.loads(line)
            if "snapshot" in question:
                flags = Flags()
                flags.publish(json.dumps(question["snapshot"]))
            elif "rows" in question:
                flags = Flags()
                try:
                    flags.publish(question["rows"], mapping=Mapping(question["mapping"], **question["parameters"]))
                except MappingError as refusal:
                    print(canonical({"refused": refusal.place}))
                except SnapshotError as refusal:
                    print(canonical({"refused": "".join(violation.place for violation in refusal.violations)}))
            else:
                print(canonical(flags.resolve(question["key"], question["context"], question["now"]).to_dict()))


if __name__ == "__main__":
    main(sys.argv[1])
