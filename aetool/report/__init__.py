# SPDX-License-Identifier: Apache-2.0
"""From a run directory to a report; no contact with hosts.

    load (inputs) -> summarise (measure, stats) -> judge (claims) -> arrange (sections) -> write (write)

`write.render` does all of it; `terminal.terminal_summary` prints the claims of a run.
"""
