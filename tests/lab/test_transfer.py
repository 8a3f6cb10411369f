# SPDX-License-Identifier: Apache-2.0
"""Large files to a real host: in pieces, over broken connections, checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.progress import Silent
from aetool.core.ssh import Result, SshRemote
from aetool.lab import Lab, transfer
from aetool.lab.transfer import upload

pytestmark = pytest.mark.e2e


class Flaky(SshRemote):
    """Loses the connection in the middle of some pieces: a part of the piece has arrived."""

    def __init__(self, real: SshRemote, losses: int) -> None:
        super().__init__(real.endpoint)
        self.losses = losses
        self.pieces = 0

    def run(self, argv, **options) -> Result:  # type: ignore[no-untyped-def]
        data = options.get("stdin")
        if data is not None:
            self.pieces += 1
            if self.losses:
                self.losses -= 1
                super().run(argv, **{**options, "stdin": data[: len(data) // 3]})
                raise HostUnreachable("the connection broke")
        return super().run(argv, **options)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PIECE", 100_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "image.img"
    path.write_bytes(os.urandom(450_000))
    return path


def test_a_file_arrives_whole_and_is_sent_once(lab: Lab, file: Path) -> None:
    remote = Flaky(lab.hosts["server"], losses=0)
    upload(remote, file, "/tmp/up/image.img", progress=Silent())
    assert remote.pieces == 5
    assert remote.get("/tmp/up/image.img") == file.read_bytes()
    upload(remote, file, "/tmp/up/image.img", progress=Silent())
    assert remote.pieces == 5
    remote.close()


def test_a_broken_connection_costs_the_piece_and_nothing_else(lab: Lab, file: Path) -> None:
    remote = Flaky(lab.hosts["server"], losses=3)
    upload(remote, file, "/tmp/flaky/image.img", progress=Silent())
    assert remote.pieces == 8
    assert remote.get("/tmp/flaky/image.img") == file.read_bytes()
    remote.close()


def test_a_host_that_stays_away_is_an_error_and_the_next_try_goes_on(lab: Lab, file: Path) -> None:
    first = Flaky(lab.hosts["server"], losses=0)
    upload(first, file, "/tmp/away/other.img", progress=Silent())
    remote = Flaky(lab.hosts["server"], losses=100)
    with pytest.raises(HostUnreachable):
        upload(remote, file, "/tmp/away/image.img", progress=Silent())
    assert remote.run(["ls", "/tmp/away"], timeout=10).stdout.split()[0].endswith(".part")
    remote.losses = remote.pieces = 0
    upload(remote, file, "/tmp/away/image.img", progress=Silent())
    assert remote.get("/tmp/away/image.img") == file.read_bytes()
    remote.close()
    first.close()


def test_an_empty_file_is_a_file(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    upload(lab.hosts["server"], tmp_path / "empty", "/tmp/empty", progress=Silent())
    assert lab.hosts["server"].get("/tmp/empty") == b""


def test_what_arrives_wrong_is_not_kept(lab: Lab, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "digest", lambda path: "0" * 64)
    with pytest.raises(LabError, match="arrived, 0000"):
        upload(lab.hosts["server"], file, "/tmp/wrong/image.img", progress=Silent())
    assert lab.hosts["server"].run(["ls", "/tmp/wrong"], timeout=10).stdout == ""
