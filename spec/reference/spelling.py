"""Flags and segments as the other files read them: every field under its own name, what is empty as what it is to be, and ids as texts."""

from forms import WHITE_SPACE, Fields, is_integer

LISTS = (
    "target_plans",
    "target_roles",
    "target_companies",
    "target_regions",
    "target_users",
    "variants",
    "rules",
    "prerequisites",
    "schedule",
)
OTHERS = ("rollout_percentage", "start_date", "end_date", "bucket_by", "off_value", "guard_state")


def native_flag(row):
    """2.2.29, 2.2.30 and 2.2.33."""

    def change(name, value):
        if name == "variants":
            value = each(value, lambda variant: with_ids(variant, ("key",)))
        if name == "prerequisites":
            value = each(value, lambda prerequisite: with_ids(prerequisite, ("flag", "variants")))
        if name.startswith("target_"):
            value = ids(value)
        if name == "rules":
            value = each(value, native_rule)
        if name == "guard_state":
            value = renamed(value, ("cleared_steps",))
        if name == "schedule":
            value = each(value, lambda step: renamed(step, ("rollout_percentage",)))
        if name == "overrides":
            value = changed(as_object(value), lambda name, side: native_side(side) if name in ("on", "off") else side)
        return as_list(value) if name in LISTS else value

    return changed(renamed(row, LISTS + OTHERS), change)


def native_side(side):
    return changed(as_object(side), lambda name, value: ids(as_list(value)))


def native_rule(rule):
    rule = renamed(rule, ("rollout_percentage", "bucket_by"))

    def change(name, value):
        if name == "split":
            return each(value, lambda part: with_ids(part, ("variant",)))
        if name == "variant":
            return as_id(value)
        return native_condition(value) if name == "when" else value

    return changed(rule, change)


def native_segment(row):
    """2.2.30."""
    return changed(row, lambda name, value: native_condition(value) if name == "when" else value)


def native_condition(condition):
    def change(name, value):
        if name in ("all", "any"):
            return each(value, native_condition)
        if name == "values" and condition.get("op") == "in":
            return ids(value)
        return native_condition(value) if name == "not" else value

    return changed(renamed(condition, ("ignore_case",)), change)


def as_id(value):
    """2.2.29: a whole number is its digits."""
    return str(value) if is_integer(value) else value


def ids(value):
    return each(value, as_id)


def with_ids(value, names):
    return changed(value, lambda name, inner: as_id(ids(inner)) if name in names else inner)


def as_written(violation, root, row):
    """8.12: the violation with its place as it is written in the row, which stands at `root`."""
    place = root
    for step in violation["place"][len(root) :].split("/")[1:]:
        if isinstance(row, Fields):
            step = camel(step) if step not in row and camel(step) in row else step
            row = row.get(step)
        elif isinstance(row, list):
            row = row[int(step)] if step.isdecimal() and int(step) < len(row) else None
        place += "/" + step
    return {**violation, "place": place}


def camel(name):
    first, *further = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in further)


def renamed(value, names):
    own = {camel(name): name for name in names}
    return Fields([(own.get(name, name), inner) for name, inner in value.pairs]) if isinstance(value, Fields) else value


def changed(value, change):
    return Fields([(name, change(name, inner)) for name, inner in value.pairs]) if isinstance(value, Fields) else value


def each(value, change):
    return [change(element) for element in value] if isinstance(value, list) else value


def is_blank(value):
    return isinstance(value, str) and value.strip(WHITE_SPACE) == ""


def as_list(value):
    return [] if is_blank(value) or value == {} else value


def as_object(value):
    return Fields([]) if is_blank(value) or value == [] else value
