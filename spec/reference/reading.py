"""From the bytes of a snapshot to definitions and violations: 2.1, 2.3 and 8.12.

A violation is a dict of a place, which is a JSON pointer, and a message.
"""

import expressions
import forms
import graphs
from condition_reading import check_references, expressions_in, extents_of, is_too_large, read_condition, segments_named
from flag_reading import read_flags, read_row
from forms import MAX_INTEGER, Fields
from places import check_twice, inside, is_whole, read_key, required, violate
from spelling import as_written, native_flag, native_segment

MAX_BYTES = 268_435_456
MAX_NESTING = 100
MAX_FLAGS = MAX_SEGMENTS = 1_000_000
MAX_SNAPSHOT_PARTS = 2_000_000


class Refused(Exception):
    """The snapshot is refused whole (2.1.7)."""


def read_snapshot(data):
    """2.1 to 2.4: the flags, the segments and all violations of a snapshot, given as bytes or text."""
    document = read_document(data)
    violations = []
    segments_over, flags_over = over_the_limit(document["segments"], document["flags"], document["ignored"])
    segments = read_segments(document["segments"], violations, segments_over)
    of_segments, ignored = extents_of(segments), document["ignored"]
    flags, rows = read_flags(document["flags"], document["flags_place"], of_segments, ignored, violations, flags_over)
    return {
        "revision": document["revision"],
        "flags": flags,
        "rows": rows,
        "segments": segments,
        "violations": violations,
    }


def read_document(data):
    """2.1.1 to 2.1.8."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise Refused("too long")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
        if forms.nesting(text) > MAX_NESTING:
            raise Refused("nested too deep")
        value = forms.read_json(text)
    except (UnicodeDecodeError, forms.NotJson) as error:
        raise Refused(str(error)) from error
    if isinstance(value, list):
        document = {"revision": None, "segments": [], "ignored": [], "flags": value, "flags_place": ""}
    elif isinstance(value, Fields):
        document = read_document_fields(value)
    else:
        raise Refused("neither the document nor bare rows")
    if len(document["flags"]) > MAX_FLAGS or len(document["segments"]) > MAX_SEGMENTS:
        raise Refused("too many flags or segments")
    return document


def read_document_fields(value):
    """2.1.3, 2.1.4 and the repeats of 2.1.7."""
    for name in ("esclusa", "revision", "generated_at", "segments", "flags", "ignored", "tables"):
        if len(value.all.get(name, ())) > 1:
            raise Refused(f"`{name}` stands twice")
    if not is_whole(value.get("esclusa"), 1, 1):
        raise Refused("`esclusa` is not 1")
    if not isinstance(value.get("flags"), list):
        raise Refused("`flags` is not an array")
    revision = value.get("revision")
    if revision is not None and not is_whole(revision, 0, MAX_INTEGER):
        raise Refused("`revision` is not a revision")
    if value.get("generated_at") is not None and forms.time_of(value["generated_at"]) is None:
        raise Refused("`generated_at` is not a time")
    segments = value.get("segments")
    if segments is not None and not isinstance(segments, list):
        raise Refused("`segments` is not an array")
    if value.get("tables") is not None:
        raise Refused("`tables` holds rows for a mapping")
    ignored = value.get("ignored") or []
    if not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored) or value.get("ignored") in (False, 0, "", {}):
        raise Refused("`ignored` is not an array of names")
    return {"revision": revision, "segments": segments or [], "ignored": ignored, "flags": value["flags"], "flags_place": "/flags"}


class Everything:
    """Holds every name: in the first look at a snapshot what is named does not count."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return 1, 1


