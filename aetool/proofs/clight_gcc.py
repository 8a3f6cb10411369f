# SPDX-License-Identifier: Apache-2.0
"""Compares the generated terms with gcc: the same calls, run by the proved interpreter and by the machine.

Whatever a layer's C calls is replaced, on both sides, by the same oracle: a pseudo-random function of the
arguments and of a state that each call changes. The oracle likes the constants of the file and their
neighbours, so that comparisons go both ways. Calls whose meaning the interpreter leaves open (undefined
behaviour, or more than `ROUNDS` rounds of a loop) are not made in C; the caller sees how many there were.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.process import ProcessError, require, run
from aetool.proofs.clight import render
from aetool.proofs.clight_parse import Signature, Source, parse

ROUNDS = 300
COQ_SECONDS = 300.0
C_SECONDS = 60.0
MULTIPLIER = 2891336453
MODULUS = {"U32": 2**32, "U64": 2**64}
C_TYPES = {None: "void", "U32": "u32", "U64": "u64"}
WARNINGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Call:
    """One call from outside: function, arguments, and the oracle's state before it."""

    function: str
    arguments: tuple[int, ...]
    state: int


@dataclass(frozen=True)
class Outcome:
    """How a call ended: "value" or "panic" (or, in Coq only, "undefined" or "no fuel")."""

    kind: str
    value: int
    state: int


@dataclass(frozen=True)
class Comparison:
    """All calls made, those with a defined outcome, and those on which Coq and gcc differ."""

    calls: int
    defined: int
    differences: tuple[tuple[Call, Outcome, Outcome], ...]


def compile_c(c_path: Path, target: Path, *, compiler: str = "gcc") -> None:
    """Compile a layer's C to an object file, warnings being errors. Raises ProcessError."""
    run(
        [require(compiler), *WARNINGS, "-O2", "-c", c_path.resolve(), "-o", target],
        timeout=C_SECONDS,
    )


def compare(c_path: Path, library: Sequence[str | Path], *, count: int, seed: int) -> Comparison:
    """Make `count` random calls of each function of a C file on both sides.

    library: options for coqc under which `SeKVM.lib.Interp` is found, compiled.
    Raises ConfigError if the file is not in the subset, ProcessError if gcc or coqc fails.
    """
    source, code = parse(c_path), render(c_path)
    favourites = interesting(code)
    calls = random_calls(source, favourites, count, random.Random(seed))
    with tempfile.TemporaryDirectory(prefix="aetool-clight-") as place:
        scratch = Path(place)
        expected = _in_coq(scratch, source, code, favourites, calls, library)
        defined = [
            (call, outcome)
            for call, outcome in zip(calls, expected, strict=True)
            if outcome.kind in ("value", "panic")
        ]
        found = _in_c(scratch, source, favourites, [call for call, _ in defined])
    pairs = [(*pair, outcome) for pair, outcome in zip(defined, found, strict=True)]
    return Comparison(len(calls), len(defined), tuple(p for p in pairs if p[1] != p[2]))


def interesting(code: str) -> list[int]:
    """The constants of a `Code.v`, their neighbours, and the ends of the types' ranges."""
    numbers = {0, 1, 2, 31, 32, 63, 64, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1}
    for text in re.findall(r"Econst (\d+)", code):
        numbers |= {int(text) + step for step in (-1, 0, 1)}
    return sorted(number for number in numbers if 0 <= number < 2**64)


def random_calls(source: Source, favourites: Sequence[int], count: int, choose: random.Random) -> list[Call]:
    """`count` calls of each function, half of the arguments being favourites."""

    def argument(kind: str) -> int:
        pick = choose.randrange(4)
        if pick < 2:
            return choose.choice(favourites) % MODULUS[kind]
        return choose.randrange(64 if pick == 2 else MODULUS[kind])

    return [
        Call(signature.name, tuple(argument(kind) for kind in signature.types), choose.randrange(2**64))
        for signature, _ in source.functions
        for _ in range(count)
    ]


def _oracles(source: Source) -> list[tuple[int, Signature]]:
    """Everything that the file does not define, except panic, with a number of its own."""
    own = {signature.name for signature, _ in source.functions}
    return [
        (number, signature)
        for number, signature in enumerate(source.prototypes.values(), start=1)
        if signature.name not in own and signature.name != "panic"
    ]


# -- the interpreter -----------------------------------------------------------------------------------

COQ_ORACLE = """
From SeKVM.lib Require Import Interp.
Definition favourites : list Z := [{favourites}].
Definition mix (number s v : Z) : Z := Z.land (Z.lxor s v * {multiplier} + number) {mask}.
Definition pick (s : Z) : Z :=
  let h := Z.shiftr s 32 in
  if Z.odd h then nth (Z.to_nat ((h / 2) mod {length})) favourites 0 else Z.lxor s h.
Definition oracle (number : Z) (rt : option ty) (ps : list ty) : prim Z := fun vs s =>
  if (List.length vs =? List.length ps)%nat && forallb (fun '(t, v) => in_range t v) (combine ps vs)
  then let s := fold_left (mix number) vs (mix number s 0) in
       Some (Ok (match rt with Some t => wrap t (pick s) | None => 0 end) s)
  else Some (Halt (-1)).
Definition below : tbl Z :=
  [("panic", fun _ s => Some (Halt s)){oracles}].
Definition outcome (c : ident * list Z * Z) : Z * Z * Z :=
  let '(f, vs, s) := c in
  match run_flat code below 40 {rounds} f vs s with
  | Done (Ok v s) => (0, v, s)
  | Done (Halt s) => (1, 0, s)
  | Undef => (2, 0, 0)
  | NoFuel => (3, 0, 0)
  end.
Definition calls : list (ident * list Z * Z) :=
  [{calls}].
Set Printing Depth 1000000.
Eval vm_compute in map outcome calls.
"""
KINDS = ("value", "panic", "undefined", "no fuel")


