"""Single values of rows as MAPPING.md reads them: M5 to M7, M12, M13, M15, M18, M19, M22 and M23."""

import decimal
import re

import forms
from forms import Fields

UNREADABLE = object()
TOO_LARGE = 1_000_000
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SPACE = forms.WHITE_SPACE


def is_empty(value):
    """M5."""
    if value is UNREADABLE:
        return False
    if isinstance(value, str):
        return value.strip(SPACE) in ("", "[]", "{}", "null")
    return value is None or (isinstance(value, (list, dict)) and not value)


def word(value):
    """M6."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return forms.word_of(value)
    return str(value) if forms.is_integer(value) else None


def is_same(one, other):
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, float) and isinstance(other, float) and one == other
    return word(one) is not None and word(one) == word(other)


def is_one_of(value, wanted):
    """M11 and M17: the value, or an entry of it."""
    entries = value if isinstance(value, list) else [value]
    if isinstance(value, str) and value.strip(SPACE)[:1] in ("[", "{"):
        entries = list_of(value, {}) or []
    return any(is_same(entry, one) for entry in entries for one in wanted)


def is_one_of_scalars(value, wanted):
    return value is not UNREADABLE and any(is_same(value, one) for one in as_list(wanted))


def as_list(value):
    return value if isinstance(value, list) else [value]


def path_of(entry):
    return tuple(as_list(entry["at"])) if isinstance(entry, Fields) and "at" in entry else ()


def label(column):
    """A column as messages name it."""
    if isinstance(column, str):
        return column
    return ".".join([column["column"], *path_of(column)])


def mark(column):
    return {"unreadable": label(column)}


def as_json(value):
    """The array or object that a text holds, else the value."""
    if isinstance(value, str) and value.strip(SPACE)[:1] in ("[", "{"):
        try:
            text = value.strip(SPACE)
            return value if forms.nesting(text) > 100 else forms.read_json(text)
        except forms.NotJson:
            return value
    return value


def walk(value, path):
    """M7."""
    value = as_json(value) if path else value
    for step in path:
        if is_empty(value):
            return None
        if not isinstance(value, Fields):
            return UNREADABLE
        value = value.get(step)
    return None if is_empty(value) else value


def switch_of_entry(entry, find):
    """M9: on, off or None, and the column that cannot be read."""
    if isinstance(entry, Fields) and "const" in entry:
        return entry["const"], None
    options = entry if isinstance(entry, Fields) else {}
    unreadable = None
    for column in options.get("all", [entry]):
        on = switch_of(find(column), options)
        if on is False:
            return False, None
        if on is None and unreadable is None:
            unreadable = column
    return (True, None) if unreadable is None else (None, unreadable)


def switch_of(value, options):
    if value is UNREADABLE:
        return None
    if is_empty(value):
        return options.get("null") == "on"
    if any(is_same(value, one) for one in as_list(options.get("on", []))):
        on = True
    elif any(is_same(value, one) for one in as_list(options.get("off", []))):
        on = False
    else:
        on = forms.switch_of(value)
    return on if on is None else on != options.get("invert", False)


def number_of(value):
    if isinstance(value, str):
        text = value.strip(SPACE)
        return float(text) if NUMBER.fullmatch(text) and float(text) < float("inf") else None
    return float(value) if forms.is_number(value) else None


def share_of(value, of):
    """M12: thousandths of a percent, TOO_LARGE or None."""
    if isinstance(value, str) and value.strip(SPACE).endswith("%"):
        value, of = value.strip(SPACE)[:-1], 100
    number = number_of(value)
    if number is None or number < 0:
        return None
    if number > of:
        return TOO_LARGE
    return int(decimal.Decimal(repr(number)) * 100_000 / of)


def percentage(thousandths):
    return thousandths // 1000 if thousandths % 1000 == 0 else thousandths / 1000


def list_of(value, options):
    """M13: a list of texts, or None."""
    if is_empty(value):
        return []
    if isinstance(value, str):
        text = value.strip(SPACE)
        if text[:1] in ("[", "{"):
            opened = as_json(value)
            return trimmed(postgres_array(text)) if opened is value else list_of(opened, options) if opened else []
        return trimmed(text.split(options["split"]) if "split" in options else [text])
    if isinstance(value, list):
        return trimmed([id_of(entry) for entry in value])
    if isinstance(value, Fields):
        if not options.get("keys", False):
            return None
        switches = [(name, False if is_empty(inner) else forms.switch_of(inner)) for name, inner in value.pairs]
        return None if any(on is None for _, on in switches) else trimmed([name for name, on in switches if on])
    return trimmed([id_of(value)])


def id_of(value):
    if isinstance(value, str):
        return value.strip(SPACE)
    return str(value) if forms.is_integer(value) else None


def trimmed(entries):
    if entries is None or None in entries:
        return None
    return [entry.strip(SPACE) for entry in entries if entry.strip(SPACE)]


def postgres_array(text):
    """M13: the texts of `{a,"b c"}`, or None."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    entries, at, inner = [], 0, text[1:-1]
    while True:
        while inner[at : at + 1] and inner[at] in SPACE:
            at += 1
        if inner[at : at + 1] == '"':
            match = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t\n\f\r]*', re.DOTALL).match(inner, at)
            if not match:
                return None
            entry = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
        else:
            match = re.compile(r'((?:[^,{}"\\]|\\.)*)', re.DOTALL).match(inner, at)
            entry = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL).rstrip(SPACE)
            if entry.lower() == "null":
                return None
        entries.append(entry)
        at = match.end()
        if at == len(inner):
            return entries
        if inner[at] != ",":
            return None
        at += 1


