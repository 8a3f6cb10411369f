# SPDX-License-Identifier: Apache-2.0
"""Commands on a host that take minutes or hours: builds, downloads.

A job runs detached from the connection that started it. A cut link or a dead sshd does not end it; whoever
asks for the same job again, this driver or the next one, finds it and waits on. What tells a job from
another is the directory that it works in: two drivers cannot build in one.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aetool.core.errors import HostUnreachable, LabError, RemoteCommandError, StorageError
from aetool.core.process import TAIL_LINES
from aetool.core.progress import Progress
from aetool.core.ssh import Remote

_SECONDS = 60.0
_FIRST_POLL_SECONDS = 0.1
_POLL_SECONDS = 2.0
_AGAIN_SECONDS = 1.0
_SAID_EVERY = 60.0
_FULL = "No space left on device"
_BUSY = 75
_LEAST_KIB = 64

# What is known of a job lies in memory: it goes with a reboot as the job does, and a full disk loses nothing.
_PLACE = """
if [ "$(id -u)" = 0 ]; then base=/run; else base=${XDG_RUNTIME_DIR:-$HOME/.cache}; fi
dir=$base/aetool/job/$1
# a process is told from a later one of the same number by when it began
began() { local stat; stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; set -- ${stat##*)}; echo "${20}"; }
alive() {
  local pid when
  { read -r pid when <"$dir/pid"; } 2>/dev/null && [ "$(began "$pid")" = "$when" ]
}
"""
_START = (
    _PLACE
    + """
tag=$2 log=$3 folder=$4
shift 4
mkdir -p -- "$dir" "$folder"
exec 9>"$dir/lock"
flock -w 20 9
if [ ! -s "$dir/status" ] && alive; then
  [ "$(cat "$dir/tag")" = "$tag" ] && { echo found; exit 0; }
  cat "$dir/command"
  exit 75
fi
rm -f -- "$dir/status" "$dir/pid"
: >"$log"
printf '%s\\n' "$tag" >"$dir/tag"
printf '%s ' "$@" >"$dir/command"
body='
dir=$1 log=$2 folder=$3
shift 3
stat=$(cat /proc/$$/stat)
set -- "${stat##*)}" "$@"
read -ra field <<<"$1"
shift
echo "$$ ${field[19]}" >"$dir/pid"
cd -- "$folder"
"$@" >"$log" 2>&1 </dev/null
echo $? >"$dir/status.part"
mv -- "$dir/status.part" "$dir/status"
'
setsid --fork bash -c "$body" job "$dir" "$log" "$folder" "$@" </dev/null >/dev/null 2>&1 9>&-
for _ in $(seq 200); do
  [ -s "$dir/pid" ] && { echo started; exit 0; }
  sleep 0.05
done
echo "the job did not start" >&2
exit 1
"""
)
_LOOK = (
    _PLACE
    + """
state=lost
if [ -s "$dir/status" ]; then state=ended; elif alive; then state=running; fi
# it may have ended between the two looks
[ "$state" = lost ] && [ -s "$dir/status" ] && state=ended
echo "$state $(cat "$dir/status" 2>/dev/null || echo -) $(wc -l <"$2" 2>/dev/null || echo 0)"
"""
)
_END = (
    _PLACE
    + """
alive || exit 0
read -r tree _ <"$dir/pid"
next=$tree
while [ -n "$next" ]; do
  kill -STOP $next 2>/dev/null || true
  more=
  for pid in $next; do more="$more $(cat /proc/"$pid"/task/*/children 2>/dev/null || true)"; done
  next=$(echo $more)
  tree="$tree $next"
done
kill -KILL $tree 2>/dev/null || true
"""
)


@dataclass(frozen=True)
class Job:
    """A long command.

    what: as messages name it. folder: where it works, made if need be; it is what tells jobs apart.
    log: file on the host that receives its output.
    """

    what: str
    argv: Sequence[str]
    folder: str
    log: str

    @property
    def place(self) -> str:
        """The name under which the host keeps what is known of the job."""
        return hashlib.sha256(self.folder.encode()).hexdigest()[:16]

    @property
    def tag(self) -> str:
        """Tells this command from another one in the same folder."""
        return hashlib.sha256("\0".join(self.argv).encode()).hexdigest()


def run_job(
    remote: Remote,
    job: Job,
    *,
    timeout: float,
    outage: float = 900.0,
    progress: Progress,
) -> None:
    """Start a job, or find it if it runs already, and return when it has ended well.

    timeout: seconds until it is ended. outage: seconds for which the host may be out of reach meanwhile.
    Raises LabError with the end of the log; StorageError if the host's disk is full; HostUnreachable if the
    host stays away (the job goes on there).
    """
    remote.run(["true"], timeout=_SECONDS)  # a host that is not there in the first place is not waited for
    line = _Line(remote, job, outage, progress)
    try:
        started = line.ask(_START, job.place, job.tag, job.log, job.folder, *job.argv).split()
    except RemoteCommandError as error:
        if error.status == _BUSY:
            raise LabError(
                f"{remote.name}: something else runs in {job.folder}",
                detail=error.detail,
                hint="wait for its end, or choose another directory",
            ) from error
        if _FULL in (error.detail or ""):
            raise _full(remote, job, error.detail) from error
        raise
    if "found" in started:
        progress.say(f"{remote.name}: {job.what} runs already; waiting for its end")
    try:
        status = _await(line, job, timeout, progress)
    except (KeyboardInterrupt, SystemExit):
        # what is interrupted on purpose is not left running
        with contextlib.suppress(LabError):
            remote.run(_argv(_END, job.place), timeout=_SECONDS)
        raise
    if status != 0:
        tail = _tail(line, job)
        free = int(line.ask('df --output=avail -k -- "$1"', job.folder).split()[-1])
        # where the disk is full the log may be cut before the message that says so
        if _FULL in (tail or "") or free < _LEAST_KIB:
            raise _full(remote, job, tail)
        raise LabError(
            f"{remote.name}: {job.what} failed with status {status}; the whole log is in {job.log}",
            detail=tail,
        )


class _Line:
    """Asks the host, as often as it takes, what may be asked twice; gives up when it stays away too long."""

    def __init__(self, remote: Remote, job: Job, outage: float, progress: Progress) -> None:
        self.remote = remote
        self._job, self._outage, self._progress = job, outage, progress

    def ask(self, script: str, *arguments: str) -> str:
        """Run a script and return what it prints; raises HostUnreachable, RemoteCommandError."""
        lost: float | None = None
        while True:
            try:
                said = self.remote.run(_argv(script, *arguments), timeout=_SECONDS).stdout
            except HostUnreachable as error:
                now = time.monotonic()
                if lost is None:
                    lost = now
                    self._progress.say(f"{error.message}; {self._job.what} goes on there")
                if now - lost > self._outage:
                    error.hint = f"{self._job.what} goes on there: the same command finds it again"
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                if lost is not None:
                    self._progress.say(f"{self.remote.name} is back")
                return said


def _await(line: _Line, job: Job, timeout: float, progress: Progress) -> int:
    began = said = time.monotonic()
    pause = _FIRST_POLL_SECONDS
    host = line.remote.name
    while True:
        state, status, lines = line.ask(_LOOK, job.place, job.log).split()[-3:]
        if state == "ended":
            return int(status)
        if state == "lost":
            raise LabError(
                f"{host}: {job.what} was killed, or the host has rebooted",
                detail=_tail(line, job),
                hint="the same command goes on where it ended",
            )
        now = time.monotonic()
        if now - said > _SAID_EVERY:
            said = now
            progress.say(f"{host}: {job.what}: {lines} lines after {now - began:.0f} s")
        if now - began > timeout:
            line.ask(_END, job.place)
            raise LabError(f"{host}: {job.what} ran longer than {timeout:g} s and was ended; log: {job.log}")
        time.sleep(pause)
        pause = min(_POLL_SECONDS, 1.5 * pause)


def _argv(script: str, *arguments: str) -> list[str]:
    return ["bash", "-euo", "pipefail", "-c", script, "job", *arguments]


def _tail(line: _Line, job: Job) -> str | None:
    script = f'tail -n {TAIL_LINES} -- "$1" 2>/dev/null || true'
    return line.ask(script, job.log).strip() or None


def _full(remote: Remote, job: Job, detail: str | None) -> StorageError:
    return StorageError(
        f"{remote.name}: {job.folder}: the disk is full",
        detail=detail,
        hint="free some space there and run the same command again",
    )
