#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for YCSB's core workload A against Redis: half reads, half updates, zipfian keys, 1 kB records.

Copied to the machine that sends the load and run there by itself, so it needs nothing but Python 3.9. Every
connection is a process of its own that has made all its requests before the clock starts, so that what is
measured is the server and the network and as little Python as can be. The output has YCSB's form.

    ycsb_generator.py load HOST PORT RECORDS SEED
    ycsb_generator.py run HOST PORT RECORDS SEED OPERATIONS CONNECTIONS
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from itertools import accumulate

FIELDS = 10
FIELD_BYTES = 100
ZIPFIAN = 0.99
TIMEOUT_SECONDS = 60.0
# FNV-1a, 64 bits: spreads the popular records over the key space as YCSB's scrambled zipfian does
_FNV_BASIS, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
# a whole record: ten pairs of field name and value, each with its length in front
RECORD_REPLY = b"*20\r\n"
RECORD_BYTES = FIELDS * (len(b"$6\r\nfield0\r\n") + len(b"$100\r\n\r\n") + FIELD_BYTES)
UPDATE_REPLY = b":0\r\n"


def encode(*words: bytes) -> bytes:
    """A Redis command on the wire."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def key(number: int) -> bytes:
    """The key of a record: all have the same length."""
    return b"user%016d" % number


def value(source: random.Random) -> bytes:
    """A field's value in printable characters."""
    return bytes(source.choices(range(33, 127), k=FIELD_BYTES))


def zipfian(records: int) -> list[float]:
    """Cumulative weights of the ranks 1 to `records`: rank r is drawn in proportion to r**-0.99."""
    return list(accumulate(rank**-ZIPFIAN for rank in range(1, records + 1)))


def scramble(rank: int, records: int) -> int:
    """The record of a rank."""
    digest = _FNV_BASIS
    for byte in rank.to_bytes(8, "little"):
        digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return digest % records


def requests(records: int, operations: int, source: random.Random) -> list[tuple[bool, bytes]]:
    """Pairs of "is a read" and the command, drawn as workload A says."""
    ranks = source.choices(range(records), cum_weights=zipfian(records), k=operations)
    made = []
    for rank in ranks:
        name = key(scramble(rank, records))
        if source.random() < 0.5:
            made.append((True, encode(b"HGETALL", name)))
        else:
            field = b"field%d" % source.randrange(FIELDS)
            made.append((False, encode(b"HSET", name, field, value(source))))
    return made


def receive(wire: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or an error if the server ends the connection before."""
    got = wire.recv(size, socket.MSG_WAITALL)
    while len(got) < size:
        more = wire.recv(size - len(got), socket.MSG_WAITALL)
        if not more:
            raise ConnectionError("the server has closed the connection")
        got += more
    return got


def load(host: str, port: int, records: int, seed: int) -> int:
    """Insert all records into an empty server, one hundred commands under way at a time; returns 0."""
    source = random.Random(seed)
    with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as wire:
        answers = wire.makefile("rb")
        for first in range(0, records, 100):
            numbers = range(first, min(first + 100, records))
            batch = b""
            for number in numbers:
                pairs = [word for n in range(FIELDS) for word in (b"field%d" % n, value(source))]
                batch += encode(b"HSET", key(number), *pairs)
            wire.sendall(batch)
            for _ in numbers:
                got = answers.readline()
                if got != b":%d\r\n" % FIELDS:
                    raise ConnectionError(f"the server answers {got!r} to an insert: is it not empty?")
    print(f"{records} records inserted")
    return 0


def work(wire: socket.socket, todo: list[tuple[bool, bytes]]) -> tuple[int, int, int, float, float]:
    """Send one request after another; returns good reads, good updates, bad answers, start and end."""
    reads = updates = bad = 0
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    start = time.monotonic()
    for is_read, command in todo:
        wire.sendall(command)
        if is_read:
            if receive(wire, len(RECORD_REPLY)) == RECORD_REPLY:
                receive(wire, RECORD_BYTES)
                reads += 1
            else:
                bad += 1
                break  # the length of another answer is not known: this connection is out of step
        elif receive(wire, len(UPDATE_REPLY)) == UPDATE_REPLY:
            updates += 1
        else:
            bad += 1
            break
    return reads, updates, bad, start, time.monotonic()


def run(host: str, port: int, records: int, seed: int, operations: int, connections: int) -> int:
    """Run the workload and print its results; returns 0 if every operation came to a good end."""
    go_read, go_write = os.pipe()
    workers = []
    for number in range(connections):
        share = operations // connections + (number < operations % connections)
        out_read, out_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go_write)
            os.close(out_read)
            line = "0 0 1 0 0"
            try:
                todo = requests(records, share, random.Random(f"{seed} {number}"))
                with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as wire:
                    os.write(out_write, b"ready\n")
                    os.read(go_read, 1)  # returns when the parent closes the pipe: all start together
                    line = " ".join(map(str, work(wire, todo)))
            except OSError as error:
                print(f"connection {number}: {error}", file=sys.stderr)
            os.write(out_write, f"{line}\n".encode())
            os._exit(0)
        os.close(out_write)
        workers.append(os.fdopen(out_read))
    os.close(go_read)
    answers = [worker.readline() for worker in workers]
    os.close(go_write)
    for number, worker in enumerate(workers):
        if answers[number] == "ready\n":
            answers[number] = worker.readline()
    rows = [answer.split() for answer in answers]
    reads, updates, bad = (sum(int(row[n]) for row in rows) for n in range(3))
    begun = [float(row[3]) for row in rows if float(row[3])]
    seconds = max(float(row[4]) for row in rows) - min(begun) if begun else 0.0
    rate = (reads + updates) / seconds if seconds > 0 else 0.0
    print("aetool's stand-in for YCSB workload A (not YCSB)")
    print(f"[OVERALL], RunTime(ms), {seconds * 1000:.3f}\n[OVERALL], Throughput(ops/sec), {rate:.3f}")
    for name, count in (("READ", reads), ("UPDATE", updates)):
        print(f"[{name}], Operations, {count}\n[{name}], Return=OK, {count}")
    if bad:
        print(f"[FAILED], Operations, {bad}")
    return 0 if bad == 0 and reads + updates == operations else 1


def main(words: list[str]) -> int:
    """Do what the command line says; returns the exit status."""
    action, host, *numbers = words
    if action == "load":
        port, records, seed = map(int, numbers)
        return load(host, port, records, seed)
    port, records, seed, operations, connections = map(int, numbers)
    return run(host, port, records, seed, operations, connections)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
