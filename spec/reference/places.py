"""Violations, their places, and the small values that flags, segments and conditions are made of.

Each `read_` function takes a value, its place and the list of violations found so far, and answers the value in the form of a definition.
It answers None, or an empty list, after a violation; a definition with violations is never used.
"""

import math

import forms
from forms import Fields

MAX_ENTRIES = 1_000_000
MAX_KEY_BYTES = 256


def is_whole(value, low, high):
    return forms.is_integer(value) and low <= value <= high


def violate(found, place, message):
    found.append({"place": place, "message": message})


def inside(place, name):
    """8.1: one step of a JSON pointer (RFC 6901)."""
    return f"{place}/{str(name).replace('~', '~0').replace('/', '~1')}"


def check_fields(value, known, place, found):
    """2.2.22 and 2.2.23."""
    check_twice(value, known, place, found)
    for name in value:
        if name not in known and name != "description":
            violate(found, inside(place, name), "is not a field that stands here")


def check_twice(value, known, place, found):
    """2.2.23: one violation for a repeated field that has a meaning."""
    for name, values in value.all.items():
        if name in known and len(values) > 1:
            violate(found, inside(place, name), "stands twice")


def read_boolean(value, place, found):
    if not isinstance(value, bool):
        violate(found, place, "is not a boolean")
        return None
    return value


def read_switch(value, place, found):
    """2.2.4."""
    on = forms.switch_of(value)
    if on is None:
        violate(found, place, "does not say on or off")
    return on


def read_string(value, place, found):
    if not isinstance(value, str):
        violate(found, place, "is not a string")
        return None
    return value


def read_text(value, place, found):
    """A non-empty string."""
    if not isinstance(value, str) or value == "":
        violate(found, place, "is not a non-empty string")
        return None
    return value


def read_key(value, place, found):
    """2.2.2 and 2.3.1."""
    if not isinstance(value, str) or not 1 <= len(value.encode("utf-8")) <= MAX_KEY_BYTES:
        violate(found, place, "is not a string of 1 to 256 bytes")
        return None
    return value


def read_percentage(value, place, found):
    """2.2.6."""
    share = forms.share_of(value)
    if share is None:
        violate(found, place, "is not a percentage")
    return share


def read_time(value, place, found):
    """2.2.11."""
    time = forms.time_of(value)
    if time is None:
        violate(found, place, "is not a time")
    return time


def read_start(value, place, found):
    """2.2.10 and 2.2.11: None is unbounded."""
    if value == "infinity":
        return math.inf
    return None if value == "-infinity" else read_time(value, place, found)


def read_end(value, place, found):
    """2.2.10 and 2.2.11: None is unbounded."""
    if value == "-infinity":
        return -math.inf
    return None if value == "infinity" else read_time(value, place, found)


def read_weight(value, place, found):
    """2.2.16."""
    weight = forms.weight_of(value)
    if weight is None:
        violate(found, place, "is not a weight")
    return weight


def read_list(value, place, found, read_element, most=MAX_ENTRIES):
    """2.2.24: an array of at most `most` elements, each read on its own."""
    if not isinstance(value, list):
        violate(found, place, "is not an array")
        return []
    if len(value) > most:
        violate(found, place, "is too long")
    return [read_element(element, inside(place, index), found) for index, element in enumerate(value)]


def read_strings(value, place, found):
    return read_list(value, place, found, read_string)


def read_object(value, known, place, found):
    """An object of 2.2.22, or None."""
    if not isinstance(value, Fields):
        violate(found, place, "is not an object")
        return None
    check_fields(value, known, place, found)
    return value


def required(value, name, place, found, read):
    """2.2.1 and 8.12: null counts as absent, and a field that is missing is named as if it stood there."""
    if value.get(name) is None:
        violate(found, inside(place, name), "is missing")
        return None
    return read(value[name], inside(place, name), found)


def optional(value, name, place, found, read, default):
    """2.2.1: null counts as absent."""
    if value.get(name) is None:
        return default
    return read(value[name], inside(place, name), found)