def _in_coq(
    scratch: Path,
    source: Source,
    code: str,
    favourites: Sequence[int],
    calls: Sequence[Call],
    library: Sequence[str | Path],
) -> list[Outcome]:
    def oracle(number: int, signature: Signature) -> str:
        result = f"(Some {signature.result})" if signature.result else "None"
        return f'; ("{signature.name}", oracle {number} {result} [{"; ".join(signature.types)}])'

    text = code + COQ_ORACLE.format(
        favourites="; ".join(map(str, favourites)),
        length=len(favourites),
        multiplier=MULTIPLIER,
        mask=2**64 - 1,
        rounds=ROUNDS,
        oracles="".join(oracle(*item) for item in _oracles(source) if f'"{item[1].name}"' in code),
        calls=";\n   ".join(
            f'("{call.function}", [{"; ".join(map(str, call.arguments))}], {call.state})' for call in calls
        ),
    )
    file = scratch / "Compare.v"
    file.write_text(text, encoding="utf-8")
    done = run([require("coqc", "coq"), "-q", *library, file], timeout=COQ_SECONDS)
    found = re.findall(r"\(\s*(\d+),\s*(-?\d+),\s*(-?\d+)\s*\)", done.output)
    if len(found) != len(calls):
        raise ProcessError(f"coqc printed {len(found)} outcomes of {len(calls)}", detail=done.tail)
    return [Outcome(KINDS[int(kind)], int(value), int(state)) for kind, value, state in found]


# -- the machine ---------------------------------------------------------------------------------------

C_ORACLE = """\
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
typedef unsigned int u32;
typedef unsigned long long u64;
{prototypes}
static jmp_buf stop;
static u64 state;
static const u64 favourites[] = {{{favourites}}};
static void mix(u64 number, u64 v) {{ state = (state ^ v) * {multiplier}ULL + number; }}
static u64 pick(void)
{{
  u64 h = state >> 32;
  return h & 1 ? favourites[(h / 2) % {length}] : state ^ h;
}}
void panic(void) {{ longjmp(stop, 1); }}
{oracles}
static u64 dispatch(int which, const u64 *a)
{{
  (void)a;
  switch (which) {{
{cases}  }}
  abort();
}}
int main(void)
{{
  int which, count, i;
  u64 a[16] = {{0}}, value;
  while (scanf("%d %llu %d", &which, &state, &count) == 3) {{
    for (i = 0; i < count; i++)
      if (scanf("%llu", &a[i]) != 1)
        return 1;
    if (setjmp(stop) == 0) {{
      value = dispatch(which, a);
      printf("0 %llu %llu\\n", value, state);
    }} else {{
      printf("1 0 %llu\\n", state);
    }}
  }}
  return 0;
}}
"""


def _in_c(scratch: Path, source: Source, favourites: Sequence[int], calls: Sequence[Call]) -> list[Outcome]:
    layer, program = scratch / "layer.o", scratch / "compare"
    compile_c(source.path, layer)
    (scratch / "compare.c").write_text(
        C_ORACLE.format(
            prototypes="\n".join(_prototype(signature) + ";" for signature in source.prototypes.values()),
            favourites=", ".join(f"{number}ULL" for number in favourites),
            length=len(favourites),
            multiplier=MULTIPLIER,
            oracles="\n".join(_c_oracle(*item) for item in _oracles(source)),
            cases="".join(_case(number, signature) for number, (signature, _) in enumerate(source.functions)),
        ),
        encoding="utf-8",
    )
    run([require("gcc", "gcc"), "-O1", scratch / "compare.c", layer, "-o", program], timeout=C_SECONDS)
    numbers = {signature.name: number for number, (signature, _) in enumerate(source.functions)}
    lines = [
        " ".join(map(str, (numbers[call.function], call.state, len(call.arguments), *call.arguments)))
        for call in calls
    ]
    done = run([program], stdin="\n".join(lines) + "\n", timeout=C_SECONDS)
    outcomes = [[int(number) for number in line.split()] for line in done.output.splitlines()]
    return [Outcome(KINDS[kind], value, state) for kind, value, state in outcomes]


def _prototype(signature: Signature) -> str:
    parameters = ", ".join(f"{C_TYPES[kind]} a{i}" for i, kind in enumerate(signature.types)) or "void"
    return f"{C_TYPES[signature.result]} {signature.name}({parameters})"


def _c_oracle(number: int, signature: Signature) -> str:
    mixed = "".join(f" mix({number}, a{i});" for i in range(len(signature.types)))
    result = f" return ({C_TYPES[signature.result]})pick();" if signature.result else ""
    return f"{_prototype(signature)} {{ mix({number}, 0);{mixed}{result} }}"


def _case(number: int, signature: Signature) -> str:
    call = f"{signature.name}({', '.join(f'({C_TYPES[k]})a[{i}]' for i, k in enumerate(signature.types))})"
    body = f"return {call};" if signature.result else f"{call}; return 0;"
    return f"  case {number}: {body}\n"
