# SPDX-License-Identifier: Apache-2.0
"""How an SSH connection comes about: a socket, the pinned host key, one key of ours, four time-outs.

Kept apart from the running of commands because it is where trust is decided: nothing but the pinned host key
is accepted, and nothing but the given key is offered (no agent, no passwords, no keys found in ~/.ssh).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aetool.core.errors import ConfigError, HostKeyError, HostUnreachable, LoginRefused

if TYPE_CHECKING:
    import paramiko

# Makes a connected stream socket within so many seconds, or raises OSError. Tests put faults here.
Dial = Callable[[float], socket.socket]
_NO_KEY = ""


@dataclass(frozen=True)
class Timeouts:
    """Seconds for each stage of a connection.

    `silence`: how long the other side may leave our packets unacknowledged before the connection counts as
    broken, also in the middle of a command.
    """

    connect: float = 10.0
    banner: float = 10.0
    auth: float = 15.0
    channel: float = 15.0
    silence: float = 20.0


@dataclass(frozen=True)
class Endpoint:
    """Where a host's sshd listens, who it must be, and as whom to log in.

    host_key: the pinned public key, "TYPE BASE64 [COMMENT]".
    key: file with the private key to log in with; it must not have a passphrase.
    sudo: run every command through `sudo -n` (for hosts where one logs in as an ordinary user).
    dial: makes the socket; None means TCP to host and port.
    """

    name: str
    host: str
    host_key: str
    key: Path
    port: int = 22
    user: str = "root"
    sudo: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    dial: Dial | None = None

    @property
    def where(self) -> str:
        """Name and place for error messages."""
        return f"{self.name} ({self.user}@{self.host}:{self.port})"


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key's wire form as OpenSSH prints it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def parse_public_key(text: str) -> tuple[str, bytes]:
    """Split "TYPE BASE64 [COMMENT]" into type and wire form; raises ConfigError if it is not that."""
    parts = text.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        named = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
    except (IndexError, ValueError) as error:
        raise ConfigError(
            f"not a public key of the form 'TYPE BASE64': {text[:40]!r}",
            hint="ssh-keyscan HOST prints a host's keys; compare the fingerprint by another way",
        ) from error
    if named != parts[0]:
        raise ConfigError(f"the public key says it is {parts[0]} but holds {named or 'nothing'}")
    return parts[0], blob


def connect(endpoint: Endpoint) -> paramiko.Transport:
    """Open, check and authenticate a connection.

    Raises HostUnreachable, HostKeyError, LoginRefused; ConfigError if our own key cannot be used.
    """
    import paramiko

    logger = logging.getLogger("paramiko")
    if not logger.handlers:
        # Python would print the library's tracebacks to stderr; what matters of them is in our errors
        logger.addHandler(logging.NullHandler())
    kind, pinned = parse_public_key(endpoint.host_key)
    key = _private_key(endpoint.key)
    limits = endpoint.timeouts
    wire = _dial(endpoint)
    try:
        _tune(wire, limits)
        wire.settimeout(limits.connect)
        transport = paramiko.Transport(wire)
    except (OSError, paramiko.SSHException) as error:
        wire.close()
        raise HostUnreachable(f"{endpoint.where}: the connection broke: {error}") from error
    try:
        transport.banner_timeout = limits.banner
        transport.handshake_timeout = 2 * limits.banner
        transport.auth_timeout = limits.auth
        transport.channel_timeout = limits.channel
        _prefer(transport, kind)
        _handshake(transport, endpoint, pinned)
        _authenticate(transport, endpoint, key)
        transport.set_keepalive(max(1, int(limits.silence / 4)))
    except BaseException:
        transport.close()
        # close() does nothing to a connection that never got anywhere: its thread would linger, and the
        # handshake's timer would keep the interpreter from ending
        transport.packetizer.complete_handshake()
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        wire.close()
        raise
    return transport


def learn_host_key(host: str, port: int, timeouts: Timeouts | None = None) -> str:
    """Return the host key ("TYPE BASE64") that a host shows now, for a host that nobody could pin before.

    Only for hosts that were just made for us; who calls this shows the fingerprint and pins the key. Raises
    HostUnreachable.
    """
    endpoint = Endpoint("host", host, _NO_KEY, Path(), port=port, timeouts=timeouts or Timeouts())
    with contextlib.closing(_dial(endpoint)) as wire:
        import paramiko

        transport = paramiko.Transport(wire)
        try:
            transport.banner_timeout = endpoint.timeouts.banner
            _prefer(transport, "ssh-ed25519")
            found = _exchange(transport, endpoint)
            return f"{found.get_name()} {found.get_base64()}\n"
        finally:
            transport.packetizer.complete_handshake()
            transport.close()


def _dial(endpoint: Endpoint) -> socket.socket:
    limit = endpoint.timeouts.connect
    try:
        if endpoint.dial is not None:
            return endpoint.dial(limit)
        return socket.create_connection((endpoint.host, endpoint.port), timeout=limit)
    except OSError as error:
        reason = (
            f"no answer within {limit:g} s" if isinstance(error, TimeoutError) else error.strerror or error
        )
        raise HostUnreachable(
            f"{endpoint.where} cannot be reached: {reason}",
            hint="is the lab up? `aetool lab status` says what answers",
        ) from error


def _tune(wire: socket.socket, limits: Timeouts) -> None:
    """Without TCP_NODELAY a command takes 45 ms; without the user time-out a cut link hangs 15 minutes."""
    # neither a test's socket pair nor a channel through another host is TCP
    with contextlib.suppress(OSError, AttributeError):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.silence * 1000))


def _prefer(transport: paramiko.Transport, kind: str) -> None:
    """Ask first for the host key that is pinned; take any other only in order to name it in the error."""
    options = transport.get_security_options()
    wanted = ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
    known = tuple(options.key_types)
    options.key_types = tuple(k for k in wanted if k in known) + tuple(k for k in known if k not in wanted)


def _exchange(transport: paramiko.Transport, endpoint: Endpoint) -> paramiko.PKey:
    """Exchange keys and return the host's."""
    import paramiko

    try:
        # a banner in time, then as long again for the exchange of keys; when that time is over, paramiko
        # returns as if all were well, and asking for the key is what raises
        transport.start_client(timeout=2 * endpoint.timeouts.banner)
        return transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        reason = str(error) or "the other side closed the connection"
        if transport.is_active():
            reason = f"the exchange of keys did not end within {2 * endpoint.timeouts.banner:g} s"
        raise HostUnreachable(f"{endpoint.where}: no SSH connection: {reason}") from error


