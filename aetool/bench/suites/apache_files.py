# SPDX-License-Identifier: Apache-2.0
"""The files that the apache suite puts on the machine under test."""

from __future__ import annotations

from aetool.bench.suites.base import Target

MODULES = "/usr/lib/apache2/modules"
_LOADED = ("mpm_event", "authz_core", "mime", "ssl", "socache_shmcb")
_HEAD = "<!DOCTYPE html>\n<html><head><title>Index</title></head><body><ul>\n"
_TAIL = "</ul></body></html>\n"


def install(target: Target, port: int, path: str, size: int) -> None:
    """Put configuration, page and certificate in the work directory of the machine; raises LabError."""
    work = target.work
    # made by the load: an emulated machine takes half a minute to find a key
    target.load.run(certificate(work, target.address), timeout=120)
    made = {name: target.load.get(f"{work}/{name}") for name in ("key.pem", "cert.pem")}
    own = {f"docs{path}": page(size), "apache.conf": configuration(work, target.address, port)}
    target.install(own | made)


def configuration(work: str, address: str, port: int) -> bytes:
    """A configuration that keeps every file of the daemon inside `work` and serves `work`/docs over TLS."""
    lines = [
        f"ServerRoot {work}",
        "ServerName server",
        f"Listen {address}:{port}",
        f"PidFile {work}/apache.own.pid",
        f"DefaultRuntimeDir {work}",
        f"Mutex file:{work}",
        f"ErrorLog {work}/error.log",
        *[f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _LOADED],
        "TypesConfig /dev/null",
        "AddType text/html .html",
        f"DocumentRoot {work}/docs",
        "User www-data",
        "Group www-data",
        "SSLEngine on",
        f"SSLCertificateFile {work}/cert.pem",
        f"SSLCertificateKeyFile {work}/key.pem",
    ]
    return ("\n".join(lines) + "\n").encode()


def certificate(work: str, address: str) -> list[str]:
    """The command that makes a self-signed certificate and its key in `work`."""
    subject = ["-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}"]
    files = ["-keyout", f"{work}/key.pem", "-out", f"{work}/cert.pem"]
    return ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", *files, *subject]


def page(size: int) -> bytes:
    """An HTML page of exactly `size` bytes (1000 at least), a list of links as the index of a manual is."""
    lines = []
    room = size - len(_HEAD) - len(_TAIL)
    number = 0
    while True:
        number += 1
        line = f'<li><a href="node{number}.html">Chapter {number}: options of the compiler</a></li>\n'
        if len(line) > room:
            break
        lines.append(line)
        room -= len(line)
    padding = " " * (room - 1) + "\n" if room else ""
    return (_HEAD + "".join(lines) + padding + _TAIL).encode()
