"""The reference evaluator: the most literal reading of SEMANTICS.md.

It is made to be read and compared with, not to be fast, and it shares no code with the engine.
`reading` turns a snapshot into definitions and violations, `publishing` puts it into a handle, `resolving` answers.
It needs Python 3.10 or later and the package `xxhash`.
"""

import json
import sys

import forms
import mapping_vectors
import publishing
import resolving
import vectors

USAGE = """usage: python3 esclusa_reference.py vectors [FILE...]
       python3 esclusa_reference.py resolve
       python3 esclusa_reference.py mapping
       python3 esclusa_reference.py map

vectors  runs the vectors of the files, or all of them, and fails if one does
resolve  reads JSON lines {"snapshots": [text...], "queries": [{"flag", "context", "now"}...]}
         and prints for each line an array of resolutions
mapping  runs the vectors of mappings
map      reads JSON lines {"mapping", "parameters", "rows": text} and prints for each line {"native": [flags...]},
         or {"refused": place}
"""


def answer_line(line):
    """One line of `resolve`: the snapshots are published in order, those that are refused are skipped."""
    request = forms.read_json(line)
    handle = publishing.new_handle()
    for text in request["snapshots"]:
        publishing.publish(handle, text)
    return [
        resolving.resolve(handle["current"], query["flag"], query["context"], vectors.as_time(query.get("now", vectors.DEFAULT_NOW)))
        for query in request["queries"]
    ]


def main(arguments):
    sys.setrecursionlimit(20_000)
    if arguments[:1] == ["vectors"]:
        _, failed = vectors.run_files(arguments[1:])
        return 1 if failed else 0
    if arguments == ["mapping"]:
        return mapping_vectors.run()
    if arguments == ["map"]:
        for line in sys.stdin.buffer:
            print(mapping_vectors.answer_line(line.decode()), flush=True)
        return 0
    if arguments == ["resolve"]:
        sys.stdin.reconfigure(encoding="utf-8")
        sys.stdout.reconfigure(encoding="utf-8")
        for line in sys.stdin:
            if line.strip():
                print(json.dumps(answer_line(line), ensure_ascii=False, separators=(",", ":")), flush=True)
        return 0
    sys.stderr.write(USAGE)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
