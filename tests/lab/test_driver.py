# SPDX-License-Identifier: Apache-2.0
"""Two drivers at one lab: the second is told who holds it; a holder that is gone does not hold it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetool.core.ssh import SshRemote
from aetool.lab import Lab, driver
from aetool.lab.driver import FILE, LabBusy, driving, holder, unlock

pytestmark = pytest.mark.e2e

HOLD = """
import sys
from pathlib import Path
from aetool.lab import open_lab
with open_lab("netns", name="shared", state=Path(sys.argv[1])) as lab, lab.driving("a campaign"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server(lab: Lab) -> Iterator[SshRemote]:
    yield lab.hosts["server"]
    lab.hosts["server"].run(["rm", "-f", FILE], timeout=10)


def other(place: Path) -> subprocess.Popen[bytes]:
    """Another driver, in a process of its own, that holds the lab until its input ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    return child


def test_the_second_of_two_drivers_is_told_who_holds_the_lab(
    lab: Lab, server: SshRemote, place: Path
) -> None:
    with other(place) as child:
        with (
            pytest.raises(
                LabBusy, match=rf"the lab shared is in use: a campaign by .*\(process {child.pid}\)"
            ),
            lab.driving("a reboot"),
        ):
            pytest.fail("two drivers at once")
        child.communicate()
    with lab.driving("a reboot"):
        assert (holder(server) or {})["what"] == "a reboot"
    assert holder(server) is None


def test_a_command_that_changes_the_lab_refuses_while_another_driver_holds_it(
    lab: Lab, server: SshRemote, place: Path
) -> None:
    program = "from aetool.cli.main import run; run()"
    words = ["lab", "vm", "down", "--name", "shared", "--state", str(place)]
    with other(place) as child:
        done = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60
        )
        child.communicate()
    assert done.returncode == 5
    assert "aetool: error: the lab shared is in use: a campaign by" in done.stderr
    assert "aetool lab unlock" in done.stderr


def test_what_is_called_under_a_lock_may_take_it_again(lab: Lab, server: SshRemote) -> None:
    with lab.driving("a campaign"):
        with lab.driving("a reboot"):
            pass
        # the inner one has not given it away
        assert (holder(server) or {})["what"] == "a campaign"


def test_a_driver_that_was_killed_does_not_hold_the_lab(lab: Lab, server: SshRemote, place: Path) -> None:
    with other(place) as child:
        child.kill()
    assert (holder(server) or {})["pid"] == child.pid
    with lab.driving("a reboot"):
        assert (holder(server) or {})["what"] == "a reboot"


def test_a_driver_on_another_machine_holds_it_until_it_is_taken_by_hand(
    lab: Lab, server: SshRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_machine", lambda: "elsewhere")
    token = driver._take(server, "shared", "a campaign")
    monkeypatch.undo()
    with pytest.raises(LabBusy, match="a campaign by"), driving(server, "shared", "a reboot"):
        pytest.fail("two drivers at once")
    assert (unlock(server) or {})["token"] == token
    assert unlock(server) is None
    with driving(server, "shared", "a reboot"):
        pass


def test_a_driver_whose_lab_was_taken_leaves_the_new_holder_its_lab(lab: Lab, server: SshRemote) -> None:
    with driving(server, "shared", "a campaign"):
        unlock(server)
        note = {"token": "new", "what": "another", "machine_id": "elsewhere"}
        server.put(json.dumps(note).encode(), FILE)
    assert (holder(server) or {})["token"] == "new"