def _handshake(transport: paramiko.Transport, endpoint: Endpoint, pinned: bytes) -> None:
    found = _exchange(transport, endpoint)
    if found.asbytes() != pinned:
        raise HostKeyError(
            f"{endpoint.where} is not the pinned host: its key is {fingerprint(found.asbytes())} "
            f"({found.get_name()}), pinned is {fingerprint(pinned)}",
            hint="if the host was set up anew, check its fingerprint and replace the host_key; "
            "otherwise something stands between you and the host",
        )


def _authenticate(transport: paramiko.Transport, endpoint: Endpoint, key: paramiko.PKey) -> None:
    import paramiko

    try:
        transport.auth_publickey(endpoint.user, key)
    except paramiko.AuthenticationException as error:
        if not transport.is_active():
            raise HostUnreachable(f"{endpoint.where}: the connection broke during log-in") from error
        raise LoginRefused(
            f"{endpoint.where} does not accept the key {endpoint.key} ({fingerprint(key.asbytes())})",
            hint=f"add {endpoint.key}.pub to the authorized keys of {endpoint.user} on the host",
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        reason = str(error) or "the other side closed the connection"
        raise HostUnreachable(f"{endpoint.where}: log-in did not finish: {reason}") from error


def _private_key(path: Path) -> paramiko.PKey:
    import paramiko

    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        raise ConfigError(f"{path}: the private key cannot be read: {error.strerror or error}") from error
    except (paramiko.SSHException, TypeError, ValueError) as error:
        if "password" in str(error):  # what the cryptography package says about a passphrase
            raise ConfigError(f"{path}: the private key has a passphrase; use one without") from error
        raise ConfigError(f"{path}: not a private key: {error}") from error
