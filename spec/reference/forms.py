"""The forms that values take: JSON text, percentages, times, versions and networks.

Each function reads one form and answers None (or raises NotJson) when the value does not have it.
Nothing here knows what a flag is.
"""

import datetime
import decimal
import ipaddress
import json
import re

MAX_INTEGER = 9007199254740991
MAX_WEIGHT = 9007199254740
MAX_VERSION_NUMBER = 18446744073709551615


class NotJson(Exception):
    """The text is not JSON as 2.1.1 and 2.1.8 have it."""


class Fields(dict):
    """A JSON object: the last value of each field, in `all` every value, and in `pairs` everything in the order written."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs
        self.all = {}
        for name, value in pairs:
            self.all.setdefault(name, []).append(value)


def read_json(text):
    """2.1.1, 2.1.8, 3.9: strict JSON; whole numbers of 64 bits that are written so, and all of at most 53 bits, become int."""
    try:
        value = json.loads(text, object_pairs_hook=Fields, parse_int=read_whole, parse_float=read_number, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error
    refuse_lone_surrogates(value)
    return value


def read_whole(text):
    """3.9."""
    return int(text) if len(text) <= 20 and is_integer(int(text)) else read_number(text)


def read_number(text):
    """2.1.8 and 3.9."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson(f"{text[:40]} is out of the range of double precision")
    if number.is_integer() and abs(number) <= MAX_INTEGER:
        return int(number)
    return number


def refuse_constant(text):
    raise NotJson(f"{text} is not JSON")


def refuse_lone_surrogates(value):
    """2.1.8, for names of fields as well as for values."""
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise NotJson("a lone surrogate")
    elif isinstance(value, list):
        for element in value:
            refuse_lone_surrogates(element)
    elif isinstance(value, Fields):
        for name, values in value.all.items():
            refuse_lone_surrogates(name)
            refuse_lone_surrogates(values)


def nesting(text):
    """2.1.7: how deep the arrays and objects of a JSON text are nested."""
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text, re.DOTALL):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value):
    """3.9; the reader of JSON has already turned 1.0 into 1."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


WHITE_SPACE = " \t\n\f\r"
ON = ("true", "t", "yes", "y", "on", "1", "enabled", "active")
OFF = ("false", "f", "no", "n", "off", "0", "disabled", "inactive")
STATUSES = {
    "draft": ("draft", "new", "planned", "pending", "scheduled"),
    "active": ("active", "enabled", "on", "live", "published", "released"),
    "paused": ("paused", "inactive", "disabled", "off", "stopped", "suspended"),
    "rolled_back": ("rolled_back", "archived", "deleted", "retired", "ended", "expired", "closed", "cancelled"),
    "completed": ("completed",),
}


def switch_of(value):
    """2.2.4: what says on or off."""
    if isinstance(value, bool):
        return value
    if is_number(value) and value in (0, 1):
        return value == 1
    word = word_of(value)
    return True if word in ON else False if word in OFF else None


def status_of(value):
    """2.2.5."""
    word = word_of(value)
    for status, words in STATUSES.items():
        if word is not None and word.replace("-", "_").replace(" ", "_") in words:
            return status
    return None


def word_of(value):
    """A word in small letters without white space around it; only the case of ASCII letters is without meaning."""
    if not isinstance(value, str):
        return None
    return "".join(character.lower() if character.isascii() else character for character in value.strip(WHITE_SPACE))


def is_above_100(value):
    """8.16: a number, or a text that holds one, above what a percentage may be."""
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", value):
        return float(value) > 100
    return is_number(value) and value > 100


def share_of(value):
    """2.2.6 and 2.2.7: a percentage as a share, a whole number of thousandths of a percent."""
    if isinstance(value, str):
        if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", value):
            return None
        number = float(value)
    elif is_number(value):
        number = float(value)
    else:
        return None
    return thousandths(number) if 0 <= number <= 100 else None


def weight_of(value):
    """2.2.16: a weight in thousandths."""
    return thousandths(float(value)) if is_number(value) and 0 <= value <= MAX_WEIGHT else None


def thousandths(number):
    """2.2.7: what is finer is cut off."""
    return int(decimal.Decimal(repr(number)) * 1000)


TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,18}))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?)?)?"
)


def time_of(text):
    """1.9, 2.2.11 and 2.2.12: a time as milliseconds since 1970-01-01T00:00:00Z."""
    match = TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_h, offset_m, offset_s = match.groups()
    try:
        days = datetime.date(int(year), int(month), int(day)).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    hour, minute, second = int(hour or 0), int(minute or 0), int(second or 0)
    offset_h, offset_m, offset_s = int(offset_h or 0), int(offset_m or 0), int(offset_s or 0)
    if hour > 23 or minute > 59 or second > 60 or offset_h > 23 or offset_m > 59 or offset_s > 59:
        return None
    seconds = days * 86400 + hour * 3600 + minute * 60 + min(second, 59)
    offset = offset_h * 3600 + offset_m * 60 + offset_s
    seconds -= -offset if sign == "-" else offset
    return seconds * 1000 + int(((fraction or "") + "000")[:3])


FIRST_MILLISECOND = time_of("0001-01-01")
LAST_MILLISECOND = time_of("9999-12-31T23:59:59.999Z")

VERSION = re.compile(
    r"[vV]?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)


def version_of(text):
    """5.9: a version as a key that sorts number by number, and then by the precedence of SemVer 2.0.0, section 11."""
    match = VERSION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    numbers = [(number or "0").lstrip("0") or "0" for number in match.groups()[:4]]
    if any(len(number) > 20 or int(number) > MAX_VERSION_NUMBER for number in numbers):
        return None
    numbers = [int(number) for number in numbers]
    if match[5] is None:
        return numbers, 1, []
    return numbers, 0, [identifier_order(identifier) for identifier in match[5].split(".")]


def identifier_order(identifier):
    """Numbers come before words; numbers of any length compare by length, then by digits."""
    if identifier.isdigit():
        return 0, len(identifier), identifier
    return 1, 0, identifier


def address_of(text):
    """5.10: an IPv4 or IPv6 address without a zone."""
    if not isinstance(text, str) or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network_of(text):
    """5.10: a network in CIDR notation or a single address; host bits are ignored."""
    if not isinstance(text, str):
        return None
    address, slash, prefix = text.partition("/")
    if address_of(address) is None or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", prefix)):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
