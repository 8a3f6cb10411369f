# SPDX-License-Identifier: Apache-2.0
"""Programs on a host that must not outlive their step: started in a session of their own, found again later.

A host has no service manager that could be relied on (a namespace has none), and a driver that was killed
cannot stop what it started. So each program leaves `NAME.pid` (its process id and start time) in the work
directory of its step, and `sweep` ends everything named there, whoever comes to call it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aetool.core.errors import RemoteCommandError

if TYPE_CHECKING:
    from aetool.core.ssh import Remote

READY_SECONDS = 20
# a kernel tree takes minutes to remove from a slow disk
SWEEP_SECONDS = 900

# A process group's number is not given away while a member lives, so a leader that has gone is no danger;
# one that started at another time is somebody else's process. As few programs as can be: under emulation each
# costs a tenth of a second.
_SWEEP = """
# zombies do not count: whoever is process 1 on the host may be slow to collect them
lives() {
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
    awk -v group="$1" '{ sub(/.*\\) /, ""); if ($3 == group && $1 != "Z") found = 1 } END { exit !found }'
}
for file in "$1"/*/*.pid; do
  [ -e "$file" ] || continue
  read -r pid start < "$file" || continue
  if read -ra stat 2>/dev/null <"/proc/$pid/stat" && [ "${stat[21]}" != "$start" ]; then continue; fi
  kill -TERM -- "-$pid" 2>/dev/null || continue
  for ((try = 1; try <= 100; try++)); do
    kill -0 -- "-$pid" 2>/dev/null || continue 2
    ((try % 5)) || lives "$pid" || continue 2
    sleep 0.03
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
done
[ ! -e "$1" ] || rm -rf -- "$1"
"""

_OPEN = '(exec 3<>"/dev/tcp/$address/$port") 2>/dev/null'
_START = f"""
cd "$work"
# reading from a pipe that nobody writes to is a pause that starts no program
exec {{pause}}<> <(:)
if {_OPEN}; then
  echo "port $port of $address is in use already: is another run, or an old one, under way?" >&2
  exit 1
fi
setsid sh -c "$hold" hold "$work/$name.pid" "$@" >"$work/$name.log" 2>&1 </dev/null &
pid=$!
for ((try = 0; try < {READY_SECONDS * 20}; try++)); do
  kill -0 "$pid" 2>/dev/null || break
  if {_OPEN}; then
    read -rt 0.1 -u "$pause" || true
    kill -0 "$pid" 2>/dev/null && exit 0
  fi
  read -rt 0.05 -u "$pause" || true
done
echo "$name does not listen on port $port of $address" >&2
tail -n 20 "$work/$name.log" >&2
exit 1
"""

# Run by sh -c as `hold FILE COMMAND...`: writes the number of its process group and when the group's leader
# started (the 22nd field), then becomes the command.
_HOLD = """
read -r _ _ _ _ group _ </proc/$$/stat
read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ <"/proc/$group/stat"
echo "$group $start" >"$1"
shift
exec "$@"
"""


def held(work: str, name: str, command: Sequence[str]) -> list[str]:
    """The command as one that `sweep` will find: it runs in the process group that SSH starts it in."""
    return ["sh", "-c", _HOLD, "hold", f"{work}/{name}.pid", *command]


def start(
    remote: Remote,
    work: str,
    name: str,
    command: Sequence[str],
    *,
    address: str,
    port: int,
) -> None:
    """Start a daemon in the background and return when it listens.

    Raises RemoteCommandError with the end of the daemon's log if it does not within READY_SECONDS.
    """
    values = {"work": work, "name": name, "address": address, "port": str(port), "hold": _HOLD}
    settings = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in values.items())
    script = f"{settings}set -- {shlex.join(command)}\n{_START}"
    result = remote.shell(script, timeout=READY_SECONDS + 40, check=False)
    if result.status != 0:
        lines = result.stderr.strip().splitlines() or [f"{name} did not start"]
        raise RemoteCommandError(
            f"{remote.name}: {lines[0]}", status=result.status, detail="\n".join(lines[1:]) or None
        )


def sweep(remote: Remote, base: str, *, before: str = "", after: str = "") -> str:
    """End every program started below `base`/*/ and remove the directory; nothing there is no error.

    before, after: scripts that are run in the same command. Returns what they print.
    """
    script = f"{before}\nset -- {shlex.quote(base)}\n{_SWEEP}\n{after}"
    return remote.shell(script, timeout=SWEEP_SECONDS).stdout