def time_of(value, options):
    """M15: what the field is to hold."""
    if "unit" in options and number_of(value) is not None:
        millis = decimal.Decimal(number_of(value) * (1000 if options["unit"] == "s" else 1)).to_integral_value(decimal.ROUND_FLOOR)
        if not forms.FIRST_MILLISECOND <= millis <= forms.LAST_MILLISECOND:
            return value
        text = written(int(millis))
    elif isinstance(value, str):
        text = value.strip(SPACE)
    else:
        return value
    zone = options.get("zone")
    if zone is not None and forms.time_of(text) is not None:
        longer = text + ("T00:00:00" if len(text) == 10 else "") + zone
        text = longer if forms.time_of(longer) is not None else text
    if options.get("whole_day") and forms.time_of(text) is not None:
        midnight = forms.time_of("1970-01-01T00:00:00" + (zone or "Z"))
        if (forms.time_of(text) - midnight) % 86_400_000 == 0:
            text = written(forms.time_of(text) + 86_400_000)
    return text


def written(millis):
    """A time as RFC 3339 in UTC, without zeros behind the last digit of a fraction."""
    if not forms.FIRST_MILLISECOND <= millis <= forms.LAST_MILLISECOND:
        return f"{millis} ms"
    days, rest = divmod(millis, 86_400_000)
    date = forms.datetime.date.fromordinal(forms.datetime.date(1970, 1, 1).toordinal() + days)
    fraction = f".{rest % 1000:03}".rstrip("0").rstrip(".")
    return f"{date.isoformat()}T{rest // 3_600_000:02}:{rest // 60_000 % 60:02}:{rest // 1000 % 60:02}{fraction}Z"


def variants_of(value, entry):
    """M18."""
    shape = entry["shape"]
    if shape == "native":
        return value
    if shape == "list":
        names = [entry.get(name, name) for name in ("key", "value", "weight")]
        if not isinstance(value, list) or not all(isinstance(one, Fields) and names[0] in one for one in value):
            return None
        found = []
        for one in value:
            variant = {"key": one[names[0]], "value": one.get(names[1], one[names[0]])}
            found.append({**variant, "weight": one[names[2]]} if names[2] in one else variant)
        return found
    if not isinstance(value, Fields):
        return None
    if shape == "weights":
        return [{"key": key, "value": key, "weight": weight} for key, weight in value.pairs]
    return [{"key": key, "value": served} for key, served in value.pairs]


def of_kind(value, kind):
    """M19."""
    kind = word(kind) if kind is not UNREADABLE else None
    if kind == "boolean":
        return UNREADABLE if forms.switch_of(value) is None else forms.switch_of(value)
    if kind == "number" and number_of(value) is not None:
        return forms.read_json(value.strip(SPACE)) if isinstance(value, str) else value
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "json":
        try:
            return forms.read_json(value) if isinstance(value, str) else value
        except forms.NotJson:
            return UNREADABLE
    return UNREADABLE


