# SPDX-License-Identifier: Apache-2.0
"""Source trees: commits from the first URL that gives them, archives held to their sums, supplies."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from aetool.core.errors import ConfigError, LabError
from aetool.core.progress import Silent
from aetool.lab.local import LocalRemote
from aetool.lab.source import ArchiveSource, DebianSource, GitSource, fetch, git_differs, unreachable

HERE = LocalRemote()


def git(place: Path, *words: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b", "GIT_CONFIG_GLOBAL": "/dev/null",
    }  # fmt: skip
    done = subprocess.run(
        ["git", "-C", str(place), "-c", "protocol.file.allow=always", *words],
        env={**os.environ, **identity}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def repository(place: Path, *texts: str) -> list[str]:
    """A repository with one commit a text; returns the commits."""
    place.mkdir(parents=True)
    git(place, "init", "-q")
    commits = []
    for text in texts:
        (place / "file").write_text(text)
        git(place, "add", ".")
        git(place, "commit", "-q", "-m", text)
        commits.append(git(place, "rev-parse", "HEAD"))
    return commits


@pytest.fixture
def origin(tmp_path: Path) -> tuple[str, list[str]]:
    commits = repository(tmp_path / "origin", "mainline", "verified", "headers")
    return f"file://{tmp_path}/origin", commits


def source(commit: str, *urls: str, **more: object) -> GitSource:
    return GitSource.model_validate({"kind": "git", "urls": list(urls), "commit": commit, **more})


def got(place: Path) -> str:
    return (place / "file").read_text()


@pytest.mark.parametrize(("commit", "text"), [("{2}", "headers"), ("{1}", "verified"), ("{2}~2", "mainline")])
@pytest.mark.parametrize("digits", [40, 9])
def test_a_commit_is_checked_out_by_its_whole_or_its_short_name(
    tmp_path: Path, origin: tuple[str, list[str]], commit: str, text: str, digits: int
) -> None:
    url, commits = origin
    wanted = source(commit.format(*(name[:digits] for name in commits)), url)
    tree = tmp_path / "tree"
    assert git_differs(HERE, wanted, str(tree)) == "is not there"
    fetch(HERE, wanted, str(tree), progress=Silent())
    assert got(tree) == text
    assert git_differs(HERE, wanted, str(tree)) is None
    fetch(HERE, source(commits[0], url), str(tree), progress=Silent())
    assert got(tree) == "mainline"


def test_a_mirror_is_asked_when_the_original_is_gone(tmp_path: Path, origin: tuple[str, list[str]]) -> None:
    url, commits = origin
    wanted = source(commits[2], f"file://{tmp_path}/gone", url)
    fetch(HERE, wanted, str(tmp_path / "tree"), progress=Silent())
    assert git(tmp_path / "tree", "remote", "get-url", "origin") == url
    assert unreachable(HERE, wanted) is None


def test_a_commit_that_nobody_has_is_named_with_what_every_url_said(
    tmp_path: Path, origin: tuple[str, list[str]]
) -> None:
    url, _ = origin
    wanted = source("0" * 9, f"file://{tmp_path}/gone", url)
    with pytest.raises(LabError, match="the commit 000000000 cannot be had") as caught:
        fetch(HERE, wanted, str(tmp_path / "tree"), progress=Silent())
    assert f"{url} has no commit 000000000" in (caught.value.detail or "")
    assert "gone" in (caught.value.detail or "")
    assert "--from" in (caught.value.hint or "")
    assert "gone" in (unreachable(HERE, source("0" * 9, f"file://{tmp_path}/gone")) or "")


def test_changes_of_the_user_s_are_not_overwritten(tmp_path: Path, origin: tuple[str, list[str]]) -> None:
    url, commits = origin
    tree = tmp_path / "tree"
    fetch(HERE, source(commits[2], url), str(tree), progress=Silent())
    (tree / "file").write_text("mine")
    with pytest.raises(LabError) as caught:
        fetch(HERE, source(commits[0], url), str(tree), progress=Silent())
    assert "has changes that are not committed" in (caught.value.detail or "")
    assert got(tree) == "mine"


def test_a_directory_that_holds_something_else_is_left_alone(
    tmp_path: Path, origin: tuple[str, list[str]]
) -> None:
    url, commits = origin
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "thesis").write_text("x")
    with pytest.raises(LabError) as caught:
        fetch(HERE, source(commits[2], url), str(tmp_path / "tree"), progress=Silent())
    assert "holds something that is not a repository" in (caught.value.detail or "")


def test_submodules_come_along_also_where_their_urls_are_served_elsewhere_now(
    tmp_path: Path, origin: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = origin
    outer = tmp_path / "outer"
    repository(outer, "artifact")
    git(outer, "submodule", "-q", "add", url, "linux")
    git(outer, "config", "-f", ".gitmodules", "submodule.linux.url", "git://gone.invalid/origin")
    git(outer, "commit", "-q", "-a", "-m", "submodule")
    head = git(outer, "rev-parse", "HEAD")
    # git hands no file:// URLs to submodules unless it is told to
    for name, value in (("COUNT", "1"), ("KEY_0", "protocol.file.allow"), ("VALUE_0", "always")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    wanted = source(
        head, f"file://{outer}", submodules=True, rewrite={"git://gone.invalid/": f"file://{tmp_path}/"}
    )
    tree = tmp_path / "tree"
    fetch(HERE, wanted, str(tree), progress=Silent())
    assert got(tree / "linux") == "headers"
    assert git_differs(HERE, wanted, str(tree)) is None
    git(tree / "linux", "commit", "-q", "--allow-empty", "-m", "mine")
    assert git_differs(HERE, wanted, str(tree)) == "its submodule linux is not at its commit"
    fetch(HERE, wanted, str(tree), progress=Silent())
    assert got(tree / "linux") == "headers"


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    (tmp_path / "linux-4.18").mkdir()
    (tmp_path / "linux-4.18" / "file").write_text("packed")
    path = tmp_path / "linux.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "linux-4.18", "linux-4.18")
    return path


def archive(path: Path, *urls: str, sha256: str | None = None) -> ArchiveSource:
    found = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return ArchiveSource(kind="archive", urls=list(urls) or [f"file://{path}"], sha256=found)


def test_an_archive_is_unpacked_once(tmp_path: Path, tarball: Path) -> None:
    tree = tmp_path / "tree"
    for _ in range(2):
        fetch(HERE, archive(tarball), str(tree), progress=Silent())
        assert got(tree) == "packed"
        (tree / "built").write_text("")
    assert (tree / "built").exists()


def test_an_archive_that_is_not_what_it_should_be_is_refused(tmp_path: Path, tarball: Path) -> None:
    wanted = archive(tarball, f"file://{tmp_path}/gone", f"file://{tarball}", sha256="0" * 64)
    with pytest.raises(LabError, match="the archive cannot be had") as caught:
        fetch(HERE, wanted, str(tmp_path / "tree"), progress=Silent())
    first, second = (caught.value.detail or "").splitlines()
    assert "gone" in first
    assert second.endswith(f"not {'0' * 64}")
    assert not (tmp_path / "tree").exists()


def test_a_tree_or_a_tarball_can_be_supplied(tmp_path: Path, tarball: Path) -> None:
    unknown = source("0" * 40, "https://example.invalid/linux.git")
    for number, given in enumerate((tarball, tmp_path / "linux-4.18")):
        tree = tmp_path / f"tree{number}"
        fetch(HERE, unknown, str(tree), supplied=given, progress=Silent())
        assert got(tree) == "packed"
    with pytest.raises(ConfigError, match="neither a directory nor an archive"):
        fetch(HERE, unknown, str(tmp_path / "tree"), supplied=tmp_path / "none", progress=Silent())


def test_a_package_that_debian_does_not_have_is_said_to_be_missing() -> None:
    wanted = DebianSource(kind="debian", package="no-such-package-anywhere", member="usr/src/x.tar.xz")
    assert "no-such-package-anywhere" in (unreachable(HERE, wanted) or "")


@pytest.mark.parametrize(
    "text",
    [
        {"kind": "git", "urls": [], "commit": "abcdef0"},
        {"kind": "git", "urls": ["ext::sh -c id"], "commit": "abcdef0"},
        {"kind": "git", "urls": ["https://x/y"], "commit": "--upload-pack=id"},
    ],
)
def test_a_source_with_a_mistake_is_refused(text: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        GitSource.model_validate(text)
