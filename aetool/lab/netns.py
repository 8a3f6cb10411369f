# SPDX-License-Identifier: Apache-2.0
"""The `netns` provider: two hosts as Linux namespaces on this machine, a real sshd in each; no VMs.

Three network namespaces: the hosts, and a switch whose bridge joins them and from whose side SSH comes in.
Each host has mount, uts, ipc and pid namespaces of its own as well (scripts/host/netns-init.sh).
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aetool.core.errors import LabError
from aetool.core.process import TAIL_LINES, require, run, storage_error
from aetool.core.project import project_root
from aetool.core.ssh_connect import Endpoint
from aetool.lab import namespaces
from aetool.lab.provider import Place, Status, not_up

ADDRESSES = {"server": "10.10.1.1", "client": "10.10.1.2"}
CONTROL_ADDRESS = "10.10.1.254"
INTERFACE = "exp0"
_SSH_PORT = 22
_LOCK_SECONDS = 60.0


class NetnsProvider:
    """Hosts of one netns lab; implements Provider."""

    emulated = True
    ready_seconds = 20.0

    def __init__(self, name: str, description: str, state: Path) -> None:
        self.description = description
        self._name = name
        self._base = state.resolve()
        self._state = self._base / name
        # two state directories may hold labs of one name
        tag = hashlib.sha256(str(self._base).encode()).hexdigest()[:6]
        self._prefix = f"aetool-{name}-{tag}-"

    def up(self) -> None:
        """Make both hosts and wait until their sshd answers; nothing happens if they do."""
        namespaces.require_root("a lab of namespaces")
        self._check()
        with self._locked():
            if all(status.up for status in self.status()):
                return
            self._remove()
            try:
                self._keys()
                self._network()
                for role in ADDRESSES:
                    self._attach(role)
                    self._start(role)
                self._wait()
            except BaseException:
                self._remove()
                raise

    def down(self) -> None:
        """Kill what runs in the hosts, remove the namespaces and the state directory."""
        if not self._state.exists() and not namespaces.matching(self._prefix):
            return
        namespaces.require_root("a lab of namespaces")
        with self._locked():
            self._remove()

    def status(self) -> list[Status]:
        """Whether each host's sshd answers."""
        return [self._probe(role) for role in ADDRESSES]

    def places(self) -> Mapping[str, Place]:
        """The hosts; raises LabError if the lab is not up."""
        namespaces.require_root("a lab of namespaces")
        made = [self._host_key(role).exists() for role in ADDRESSES]
        if not all(made) or not namespaces.exists(self._space("switch")):
            raise not_up(self._name)
        return {role: self._place(role) for role in ADDRESSES}

    def namespace(self, part: str) -> str:
        """The name of the network namespace of "server", "client" or "switch"."""
        return self._space(part)

    def power_cycle(self, role: str) -> None:
        """Refuse: a namespace has no power."""
        raise LabError(f"{role}: a host of namespaces cannot be rebooted", hint="use the lab arm")

    def restore_boot_files(self, role: str) -> None:
        """Refuse: a namespace does not boot."""
        raise LabError(f"{role}: a host of namespaces has no boot files", hint="use the lab arm")

    def console(self, role: str) -> str:
        """What a host has said outside of SSH, as long as it is up."""
        log = self._log(role)
        return log.read_text(errors="replace") if log.exists() else ""

    def _check(self) -> None:
        require("sshd", "openssh-server")

    def _place(self, role: str) -> Place:
        address = ADDRESSES[role]
        endpoint = Endpoint(
            name=role,
            host=address,
            host_key=self._host_key(role).read_text(),
            key=self._state / "user_key",
            dial=namespaces.dialler(self._space("switch"), address, _SSH_PORT),
        )
        return Place(endpoint, address)

    def _space(self, part: str) -> str:
        return self._prefix + part

    def _host_key(self, role: str) -> Path:
        return self._state / f"{role}.host_key.pub"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            self._base.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._base / f".{self._name}.lock", timeout=_LOCK_SECONDS)
            lock.acquire()
        except Timeout as error:
            raise LabError(
                f"another command has been changing the lab {self._name} for {_LOCK_SECONDS:g} s"
            ) from error
        except OSError as error:
            raise storage_error(self._base, error) from error
        try:
            yield
        finally:
            lock.release()

    def _keys(self) -> None:
        try:
            self._state.mkdir(mode=0o700)
        except OSError as error:
            raise storage_error(self._state, error) from error
        keygen = require("ssh-keygen", "openssh-client")
        for stem in ("user_key", *(f"{role}.host_key" for role in ADDRESSES)):
            comment = f"aetool-{self._name}"
            path = str(self._state / stem)
            run([keygen, "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], timeout=20)

    def _network(self) -> None:
        namespaces.batch([f"netns add {self._space('switch')}"])
        lines = ["link set lo up", "link add br0 type bridge", "link set br0 up"]
        lines += [f"addr add {CONTROL_ADDRESS}/24 dev br0"]
        namespaces.batch(lines, inside=self._space("switch"))

    def _attach(self, role: str) -> None:
        """Make a host's network namespace and the cable to the switch."""
        space = self._space(role)
        namespaces.batch([f"netns add {space}"])
        cable = f"link add {role} type veth peer name {INTERFACE} netns {space}"
        namespaces.batch([cable, f"link set {role} master br0 up"], inside=self._space("switch"))
        address = f"addr add {ADDRESSES[role]}/24 dev {INTERFACE}"
        namespaces.batch(["link set lo up", address, f"link set {INTERFACE} up"], inside=space)

    def _start(self, role: str) -> None:
        init = project_root() / "scripts" / "host" / "netns-init.sh"
        # --kill-child: unshare survives SIGTERM; whoever kills it kills process 1 of the host, so all of it.
        host = [
            require("nsenter", "util-linux"), f"--net=/run/netns/{self._space(role)}",
            require("unshare", "util-linux"), "--mount", "--uts", "--ipc", "--pid", "--fork",
            "--kill-child=KILL", "bash", str(init), role, str(self._state),
        ]  # fmt: skip
        self._detach(role, host)

    def _detach(self, role: str, argv: list[str]) -> None:
        """Start a program that outlives us; one that held our pipe would keep us waiting for ever."""
        detach = 'cd "$1"; log=$2; shift 2; exec setsid --fork "$@" </dev/null >>"$log" 2>&1'
        run(["bash", "-c", detach, "detach", str(self._state), str(self._log(role)), *argv], timeout=20)

    def _alive(self, role: str) -> bool:
        """Whether something of the host runs; `unshare` does from the start."""
        return bool(namespaces.processes(self._space(role)))

    def _log(self, role: str) -> Path:
        return self._state / f"{role}.log"

    def _wait(self) -> None:
        started = time.monotonic()
        for role in ADDRESSES:
            while not self._probe(role).up:
                seconds = time.monotonic() - started
                if seconds > self.ready_seconds or (seconds > 1 and not self._alive(role)):
                    tail = "".join(self.console(role).splitlines(keepends=True)[-TAIL_LINES:])
                    raise LabError(
                        f"the host {role} of the lab {self._name} did not start", detail=tail or None
                    )
                time.sleep(0.02 if seconds < 1 else 0.2)

    def _probe(self, role: str) -> Status:
        address, space = ADDRESSES[role], self._space("switch")
        if not namespaces.exists(space) or not self._host_key(role).exists():
            return Status(role, address, False, "not made")
        try:
            namespaces.dialler(space, address, _SSH_PORT)(2.0).close()
        except OSError as error:
            return Status(role, address, False, error.strerror or str(error))
        return Status(role, address, True, f"sshd answers in the namespace {self._space(role)}")

    def _remove(self) -> None:
        for name in namespaces.matching(self._prefix):
            namespaces.remove(name)
        if self._state.exists():
            try:
                shutil.rmtree(self._state)
            except OSError as error:
                raise storage_error(self._state, error) from error
