# SPDX-License-Identifier: Apache-2.0
"""sqlite with the promises that the journal needs: durable commits, and errors a user can act on."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aetool.core.errors import CampaignError, StorageError
from aetool.core.process import storage_error


def connect(path: Path) -> sqlite3.Connection:
    """Open a database whose transactions are begun and ended explicitly and survive a loss of power."""
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    return database


def open_driver(path: Path, version: int) -> sqlite3.Connection:
    """Open an existing database for writing, in WAL mode; raises CampaignError, StorageError."""
    with storage(path):
        database = connect(path)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            _check_version(path, database, version)
        except BaseException:
            database.close()
            raise
    return database


def open_reader(path: Path, version: int) -> sqlite3.Connection:
    """Open for reading while a driver may be writing; on a read-only disk there is none, so no lock."""
    quoted = path.resolve().as_uri()
    with storage(path):
        for options in ("mode=ro", "mode=ro&immutable=1"):
            database = sqlite3.connect(f"{quoted}?{options}", uri=True, isolation_level=None, timeout=30)
            try:
                _check_version(path, database, version)
                return database
            except sqlite3.OperationalError:
                database.close()
                if "immutable" in options or os.access(path.parent, os.W_OK):
                    raise
            except BaseException:
                database.close()
                raise
    raise AssertionError("unreachable")


def _check_version(path: Path, database: sqlite3.Connection, version: int) -> None:
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found != version:
        raise CampaignError(
            f"{path}: the journal has schema version {found}, this aetool writes {version}",
            hint="use the aetool that made the run (env/aetool.json names its commit)",
        )


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what a full or failing disk raises into StorageError, a damaged file into CampaignError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise storage_error(path, full) from error
        raise StorageError(f"{path}: cannot be read or written: {error}") from error
    except sqlite3.DatabaseError as error:
        raise CampaignError(f"{path}: is not a journal, or is damaged: {error}") from error
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(path, error) from error


def sync(path: Path) -> None:
    """Make a file's contents, or a directory's entries, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Make every file below `path` and its directory entry durable."""
    for place, _, files in os.walk(path):
        for name in files:
            sync(Path(place, name))
        sync(Path(place))
