"""Regular expressions as 5.4 and 5.5 have them, written out for Python's `re`.

The syntax is RE2's without look-around and back-references; classes are Unicode's.
Properties are general categories only (`\\p{Lu}`, `\\pN`): scripts are not carried out here,
and neither are the flags, escapes and classes inside classes that `regex-syntax` has beyond RE2.
Python's edition of Unicode and of its case folding may differ, and so may the ranges that a class is counted by.
"""

import functools
import re
import sys
import unicodedata

MAX_BYTES = 1_000
MAX_PARTS = 10_000
SPACE = "\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
OTHER_WORD = "\u200c\u200d\u24b6-\u24e9\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189"
POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\x00-\x7f",
    "blank": "\t ",
    "cntrl": "\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\t-\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
ESCAPES = {"a": "\x07", "f": "\x0c", "n": "\n", "r": "\r", "t": "\t", "v": "\x0b"}


class Wrong(Exception):
    """The text is not an expression of 5.5."""


def translate(text):
    """5.4 and 5.5: the expression for Python's `re`, or None."""
    if len(text.encode("utf-8")) > MAX_BYTES:
        return None
    try:
        pattern, parts, rest = alternation(text, 0, "")
        if rest != len(text) or parts > MAX_PARTS:
            return None
        re.compile(pattern)
    except (Wrong, re.error, OverflowError, RecursionError):
        return None
    return pattern


def parts(text):
    """5.5: how many parts an expression has that can be translated."""
    return alternation(text, 0, "")[1]


def alternation(text, at, flags):
    """Branches up to `)` or the end; a flag that is set inside holds to the end of the group."""
    branches, total, items = [], 0, []
    while at < len(text) and text[at] != ")":
        if text[at] == "|":
            branches.append("".join(items))
            items, at = [], at + 1
            continue
        setting = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?\)").match(text, at)
        if setting and (setting[1] or setting[2]):
            flags, at = changed_flags(flags, setting), setting.end()
            continue
        pattern, parts, at = repeated(text, at, flags)
        items.append(pattern)
        total += parts
    branches.append("".join(items))
    return "|".join(branches), total, at


def changed_flags(flags, match):
    return "".join(sorted((set(flags) | set(match[1])) - set(match[2] or "")))


def repeated(text, at, flags):
    """One atom and the repetitions behind it."""
    pattern, parts, at = atom(text, at, flags)
    while match := re.compile(r"([*+?]|\{([0-9]+)(,([0-9]*))?\})(\??)").match(text, at):
        low, high = int(match[2] or 0), int(match[4] or 0)
        if match[4] and high < low:
            raise Wrong("a repetition that ends before it begins")
        lazy = bool(match[5]) != ("U" in flags)
        pattern = f"(?:{pattern}){match[1]}" + ("?" if lazy else "")
        parts *= max(low, high, 1)
        at = match.end()
    return pattern, parts, at


def atom(text, at, flags):
    """One character, class, group or assertion."""
    character = text[at]
    if character == "(":
        return group(text, at, flags)
    if character == "[":
        pattern, parts, at = bracket(text, at)
        return scoped(pattern, flags), parts, at
    if character == "\\":
        return escape(text, at, flags)
    if character in "*+?{":
        raise Wrong("nothing to repeat")
    if character == ".":
        return ("(?s:.)", 1, at + 1) if "s" in flags else ("[^\\n]", 2, at + 1)
    if character == "^":
        return ("(?m:^)" if "m" in flags else "\\A"), 1, at + 1
    if character == "$":
        return ("(?m:$)" if "m" in flags else "\\Z"), 1, at + 1
    return scoped(re.escape(character), flags), byte_count(character), at + 1


def byte_count(text):
    return len(text.encode("utf-8"))


def range_count(members, negated):
    """5.5: how many ranges a class has, those that touch taken as one."""
    ends = sorted((ord(low), ord(high or low)) for low, high in re.findall(r"\\?(.)(?:-\\?(.))?", members, re.DOTALL))
    joined = []
    for low, high in ends:
        if joined and low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    if not negated:
        return max(len(joined), 1)
    return max(len(joined) + 1 - (joined[0][0] == 0) - (joined[-1][1] == sys.maxunicode), 1) if joined else 1


def scoped(pattern, flags):
    return f"(?i:{pattern})" if "i" in flags else pattern


