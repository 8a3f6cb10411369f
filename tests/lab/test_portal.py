# SPDX-License-Identifier: Apache-2.0
"""The Portal API client and the provider on top of it, against an HTTP server with the portal's habits."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aetool.core.errors import ConfigError, HostUnreachable, LabError
from aetool.core.progress import Silent
from aetool.core.ssh_connect import parse_public_key
from aetool.lab import open_lab
from aetool.lab.cloudlab import CloudlabProvider
from aetool.lab.definition import load_definition
from aetool.lab.portal import Order, Portal, read_token

TOKEN = "s3cret-token"
ORDER = Order("sekvm", "proj", "sekvm-m400", "proj", 16, {"storage": "80"})
MANIFEST = (Path(__file__).parent / "data" / "manifest.xml").read_text()


class Fake:
    """The portal: one experiment at most, that becomes ready after a number of looks."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.tokens: set[str] = set()
        self.statuses = ["provisioning", "provisioned", "ready"]
        self.running: dict[str, str] | None = None
        self.failures: list[int] = []
        self.redirect: str | None = None
        self.manifest = MANIFEST

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.requests.append((method, path, body))
        if self.failures:
            return self.failures.pop(0), {"error": f"no, {TOKEN}"}
        if (method, path) == ("GET", "/experiments/"):
            return 200, {"experiments": [self.running] if self.running else []}
        if (method, path) == ("POST", "/experiments/"):
            self.running = {"id": "e-1", "name": body["name"], "project": body["project"]}
            return 200, self.running
        if self.running is None:
            return 404, {"error": "no such experiment"}
        if (method, path) == ("GET", "/experiments/e-1/"):
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            return 200, {**self.running, "status": status}
        if (method, path) == ("GET", "/experiments/e-1/manifests/"):
            return 200, {"urn:publicid:IDN+utah.cloudlab.us+authority+cm": self.manifest}
        if (method, path) == ("DELETE", "/experiments/e-1/"):
            self.running = None
            return 204, None
        return 200, {}


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def url(fake: Fake) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if not self.path.endswith("/"):  # the portal's habit
                self.send_response(307)
                self.send_header("Location", (fake.redirect or "") + self.path + "/")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            fake.tokens.add(self.headers.get("X-Api-Token", ""))
            code, body = fake.answer(self.command, self.path, json.loads(raw) if raw else None)
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = reply

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def portal(url: str) -> Portal:
    return Portal(url, TOKEN, sleep=lambda _: None)


def test_an_experiment_is_ordered_watched_extended_and_ended(portal: Portal, fake: Fake) -> None:
    assert portal.find("sekvm", "proj") is None
    assert portal.create(ORDER) == "e-1"
    assert portal.find("sekvm", "proj") == "e-1"
    assert portal.find("sekvm", "other") is None
    portal.wait("e-1", seconds=60, progress=Silent())
    assert list(portal.manifests("e-1").values()) == [MANIFEST]
    portal.extend("e-1", 24, "benchmarks go on")
    portal.node("e-1", "server", "powercycle")
    portal.terminate("e-1")
    portal.terminate("e-1")  # gone already: no error
    assert fake.requests[1] == (
        "POST",
        "/experiments/",
        {
            "name": "sekvm", "project": "proj", "profile_name": "sekvm-m400", "profile_project": "proj",
            "duration": 16, "bindings": {"storage": "80"},
        },
    )  # fmt: skip
    assert ("PUT", "/experiments/e-1/", {"extend_by": 24, "reason": "benchmarks go on"}) in fake.requests
    assert ("POST", "/experiments/e-1/nodes/server/powercycle/", {}) in fake.requests
    assert fake.tokens == {TOKEN}


def test_an_experiment_that_fails_is_an_error_and_waiting_ends(portal: Portal, fake: Fake) -> None:
    portal.create(ORDER)
    fake.statuses = ["provisioning", "failed"]
    with pytest.raises(LabError, match="e-1 is failed"):
        portal.wait("e-1", seconds=60, progress=Silent())
    fake.statuses = ["provisioning"]
    with pytest.raises(LabError, match="still provisioning after 0 s"):
        portal.wait("e-1", seconds=0, progress=Silent())


def test_a_look_is_repeated_when_the_portal_is_busy_but_an_order_never(portal: Portal, fake: Fake) -> None:
    fake.failures = [503, 429]
    assert portal.find("sekvm", "proj") is None
    fake.failures = [503]
    with pytest.raises(HostUnreachable, match=r"POST /experiments: status 503") as caught:
        portal.create(ORDER)
    assert caught.value.transient
    assert [r[0] for r in fake.requests] == ["GET", "GET", "GET", "POST"]


def test_a_refused_token_is_reported_without_the_token(portal: Portal, fake: Fake) -> None:
    fake.failures = [401]
    with pytest.raises(LabError, match="does not accept the token") as caught:
        portal.find("sekvm", "proj")
    assert TOKEN not in f"{caught.value} {caught.value.detail} {caught.value.hint} {portal!r}"
    assert "[token]" in (caught.value.detail or "")


