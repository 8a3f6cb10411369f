# SPDX-License-Identifier: Apache-2.0
"""Local programs end when their deadline passes, with everything that they started."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from aetool.core.errors import MissingToolError, StorageError
from aetool.core.process import ProcessError, require, run, short, write_file


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text().strip()):
            return text
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def test_output_status_and_log_are_kept_whole(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "out.log"
    result = run(["sh", "-c", "echo out; echo err >&2"], timeout=20, log=log)
    assert (result.status, result.output) == (0, "out\nerr\n")
    assert log.read_text() == "out\nerr\n"


def test_a_failure_names_program_and_status_and_shows_the_tail(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="sh exited with status 3") as caught:
        run(["sh", "-c", "seq 100; exit 3"], timeout=20, log=tmp_path / "log")
    assert caught.value.detail is not None
    assert caught.value.detail.splitlines()[-1] == "100"
    assert len((tmp_path / "log").read_text().splitlines()) == 100


def test_a_deadline_ends_grandchildren_too(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"trap '' TERM; sleep 300 & echo $! > {pid_file}; wait"
    with pytest.raises(ProcessError, match="ran longer than 1 s"):
        run(["sh", "-c", script], timeout=1)
    pid = int(pid_file.read_text())
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_ctrl_c_ends_the_child_group(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "from aetool.core.process import run\n"
        f"run(['sh', '-c', 'sleep 300 & echo $! > {pid_file}; wait'], timeout=300)\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    pid = int(wait_for(pid_file))
    driver.send_signal(2)
    driver.wait(timeout=20)
    assert not alive(pid)


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(MissingToolError, match="no-such-tool is not installed") as caught:
        require("no-such-tool", "no-such-package")
    assert caught.value.hint == "install it: apt-get install no-such-package"
    with pytest.raises(MissingToolError):
        run(["no-such-tool"], timeout=1)


def test_short_returns_the_output_and_raises_on_failure() -> None:
    assert short("echo", "two words") == "two words"
    with pytest.raises(ProcessError, match="ls exited with status 2"):
        short("ls", "/no/such/place")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_file(path, "one")
    write_file(path, b"two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_an_unwritable_place_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_file(tmp_path / "plain" / "file", "x")


def test_a_full_disk_is_a_storage_error_that_keeps_the_old_file(tmp_path: Path, full_disk: Path) -> None:
    target = full_disk / "file"
    write_file(target, "old")
    with pytest.raises(StorageError, match="No space left"):
        write_file(target, "x" * 4_000_000)
    assert target.read_text() == "old"
    assert [p.name for p in full_disk.iterdir()] == ["file"]
