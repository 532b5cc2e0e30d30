"""Runs the vectors of `spec/vectors/mapping`, and answers lines of mappings with rows."""

import json
import pathlib
import re

import forms
import mapping
import publishing
import resolving
import vectors
from mapping_checks import Refused

SPEC = pathlib.Path(__file__).resolve().parent.parent


def text_of(value):
    """JSON with every field as often as it stands."""
    if isinstance(value, forms.Fields):
        return "{" + ",".join(f"{json.dumps(name)}:{text_of(inner)}" for name, inner in value.pairs) + "}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{text_of(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(inner) for inner in value) + "]"
    return json.dumps(value)


def answer_line(line):
    """One line of `map`: {"mapping", "parameters", "rows"}; the answer has `native`, or the place of a refusal."""
    request = forms.read_json(line)
    try:
        flags = mapping.translate(request["rows"], request["mapping"], request.get("parameters", {}))
    except Refused as refusal:
        return json.dumps({"refused": refusal.place})
    return '{"native":' + text_of(flags) + "}"


def run():
    passed = failed = 0
    cited = set()
    for path in sorted((SPEC / "vectors" / "mapping").rglob("*.json")):
        layer = json.loads(path.read_text(encoding="utf-8"))
        failures = []
        for vector in layer["vectors"]:
            cited.update(vector["cites"])
            problem = problem_of(vector)
            if problem:
                failures.append(f"  {vector['name']}: {problem}")
        for failure in failures:
            print(failure)
        print(f"{path.name}: {len(layer['vectors']) - len(failures)} passed, {len(failures)} failed")
        passed += len(layer["vectors"]) - len(failures)
        failed += len(failures)
    sentences = set(re.findall(r"^- \*\*(M[0-9]+)\*\*", (SPEC / "MAPPING.md").read_text(encoding="utf-8"), re.MULTILINE))
    if sentences != cited:
        print(f"sentences and citations differ in {', '.join(sorted(sentences ^ cited))}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def problem_of(vector):
    rows = json.dumps(vector["document"] if "document" in vector else vector["rows"])
    try:
        own = {"esclusa_mapping": 1, **vector["mapping"]} if "mapping" in vector else None
        flags = mapping.translate(rows, own, vector.get("parameters", {}))
    except Refused as refusal:
        return None if refusal.place == vector.get("refused") else f"is refused at {refusal.place}"
    if "refused" in vector:
        return "is not refused"
    text = text_of(flags)
    if "native" in vector and comparable(json.loads(text)) != comparable(vector["native"]):
        return f"becomes {text}"
    handle = publishing.new_handle()
    publishing.publish(handle, text)
    for query in vector.get("resolve", []):
        now = vectors.as_time(query.get("now", vectors.DEFAULT_NOW))
        answer = resolving.resolve(handle["current"], query["flag"], vectors.as_context(query["context"]), now)
        fits = answer["enabled"] == query["enabled"] and answer["error"] == query.get("error", answer["error"])
        if not fits or ("value" in query and answer["value"] != query["value"]):
            return f"answers {answer} to {query}"
    return None


def comparable(flags):
    return sorted(json.dumps(doubles(flag), sort_keys=True) for flag in flags)


def doubles(value):
    if isinstance(value, list):
        return [doubles(inner) for inner in value]
    if isinstance(value, dict):
        return {name: doubles(inner) for name, inner in value.items()}
    return float(value) if forms.is_number(value) else value
