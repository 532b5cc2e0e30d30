"""Contexts, conditions, buckets and the resolution of a flag: sections 3 to 7 and 10.2.

A flag set is a dict of `flags` and `segments` as `publishing` makes it; None is what stands before anything is published.
A truth is True, False or None, which is unknown.
"""

import math
import re

import forms
from bucket import BUCKETS, bucket

MAX_WORK = 100_000_000
MAX_ANSWER_PARTS = 1_000_000
FIXED = ("user", "targetingKey", "company", "plan", "region", "role", "roles")


# The context


def usable_text(value):
    """3.5: a text, or None."""
    if isinstance(value, str):
        return value
    if forms.is_integer(value):
        return str(value)
    return None


def targeting_key(context):
    """3.2."""
    key = usable_text(context.get("targetingKey"))
    return usable_text(context.get("user")) if key is None else key


def roles_of(context):
    """3.4: the caller's roles, or None when they are not known."""
    roles, known = [], False
    for name in ("role", "roles"):
        value = context.get(name)
        if isinstance(value, list):
            known = True
            roles.extend(usable_text(element) for element in value if usable_text(element) is not None)
        elif usable_text(value) is not None:
            known = True
            roles.append(usable_text(value))
    return roles if known else None


def look_up(context, name):
    """3.6 to 3.8: the value of an attribute, or None when it is missing."""
    if name in ("user", "targetingKey"):
        return targeting_key(context)
    if name in ("role", "roles"):
        return roles_of(context)
    if name in FIXED:
        return usable_text(context.get(name))
    value = context.get(name)
    if value is not None or "." not in name:
        return value
    first, *further = name.split(".")
    value = None if first in FIXED else context.get(first)
    for part in further:
        value = value.get(part) if isinstance(value, dict) else None
    return value


# Buckets


def unit_of(context, name):
    """6.2 and 6.3: the unit, or None."""
    if name in ("role", "roles"):
        return None
    value = look_up(context, name)
    if isinstance(value, str) and value != "":
        return value
    if forms.is_integer(value):
        return str(value)
    return None


def admits(share, context, unit_name, salt):
    """6.4: "in" or "out" without a bucket, "bucket in" or "bucket out" by one, "no unit" without one."""
    if share == BUCKETS:
        return "in"
    if share == 0:
        return "out"
    unit = unit_of(context, unit_name)
    if unit is None:
        return "no unit"
    return "bucket in" if bucket(unit, salt) < share else "bucket out"


