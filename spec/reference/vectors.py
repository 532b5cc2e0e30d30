"""Runs the vectors of `spec/vectors` against the reference evaluator, and looks for sentences that no vector cites."""

import json
import pathlib
import re

import forms
import publishing
import reading
import resolving
from bucket import bucket, hash_text
from condition_reading import read_condition
from spelling import native_condition

SPEC = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_NOW = "2025-06-15T12:00:00Z"
COVERED = re.compile(r"[2-9]\.")
NOT_TESTABLE = {
    "7.20": "a vector asks for resolutions; the arm is tested where a host has it",
    "8.9": "a step of a vector has no strict mode; hosts test it on their own",
    "8.10": "the reference leaves nothing out; a build that does tests it on its own",
    "8.14": "the reference leaves nothing out; a build that does tests it on its own",
    "9.7": "a step of a vector has no reading; hosts test it on their own",
    "9.8": "a step of a vector has no reading; hosts test it on their own",
    "9.1": "a vector cannot see two instants at once",
}


def run_files(paths):
    """Prints a line for each file and each failure; answers how many vectors passed and failed."""
    passed = failed = 0
    for path in paths or sorted((SPEC / "vectors").glob("[0-9]*.json")):
        layer = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        failures = [(vector["name"], problem) for vector in layer["vectors"] for problem in problems_of(vector)[:1]]
        for name, problem in failures:
            print(f"  {name}: {problem}")
        print(f"{pathlib.Path(path).name}: {len(layer['vectors']) - len(failures)} passed, {len(failures)} failed")
        passed += len(layer["vectors"]) - len(failures)
        failed += len(failures)
    if not paths:
        print_uncited()
    print(f"{passed} passed, {failed} failed")
    return passed, failed


def print_uncited():
    """Which testable sentences of sections 2 to 9 no vector cites."""
    sentences = re.findall(r"^- \*\*([0-9.]+)\*\*", (SPEC / "SEMANTICS.md").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [number for number in sentences if COVERED.match(number) and number not in NOT_TESTABLE]
    cited = set()
    for path in (SPEC / "vectors").glob("[0-9]*.json"):
        for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
            cited.update(vector["cites"])
    for number in sorted(cited - set(sentences)):
        print(f"cited, but not a sentence: {number}")
    uncited = [number for number in wanted if number not in cited]
    print(f"{len(wanted) - len(uncited)} of {len(wanted)} testable sentences are cited; not cited: {', '.join(uncited) or 'none'}")


def problems_of(vector):
    """What a vector asserts and the reference does otherwise."""
    for field, check in KINDS.items():
        if field in vector:
            return check(vector)
    return ["is of no known kind"]


def differs(what, expected, actual):
    """A list of one problem, or of none; true is not 1 here."""
    if json.dumps(expected, sort_keys=True) == json.dumps(actual, sort_keys=True):
        return []
    return [f"{what} is {json.dumps(actual, ensure_ascii=False)}, expected {json.dumps(expected, ensure_ascii=False)}"]


def as_context(value):
    return forms.read_json(json.dumps(value))


def as_time(now):
    return forms.time_of(now) if isinstance(now, str) else now


def check_hash(vector):
    return differs("hash", vector["hash"], f"{hash_text(vector['text']):016x}")


def check_bucket(vector):
    return differs("bucket", vector["bucket"], bucket(vector["unit"], vector["salt"]))


def check_ranges(vector):
    return differs("ranges", vector["ranges"], resolving.ranges_of(vector["weights"]))


def check_condition(vector):
    violations = []
    rows = forms.read_json(json.dumps(vector.get("segments", [])))
    conditions = reading.read_segments(rows, violations)
    condition = read_condition(native_condition(forms.read_json(json.dumps(vector["condition"]))), "", violations)
    if violations:
        return [f"violations {violations}"]
    truth = resolving.truth(condition, as_context(vector["context"]), conditions, as_time(vector.get("now", DEFAULT_NOW)))
    return differs("truth", vector["truth"], {True: "true", False: "false", None: "unknown"}[truth])


def check_flag(vector):
    handle = publishing.new_handle()
    outcome = publishing.publish(handle, json.dumps(vector["snapshot"]))["outcome"]
    return differs("outcome", "published", outcome) + check_resolution(handle, vector)


def check_resolution(handle, query):
    now = as_time(query.get("now", DEFAULT_NOW))
    actual = resolving.resolve(handle["current"], query["flag"], as_context(query["context"]), now)
    return differs(f"`{query['flag']}`", forms.read_json(json.dumps(query["expect"])), actual)


def check_publish(vector):
    handle = publishing.new_handle()
    problems = []
    for number, step in enumerate(vector["publish"]):
        if "take_trip" in step:
            report = publishing.take_trip(handle, step["take_trip"]["flag"], step["take_trip"]["run"])
            problems += differs(f"changed of step {number}", step["changed"], report["changed"])
            continue
        text = step["text"] if "text" in step else json.dumps(step["snapshot"])
        report = publishing.publish(handle, text, accept_older=step.get("accept_older", False))
        problems += differs(f"outcome of step {number}", step["outcome"], report["outcome"])
        if "violations" in step:
            places = sorted(violation["place"] for violation in report["violations"])
            problems += differs(f"violations of step {number}", sorted(step["violations"]), places)
        for name in ("added", "removed", "changed", "set_aside"):
            if name in step:
                problems += differs(f"{name} of step {number}", step[name], report.get(name))
    for query in vector.get("resolve", []):
        problems += check_resolution(handle, query)
    return problems


KINDS = {
    "hash": check_hash,
    "bucket": check_bucket,
    "ranges": check_ranges,
    "condition": check_condition,
    "publish": check_publish,
    "expect": check_flag,
}
