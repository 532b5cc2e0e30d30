"""One process of an app in Python: prints each change of a flag as it sees it, kept fresh by the README's recipe for
Postgres as it stands there.

`python watch.py postgres://… FLAG` prints `on` or `off` and the milliseconds since 1970. `cargo xtask demo` runs it.
"""

import re
import sys
import time
from pathlib import Path

from esclusa import Context, Flags

README = Path(__file__).parents[2] / "bindings/python/README.md"


def recipe(heading: str) -> dict[str, type]:
    """What the first block of Python below a heading of the README defines."""
    section = README.read_text(encoding="utf-8").split(f"### {heading}\n", 1)[1]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    if block is None:
        raise LookupError(f"the README has no recipe below `{heading}`")
    defined: dict[str, type] = {}
    exec(block[1], defined)
    return defined


def main(url: str, key: str) -> None:
    flags = Flags.from_source(recipe("Postgres")["Postgres"](url))
    caller = Context("user-42", plan="PREMIUM", roles=["ADMIN"], region="CO")
    was = None
    while True:
        is_on = flags.is_enabled(key, caller)
        if is_on != was:
            print("on" if is_on else "off", time.time_ns() // 1_000_000, flush=True)
            was = is_on
        time.sleep(0.001)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