def test_the_token_does_not_follow_a_redirection_to_another_host(portal: Portal, fake: Fake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        thief.settimeout(0.2)
        fake.redirect = f"http://127.0.0.1:{thief.getsockname()[1]}"
        with pytest.raises(LabError, match="redirects to another host"):
            portal.find("sekvm", "proj")
        with pytest.raises(TimeoutError):
            thief.accept()


def test_a_portal_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        portal = Portal(f"http://127.0.0.1:{taken.getsockname()[1]}", TOKEN, sleep=lambda _: None)
        with pytest.raises(HostUnreachable, match=r"does not answer: .*refused") as caught:
            portal.find("sekvm", "proj")
    assert TOKEN not in str(caught.value)


def test_a_token_is_never_sent_unencrypted_to_another_machine() -> None:
    with pytest.raises(ConfigError, match="https"):
        Portal("http://portal.example.org", TOKEN)


def test_a_token_comes_from_the_environment_or_from_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORTAL_TOKEN", raising=False)
    file = tmp_path / "token"
    with pytest.raises(ConfigError, match="no token"):
        read_token(file)
    file.write_text("from-file\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read") as caught:
        read_token(file)
    assert caught.value.hint == f"chmod 600 {file}"
    file.chmod(0o600)
    assert read_token(file) == "from-file"
    monkeypatch.setenv("PORTAL_TOKEN", "from-environment")
    assert read_token(file) == "from-environment"
    monkeypatch.setenv("PORTAL_TOKEN", "two words")
    with pytest.raises(ConfigError, match="blanks") as refused:
        read_token(None)
    assert "two words" not in str(refused.value)


@pytest.fixture
def lab_file(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PORTAL_TOKEN", TOKEN)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "provider: cloudlab\ndescription: two m400\nuser: alice\nkey: id\n"
        f"portal: {url}\nexperiment: {{name: sekvm, project: proj, profile: sekvm-m400}}\n"
    )
    return path


Make = Callable[[], CloudlabProvider]


@pytest.fixture
def provider(lab_file: Path, tmp_path: Path) -> Make:
    def make() -> CloudlabProvider:
        definition = load_definition(lab_file)
        quick = lambda base, token: Portal(base, token, sleep=lambda _: None)  # noqa: E731
        return CloudlabProvider("mine", definition, lab_file, tmp_path / "state", portal=quick)  # type: ignore[arg-type]

    return make


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_up_orders_nodes_and_pins_the_host_keys_they_show(provider: Make, fake: Fake, tmp_path: Path) -> None:
    with open_lab("netns", name="node", state=tmp_path / "node") as node:
        try:
            node.up()
            endpoint = node.hosts["server"].endpoint
            assert endpoint.dial is not None
            with _forward(endpoint.dial) as port:
                fake.manifest = (
                    MANIFEST.replace('port="22"', f'port="{port}"')
                    .replace('hostname="ms0721.utah.cloudlab.us"', 'hostname="127.0.0.1"')
                    .replace('hostname="ms0744.utah.cloudlab.us"', 'hostname="127.0.0.1"')
                )
                provider().up()
                provider().up()
                places = provider().places()
                assert [s.up for s in provider().status()] == [True, True]
        finally:
            node.down()
    assert [r[0] for r in fake.requests].count("POST") == 1
    assert parse_public_key(places["server"].endpoint.host_key) == parse_public_key(endpoint.host_key)
    assert (places["server"].endpoint.user, places["server"].endpoint.sudo) == ("alice", True)
    assert places["client"].address == "10.10.1.2"
    provider().extend(8, "more")
    provider().power_cycle("server")
    provider().down()
    assert fake.running is None
    assert [p.name for p in (tmp_path / "state").iterdir()] == []
    with pytest.raises(LabError, match="not up"):
        provider().places()


def test_an_experiment_that_was_there_before_is_not_ended(provider: Make, fake: Fake) -> None:
    fake.running = {"id": "e-1", "name": "sekvm", "project": "proj"}
    fake.statuses = ["failed"]
    with pytest.raises(LabError, match="is failed"):
        provider().up()
    provider().down()
    assert fake.running is not None


def test_an_experiment_ordered_here_can_be_ended_although_it_never_became_ready(
    provider: Make, fake: Fake
) -> None:
    fake.statuses = ["failed"]
    with pytest.raises(LabError, match="is failed"):
        provider().up()
    provider().down()
    assert fake.running is None


def test_manifest_and_experiment_exclude_each_other(lab_file: Path) -> None:
    lab_file.write_text(lab_file.read_text() + "manifest: m.xml\n")
    with pytest.raises(ConfigError, match="give either manifest or experiment"):
        open_lab(lab_file)


def test_the_example_definition_is_valid(project: Path) -> None:
    with open_lab(project / "cloudlab" / "m400.example.yaml") as lab:
        assert (lab.name, lab.provider_name, lab.emulated) == ("m400", "cloudlab", False)


class _forward:
    """A port of this machine behind which a dial hook's other end is, like a node's public address."""

    def __init__(self, dial: Callable[[float], socket.socket]) -> None:
        self._dial = dial
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._server.getsockname()[1]
        return port

    def __exit__(self, *args: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        for end in self._sockets:
            end.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = self._dial(5)
            self._sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(a, b)).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
