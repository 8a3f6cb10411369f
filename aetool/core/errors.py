# SPDX-License-Identifier: Apache-2.0
"""Every error that aetool raises on purpose, so that callers can tell what to do about it.

    AetoolError                     1   anything below, or a failure without a better name
    |-- ConfigError                 2   a file or an argument of the user's is wrong
    |-- ProofError                  3   a proof does not check
    |-- AuditError                  4   the proofs check, but rest on something they must not rest on
    |-- LabError                    5   a host cannot be had or does not do what it is told
    |   |-- HostUnreachable         5   (transient) no connection, or it broke
    |   |-- HostKeyError            5   the host is not the one that was pinned
    |   |-- LoginRefused            5   the host does not accept our key
    |   `-- RemoteCommandError      5   a command on a host failed or ran out of time
    |-- CampaignError               6   steps of a campaign failed, or it cannot be resumed
    |-- StorageError                7   a disk is full or not writable
    |-- MissingToolError            8   a program that this command needs is not installed
    `-- Interrupted               130   Ctrl-C or SIGTERM

The number is the exit code. `transient` says whether trying the same thing again may help.
An error's text is one line that says what is wrong and where; `hint` says what to do; `detail`
holds longer output (a compiler's message, the tail of a log) that is printed below it.
"""

from __future__ import annotations


class AetoolError(Exception):
    """Base of all errors that are reported to the user without a traceback."""

    exit_code = 1
    transient = False

    def __init__(self, message: str, *, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class ConfigError(AetoolError, ValueError):
    """A configuration file or a command-line argument is wrong."""

    exit_code = 2


class ProofError(AetoolError):
    """A Coq file does not compile, or the manifest does not describe the tree."""

    exit_code = 3


class AuditError(AetoolError):
    """The tree compiles but an audit check fails."""

    exit_code = 4


class LabError(AetoolError):
    """A host of the lab cannot be had or misbehaves."""

    exit_code = 5


class HostUnreachable(LabError, ConnectionError):
    """No SSH connection to a host, or the connection broke."""

    transient = True


class HostKeyError(LabError):
    """The host presented a key other than the pinned one."""


class LoginRefused(LabError, PermissionError):
    """The host did not accept the key of the user."""


class RemoteCommandError(LabError):
    """A command on a host exited with a non-zero status, was killed, or ran out of time.

    stdout, stderr: all that came of its output, where that was kept.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None,
        hint: str | None = None,
        detail: str | None = None,
        stdout: str = "",
        stderr: str = "",
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status
        self.stdout, self.stderr = stdout, stderr


class CampaignError(AetoolError):
    """Steps of a campaign failed, or its run directory does not fit what is asked."""

    exit_code = 6


class StorageError(AetoolError, OSError):
    """A file cannot be written: disk full, quota, read-only, no permission."""

    exit_code = 7


class MissingToolError(AetoolError, FileNotFoundError):
    """A program that is needed is not on PATH."""

    exit_code = 8


class Interrupted(AetoolError):
    """The user ended the command."""

    exit_code = 130
