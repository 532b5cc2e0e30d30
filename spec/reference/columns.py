"""The guard: what a field that is not read says by its name and its value (2.2.25 to 2.2.28).

The lists of words are those of `spec/words.json`.
"""

import json
import pathlib
import re

import forms

WORDS = json.loads((pathlib.Path(__file__).resolve().parent.parent / "words.json").read_text(encoding="utf-8"))
RESTRICTING = ("strong", "share", "state", "scope", "last")


def words_of(name):
    """2.2.25."""
    parts = re.findall(r"[A-Za-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?=[A-Z](?!s(?![a-z]))[a-z])", " ", name))
    return [stem(part.lower()) for part in parts]


def stem(word):
    """2.2.25: one form for one thing and for several."""
    if len(word) <= 3:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("ches"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


LISTS = {name: {stem(word) for word in words} for name, words in WORDS.items()}


def kind_of(name):
    """2.2.26: which list decides about a name, or None."""
    words = words_of(name)
    gate = all(word in LISTS["gate"] | LISTS["beside"] for word in words) and any(word in LISTS["gate"] for word in words)
    if gate and words[-1] != "for":
        return "gate"
    for kind in ("prose", "strong", "aside", "share", "state", "scope"):
        if any(word in LISTS[kind] for word in words):
            return kind
    if len(words) > 1 and words[-1] in ("id", "ids") and not all(word in LISTS["last"] | {"ids"} for word in words):
        return "last"
    return None


def has_strong_word(name):
    """8.17."""
    return any(word in LISTS["strong"] for word in words_of(name))


def is_empty(value):
    """2.2.27."""
    if isinstance(value, str):
        return value.strip(forms.WHITE_SPACE) in ("", "[]", "{}", "null")
    return value is None or value == [] or (isinstance(value, dict) and not value)


def restricts(kind, value):
    """2.2.27: whether a field of this kind with this value restricts."""
    if is_empty(value) or kind not in (*RESTRICTING, "gate"):
        return False
    if kind == "gate":
        return isinstance(value, (list, dict))
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return not is_anyone(value[0])
    if isinstance(value, bool):
        return value and kind != "scope"
    if isinstance(value, str) and is_anyone(value):
        return False
    number = number_of(value)
    if number is not None:
        return number < 100 if kind == "share" else number != 0
    return forms.word_of(value) not in WORDS["off"]


def is_anyone(text):
    return forms.word_of(text) in WORDS["anyone"]


def number_of(value):
    """A number, or a text that holds one in JSON's grammar."""
    if forms.is_number(value):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", value.strip(forms.WHITE_SPACE)):
        return float(value)
    return None


def switches_off(kind, value):
    """2.2.28."""
    return kind == "gate" and forms.switch_of(value) is False
