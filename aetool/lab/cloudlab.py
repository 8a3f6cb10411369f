# SPDX-License-Identifier: Apache-2.0
"""The `cloudlab` provider: hosts of a CloudLab experiment, from its manifest or through the Portal API."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.process import write_file
from aetool.core.progress import Progress, Silent
from aetool.core.ssh_connect import Endpoint, fingerprint, learn_host_key, parse_public_key
from aetool.lab.definition import CloudlabDefinition
from aetool.lab.manifest import Node, parse_manifest, server_and_client
from aetool.lab.portal import Order, Portal, read_token
from aetool.lab.provider import Place, Status, by_hand, not_up

_READY_SECONDS = 45 * 60.0
_SSH_SECONDS = 10 * 60.0
_PROBE_SECONDS = 5.0


class CloudlabProvider:
    """Two nodes of an experiment; implements Provider.

    An experiment that this provider created is ended by `down`; a manifest's hosts, and an experiment that
    was there before, are left alone. Host keys that the definition does not give are learnt when the hosts
    are first up, shown, and pinned from then on.
    """

    emulated = False

    def __init__(
        self,
        name: str,
        definition: CloudlabDefinition,
        path: Path,
        state: Path,
        *,
        portal: Callable[[str, str], Portal] = Portal,
        progress: Progress | None = None,
    ) -> None:
        self.description = definition.description
        self._name = name
        self._definition = definition
        self._folder = path.resolve().parent
        self._state = state / name
        self._make_portal = portal
        self._progress = progress or Silent()

    def up(self) -> None:
        """Have an experiment that is ready, and hosts whose SSH answers; raises LabError, ConfigError."""
        if self._definition.experiment is not None:
            self._have_experiment()
        nodes = self._nodes()
        deadline = time.monotonic() + _SSH_SECONDS
        for role, node in nodes.items():
            while not (seen := _probe(role, node)).up:
                if time.monotonic() > deadline:
                    raise HostUnreachable(f"{role} does not answer: {seen.detail}")
                time.sleep(_PROBE_SECONDS)
            if self._host_key(role) is None:
                self._learn(role, node)

    def down(self) -> None:
        """End the experiment if it was created here; raises LabError."""
        mine = self._state / "created"
        if mine.exists():
            self._portal().terminate(mine.read_text().strip())
        for file in ("created", "experiment", "manifest.xml", "server.pub", "client.pub"):
            (self._state / file).unlink(missing_ok=True)
        if self._state.is_dir():
            self._state.rmdir()

    def status(self) -> list[Status]:
        """Whether each host's SSH port answers."""
        if self._definition.experiment is not None and not (self._state / "manifest.xml").exists():
            return [Status(role, "", False, "no experiment yet") for role in ("server", "client")]
        return [_probe(role, node) for role, node in self._nodes().items()]

    def places(self) -> Mapping[str, Place]:
        """The hosts; raises LabError if they were never up."""
        return {role: Place(self._endpoint(role, node), node.address) for role, node in self._nodes().items()}

    def extend(self, hours: int, reason: str) -> None:
        """Ask for more time for the experiment; raises LabError."""
        self._portal().extend(self._experiment(), hours, reason)

    def power_cycle(self, role: str) -> None:
        """Cut a host's power and give it back; raises LabError if the portal cannot be asked to."""
        self._portal().node(self._experiment(), self._nodes()[role].client_id, "powercycle")

    def restore_boot_files(self, role: str) -> None:
        """Refuse, and say what to do at the console that the portal shows."""
        raise by_hand(role)

    def console(self, role: str) -> str:
        """Nothing: consoles are shown by CloudLab's portal only."""
        return ""

    def _have_experiment(self) -> None:
        wanted = self._definition.experiment
        assert wanted is not None
        portal = self._portal()
        found = portal.find(wanted.name, wanted.project)
        if found is None:
            self._progress.say(f"ordering the CloudLab experiment {wanted.name} for {wanted.hours} h")
            order = Order(
                wanted.name, wanted.project, wanted.profile, wanted.profile_project or wanted.project,
                wanted.hours, wanted.bindings,
            )  # fmt: skip
            found = portal.create(order)
            # written before anything else can fail: whoever pays for the nodes must be able to end them
            write_file(self._state / "created", found)
        write_file(self._state / "experiment", found)
        portal.wait(found, seconds=_READY_SECONDS, progress=self._progress)
        manifests = portal.manifests(found)
        if len(manifests) != 1:
            raise LabError(
                f"the experiment {found} has manifests of {len(manifests)} clusters; one is expected"
            )
        write_file(self._state / "manifest.xml", next(iter(manifests.values())))

    def _nodes(self) -> dict[str, Node]:
        if self._definition.manifest is not None:
            path = self._folder / Path(self._definition.manifest).expanduser()
        else:
            path = self._state / "manifest.xml"
            if not path.exists():
                raise not_up(self._name)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"{path}: the manifest cannot be read: {error}") from error
        return server_and_client(parse_manifest(text, str(path)), str(path))

    def _endpoint(self, role: str, node: Node) -> Endpoint:
        key = self._host_key(role)
        if key is None:
            raise not_up(self._name)
        return Endpoint(
            name=role,
            host=node.hostname,
            port=node.port,
            user=self._definition.user,
            key=self._folder / Path(self._definition.key).expanduser(),
            host_key=key,
            sudo=self._definition.user != "root",
        )

    def _host_key(self, role: str) -> str | None:
        given = self._definition.host_keys.get(role)
        learnt = self._state / f"{role}.pub"
        return given or (learnt.read_text() if learnt.exists() else None)

    def _learn(self, role: str, node: Node) -> None:
        text = learn_host_key(node.hostname, node.port)
        write_file(self._state / f"{role}.pub", text)
        shown = fingerprint(parse_public_key(text)[1])
        self._progress.say(f"{role}: the host key {shown} of {node.hostname} is pinned from now on")

    def _experiment(self) -> str:
        path = self._state / "experiment"
        if not path.exists():
            raise LabError(
                f"the lab {self._name} is not an experiment that the portal can be asked about",
                hint="give `experiment` in its definition, with a token, instead of `manifest`",
            )
        return path.read_text().strip()

    def _portal(self) -> Portal:
        file = self._definition.token_file
        token = read_token(self._folder / Path(file).expanduser() if file else None)
        return self._make_portal(self._definition.portal, token)


def _probe(role: str, node: Node) -> Status:
    where = f"{node.hostname}:{node.port}"
    try:
        socket.create_connection((node.hostname, node.port), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        return Status(role, node.address, False, f"{where}: {error.strerror or error}")
    return Status(role, node.address, True, f"{where} answers")
