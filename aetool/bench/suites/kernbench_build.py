# SPDX-License-Identifier: Apache-2.0
"""What kernbench runs on the machine, and how its output is read."""

from __future__ import annotations

import re

from aetool.bench.suites.base import Reading, SanityError

# $1: work directory, $2: tarball, $3: make's target for the configuration
UNPACK = """
mkdir "$1/linux"
tar --extract --file="$2" --directory="$1/linux" --strip-components=1
make -C "$1/linux" "$3"
"""

# $1: work directory, $2: jobs, $3: what to build. The output goes to a file: a build that writes to our pipe
# would be timed with the network's speed.
BUILD = """
exec 2>&1
cd "$1/linux"
make clean >/dev/null
TIMEFORMAT='Elapsed %R User %U System %S'
if ! time make -j"$2" "$3" >"$1/build.log" 2>&1; then tail -n 20 "$1/build.log" >&2; exit 1; fi
stat --format='Built %n %s' "$3"
"""


def read_time(output: str, product: str) -> list[Reading]:
    """The line `Elapsed SECONDS`, if the product is there and not empty."""
    times = re.findall(r"^Elapsed (\d+\.\d+) User (\d+\.\d+) System (\d+\.\d+)$", output, re.MULTILINE)
    built = re.findall(rf"^Built {re.escape(product)} (\d+)$", output, re.MULTILINE)
    if len(times) != 1 or len(built) != 1 or int(built[0]) == 0:
        raise SanityError(f"the build left no {product}, or was not timed")
    elapsed, user, system = map(float, times[0])
    if not elapsed > 0 or not user + system > 0:
        raise SanityError("the build took no time: was there anything to compile?")
    return [Reading("time", elapsed, "s", "lower")]
