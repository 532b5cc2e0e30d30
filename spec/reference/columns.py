"""The guard: what a field that is not read says by its name and its value (2.2.25 to 2.2.28).

The lists of words are those of `spec/words.json`.
"""

import json
import pathlib
import re

import forms

WORDS = json.loads((pathlib.Path(__file__).resolve().parent.parent / "words.json").read_text(encoding="utf-8"))
PLAIN = str.maketrans("ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüý", "AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuy")
RESTRICTING = ("strong", "share", "state", "scope", "last")


def words_of(name):
    """2.2.25."""
    plain = re.sub("[\u0300-\u036f]", "", name).translate(PLAIN)
    parts = re.findall(r"[A-Za-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?=[A-Z](?!s(?![a-z]))[a-z])", " ", plain))
    words = []
    for part in map(str.lower, parts):
        together = len(part) <= 40 and stem(part) not in LISTED
        words += (together and divided(part)) or [part]
    return [stem(word) for word in words]


def divided(word):
    """2.2.25: the parts of a word that is written together, each as long as the rest allows, or None."""
    for end in range(len(word), 1, -1):
        part, rest = word[:end], word[end:]
        if part in WORDS["joined"] or (len(part) > 2 and stem(part) in LISTED):
            parts = divided(rest) if rest else []
            if parts is not None:
                return [part, *parts]
    return None


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
LISTED = set().union(*(LISTS[name] for name in ("gate", "beside", "prose", "strong", "aside", "share", "state", "scope", "last")))


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


def may_be_default(name):
    """8.17."""
    return not any(word in LISTS["strong"] | LISTS["state"] for word in words_of(name))


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
    """A number, or a text that holds one in JSON's grammar, also with `%` behind it."""
    if forms.is_number(value):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", plain := value.strip(forms.WHITE_SPACE).removesuffix("%").rstrip(forms.WHITE_SPACE)):
        return float(plain)
    return None


def switches_off(kind, value):
    """2.2.28."""
    is_off = forms.switch_of(value) is False or forms.status_of(value) in ("draft", "paused", "rolled_back")
    return kind == "gate" and (is_off or forms.word_of(value) in WORDS["idle"])