def ranges_of(weights):
    """6.6: one half-open range for each weight."""
    total = sum(weights)
    sizes = [weight * BUCKETS // total for weight in weights]
    remainders = [weight * BUCKETS % total for weight in weights]
    left = BUCKETS - sum(sizes)
    for index in sorted(range(len(weights)), key=lambda index: (-remainders[index], index))[:left]:
        sizes[index] += 1
    ranges, low = [], 0
    for size in sizes:
        ranges.append([low, low + size])
        low += size
    return ranges


# Conditions


def truth(condition, context, segments, now):
    """4.1 to 4.7 and 4.16."""
    if "all" in condition:
        return all_of([truth(part, context, segments, now) for part in condition["all"]])
    if "any" in condition:
        return any_of([truth(part, context, segments, now) for part in condition["any"]])
    if "not" in condition:
        part = truth(condition["not"], context, segments, now)
        return None if part is None else not part
    if "segment" in condition:
        return truth(segments[condition["segment"]], context, segments, now)
    if "percentage" in condition:
        band = condition["percentage"]
        unit = unit_of(context, band["of"])
        return None if unit is None else band["from"] <= bucket(unit, band["salt"]) < band["to"]
    if "now" in condition:
        start, end = condition["now"]["from"], condition["now"]["to"]
        return (start is None or start <= now) and (end is None or now < end)
    return compare(condition, context)


def all_of(truths):
    """4.2."""
    if False in truths:
        return False
    return None if None in truths else True


def any_of(truths):
    """4.3."""
    if True in truths:
        return True
    return None if None in truths else False


def compare(comparison, context):
    """4.8 to 4.10 and 5.12."""
    value = look_up(context, comparison["attribute"])
    if comparison["op"] == "present":
        return value is not None
    if value is None:
        return None
    if isinstance(value, list):
        return any_of([compare_one(comparison, element) for element in value])
    return compare_one(comparison, value)


def compare_one(comparison, value):
    """Section 5 for one value; None for a kind that the operator cannot use (4.9)."""
    operator = comparison["op"]
    if operator in ("in", "contains", "starts_with", "ends_with"):
        if operator == "in" and forms.is_integer(value):
            value = str(value)
        return compare_text(comparison, value) if isinstance(value, str) else None
    if operator == "matches":
        return re.search(comparison["value"], value) is not None if isinstance(value, str) else None
    if operator == "is":
        return value == comparison["value"] if isinstance(value, bool) else None
    if operator in ("before", "after"):
        time = time_of_attribute(value)
        return None if time is None else in_order(operator, time, comparison["value"])
    if operator.startswith("semver_"):
        version = forms.version_of(value)
        return None if version is None else in_order(operator.removeprefix("semver_"), version, forms.version_of(comparison["value"]))
    if operator == "in_cidr":
        address = forms.address_of(value)
        return None if address is None else any(holds(network, address) for network in comparison["values"])
    return in_order(operator, float(value), float(comparison["value"])) if forms.is_number(value) else None


def compare_text(comparison, value):
    """5.1 to 5.3."""
    wanted = comparison["values"]
    if comparison["ignore_case"]:
        value, wanted = lower(value), [lower(each) for each in wanted]
    if comparison["op"] == "in":
        return value in wanted
    if comparison["op"] == "contains":
        return any(each in value for each in wanted)
    if comparison["op"] == "starts_with":
        return any(value.startswith(each) for each in wanted)
    return any(value.endswith(each) for each in wanted)


def lower(text):
    """5.2: a character on its own has no context."""
    return "".join(character.lower() for character in text)


def in_order(operator, left, right):
    """5.7 to 5.9."""
    if operator == "eq":
        return left == right
    if operator in ("lt", "before"):
        return left < right
    if operator == "le":
        return left <= right
    if operator in ("gt", "after"):
        return left > right
    return left >= right


def time_of_attribute(value):
    """5.8."""
    if forms.is_number(value):
        time = math.floor(value)
        return time if forms.FIRST_MILLISECOND <= time <= forms.LAST_MILLISECOND else None
    return forms.time_of(value)


def holds(network, address):
    """5.10 and 5.11."""
    network = forms.network_of(network)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network or (mapped is not None and mapped in network)


# Resolving


def resolution(enabled, value, variant, reason, error=None):
    """7.18."""
    return {"enabled": enabled, "value": value, "variant": variant, "reason": reason, "error": error}


def resolve(flag_set, key, context, now):
    """7.1 to 7.18; `now` is in milliseconds."""
    if flag_set is None:
        return resolution(False, None, None, "ERROR", "PROVIDER_NOT_READY")  # 7.17
    flag = flag_set["flags"].get(key)
    if flag is None:
        return resolution(False, None, None, "ERROR", "FLAG_NOT_FOUND")  # 7.1
    if flag["state"] == "off":
        return resolution(False, flag["off_value"], None, "DISABLED")  # 8.7
    if flag["state"] == "broken":
        return resolution(False, flag["off_value"], None, "ERROR", "PARSE_ERROR")  # 7.2
    return resolve_definition(flag_set, flag["definition"], context, now)


def resolve_definition(flag_set, flag, context, now):
    """7.3 to 7.16."""

    def off(reason, error=None):
        return resolution(False, flag["off_value"], None, reason, error)  # 7.15

    if not flag["enabled"] or flag["status"] in ("draft", "paused", "rolled_back"):
        return off("DISABLED")  # 7.3
    if (flag["start"] is not None and now < flag["start"]) or (flag["end"] is not None and now >= flag["end"]):
        return off("DISABLED")  # 7.4
    if is_too_much_work(flag_set, flag, context):
        return off("ERROR", "INVALID_CONTEXT")  # 7.19
    for prerequisite in flag["prerequisites"]:
        if not is_met(flag_set, prerequisite, context, now):
            return off("DEFAULT")  # 7.5
    if is_listed(flag["overrides"]["off"], context) or may_be_listed(flag["overrides"]["off"], context):
        return off("TARGETING_MATCH")  # 7.7
    if is_listed(flag["overrides"]["on"], context):
        return serve(flag, None, context, bucketed=False)  # 7.8
    if not is_targeted(flag, context):
        return off("DEFAULT")  # 7.9

    bucketed = False
    if flag["status"] != "completed":  # 7.10
        admitted = admits(share_in_force(flag, now), context, flag["bucket_by"], flag["salt"])
        if admitted in ("out", "bucket out"):
            return off("SPLIT")  # 7.11
        if admitted == "no unit":
            return off("ERROR", "TARGETING_KEY_MISSING")  # 7.11
        bucketed = admitted == "bucket in"

    deciding = None
    if flag["rules"]:
        for rule in flag["rules"]:
            if truth(rule["when"], context, flag_set["segments"], now) is True:
                deciding = rule
                break
        if deciding is None:
            return off("DEFAULT")  # 7.12
        salt = flag["salt"] + "/rule/" + deciding["key"]  # 6.5
        admitted = admits(deciding["share"], context, deciding["bucket_by"] or flag["bucket_by"], salt)
        if admitted in ("out", "bucket out"):
            return off("SPLIT")  # 7.13
        if admitted == "no unit":
            return off("ERROR", "TARGETING_KEY_MISSING")  # 7.13
        bucketed = bucketed or admitted == "bucket in"
    return serve(flag, deciding, context, bucketed)


def is_too_much_work(flag_set, flag, context):
    """7.19."""
    names = ("user", "company", "plan", "region", "roles", *(name for name in context if name not in FIXED))
    values = [look_up(context, name) if name in FIXED else context[name] for name in names]
    largest = max((size(value) for value in values if value is not None), default=0)
    if largest * MAX_ANSWER_PARTS <= MAX_WORK:
        return False
    parts = parts_of_flag(flag_set, flag)
    return parts > 1_000 and parts * largest > MAX_WORK


def size(value):
    """7.19."""
    if isinstance(value, str):
        return 16 + len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list):
        return 16 + sum(map(size, value))
    if isinstance(value, dict):
        return 16 + sum(map(size, value.values()))
    return 16


