# SPDX-License-Identifier: Apache-2.0
"""The CloudLab profile, run against a stand-in for the portal's library."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class Thing:
    """Anything in a request: remembers its attributes and what was made from it."""

    def __init__(self, kind: str, *args: object) -> None:
        self.kind, self.args, self.made = kind, args, []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not (name[0].isupper() or name.startswith("add")):
            raise AttributeError(name)

        def make(*args: object) -> Thing:
            thing = Thing(name, *args)
            self.made.append(thing)
            return thing

        return make

    def of(self, kind: str) -> list[Thing]:
        return [thing for thing in self.made if thing.kind == kind]


class Context:
    def __init__(self) -> None:
        self.defaults: dict[str, object] = {}
        self.errors: list[str] = []
        self.printed: list[Thing] = []
        self.request = Thing("request")
        self.given: dict[str, object] = {}

    def defineParameter(self, name: str, title: str, kind: str, default: object, **_: object) -> None:
        self.defaults[name] = default

    def bindParameters(self) -> SimpleNamespace:
        return SimpleNamespace(**{**self.defaults, **self.given})

    def reportError(self, error: str) -> None:
        self.errors.append(error)

    def verifyParameters(self) -> None:
        if self.errors:
            raise SystemExit(str(self.errors))

    def makeRequestRSpec(self) -> Thing:
        return self.request

    def printRequestRSpec(self, request: Thing) -> None:
        self.printed.append(request)


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Context:
    made = Context()
    portal, rspec, pg = ModuleType("geni.portal"), ModuleType("geni.rspec"), ModuleType("geni.rspec.pg")
    kinds = SimpleNamespace(NODETYPE="nodetype", IMAGE="image", INTEGER="integer")
    vars(portal).update(
        Context=lambda: made, ParameterType=kinds, ParameterError=lambda text, names: f"{names}: {text}"
    )
    vars(pg).update(IPv4Address=lambda address, mask: (address, mask))
    rspec.pg = pg  # type: ignore[attr-defined]
    geni = ModuleType("geni")
    geni.portal, geni.rspec = portal, rspec  # type: ignore[attr-defined]
    for name, module in (
        ("geni", geni),
        ("geni.portal", portal),
        ("geni.rspec", rspec),
        ("geni.rspec.pg", pg),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    return made


def test_two_m400_nodes_on_one_network_with_storage_on_mydata(context: Context, project: Path) -> None:
    runpy.run_path(str(project / "cloudlab" / "profile.py"))
    assert context.printed == [context.request]
    nodes = context.request.of("RawPC")
    assert [node.args for node in nodes] == [("server",), ("client",)]
    (lan,) = context.request.of("LAN")
    joined = [added.args[0] for added in lan.of("addInterface")]
    for number, node in enumerate(nodes, start=1):
        assert vars(node)["hardware_type"] == "m400"
        assert "ARM" in vars(node)["disk_image"]
        (interface,) = node.of("addInterface")
        assert interface in joined
        assert interface.of("addAddress")[0].args == ((f"10.10.1.{number}", "255.255.255.0"),)
        (store,) = node.of("Blockstore")
        assert store.args[1] == "/mydata"
        assert vars(store)["size"] == "80GB"


def test_too_little_storage_is_refused(context: Context, project: Path) -> None:
    context.given = {"storage": 10}
    with pytest.raises(SystemExit, match=r"\['storage'\].*40 GB"):
        runpy.run_path(str(project / "cloudlab" / "profile.py"))
