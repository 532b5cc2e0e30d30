"""Section 6.1 of SEMANTICS.md and nothing else: a unit and a salt become a bucket.

It reads as documentation: port these lines to any language that has XXH3 with 64 bits.
"""

import sys

import xxhash

BUCKETS = 100_000

USAGE = """usage: python3 bucket.py UNIT SALT

UNIT  the text that is bucketed, such as user-42
SALT  the salt: KEY for a flag's rollout, KEY/rule/RULE for a rule's, KEY/variant for a variant
"""


def hash_text(text):
    """XXH3_64 of the UTF-8 bytes with seed 0."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8"), seed=0)


def bucket(unit, salt):
    """6.1: an integer from 0 to 99,999."""
    u = hash_text(unit)
    s = hash_text(salt)
    h = xxhash.xxh3_64_intdigest(u.to_bytes(8, "little"), seed=s)
    return (h * BUCKETS) >> 64


def main(arguments):
    if len(arguments) != 2:
        sys.stderr.write(USAGE)
        return 2
    unit, salt = arguments
    print(bucket(unit, salt))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