def parts_of_flag(flag_set, flag):
    """7.19 and 2.4.6."""
    parts = sum(parts_of(rule["when"], flag_set["segments"]) for rule in flag["rules"])
    for prerequisite in flag["prerequisites"]:
        other = flag_set["flags"].get(prerequisite["flag"])
        if other is not None and other["definition"] is not None:
            parts += parts_of_flag(flag_set, other["definition"])
    return parts


def parts_of(condition, segments):
    """2.3.4: with the segments written out."""
    if "segment" in condition:
        return 1 + parts_of(segments[condition["segment"]], segments)
    inner = condition.get("all", []) + condition.get("any", [])
    if "not" in condition:
        inner = [condition["not"]]
    return 1 + sum(parts_of(part, segments) for part in inner)


def is_met(flag_set, prerequisite, context, now):
    """7.6."""
    if prerequisite["flag"] not in flag_set["flags"]:
        return False
    other = resolve(flag_set, prerequisite["flag"], context, now)
    if other["error"] is not None:
        return False
    if prerequisite["variants"] is None:
        return other["enabled"] == prerequisite["on"]
    return other["enabled"] and other["variant"] in prerequisite["variants"]


def is_listed(override, context):
    """7.7 and 7.8; a missing value is in no list."""
    return targeting_key(context) in override["users"] or usable_text(context.get("company")) in override["companies"]


def may_be_listed(override, context):
    """3.10: there are entries, and what the context has is no text."""
    users = override["users"] and is_unreadable(context, ("user", "targetingKey"))
    return users or (override["companies"] and is_unreadable(context, ("company",)))


def is_unreadable(context, names):
    """3.10."""
    given = [context[name] for name in names if context.get(name) is not None]
    return bool(given) and all(usable_text(value) is None for value in given)


def is_targeted(flag, context):
    """7.9."""
    for name, value in (
        ("target_plans", usable_text(context.get("plan"))),
        ("target_companies", usable_text(context.get("company"))),
        ("target_regions", usable_text(context.get("region"))),
        ("target_users", targeting_key(context)),
    ):
        if flag[name] and value not in flag[name]:
            return False
    roles = roles_of(context) or []
    return not flag["target_roles"] or any(role in flag["target_roles"] for role in roles)


def share_in_force(flag, now):
    """7.10."""
    share = flag["share"]
    for step in flag["schedule"]:
        if step["at"] <= now:
            share = step["share"]
    return share


def serve(flag, rule, context, bucketed):
    """7.14 and 7.16."""
    value, variant = True, None
    if flag["variants"]:
        variant, asked = choose(flag, rule, context)
        if variant is None:
            return resolution(False, flag["off_value"], None, "ERROR", "TARGETING_KEY_MISSING")
        value = next(each["value"] for each in flag["variants"] if each["key"] == variant)
        bucketed = bucketed or asked
    reason = "SPLIT" if bucketed else "STATIC" if is_static(flag) else "TARGETING_MATCH"
    return resolution(True, value, variant, reason)


def choose(flag, rule, context):
    """6.7 and 7.14: the key of the variant, None without a unit, and whether a bucket was asked for."""
    if rule and rule["variant"] is not None:
        return rule["variant"], False
    if rule and rule["split"] is not None:
        choices = [(share["variant"], share["weight"]) for share in rule["split"]]
    else:
        choices = [(variant["key"], variant["weight"]) for variant in flag["variants"]]
    ranges = ranges_of([weight for _, weight in choices])
    for (variant, _), (low, high) in zip(choices, ranges, strict=True):
        if high - low == BUCKETS:
            return variant, False
    unit = unit_of(context, rule and rule["bucket_by"] or flag["bucket_by"])
    if unit is None:
        return None, True
    place = bucket(unit, flag["salt"] + "/variant")  # 6.5
    for (variant, _), (low, high) in zip(choices, ranges, strict=True):
        if low <= place < high:
            return variant, True
    raise AssertionError("the ranges cover every bucket")


def is_static(flag):
    """7.16."""
    entries = [entry for side in ("on", "off") for kind in ("users", "companies") for entry in flag["overrides"][side][kind]]
    targets = [entry for name in flag if name.startswith("target_") for entry in flag[name]]
    window = flag["start"] is not None or flag["end"] is not None
    return not (window or flag["schedule"] or flag["prerequisites"] or entries or targets or flag["rules"])


def project(flag_set, keys, context, now):
    """10.2."""
    projection = {}
    for key in keys:
        answer = resolve(flag_set, key, context, now)
        if answer["reason"] != "ERROR":
            projection[key] = {"enabled": answer["enabled"], "value": answer["value"]}
            if answer["variant"] is not None:
                projection[key]["variant"] = answer["variant"]
    return projection
