"""Seeded randomness: every concern draws from a stream of its own.

So more agents do not change when contacts arrive, and a different patience does not change how
long anybody talks: two runs differ in what was changed and in nothing else.
"""

import hashlib
import random


def stream(seed: int, *concern: str | int) -> random.Random:
    """Returns the generator of one concern, the same on every machine and Python version."""
    name = "/".join(map(str, (seed, *concern)))
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))
