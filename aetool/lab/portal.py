# SPDX-License-Identifier: Apache-2.0
"""A client of CloudLab's Portal API: create, watch, extend and end experiments, reboot their nodes.

The token is sent to the portal and nowhere else: not to another host that the portal redirects to, not to a
log, not into an error message.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any

from aetool.core.errors import ConfigError, HostUnreachable, LabError
from aetool.core.progress import Progress

TOKEN_VARIABLE = "PORTAL_TOKEN"
_REQUEST_SECONDS = 60.0
_POLL_SECONDS = 20.0
_MAX_REDIRECTS = 3
_ATTEMPTS = 3
_PAUSE_SECONDS = 5.0
_NODE_ACTIONS = ("reboot", "powercycle", "reload")


def read_token(path: Path | None) -> str:
    """Return the token from the environment, else from a file; raises ConfigError."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token and path is not None:
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"{path}: others may read this token", hint=f"chmod 600 {path}")
            token = path.read_text(encoding="ascii")
        except FileNotFoundError:
            token = ""
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: the token cannot be read") from error
    token = token.strip()
    if not token:
        raise ConfigError(
            "there is no token for CloudLab's portal",
            hint=f"make one in the portal (your name, Portal API Token); put it into {TOKEN_VARIABLE}"
            + (f" or {path}" if path else ""),
        )
    if any(c.isspace() or not c.isprintable() for c in token):
        raise ConfigError("the token for CloudLab's portal holds blanks or control characters")
    return token


