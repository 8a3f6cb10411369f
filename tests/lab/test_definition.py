# SPDX-License-Identifier: Apache-2.0
"""Lab definitions: what users write, and what they are told when they write it wrongly."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import pytest

from aetool.core.errors import ConfigError, HostUnreachable
from aetool.lab import open_lab
from aetool.lab.definition import check_name, definition_path


@pytest.fixture
def inventory(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(project / "cloudlab" / "static.example.yaml", tmp_path / "mine.yaml"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_example_inventory_names_two_hosts(inventory: Path) -> None:
    with open_lab(inventory) as lab:
        server = lab.hosts["server"]
        assert (lab.name, lab.provider_name, lab.emulated) == ("mine", "static", False)
        assert (server.address, server.endpoint.host, server.endpoint.port) == (
            "10.10.1.1", "server.example.org", 22,
        )  # fmt: skip
        assert lab.hosts["client"].address == "10.10.1.2"
        assert server.endpoint.key == Path.home() / ".ssh" / "id_ed25519"


def test_a_definition_may_say_what_guests_are_started_from(inventory: Path) -> None:
    with inventory.open("a") as handle:
        handle.write("guests: {qemu: /mydata/qemu/qemu-system-aarch64, kernel: /mydata/Image.sekvm}\n")
    with open_lab(inventory) as lab:
        assert lab.guests.qemu == "/mydata/qemu/qemu-system-aarch64"
        assert (lab.guests.kernel, lab.guests.initrd) == ("/mydata/Image.sekvm", "/var/lib/aetool/initrd.gz")


def test_a_key_file_is_relative_to_the_inventory(inventory: Path) -> None:
    replace(inventory, "key: ~/.ssh/id_ed25519", "key: keys/lab")
    with open_lab(inventory) as lab:
        assert lab.hosts["server"].endpoint.key == inventory.parent / "keys" / "lab"


def test_a_misspelt_key_is_named_with_file_line_and_the_right_spelling(inventory: Path) -> None:
    replace(inventory, "    port: 22", "    prot: 22")
    line = inventory.read_text().splitlines().index("    prot: 22") + 1
    with pytest.raises(ConfigError) as caught:
        open_lab(inventory)
    assert (
        f"{inventory}:{line}: unknown key 'hosts.server.prot'; did you mean 'port'?" in caught.value.message
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("provider: static", "provider: statc", "found 'statc', allowed are"),
        ("provider: static", "povider: static", "found None, allowed are"),
        ("port: 22", "port: 99999", "hosts.server.port"),
        ("emulated: false", "", "'emulated' is required"),
        ("host_key: ssh-ed25519", "host_key: ssh-rsa", "hosts.server.host_key.*says it is ssh-rsa"),
        ("host_key: ssh-ed25519 A", "host_key: SHA256:", "hosts.server.host_key.*not a public key"),
        ("  client:", "  clint:", "hosts.client"),
    ],
)  # fmt: skip
def test_each_mistake_gives_one_clear_error(inventory: Path, old: str, new: str, said: str) -> None:
    replace(inventory, old, new)
    with pytest.raises(ConfigError) as caught:
        open_lab(inventory)
    text = f"{caught.value.message}\n{caught.value.detail or ''}"
    assert str(inventory) in text
    assert re.search(said, text), text


def test_a_lab_of_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no lab 'nets'") as caught:
        definition_path("nets")
    assert "netns" in (caught.value.hint or "")
    assert "example" not in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 41, "-x"])
def test_a_name_that_cannot_be_part_of_a_file_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a lab"):
        check_name(name)


def test_up_of_static_hosts_says_which_one_does_not_answer(inventory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as answering, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        replace(inventory, "ssh: server.example.org", "ssh: 127.0.0.1")
        replace(inventory, "port: 22", f"port: {answering.getsockname()[1]}")
        replace(inventory, "ssh: client.example.org", f"ssh: 127.0.0.1\n    port: {closed.getsockname()[1]}")
        with open_lab(inventory) as lab:
            assert [(s.host, s.up) for s in lab.status()] == [("server", True), ("client", False)]
            with pytest.raises(HostUnreachable, match=r"^client does not answer: 127\.0\.0\.1:.*refused"):
                lab.up()
