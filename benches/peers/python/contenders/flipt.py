"""Flipt: a rule over one segment of three constraints, whose distribution is the percentage.

Its boolean flags know segments and percentages but not both in one rollout, so this is a flag with two variants.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from flipt_client import FliptClient
from flipt_client.models import ClientOptions
from population import Caller, Population

from . import Contender

A_DAY = timedelta(days=1)


class Flipt(Contender):
    """The client, which hands JSON to a native library and reads JSON from it."""

    about = "evaluate_variant, because a boolean flag cannot combine targets and percentage; asked for once, from loopback"

    def __init__(self, population: Population) -> None:
        def is_one_of(name: str, values: list[str]) -> dict[str, Any]:
            kind = "STRING_CONSTRAINT_COMPARISON_TYPE"
            return {"id": name, "type": kind, "property": name, "operator": "isoneof", "value": json.dumps(values)}

        def share(variant: str, percentage: int) -> dict[str, Any]:
            names = {"id": variant, "ruleId": "targets", "variantId": variant, "variantKey": variant}
            return {**names, "variantAttachment": "", "rollout": percentage}

        segment = {
            "key": "targets",
            "matchType": "ALL_SEGMENT_MATCH_TYPE",
            "constraints": [is_one_of(*target) for target in population.targets.items()],
        }
        rule = {
            "id": "targets",
            "rank": 1,
            "segmentOperator": "AND_SEGMENT_OPERATOR",
            "segments": [segment],
            "distributions": [share("on", population.percentage), share("off", 100 - population.percentage)],
        }
        flag = {
            "key": population.key,
            "name": population.key,
            "type": "VARIANT_FLAG_TYPE",
            "description": "",
            "enabled": True,
            "rules": [rule],
            "rollouts": [],
        }
        document = {"namespace": {"key": "default"}, "flags": [flag]}
        self._store, self._key = Store(json.dumps(document).encode()), population.key
        self._client = FliptClient(ClientOptions(url=self._store.url, update_interval=A_DAY))

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return user, {"company": company, "plan": plan, "role": role, "region": region}

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        evaluate, key = self._client.evaluate_variant, self._key
        return [evaluate(key, user, context).variant_key == "on" for user, context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        evaluate, key = self._client.evaluate_variant, self._key
        return [
            evaluate(key, user, {"company": company, "plan": plan, "role": role, "region": region}).variant_key == "on"
            for user, company, plan, role, region in callers
        ]

    def close(self) -> None:
        self._client.close()


class Store:
    """A server on loopback that gives one document. The engine takes its flags from a server alone, and aborts the
    process if that cannot be reached, be there a snapshot or not; so it stays there, and is asked no more."""

    def __init__(self, document: bytes) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        self._thread = Thread(target=self._server.serve_forever, args=(A_DAY.total_seconds(),), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
