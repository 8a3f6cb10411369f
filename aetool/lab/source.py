# SPDX-License-Identifier: Apache-2.0
"""Where source trees come from: a commit of a repository, an archive, or Debian's packages.

A tree lands on the host that is to build it. Repositories are cloned there; archives and packages are fetched
and checked on this machine, and sent. Every one can be supplied by hand instead.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from aetool.core.config import Model
from aetool.core.errors import ConfigError, LabError, RemoteCommandError
from aetool.core.process import ProcessError, require, run, write_file
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab.transfer import digest, on_host, upload

_SECONDS = 60.0
_FETCH_SECONDS = 3 * 3600.0
_PROBE_SECONDS = 30.0

Url = Annotated[str, Field(pattern=r"^(https?|git|ssh|file)://\S+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class GitSource(Model):
    """A commit of a repository.

    urls: the original first, then mirrors. commit: 7 to 40 hex digits, or one so many before it ("...~2");
    only all 40 can be fetched without the whole history. submodules: check them out as well. rewrite:
    beginnings of submodules' URLs that are served elsewhere now, and where.
    """

    kind: Literal["git"]
    urls: Annotated[list[Url], Field(min_length=1)]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}(~[0-9]+)?$")]
    submodules: bool = False
    rewrite: dict[str, str] = Field(default_factory=dict)


class ArchiveSource(Model):
    """A tarball with one directory at its top."""

    kind: Literal["archive"]
    urls: Annotated[list[Url], Field(min_length=1)]
    sha256: Sha256


class DebianSource(Model):
    """A Debian package. member: a tarball in the binary package; None: the source as Debian patches it."""

    kind: Literal["debian"]
    package: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")]
    member: str | None = None


AnySource = GitSource | ArchiveSource | DebianSource
Source = Annotated[AnySource, Field(discriminator="kind")]


def fetch(
    remote: Remote,
    source: AnySource,
    directory: str,
    *,
    supplied: Path | None = None,
    progress: Progress,
) -> None:
    """Have a source tree in `directory` on a host; nothing happens if it is there.

    supplied: a directory or a tarball on this machine that is taken instead of what the source names.
    Raises LabError, StorageError; ConfigError if `supplied` is neither.
    """
    if supplied is not None:
        _from_path(remote, supplied, directory, progress)
    elif isinstance(source, GitSource):
        if wrong := git_differs(remote, source, directory):
            progress.say(f"{remote.name}: {directory}: {wrong}; fetching {source.commit[:12]}")
            _clone(remote, source, directory)
    else:
        with tempfile.TemporaryDirectory(prefix="aetool-") as place:
            mark = _mark(source)
            if _marked(remote, directory) == mark:
                return
            tarball = _tarball(source, Path(place), progress)
            _unpack(remote, tarball, directory, mark, progress)


def git_differs(remote: Remote, source: GitSource, directory: str) -> str | None:
    """What keeps a tree on a host from being the wanted commit; None if it is."""
    argv = ["look", directory, source.commit, str(int(source.submodules))]
    return on_host(remote, "git-tree.sh", *argv, timeout=_SECONDS).strip() or None


def unreachable(remote: Remote, source: AnySource) -> str | None:
    """Why a source cannot be had from a host (Debian's: from this machine); None if it can."""
    if isinstance(source, DebianSource):
        # which source packages there are only a fresh list of them says
        if source.member is None or _candidate(source) is not None:
            return None
        return f"Debian's package {source.package} is in no list of this machine (apt-get update)"
    said = []
    for url in source.urls:
        if isinstance(source, GitSource):
            script = 'GIT_TERMINAL_PROMPT=0 timeout "$1" git ls-remote -q "$2" HEAD 2>&1 >/dev/null'
        else:
            script = 'timeout "$1" curl -fsSIL -o /dev/null "$2" 2>&1'
        argv = ["bash", "-c", script, "probe", f"{_PROBE_SECONDS:g}", url]
        done = remote.run(argv, timeout=_PROBE_SECONDS + _SECONDS, check=False)
        if done.status == 0:
            return None
        words = (done.stdout + done.stderr).strip().splitlines() or [f"no answer in {_PROBE_SECONDS:g} s"]
        said.append(f"{url}: {words[-1]}")
    return "\n".join(said)


def _clone(remote: Remote, source: GitSource, directory: str) -> None:
    rewrites = [word for pair in source.rewrite.items() for word in pair]
    argv = ["apply", directory, source.commit, str(int(source.submodules)), str(len(source.rewrite))]
    try:
        on_host(remote, "git-tree.sh", *argv, *rewrites, *source.urls, timeout=_FETCH_SECONDS)
    except RemoteCommandError as error:
        raise LabError(
            f"{remote.name}: {directory}: the commit {source.commit} cannot be had",
            detail=error.detail,
            hint="supply a copy: --from DIRECTORY, a clone or an unpacked tree",
        ) from error


def _from_path(remote: Remote, path: Path, directory: str, progress: Progress) -> None:
    if path.is_dir():
        with tempfile.TemporaryDirectory(prefix="aetool-") as place:
            tarball = Path(place) / "tree.tar"
            argv = ["tar", "-cf", str(tarball), "--exclude-vcs", "-C", str(path.resolve().parent)]
            run([*argv, path.resolve().name], timeout=_FETCH_SECONDS)
            _unpack(remote, tarball, directory, digest(tarball), progress)
    elif path.is_file():
        _unpack(remote, path, directory, digest(path), progress)
    else:
        raise ConfigError(f"{path}: neither a directory nor an archive")


def _unpack(remote: Remote, tarball: Path, directory: str, mark: str, progress: Progress) -> None:
    if _marked(remote, directory) == mark:
        return
    progress.say(f"{remote.name}: unpacking {tarball.name} to {directory}")
    sent = f"{directory}.tarball"
    upload(remote, tarball, sent, progress=progress)
    # the mark beside the tree is written last: an interrupted unpacking is not taken for a whole tree
    script = """
dir=$1 tarball=$2 mark=$3
rm -rf -- "$dir" "$dir.source"
mkdir -p -- "$dir"
tar -x -f "$tarball" -C "$dir" --strip-components=1 --no-same-owner
rm -f -- "$tarball"
printf '%s\\n' "$mark" >"$dir.source"
"""
    argv = ["bash", "-euo", "pipefail", "-c", script, "unpack", directory, sent, mark]
    remote.run(argv, timeout=_FETCH_SECONDS)


def _marked(remote: Remote, directory: str) -> str:
    script = '[ -d "$1" ] && cat -- "$1.source" 2>/dev/null || true'
    return remote.run(["bash", "-c", script, "mark", directory], timeout=_SECONDS).stdout.strip()


def _mark(source: ArchiveSource | DebianSource) -> str:
    if isinstance(source, ArchiveSource):
        return source.sha256
    return f"{source.package} {_candidate(source)}"


def _tarball(source: ArchiveSource | DebianSource, place: Path, progress: Progress) -> Path:
    if isinstance(source, ArchiveSource):
        return download(source.urls, source.sha256, place, progress)
    progress.say(f"fetching {source.package} from a Debian mirror")
    try:
        return _from_binary(source, place) if source.member else _from_source(source, place)
    except ProcessError as error:
        raise LabError(
            f"the Debian package {source.package} cannot be had: {error.message}",
            detail=error.detail,
            hint="is there a way to a Debian mirror? `apt-get update` once; or supply it: --from FILE",
        ) from error


def download(urls: Sequence[str], sha256: str, place: Path, progress: Progress) -> Path:
    """Fetch a file to this machine from the first URL that gives it, and check it; raises LabError."""
    said = []
    for url in urls:
        target = place / (url.rsplit("/", 1)[-1] or "file")
        progress.say(f"fetching {url}")
        argv = [require("curl", "curl"), "-fsSL", "--retry", "3", "--connect-timeout", "20"]
        argv += ["--speed-limit", "1000", "--speed-time", "60", "-o", str(target), url]
        done = run(argv, timeout=_FETCH_SECONDS, check=False)
        if done.status != 0:
            said.append(f"{url}: {done.tail.strip() or f'curl ends with {done.status}'}")
        elif (found := digest(target)) != sha256:
            said.append(f"{url}: its SHA-256 is {found}, not {sha256}")
        else:
            return target
    raise LabError("the archive cannot be had", detail="\n".join(said), hint="supply a copy: --from FILE")


def _candidate(source: DebianSource) -> str | None:
    """The version that a mirror offers, as far as this machine knows; a newer one is another tree."""
    argv = [require("apt-cache", "apt"), "show", "--no-all-versions", source.package]
    shown = run(argv, timeout=_SECONDS, check=False)
    match = re.search(r"^Version: (\S+)$", shown.output, re.MULTILINE)
    return match[1] if match else None


def _from_binary(source: DebianSource, place: Path) -> Path:
    run([require("apt-get", "apt"), "-qq", "download", source.package], cwd=place, timeout=_FETCH_SECONDS)
    archive = next(place.glob("*.deb"))
    run([require("dpkg-deb", "dpkg"), "-x", archive, place / "tree"], timeout=_FETCH_SECONDS)
    tarball = place / "tree" / (source.member or "").lstrip("/")
    if not tarball.is_file():
        raise ConfigError(f"the Debian package {source.package} has no file {source.member}")
    return tarball


def _from_source(source: DebianSource, place: Path) -> Path:
    """The tree of a source package with Debian's patches; through a list of sources of our own."""
    lists, parts = place / "lists", place / "parts"
    for folder in (lists / "partial", parts):
        folder.mkdir(parents=True)
    write_file(parts / "source.sources", _source_stanzas())
    options = [
        "-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={parts}",
        "-o", f"Dir::State::Lists={lists}", "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip
    apt = require("apt-get", "apt")
    run([apt, "-qq", *options, "update"], timeout=_FETCH_SECONDS)
    run(
        [apt, "-qq", *options, "source", "--download-only", source.package],
        cwd=place,
        timeout=_FETCH_SECONDS,
    )
    tree, tarball = place / "tree", place / f"{source.package}.tar.gz"
    described = next(place.glob("*.dsc"))
    # apt has checked the signature of what lists this file
    unpack = [require("dpkg-source", "dpkg-dev"), "-q", "--no-check", "-x"]
    run([*unpack, described, tree], timeout=_FETCH_SECONDS)
    run(["tar", "-c", "-I", "gzip -1", "-f", tarball, "-C", place, tree.name], timeout=_FETCH_SECONDS)
    return tarball


def _source_stanzas() -> str:
    """This machine's Debian mirrors, asked for sources; raises LabError if it has none."""
    release = dict(
        line.rstrip().split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    suite = release.get("VERSION_CODENAME", "").strip('"')
    stanzas = []
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for stanza in path.read_text().split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
            if suite and suite in (word.split("-")[0] for word in fields.get("Suites", "").split()):
                stanzas.append("\n".join(f"{k}: {v}" for k, v in {**fields, "Types": "deb-src"}.items()))
    old = Path("/etc/apt/sources.list")
    for line in old.read_text().splitlines() if old.exists() else []:
        match = re.match(r"^deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)\s+(.+)$", line)
        if match and match[2].split("-")[0].split("/")[0] == suite:
            stanzas.append(f"Types: deb-src\nURIs: {match[1]}\nSuites: {match[2]}\nComponents: {match[3]}")
    if not stanzas:
        raise LabError("this machine has no list of Debian mirrors", hint="supply the tarball: --from FILE")
    return "\n\n".join(stanzas) + "\n"
