# SPDX-License-Identifier: Apache-2.0
"""What hosts are prepared with, one step a thing: each looks whether it is there, and can put it there.

Looking changes nothing. A step that would have to destroy something is blocked instead, and says by what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from aetool.core.config import Model
from aetool.core.errors import LabError
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab.guests import guests
from aetool.lab.job import Job, run_job
from aetool.lab.source import GitSource, Sha256, Url, fetch, git_differs
from aetool.lab.transfer import digest, on_host, upload

_SECONDS = 120.0
_SUM_SECONDS = 1800.0
_LONG_SECONDS = 3 * 3600.0
_LOGS = "/var/log/aetool"

Absolute = Annotated[str, Field(pattern=r"^/[^\n]*$")]


@dataclass(frozen=True)
class Finding:
    """What a look has found.

    done: nothing is left to do. seen: in one phrase. blocked: why it cannot be done. facts: for the record.
    """

    done: bool
    seen: str
    blocked: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Supplies:
    """What the user gives instead of a download, by file name; and who hears what takes long."""

    paths: Mapping[str, Path]
    progress: Progress


class Step(Protocol):
    """One thing that a host is prepared with."""

    @property
    def title(self) -> str:
        """The step in one phrase."""
        ...

    def look(self, remote: Remote) -> Finding:
        """Say what is there; changes nothing. Raises LabError."""
        ...

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Do it. Called only after a look that found it neither done nor blocked; raises LabError."""
        ...


def _ask(remote: Remote, script: str, *arguments: str, timeout: float = _SECONDS) -> str:
    argv = ["bash", "-euo", "pipefail", "-c", script, "step", *arguments]
    return remote.run(argv, timeout=timeout).stdout


