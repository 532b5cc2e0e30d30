"""From the bytes of a snapshot to definitions and violations: 2.1, 2.3 and 8.12.

A violation is a dict of a place, which is a JSON pointer, and a message.
"""

import forms
import graphs
from condition_reading import check_extent, read_condition, segments_named
from flag_reading import read_flags
from forms import MAX_INTEGER, Fields
from places import check_twice, inside, is_whole, read_key, required, violate

MAX_BYTES = 268_435_456
MAX_NESTING = 100
MAX_FLAGS = MAX_SEGMENTS = 1_000_000


class Refused(Exception):
    """The snapshot is refused whole (2.1.7)."""


def read_snapshot(data):
    """2.1 to 2.4: the flags, the segments and all violations of a snapshot, given as bytes or text."""
    document = read_document(data)
    violations = []
    segments = read_segments(document["segments"], violations)
    flags = read_flags(document["flags"], document["flags_place"], segments, violations)
    return {
        "revision": document["revision"],
        "flags": flags,
        "segments": {key: segment["when"] for key, segment in segments.items() if not segment["broken"]},
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
        document = {"revision": None, "segments": [], "flags": value, "flags_place": ""}
    elif isinstance(value, Fields):
        document = read_document_fields(value)
    else:
        raise Refused("neither the document nor bare rows")
    if len(document["flags"]) > MAX_FLAGS or len(document["segments"]) > MAX_SEGMENTS:
        raise Refused("too many flags or segments")
    return document


def read_document_fields(value):
    """2.1.3, 2.1.4 and the repeats of 2.1.7."""
    for name in ("esclusa", "revision", "generated_at", "segments", "flags"):
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
    return {"revision": revision, "segments": segments or [], "flags": value["flags"], "flags_place": "/flags"}


def read_segments(rows, violations):
    """2.3: by key, {"when", "broken", "extent"}; of segments with one key the first stands."""
    segments = {}
    for index, row in enumerate(rows):
        found = []
        segment = read_segment(row, f"/segments/{index}", found)
        if segment["key"] is not None and segment["key"] in segments:
            violate(found, inside(segment["place"], "key"), "is taken by an earlier segment")
        elif segment["key"] is not None:
            segment["found"] = found
            segments[segment["key"]] = segment
            continue
        violations.extend(found)
    check_references(segments)
    for segment in segments.values():
        violations.extend(segment["found"])
        segment["broken"] = bool(segment["found"])
    return segments


def read_segment(row, place, found):
    """2.3.1 and 2.2.23."""
    if not isinstance(row, Fields):
        violate(found, place, "is not an object")
        return {"key": None, "when": None, "named": [], "place": place}
    check_twice(row, place, found)
    when = required(row, "when", place, found, read_condition)
    return {
        "key": required(row, "key", place, found, read_key),
        "when": when,
        "named": segments_named(when, inside(place, "when")),
        "place": place,
    }


def check_references(segments):
    """2.3.2 to 2.3.4, from the segments that name none upwards."""
    graph = {key: [name for name, _ in segment["named"]] for key, segment in segments.items()}
    cyclic = graphs.nodes_on_cycles(graph)
    for key in graphs.leaves_first(graph, cut=cyclic):
        segment = segments[key]
        segment["extent"] = (0, 0)
        if key in cyclic:
            violate(segment["found"], inside(segment["place"], "when"), f"is on a cycle: {graphs.path_back(graph, key)}")
    for key in graphs.leaves_first(graph, cut=cyclic):
        segment = segments[key]
        for name, place in segment["named"]:
            same_cycle = key in cyclic and name in cyclic and key in graphs.reached_from(graph, [name])
            if not same_cycle and (name not in segments or segments[name]["found"]):
                violate(segment["found"], place, "names a segment that does not exist")
        if not segment["found"]:
            segment["extent"] = check_extent(segment["when"], segments, inside(segment["place"], "when"), segment["found"])
