"""Checks the schemas of this folder: every file of vectors, every snapshot that breaks no rule, the bodies of GUARD.md,
and what the tool prints.

It needs Python 3.10 or later and the package `jsonschema`; from anywhere: python3 spec/check_schemas.py
"""

import json
import pathlib
import re
import sys

import jsonschema

SPEC = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SPEC / "reference"))

import reading  # noqa: E402

TRANSCRIPTS = SPEC.parent / "cli" / "tests" / "golden"
EXAMPLE = SPEC.parent / "examples" / "data" / "feature_flags.json"
# What the examples of GUARD.md are, in their order.
BODIES = ["events", "events_answer", "trip", "facts", "usage"]


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def validator(path):
    schema = read(path)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def texts(vector):
    """The snapshots of a vector, as text."""
    for step in [vector, *vector.get("publish", [])]:
        if "snapshot" in step:
            yield json.dumps(step["snapshot"])
        elif "publish" in vector and "text" in step:
            yield step["text"]
    if "truth" in vector:
        flag = {"name": "flag", "rules": [{"key": "rule", "when": vector["condition"]}]}
        yield json.dumps({"esclusa": 1, "segments": vector.get("segments"), "flags": [flag]})


def is_sound(text):
    """Whether the reference evaluator takes the snapshot and finds no violation in it."""
    try:
        return not reading.read_snapshot(text)["violations"]
    except reading.Refused:
        return False


def printed():
    """What the commands of the transcripts print with `--format json`: a name, the command, and the document."""
    for path in sorted(TRANSCRIPTS.glob("*.txt")):
        for line, output in re.findall(r"^\$ (.*)\n((?:(?!= \d).*\n)*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            command = re.search(r"\besclusa (\w+)", line)
            kind = re.search(r"--format (jsonl?)\b", line)
            lines = [one for one in output.splitlines() if not one.startswith("! ")]
            if command is not None and kind is not None and lines:
                for text in lines if kind[1] == "jsonl" else ["\n".join(lines)]:
                    yield f"{path.name}: {line}", command[1], json.loads(text)


def documents():
    """What is checked: a name, the schema that must hold, and the document."""
    vectors = validator(SPEC / "vectors" / "vectors.schema.json")
    snapshots = validator(SPEC / "snapshot.schema.json")
    for path in sorted((SPEC / "vectors").glob("[0-9]*.json")):
        layer = read(path)
        yield path.name, vectors, layer
        for vector in layer["vectors"]:
            for text in filter(is_sound, texts(vector)):
                yield f"{path.name} {vector['name']}", snapshots, json.loads(text.removeprefix("\ufeff"))
    mappings = validator(SPEC / "mapping.schema.json")
    for path in sorted((SPEC / "vectors" / "mapping").rglob("*.json")):
        for vector in read(path)["vectors"]:
            if "refused" not in vector:
                mapping = vector["mapping"] if "mapping" in vector else vector["document"]["mapping"]
                yield f"{path.name} {vector['name']}", mappings, {"esclusa_mapping": 1, **mapping}
    difference = validator(SPEC / "diff.schema.json")
    outputs = read(SPEC / "output.schema.json")
    for name, command, document in printed():
        own = jsonschema.Draft202012Validator({**outputs, "$ref": f"#/$defs/{command}"})
        yield name, difference if command == "diff" else own, document
    bodies = read(SPEC / "track.schema.json")
    examples = re.findall(r"^```json\n(.*?)^```", (SPEC / "GUARD.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for body, example in zip(BODIES, examples, strict=True):
        own = jsonschema.Draft202012Validator({**bodies, "$ref": f"#/$defs/{body}"})
        yield f"GUARD.md: {body}", own, json.loads(example)
    if EXAMPLE.exists():
        yield EXAMPLE.name, snapshots, read(EXAMPLE)


def main():
    sys.setrecursionlimit(20_000)
    passed = failed = 0
    for name, schema, document in documents():
        error = jsonschema.exceptions.best_match(schema.iter_errors(document))
        if error is None:
            passed += 1
        else:
            failed += 1
            print(f"{name}: {error.json_path}: {error.message[:200]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