def over_the_limit(segments, flags, ignored):
    """5.17: the indexes of the segments and of the flags that are set aside because of all expressions together."""
    owners = []
    for kind, rows in enumerate((segments, flags)):
        taken = set()
        for index, row in enumerate(rows):
            found, row = [], native_flag(row) if kind else native_segment(row)
            if kind == 0:
                key = read_segment(row, "", found)["key"]
                conditions = [row.get("when")] if isinstance(row, Fields) else []
            else:
                key = (read_row(row, "", Everything(), Everything(), ignored, found)["definition"] or {}).get("key")
                rules = row.get("rules") if isinstance(row, Fields) else None
                conditions = [rule.get("when") for rule in rules if isinstance(rule, Fields)] if isinstance(rules, list) else []
            if key is not None and key not in taken and not found:
                texts = set().union(*(expressions_in(condition) for condition in conditions))
                owners.append((-sum(expressions.parts(text) for text in texts), kind, key, index, texts))
            taken.add(key)
    owners.sort(key=lambda owner: owner[:3])
    over = [set(), set()]
    while sum(expressions.parts(text) for text in set().union(*(owner[4] for owner in owners))) > MAX_SNAPSHOT_PARTS:
        _, kind, _, index, _ = owners.pop(0)
        over[kind].add(index)
    return over


def read_segments(rows, violations, over=()):
    """2.3: the conditions of the segments that break no rule, by key; of segments with one key the first stands."""
    segments, by_key = [], {}
    for index, row in enumerate(rows):
        found = []
        segment = {**read_segment(native_segment(row), f"/segments/{index}", found), "found": found, "row": row}
        if index in over:
            violate(found, f"/segments/{index}/when", "has too many parts of expressions")
        segments.append(segment)
        if segment["key"] is not None and segment["key"] in by_key:
            violate(found, inside(segment["place"], "key"), "is taken by an earlier segment")
        elif segment["key"] is not None:
            by_key[segment["key"]] = segment
    sound = sound_segments(by_key)
    extents = extents_of({key: by_key[key]["when"] for key in sound})
    for segment in segments:
        if "cycle" in segment:
            violate(segment["found"], inside(segment["place"], "when"), f"is on a cycle: {segment['cycle']}")
        else:
            check_references(segment["when"], inside(segment["place"], "when"), extents, segment["found"])
        violations.extend(as_written(violation, segment["place"], segment["row"]) for violation in segment["found"])
    return {key: by_key[key]["when"] for key in by_key if key in sound}


def read_segment(row, place, found):
    """2.3.1 and 2.2.23."""
    if not isinstance(row, Fields):
        violate(found, place, "is not an object")
        return {"key": None, "when": None, "place": place}
    check_twice(row, ("key", "when"), place, found)
    return {
        "key": required(row, "key", place, found, read_key),
        "when": required(row, "when", place, found, read_condition),
        "place": place,
    }


def sound_segments(segments):
    """2.3.2 to 2.3.4: the keys of the segments that break no rule; those on a cycle are told which.

    Those that break one are taken away, which may leave others that name one that does not exist, until none is left.
    Cycles come last, because they are judged over the segments that break no other rule.
    """
    sound = {key for key, segment in segments.items() if not segment["found"]}
    while True:
        graph = {key: named_keys(segments[key]) for key in segments if key in sound}
        wrong = {key for key in graph if any(name not in sound for name in graph[key])}
        if not wrong:
            extents = extents_of({key: segments[key]["when"] for key in graph})
            wrong = {key for key in extents if is_too_large(extents[key])}
        if not wrong:
            wrong = segments_on_cycles(segments, graph)
        if not wrong:
            return sound
        sound -= wrong


def named_keys(segment):
    return [name for name, _ in segments_named(segment["when"])]


def segments_on_cycles(segments, graph):
    """2.3.2: those on cycles that lead to no other cycle; one that leads to a cycle names a segment that does not exist."""
    cyclic = graphs.nodes_on_cycles(graph)
    reached = {key: {name for name in graphs.reached_from(graph, graph[key]) if name in cyclic} for key in cyclic}
    wrong = {key for key in cyclic if all(key in reached[name] for name in reached[key])}
    for key in wrong:
        segments[key]["cycle"] = graphs.path_back(graph, key)
    return wrong
