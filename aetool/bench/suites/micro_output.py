# SPDX-License-Identifier: Apache-2.0
"""What the two measuring guests print - kvm-unit-tests' micro-bench and the project's own - as costs.

The costs are computed on the machine, behind the guest's own lines, so that every number of the report stands
in the raw file.
"""

from __future__ import annotations

import re

from aetool.bench.suites.base import Reading, SanityError

OPERATIONS = ("hypercall", "io_kernel", "io_user", "virtual_ipi")

# $1: factor from nanoseconds, $2: unit, then the command of a guest. A row of micro-bench is an operation,
# total and average in nanoseconds (hyp_call is a later name); one of the own guest is `micro`, operation,
# repetition (0 warms up), iterations and ticks of the timer.
COSTS = r"""
set -o pipefail
factor=$1 unit=$2
shift 2
"$@" | awk -v factor="$factor" -v unit="$unit" '
  BEGIN {
    name["hvc"] = name["hyp_call"] = "hypercall"; name["mmio_read_vgic"] = "io_kernel"
    name["mmio_read_user"] = "io_user"; name["ipi"] = "virtual_ipi"
  }
  { sub(/\r$/, ""); print }
  NF == 3 && $1 in name && $3 + 0 > 0 { sum[name[$1]] += $3; count[name[$1]]++ }
  $1 == "micro" && $2 == "frequency" { frequency = $3 }
  $1 == "micro" && NF == 6 && $3 > 0 && $4 > 0 && frequency > 0 {
    sum[$2] += $5 * 1e9 / frequency / $4
    count[$2]++
  }
  END { for (o in sum) printf "cost %s %.3f %s\n", o, factor * sum[o] / count[o], unit }'
"""
_ROW = re.compile(r"^cost (\w+) (\d+\.\d+) (\w+)$", re.MULTILINE)


def read_costs(output: str, last_words: str) -> list[Reading]:
    """The cost of every operation, if the guest got as far as `last_words`."""
    if last_words not in output:
        raise SanityError(f"the measuring guest did not print {last_words!r}: did it come to its end?")
    found = {name: (float(cost), unit) for name, cost, unit in _ROW.findall(output)}
    readings = []
    for name in OPERATIONS:
        cost, unit = found.get(name, (0.0, ""))
        if not cost > 0:
            raise SanityError(f"the measuring guest printed no cost of {name} above zero")
        readings.append(Reading(name, cost, unit, "lower"))
    return readings