class Packages(Model):
    """Debian or Ubuntu packages."""

    names: Annotated[list[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")]], Field(min_length=1)]

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"packages: {', '.join(self.names)}"

    def look(self, remote: Remote) -> Finding:
        """Ask dpkg, or on a host whose packages were unpacked without it, the list that was left there."""
        script = """
command -v apt-get >/dev/null || printf 'apt\\tnone\\n'
for name; do
  version=$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$name" 2>/dev/null | sed -n 's/^ii //p' || true)
  [ -n "$version" ] || version=$(sed -n "s/^$name\t//p" /var/lib/aetool/packages 2>/dev/null || true)
  printf '%s\t%s\n' "$name" "$version"
done
"""
        found = dict(line.split("\t") for line in _ask(remote, script, *self.names).splitlines())
        without_apt = found.pop("apt", None) == "none"
        missing = [name for name in self.names if not found.get(name)]
        if not missing:
            return Finding(True, "installed", facts=found)
        blocked = "this host has no apt-get: its image decides what is installed" if without_apt else None
        return Finding(False, f"missing: {', '.join(missing)}", blocked)

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Install what is missing; services that come with it are not started."""
        script = """
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
"""
        argv = ["bash", "-euo", "pipefail", "-c", script, "packages", *self.names]
        job = Job("the installation of packages", argv, _LOGS, f"{_LOGS}/packages.log")
        run_job(remote, job, timeout=_LONG_SECONDS, progress=supplies.progress)


class Store(Model):
    """A block device with a file system of its own, mounted now and at every boot.

    device: None takes the only empty disk of the host. least_gib: smaller disks do not count.
    """

    mount: Absolute
    device: Absolute | None = None
    least_gib: Annotated[float, Field(gt=0)] = 40

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"block store: {self.device or 'the empty disk'} on {self.mount}"

    def look(self, remote: Remote) -> Finding:
        """Look for the mount, else for a device that is empty or was made here before."""
        state, _, rest = self._run(remote, "look").strip().partition(" ")
        if state == "done":
            return Finding(True, f"mounted: {rest}", facts={"mounted": rest})
        if state == "blocked":
            return Finding(False, "not mounted", rest)
        seen = {
            "free": f"{rest} is empty: make a file system, mount it",
            "ours": f"{rest} has a file system of ours: mount it",
            "listed": f"{rest} is mounted, but not at the next boot",
        }
        return Finding(False, seen[state])

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Make a file system on an empty device, mount it, and have it mounted at every boot."""
        self._run(remote, "apply")

    def _run(self, remote: Remote, action: str) -> str:
        arguments = (action, self.mount, self.device or "", f"{self.least_gib:g}")
        return on_host(remote, "store.sh", *arguments, timeout=_SUM_SECONDS)


class Repository(Model):
    """A commit of a repository, with its submodules if it wants them."""

    path: Absolute
    source: GitSource

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"repository: {self.source.urls[0]} at {self.source.commit[:12]} in {self.path}"

    def look(self, remote: Remote) -> Finding:
        """Compare what is checked out with the commit."""
        wrong = git_differs(remote, self.source, self.path)
        if wrong is not None:
            return Finding(False, wrong)
        head = _ask(remote, 'git -c safe.directory="*" -C "$1" rev-parse HEAD', self.path).strip()
        return Finding(True, f"at {head[:12]}", facts={"commit": head})

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Clone or update, from the first URL that gives the commit."""
        fetch(remote, self.source, self.path, progress=supplies.progress)


class Download(Model):
    """A file from the outside.

    urls: the original first, then mirrors. sha256: None where none is published; what arrives first is
    recorded then, and later ones are held to it. needed_for: what cannot run without it.
    """

    path: Absolute
    urls: Annotated[list[Url], Field(min_length=1)]
    needed_for: str
    sha256: Sha256 | None = None
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] = "644"

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"download: {self.path}"

    def look(self, remote: Remote) -> Finding:
        """Compare the file with its sum; a sum that was taken is kept beside the file, with size and time."""
        script = """
[ -f "$1" ] || exit 0
now=$(stat -c '%s %Y' -- "$1")
size=- time=- recorded=-
[ ! -f "$1.sha256" ] || read -r recorded size time <"$1.sha256"
sum=$recorded
[ "$size $time" = "$now" ] || sum=$(sha256sum -- "$1" | cut -d ' ' -f 1)
echo "$sum $recorded"
"""
        said = _ask(remote, script, self.path, timeout=_SUM_SECONDS).split()
        if not said:
            return Finding(False, "is not there")
        found, recorded = said
        if found != (self.sha256 or (found if recorded == "-" else recorded)):
            return Finding(False, f"is there with another SHA-256: {found}")
        return Finding(True, f"SHA-256 {found[:12]}...", facts={"sha256": found})

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Take what the user supplies, else fetch from the first URL that gives the right file."""
        name = self.path.rsplit("/", 1)[1]
        if name in supplies.paths:
            given = supplies.paths[name]
            if self.sha256 is not None and (found := digest(given)) != self.sha256:
                raise LabError(f"{given}: its SHA-256 is {found}, not {self.sha256}")
            upload(remote, given, self.path, progress=supplies.progress)
        else:
            self._fetch(remote, supplies)
        script = """
chmod -- "$2" "$1"
echo "$(sha256sum -- "$1" | cut -d ' ' -f 1) $(stat -c '%s %Y' -- "$1")" >"$1.sha256"
"""
        _ask(remote, script, self.path, self.mode, timeout=_SUM_SECONDS)

    def _fetch(self, remote: Remote, supplies: Supplies) -> None:
        folder, name = self.path.rsplit("/", 1)
        script = """
path=$1 want=$2
shift 2
get() {
  curl -fsSL --retry 3 --connect-timeout 20 --speed-limit 1000 --speed-time 60 -o "$path.part" "$@"
}
for url; do
  echo "from $url"
  # goes on with the part that an earlier try left; 33: the server cannot
  get -C - "$url" || { [ $? = 33 ] && rm -f -- "$path.part" && get "$url"; } || continue
  sum=$(sha256sum -- "$path.part" | cut -d ' ' -f 1)
  if [ -n "$want" ] && [ "$sum" != "$want" ]; then
    echo "$url: its SHA-256 is $sum, not $want"
    rm -f -- "$path.part"
    continue
  fi
  mv -fT -- "$path.part" "$path"
  exit 0
done
exit 1
"""
        recorded = _ask(remote, 'cut -d " " -f 1 -- "$1.sha256" 2>/dev/null || true', self.path).strip()
        want = self.sha256 or recorded
        argv = ["bash", "-uo", "pipefail", "-c", script, "download", self.path, want, *self.urls]
        log = f"{_LOGS}/{name}.log"
        _ask(remote, 'mkdir -p -- "$1" "$2"', _LOGS, folder or "/")
        try:
            job = Job(f"the download of {name}", argv, f"{folder}/.{name}.download", log)
            run_job(remote, job, timeout=_LONG_SECONDS, progress=supplies.progress)
        except LabError as error:
            error.hint = f"without it cannot run: {self.needed_for}; supply a copy: --supply {name}=FILE"
            raise
        finally:
            _ask(remote, 'rmdir -- "$1" 2>/dev/null || true', f"{folder}/.{name}.download")


class Unpacked(Model):
    """A tarball on the host, unpacked. strip: leading directories to leave out."""

    archive: Absolute
    into: Absolute
    strip: Annotated[int, Field(ge=0, le=5)] = 1

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"unpacked: {self.archive} into {self.into}"

    def look(self, remote: Remote) -> Finding:
        """Compare the mark that an unpacking leaves with the archive's size and time."""
        script = """
[ -f "$1" ] || { echo waits; exit; }
mark=$(stat -c '%s %Y' -- "$1")
[ "$(cat -- "$2/.unpacked" 2>/dev/null)" = "$mark" ] && echo done || echo todo
"""
        state = _ask(remote, script, self.archive, self.into).strip()
        seen = {"done": "unpacked", "todo": "not unpacked", "waits": f"{self.archive} is not there yet"}
        return Finding(state == "done", seen[state])

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Unpack beside the target, then take its place."""
        script = """
[ -f "$1" ] || { echo "$1 is not there" >&2; exit 1; }
rm -rf -- "$2.part"
mkdir -p -- "$2.part"
tar -x -f "$1" -C "$2.part" --strip-components="$3" --no-same-owner
stat -c '%s %Y' -- "$1" >"$2.part/.unpacked"
rm -rf -- "$2"
mv -T -- "$2.part" "$2"
"""
        _ask(remote, script, self.archive, self.into, str(self.strip), timeout=_SUM_SECONDS)


class Copies(Model):
    """One copy of a guest's disk for each guest, with its own address in it.

    count: guests 1 to count, as `aetool lab vm up COUNT` numbers them. file: where in the image the address
    is.     base: the address that the image has.
    """

    image: Annotated[str, Field(pattern=r"^/.+\.[a-z0-9]+$")]
    count: Annotated[int, Field(ge=2, le=100)] = 8
    file: str = "etc/netplan/50-cloud-init.yaml"
    base: str = "10.10.1.100"

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"copies: {self.count} of {self.image}"

    def look(self, remote: Remote) -> Finding:
        """Compare the address in every copy."""
        wrong = self._run(remote, "look").strip().splitlines()
        if not wrong:
            return Finding(True, f"{self.count} copies, each with its address")
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Finding(False, f"{wrong[0]}{more}")

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Copy and put the address in, without mounting anything."""
        self._run(remote, "apply")

    def _run(self, remote: Remote, action: str) -> str:
        addresses = [guest.address for guest in guests(self.count)]
        arguments = (action, self.image, self.file, self.base, *addresses)
        return on_host(remote, "copies.sh", *arguments, timeout=_LONG_SECONDS)


class Block(Model):
    """Lines in a file that may hold other things: between marks, so that they can be found again."""

    path: Absolute
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    text: str
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] = "644"

    @property
    def title(self) -> str:
        """The step in one phrase."""
        return f"lines {self.name} in {self.path}"

    @property
    def _lines(self) -> str:
        return f"# begin aetool {self.name}\n{self.text.rstrip()}\n# end aetool {self.name}\n"

    def look(self, remote: Remote) -> Finding:
        """Look for the lines as they are to be."""
        there = _ask(remote, 'cat -- "$1" 2>/dev/null || true', self.path)
        return Finding(True, "there") if self._lines in there else Finding(False, "not there")

    def apply(self, remote: Remote, supplies: Supplies) -> None:
        """Replace the lines between the marks, or add them at the end."""
        there = _ask(remote, 'cat -- "$1" 2>/dev/null || true', self.path)
        begin, end = self._lines.splitlines()[0], self._lines.splitlines()[-1]
        before, found, rest = there.partition(begin + "\n")
        after = rest.partition(end + "\n")[2] if found else ""
        if not found and before and not before.endswith("\n"):
            before += "\n"
        remote.put(f"{before}{self._lines}{after}".encode(), self.path, mode=int(self.mode, 8))
