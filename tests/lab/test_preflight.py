# SPDX-License-Identifier: Apache-2.0
"""What a configuration needs and what of it is missing, said before hours go into it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aetool.core.config import load_yaml
from aetool.core.errors import ConfigError
from aetool.core.ssh_fake import FakeRemote
from aetool.lab.build import KernelRecipe
from aetool.lab.preflight import Check, load, preflight
from aetool.lab.qemu import QemuRecipe
from aetool.lab.source import GitSource

HYP = "kvm [1]: Hyp mode initialized successfully"


class Server(FakeRemote):
    """An m400 as it answers: what differs from one that is ready is given by name."""

    def __init__(self, **given: str) -> None:
        self.given = {
            "machine": "aarch64",
            "line": HYP,
            "load": "00 08 00 00",
            "free": "80000000",
            "used": "3",
        }
        self.given.update(given)
        super().__init__("server", self.reply)

    def reply(self, command: str, stdin: bytes | None) -> tuple[int, str, str]:
        if command == "uname -m":
            return 0, self.given["machine"], ""
        if "command_line" in command:
            return 0, f"kernel\t4.18.0\ncommand_line\tro\ndevice\tyes\nline\t{self.given['line']}\n", ""
        if command.startswith("od "):
            return (0, self.given["load"], "") if self.given["load"] else (1, "", "no such file")
        if "df --output" in command:
            return 0, self.given["free"], ""
        return 0, self.given["used"], ""


@pytest.fixture
def trees(tmp_path: Path) -> dict[str, Path]:
    for name in ("kernel", "qemu"):
        (tmp_path / name).mkdir()
    return {name: tmp_path / name for name in ("kernel", "qemu")}


def lacking(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def test_nothing_is_missing_on_a_server_that_is_ready(trees: dict[str, Path]) -> None:
    hosts = {"server": Server()}
    assert lacking(preflight("sekvm", hosts, trees)) == []


@pytest.mark.parametrize(
    ("given", "name", "said"),
    [
        ({"machine": "x86_64"}, "architecture of the server", "x86_64"),
        ({"line": ""}, "EL2", "no line of KVM's"),
        ({"load": "42 00 00 00"}, "load address", "0x42000000"),
        ({"load": ""}, "boot files", "exited with status 1"),
        ({"free": "8000000"}, "space in /mydata", "8 GiB free"),
        ({"free": ""}, "space in /mydata", "0 GiB free"),
        ({"used": "55"}, "VM identifiers", "55 of 55"),
    ],
)
def test_each_thing_that_is_missing_is_named(
    trees: dict[str, Path], given: dict[str, str], name: str, said: str
) -> None:
    checks = preflight("sekvm", {"server": Server(**given)}, trees)
    (check,) = [check for check in checks if not check.ok]
    assert check.name == name
    assert said in check.found
    assert check.fix


def test_a_source_that_cannot_be_reached_says_what_each_url_answers_and_how_to_supply_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "k.yaml").write_text(
        "base: defconfig\nsource: {kind: git, commit: abcdef0, urls: ['file:///gone/a', 'file:///gone/b']}\n"
    )
    git = "source: {kind: git, commit: abcdef0, urls: ['file://%s']}\n"
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    commit = ["git", "-C", tmp_path / "repo", "-c", "user.name=a", "-c", "user.email=a@b", "commit"]
    subprocess.run([*commit, "-q", "--allow-empty", "-m", "x"], check=True)
    (tmp_path / "q.yaml").write_text(git % (tmp_path / "repo") + "configure: []\nbinary: [x]\nversion: '3'\n")
    (tmp_path / "c.yaml").write_text(
        "description: x\nkernel: k.yaml\nqemu: q.yaml\nrelease: '4'\nstore: /mydata\nleast_gib: 1\n"
    )
    checks = {check.name: check for check in preflight(str(tmp_path / "c.yaml"), None, {})}
    assert not checks["source: kernel"].ok
    assert "file:///gone/a: " in checks["source: kernel"].found
    assert "file:///gone/b: " in checks["source: kernel"].found
    assert "--kernel PATH" in checks["source: kernel"].fix
    assert checks["source: qemu"].ok


def test_the_configurations_of_the_project_name_recipes_that_are_there() -> None:
    for name in ("sekvm", "kvm"):
        asked, path = load(name)
        kernel = load_yaml(path.parent / asked.kernel, KernelRecipe)
        qemu = load_yaml(path.parent / asked.qemu, QemuRecipe)
        assert isinstance(kernel.source, GitSource)
        assert kernel.load_address == 0x80000
        assert qemu.version == "3.0.0"
    with pytest.raises(ConfigError) as caught:
        load("xen")
    assert "kvm, sekvm" in (caught.value.hint or "")
