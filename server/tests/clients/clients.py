"""The unmodified OFREP client for Python gets every answer of the engine.

python clients.py URL TOKEN QUESTIONS; a question is a line `{"key", "type", "context", "value", "variant"}`.
"""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

URL, TOKEN, QUESTIONS = sys.argv[1:]

api.set_provider(OFREPProvider(URL, headers_factory=lambda: {"Authorization": f"Bearer {TOKEN}"}))
client = api.get_client()
# What no flag serves, so that a default is seen.
ask = {
    "boolean": lambda key, context: client.get_boolean_details(key, True, context),
    "integer": lambda key, context: client.get_integer_details(key, -4711, context),
    "float": lambda key, context: client.get_float_details(key, -47.11, context),
    "string": lambda key, context: client.get_string_details(key, "no such text", context),
    "object": lambda key, context: client.get_object_details(key, {"no": "such"}, context),
}

wrong, count = [], 0
with open(QUESTIONS, encoding="utf-8") as lines:
    for line in lines:
        question = json.loads(line)
        attributes = dict(question["context"])
        context = EvaluationContext(attributes.pop("targetingKey", None), attributes)
        details = ask[question["type"]](question["key"], context)
        given = (details.value, details.variant, details.error_code)
        count += 1
        if given != (question["value"], question["variant"], None):
            wrong.append(f"{line.strip()}: {given} {details.error_message}")

details = client.get_boolean_details("there is no such flag", True, EvaluationContext("ana"))
if str(details.error_code.value) != "FLAG_NOT_FOUND" or details.value is not True:
    wrong.append(f"a flag that does not exist: {details}")
if wrong or not count:
    sys.exit("\n".join(wrong[:10]) or "no question")
print(f"{count} answers in Python")
