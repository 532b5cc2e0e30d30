"""One process of an app in Python: prints each change of a flag as it sees it, kept fresh from Postgres.

`python watch.py postgres://… FLAG` prints `on` or `off` and the milliseconds since 1970. `cargo xtask demo` runs it. It
needs `pip install 'esclusa[postgres]'`.
"""

import sys
import time

from esclusa import Context, Flags
from esclusa.sync import Postgres


def main(url: str, key: str) -> None:
    flags = Flags.from_source(Postgres(url))
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