@dataclass(frozen=True)
class Order:
    """What to ask CloudLab for. `hours`: how long; `bindings`: values of the profile's parameters."""

    name: str
    project: str
    profile: str
    profile_project: str
    hours: int
    bindings: Mapping[str, str]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are followed by Portal itself, which knows where the token may go."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Portal:
    """One portal, one token. Requests that are safe to repeat are tried three times."""

    def __init__(self, base: str, token: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """`base`: URL of the portal. Raises ConfigError unless it is https (or http to this machine)."""
        parts = urllib.parse.urlsplit(base)
        if parts.scheme != "https" and not (
            parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
        ):
            raise ConfigError(f"{base}: the portal must be reached by https, or its token could be read")
        self._base = base.rstrip("/")
        self._token = token
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __repr__(self) -> str:
        return f"Portal({self._base!r})"

    def create(self, order: Order) -> str:
        """Order an experiment and return its id; raises LabError."""
        body = {
            "name": order.name,
            "project": order.project,
            "profile_name": order.profile,
            "profile_project": order.profile_project,
            "duration": order.hours,
            "bindings": dict(order.bindings),
        }
        return _text(self._call("POST", "/experiments", body), "id", "a new experiment")

    def find(self, name: str, project: str) -> str | None:
        """The id of a running experiment, None if there is none; raises LabError."""
        answer = self._call("GET", "/experiments")
        listed = answer.get("experiments") if isinstance(answer, dict) else answer
        if not isinstance(listed, list):
            raise LabError("the portal's list of experiments is not a list")
        for item in listed:
            if isinstance(item, dict) and (item.get("name"), item.get("project")) == (name, project):
                return _text(item, "id", "the list of experiments")
        return None

    def status(self, experiment: str) -> str:
        """What the portal says of an experiment, such as "provisioning", "ready" or "failed"."""
        return _text(self._call("GET", f"/experiments/{_quote(experiment)}"), "status", "an experiment")

    def wait(self, experiment: str, *, seconds: float, progress: Progress) -> None:
        """Return when an experiment is ready; raises LabError if it fails or is not in time."""
        deadline = time.monotonic() + seconds
        last = ""
        while True:
            status = self.status(experiment)
            if status != last:
                progress.say(f"CloudLab experiment {experiment}: {status}")
                last = status
            if status == "ready":
                return
            if status in ("failed", "terminating", "terminated", "canceled"):
                raise LabError(
                    f"the CloudLab experiment {experiment} is {status}",
                    hint="the portal's page of the experiment has its log; m400 nodes may all be taken",
                )
            if time.monotonic() > deadline:
                raise LabError(f"the CloudLab experiment {experiment} is still {status} after {seconds:g} s")
            self._sleep(_POLL_SECONDS)

    def manifests(self, experiment: str) -> dict[str, str]:
        """The manifests of an experiment: RSpec XML by aggregate; raises LabError."""
        answer = self._call("GET", f"/experiments/{_quote(experiment)}/manifests")
        if isinstance(answer, dict) and isinstance(answer.get("manifests"), dict):
            answer = answer["manifests"]
        if not isinstance(answer, dict) or not all(isinstance(v, str) for v in answer.values()):
            raise LabError("the portal's manifests are not a map from aggregate to XML")
        return answer

    def extend(self, experiment: str, hours: int, reason: str) -> None:
        """Ask for more time; raises LabError."""
        self._call("PUT", f"/experiments/{_quote(experiment)}", {"extend_by": hours, "reason": reason})

    def node(self, experiment: str, node: str, action: str) -> None:
        """Do one of reboot, powercycle, reload to a node; raises LabError, ConfigError."""
        if action not in _NODE_ACTIONS:
            raise ConfigError(f"{action!r} is not an action on a node: {', '.join(_NODE_ACTIONS)}")
        self._call("POST", f"/experiments/{_quote(experiment)}/nodes/{_quote(node)}/{action}", {})

    def terminate(self, experiment: str) -> None:
        """End an experiment; one that is gone already is no error. Raises LabError."""
        self._call("DELETE", f"/experiments/{_quote(experiment)}", missing_ok=True)

    def _call(self, method: str, path: str, body: object = None, *, missing_ok: bool = False) -> Any:
        """One request. Only what changes nothing, or ends in the same state, is repeated on failure."""
        attempts = 1 if method in ("POST", "PUT") else _ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                return self._follow(method, path, body, missing_ok)
            except HostUnreachable:
                if attempt == attempts:
                    raise
                self._sleep(_PAUSE_SECONDS * attempt)
        raise AssertionError("unreachable")

    def _follow(self, method: str, path: str, body: object, missing_ok: bool) -> Any:
        url = self._base + path
        data = None if body is None else json.dumps(body).encode()
        for _ in range(_MAX_REDIRECTS + 1):
            headers = {"X-Api-Token": self._token, "Accept": "application/json"}
            if data is not None:
                headers["Content-Type"] = "application/json"
            request = urllib.request.Request(url, data=data, headers=headers, method=method)
            try:
                with self._opener.open(request, timeout=_REQUEST_SECONDS) as answer:
                    return _json(answer.read(), method, path)
            except urllib.error.HTTPError as error:
                with error:
                    target = error.headers.get("Location")
                    if error.code in (307, 308) and target:
                        url = self._redirected(url, target)
                        continue
                    if error.code == 404 and missing_ok:
                        return {}
                    raise self._refused(error, method, path) from None
            except (OSError, HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                raise HostUnreachable(f"CloudLab's portal {self._base} does not answer: {reason}") from None
        raise LabError(f"CloudLab's portal: {method} {path}: more than {_MAX_REDIRECTS} redirections")

    def _redirected(self, url: str, target: str) -> str:
        new = urllib.parse.urljoin(url, target)
        if urllib.parse.urlsplit(new)[:2] != urllib.parse.urlsplit(url)[:2]:
            raise LabError("CloudLab's portal redirects to another host; the token is not sent there")
        return new

    def _refused(self, error: urllib.error.HTTPError, method: str, path: str) -> LabError:
        text = error.read(4000).decode("utf-8", errors="replace").replace(self._token, "[token]")
        if error.code in (401, 403):
            return LabError(
                f"CloudLab's portal does not accept the token for {method} {path} (status {error.code})",
                hint="tokens are valid for two months: make a new one in the portal",
                detail=text or None,
            )
        kind = HostUnreachable if error.code in (429, 502, 503, 504) else LabError
        return kind(f"CloudLab's portal: {method} {path}: status {error.code}", detail=text or None)


def _quote(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def _json(raw: bytes, method: str, path: str) -> Any:
    if not raw.strip():
        return {}
    try:
        return json.loads(raw)
    except ValueError as error:
        raise LabError(f"CloudLab's portal: {method} {path}: the answer is not JSON") from error


def _text(answer: Any, key: str, what: str) -> str:
    value = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise LabError(f"CloudLab's portal: {what}: no {key!r} in the answer")
    return value
