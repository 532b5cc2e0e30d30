"""The script that other hosts are compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("triples.py")


def answers(folder: Path, *questions: object) -> list[str]:
    file = folder / "questions.jsonl"
    file.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
    run = subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, check=True)
    return run.stdout.decode("utf-8").removesuffix("\n").split("\n")


# As `JSON.stringify` prints them.
NUMBERS = {
    "0": "0", "-0": "0", "1": "1", "-1.5": "-1.5", "12.50": "12.5", "100": "100", "1e2": "100", "0.1": "0.1",
    "9007199254740991": "9007199254740991", "-9007199254740991": "-9007199254740991",
    "9007199254740993": "9007199254740992", "123456789012345680000": "123456789012345680000",
    "1e21": "1e+21", "1e20": "100000000000000000000", "1.5e300": "1.5e+300", "1e-6": "0.000001", "1e-7": "1e-7",
    "1.25e-7": "1.25e-7", "-0.00001234": "-0.00001234", "5e-324": "5e-324", "0.30000000000000004": "0.30000000000000004",
    "1.7976931348623157e308": "1.7976931348623157e+308", "4.35": "4.35", "123.456e5": "12345600",
}  # fmt: skip


@pytest.mark.parametrize(("written", "printed"), NUMBERS.items())
def test_numbers(written: str, printed: str, tmp_path: Path) -> None:
    snapshot = json.loads(f'[{{"name": "a", "enabled": true, "variants": [{{"key": "v", "value": {written}}}]}}]')
    (line,) = answers(tmp_path, {"snapshot": snapshot}, {"key": "a", "context": {}, "now": 0})
    assert line == f'{{"enabled":true,"error":null,"reason":"STATIC","value":{printed},"variant":"v"}}'


def test_each_snapshot_begins_anew(tmp_path: Path) -> None:
    value = {"\uffff": [1.5, None], "\U0001f600": {"b": "é\n\u007f\u2028", "a": "\x1f\\\""}}
    snapshot = [{"name": "a", "enabled": True, "variants": [{"key": "v", "value": value}]}]
    ask = {"key": "a", "context": {"user": "u"}, "now": 1.5}
    lines = answers(tmp_path, ask, {"snapshot": snapshot}, ask, {"snapshot": []}, ask)
    assert lines == [
        '{"enabled":false,"error":"PROVIDER_NOT_READY","reason":"ERROR","value":null,"variant":null}',
        '{"enabled":true,"error":null,"reason":"STATIC","value":{"\U0001f600":{"a":"\\u001f\\\\\\"","b":"é\\n\u007f\u2028"},'
        '"\uffff":[1.5,null]},"variant":"v"}',
        '{"enabled":false,"error":"FLAG_NOT_FOUND","reason":"ERROR","value":null,"variant":null}',
    ]