def group(text, at, flags):
    """Capturing, named and flagged groups; every other `(?` is look-around or unknown."""
    match = re.compile(r"\((?:\?(?:P?<([A-Za-z_][A-Za-z0-9_]*)>|([imsU]*)(?:-([imsU]+))?:))?").match(text, at)
    if match.end() < len(text) and text[match.end()] == "?" and match[0] == "(":
        raise Wrong("look-around or an unknown group")
    if match[0].endswith(":"):
        inner_flags = "".join(sorted((set(flags) | set(match[2])) - set(match[3] or "")))
    else:
        inner_flags = flags
    pattern, parts, end = alternation(text, match.end(), inner_flags)
    if end >= len(text):
        raise Wrong("a group that is not closed")
    opening = f"(?P<{match[1]}>" if match[1] else "(?:"
    return f"{opening}{pattern})", max(parts, 1), end + 1


def escape(text, at, flags):
    """A backslash outside a class."""
    if text[at + 1 : at + 2] == "A":
        return "\\A", 1, at + 2
    if text[at + 1 : at + 2] == "z":
        return "\\Z", 1, at + 2
    if text[at + 1 : at + 2] in ("b", "B"):
        word = f"[{word_characters()}]"
        inside = f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
        outside = f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"
        return (inside if text[at + 1] == "b" else outside), 1, at + 2
    members, negated, single, at = escaped_members(text, at)
    if single:
        return scoped(re.escape(members), flags), byte_count(members), at
    return scoped(f"[{'^' if negated else ''}{members}]", flags), range_count(members, negated), at


def escaped_members(text, at):
    """What a backslash stands for: members of a class, whether negated, whether one character, and where it ends."""
    match = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z]+)\}|([A-Z]))").match(text, at)
    if match:
        negated = (match[1] == "P") != (match[2] == "^")
        return category(match[3] or match[4]), negated, False, match.end()
    match = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))").match(text, at)
    if match:
        code = int(match[1] or match[2], 16)
        if code > sys.maxunicode or 0xD800 <= code <= 0xDFFF:
            raise Wrong("not a character")
        return chr(code), False, True, match.end()
    letter = text[at + 1 : at + 2]
    if letter and letter in "dD":
        return category("Nd"), letter == "D", False, at + 2
    if letter and letter in "sS":
        return SPACE, letter == "S", False, at + 2
    if letter and letter in "wW":
        return word_characters(), letter == "W", False, at + 2
    if letter in ESCAPES:
        return ESCAPES[letter], False, True, at + 2
    if letter and letter.isascii() and not letter.isalnum():
        return letter, False, True, at + 2
    raise Wrong("an unknown escape or a back-reference")


def bracket(text, at):
    """A class in brackets, with ranges, escapes and `[:names:]`."""
    at += 1
    negated = text[at : at + 1] == "^"
    at += negated
    members, excluded, first = "", [], True
    while at < len(text) and (text[at] != "]" or first):
        first = False
        match = re.compile(r"\[:(\^?)([a-z]+):\]").match(text, at)
        if match:
            if match[2] not in POSIX:
                raise Wrong("an unknown class")
            if match[1]:
                excluded.append(POSIX[match[2]])
            else:
                members += POSIX[match[2]]
            at = match.end()
            continue
        low, minus, single, at = class_member(text, at)
        if not single:
            if minus:
                excluded.append(low)
            else:
                members += low
            continue
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("]", ""):
            high, _, single, at = class_member(text, at + 1)
            if not single or high < low:
                raise Wrong("a range that is none")
        members += f"{in_class(low)}-{in_class(high)}"
    if at >= len(text):
        raise Wrong("a class that is not closed")
    choices = ([f"[{members}]"] if members else []) + [f"[^{each}]" for each in excluded]
    pattern = f"(?:{'|'.join(choices)})"
    parts = sum(range_count(each, True) for each in excluded) or range_count(members, negated)
    return (f"(?:(?!{pattern})(?s:.))" if negated else pattern), parts, at + 1


def class_member(text, at):
    if text[at : at + 1] == "\\":
        return escaped_members(text, at)
    return text[at], False, True, at + 1


def in_class(character):
    return f"\\{character}" if character in "\\]^-[&~|" else character


def word_characters():
    """`\\w`: alphabetic characters, marks, decimal digits, connectors and joiners."""
    return "".join(category(name) for name in ("L", "M", "Nd", "Nl", "Pc")) + OTHER_WORD


@functools.lru_cache(maxsize=None)
def category(name):
    """The members of a general category, as ranges for a class."""
    ranges = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(name) and not 0xD800 <= code <= 0xDFFF:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    if not ranges:
        raise Wrong("an unknown property")
    return "".join(f"{in_class(chr(low))}-{in_class(chr(high))}" for low, high in ranges)