def all_of(conditions):
    return conditions[0] if len(conditions) == 1 else {"all": conditions}


def with_conditions(rule, conditions):
    if not isinstance(rule, Fields) or "when" not in rule:
        return rule
    pairs, is_first = [], True
    for name, value in rule.pairs:
        pairs.append((name, all_of([*conditions, value]) if name == "when" and is_first else value))
        is_first = is_first and name != "when"
    return Fields(pairs)


OPERATORS = {}
for operator, words in {
    "in": "equals eq = == === is in one_of",
    "not in": "not_equals ne neq != !== is_not not_in not_one_of",
    "contains": "contains", "starts_with": "starts_with", "ends_with": "ends_with",
    "gt": "gt >", "ge": "gte ge >=", "lt": "lt <", "le": "lte le <=", "before": "before", "after": "after",
    "semver_eq": "semver_eq", "semver_lt": "semver_lt", "semver_le": "semver_le semver_lte",
    "semver_gt": "semver_gt", "semver_ge": "semver_ge semver_gte", "present": "exists present", "matches": "matches regex",
}.items():
    OPERATORS.update({name: operator for name in words.split()})


def operator_of(name):
    """M23."""
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", name.strip(SPACE))
    return OPERATORS.get(forms.word_of(re.sub("[- ]", "_", name)))


def condition_of(value, entry):
    """M22 to M24: a condition, or None."""
    join = as_list(entry.get("join", "all")) or ["all"]
    return joined(value, entry, join) if isinstance(value, (list, Fields)) else None


def joined(value, entry, join):
    if not isinstance(value, list):
        return test_of(value, entry)
    if not join:
        return None
    parts = [joined(one, entry, join[1:]) for one in value]
    return None if None in parts else {join[0]: parts}


def test_of(test, entry):
    names = [entry.get("attribute", "attribute"), entry.get("op", "operator"), entry.get("values", "value")]
    if not isinstance(test, Fields) or any(len(test.all.get(name, [])) > 1 for name in names):
        return None
    if any(name not in (*names, "id", "description") and not is_empty(value) for name, value in test.pairs):
        return None
    attribute, name = test.get(names[0]), test.get(names[1])
    if not isinstance(attribute, str) or not attribute or not isinstance(name, str):
        return None
    own = {word: operator_of(operator) for word, operator in entry.get("ops", {}).items()}
    return comparison(attribute, own[name] if name in own else operator_of(name), test.get(names[2]))


def comparison(attribute, op, operand):
    several = as_list(operand)
    one = operand if not isinstance(operand, list) else operand[0] if len(operand) == 1 else UNREADABLE
    if op in ("in", "not in"):
        found = equals(attribute, several)
        return found if op == "in" or found is None else {"not": found}
    if op in ("contains", "starts_with", "ends_with"):
        texts = [each if isinstance(each, str) else str(each) if forms.is_integer(each) else None for each in several]
        return None if None in texts else {"attribute": attribute, "op": op, "values": texts}
    if op in ("gt", "ge", "lt", "le"):
        number = number_of(one) if one is not UNREADABLE else None
        return None if number is None else {"attribute": attribute, "op": op, "value": number}
    if op in ("before", "after"):
        return {"attribute": attribute, "op": op, "value": one} if isinstance(one, str) and forms.time_of(one) is not None else None
    if op == "present":
        present = {"attribute": attribute, "op": "present"}
        return present if operand is None or operand is True else {"not": present} if operand is False else None
    return {"attribute": attribute, "op": op, "value": one} if op is not None and isinstance(one, str) else None


def equals(attribute, several):
    texts = [one for one in several if isinstance(one, str)]
    parts = []
    for one in several:
        if isinstance(one, bool):
            parts.append({"attribute": attribute, "op": "is", "value": one})
        elif forms.is_number(one):
            parts.append({"attribute": attribute, "op": "eq", "value": one})
        elif not isinstance(one, str):
            return None
    if texts or not parts:
        parts.insert(0, {"attribute": attribute, "op": "in", "values": texts})
    return parts[0] if len(parts) == 1 else {"any": parts}
