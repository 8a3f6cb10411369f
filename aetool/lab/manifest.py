# SPDX-License-Identifier: Apache-2.0
"""CloudLab manifests: which machines an experiment was given, read from GENI v3 RSpec XML."""

from __future__ import annotations

import ipaddress
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aetool.core.errors import ConfigError

_RSPEC: Final = "{http://www.geni.net/resources/rspec/3}"
_EXPERIMENT_NETWORK = ipaddress.ip_network("10.10.1.0/24")
# A manifest is some tens of kilobytes; and without a DTD there are no entities to expand.
_MAX_CHARS = 10_000_000


@dataclass(frozen=True)
class Node:
    """A machine of an experiment: where to log in, and its address on the experiment network."""

    client_id: str
    hardware: str
    hostname: str
    port: int
    users: tuple[str, ...]
    address: str


def parse_manifest(text: str, source: str) -> list[Node]:
    """Return the machines in the manifest's order.

    source: name of the manifest for error messages. Raises ConfigError if the text is not a manifest, or a
    machine has no log-in or no address in 10.10.1.0/24.
    """
    if len(text) > _MAX_CHARS or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ConfigError(f"{source}: not a manifest: too large, or with a document type of its own")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ConfigError(f"{source}:{line}: not XML (column {column + 1}): {error}") from error
    if root.tag != f"{_RSPEC}rspec":
        raise ConfigError(f"{source}: not a GENI v3 RSpec: its root element is {root.tag}")
    if root.get("type") != "manifest":
        raise ConfigError(
            f"{source}: this RSpec is of type {root.get('type')!r}, not a manifest",
            hint="the manifest is what CloudLab shows in the tab Manifest of a running experiment",
        )
    nodes = [_node(element, source) for element in root.iter(f"{_RSPEC}node")]
    if not nodes:
        raise ConfigError(f"{source}: the manifest names no machine")
    return nodes


def server_and_client(nodes: Sequence[Node], source: str) -> dict[str, Node]:
    """Tell server and client apart: by name if they are called so, else by the order of their addresses.

    Raises ConfigError unless there are exactly two machines with different addresses.
    """
    if len(nodes) != 2 or nodes[0].address == nodes[1].address:
        listed = ", ".join(f"{node.client_id} ({node.address})" for node in nodes)
        raise ConfigError(f"{source}: two machines with an address each are needed; there are: {listed}")
    named = {node.client_id: node for node in nodes}
    if set(named) == {"server", "client"}:
        return named
    first, second = sorted(nodes, key=lambda node: ipaddress.ip_address(node.address))
    return {"server": first, "client": second}


def _node(element: ElementTree.Element, source: str) -> Node:
    name = element.get("client_id") or "(without a name)"
    where = f"{source}: node {name}"
    logins = [
        login
        for login in element.iterfind(f"{_RSPEC}services/{_RSPEC}login")
        if login.get("authentication") == "ssh-keys" and login.get("hostname")
    ]
    if not logins:
        raise ConfigError(f"{where} has no log-in with SSH keys", hint="is the experiment ready?")
    hosts = {(login.get("hostname", ""), login.get("port", "22")) for login in logins}
    if len(hosts) != 1:
        raise ConfigError(f"{where} has log-ins at different places: {sorted(hosts)}")
    hostname, port = hosts.pop()
    hardware = element.find(f"{_RSPEC}hardware_type")
    return Node(
        name,
        hardware.get("name", "unknown") if hardware is not None else "unknown",
        hostname,
        _port(port, where),
        tuple(login.get("username", "") for login in logins),
        _address(element, where),
    )


def _port(text: str, where: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"{where} has the log-in port {text!r}")
    return int(text)


def _address(element: ElementTree.Element, where: str) -> str:
    found = [ip.get("address", "") for ip in element.iterfind(f"{_RSPEC}interface/{_RSPEC}ip")]
    for address in found:
        try:
            if ipaddress.ip_address(address) in _EXPERIMENT_NETWORK:
                return address
        except ValueError as error:
            raise ConfigError(f"{where} has the address {address!r}") from error
    raise ConfigError(f"{where} has no address in {_EXPERIMENT_NETWORK}: found {', '.join(found) or 'none'}")
