# SPDX-License-Identifier: Apache-2.0
"""The table of hypercalls `proofs/hypercalls.yaml`, and what is generated from it.

The table is the truth for the numbers of the host's calls, their arguments and their handlers. From it come
the dispatcher's C, the table that its specification looks a call up in, and a page of documentation; all
three are committed and checked to be in sync, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError
from aetool.core.process import write_file
from aetool.proofs.clight_parse import Signature, parse
from aetool.proofs.tree import FUNCTION, MANIFEST, Manifest

TABLE = "hypercalls.yaml"
DISPATCHER = "TrapDispatcher"
BEGIN = "/* From here to the end mark: generated from hypercalls.yaml by `aetool proofs hypercalls`. */"
END = "/* End of the generated part. */"
# The registers x1 to x5 hold the arguments.
MOST_ARGUMENTS = 5
WORD = 1 << 64


class Type(Model):
    """What an argument may be: at least `low` and less than `below`, for a parameter of the C type `c`."""

    c: Literal["u32", "u64"]
    low: int = Field(default=0, ge=0, lt=WORD)
    below: int | None = Field(default=None, gt=0, lt=WORD)
    prose: str


class Argument(Model):
    """One argument of a call, and the name of its type."""

    name: str = Field(pattern=FUNCTION)
    type: str


class Fits(Model):
    """Two arguments, by name, that together are at most `limit`."""

    first: str
    second: str
    limit: int = Field(gt=0, lt=WORD)


class Call(Model):
    """One call of the host."""

    number: int = Field(ge=0, lt=WORD)
    name: str = Field(pattern=r"^HVC_[A-Z0-9_]+$")
    arguments: tuple[Argument, ...] = Field(default=(), max_length=MOST_ARGUMENTS)
    fits: tuple[Fits, ...] = ()
    handler: str = Field(pattern=FUNCTION)
    returns: str | None = None
    prose: str

    def place(self, argument: str) -> int:
        """The number of the register that holds an argument."""
        return 1 + [each.name for each in self.arguments].index(argument)


class Hypercalls(Model):
    """The whole of `hypercalls.yaml`."""

    types: dict[str, Type]
    calls: tuple[Call, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Condition:
    """One comparison that an accepted call meets: as terms of the specification and of the C code."""

    coq: str
    c: tuple[str, ...]


def load_hypercalls(proofs: Path) -> Hypercalls:
    """Read `proofs/hypercalls.yaml` and check it against the prototypes and the manifest.

    Raises ConfigError that names the file, the call and the field.
    """
    path = proofs / TABLE
    table = load_yaml(path, Hypercalls)
    _check_types(path, table)
    _check_numbers(path, table)
    manifest = load_yaml(proofs / MANIFEST, Manifest)
    numbers = {name: layer.number for layer in manifest.layers for name in layer.functions}
    own = next((layer.number for layer in manifest.layers if layer.name == DISPATCHER), None)
    if own is None:
        raise ConfigError(f"{proofs / MANIFEST}: there is no layer {DISPATCHER!r}, which {path} is about")
    prototypes = parse(proofs / "layers" / "prims.h").prototypes
    for call in table.calls:
        _check_arguments(path, table, call)
        _check_handler(path, table, call, prototypes)
        if numbers.get(call.handler, 0) >= own:
            problem = f"{call.handler} is not a function of a layer below {DISPATCHER}"
            raise _wrong(path, call, "handler", problem)
    return table


def _wrong(path: Path, call: Call, field: str, problem: str) -> ConfigError:
    return ConfigError(f"{path}: call {call.name}: {field}: {problem}")


def _check_types(path: Path, table: Hypercalls) -> None:
    for name, kind in table.types.items():
        where = f"{path}: type {name}: below"
        if kind.below is not None and kind.low >= kind.below:
            raise ConfigError(f"{where}: no value is at least {kind.low} and less than {kind.below}")
        if kind.c == "u32" and (kind.below is None or kind.below > 1 << 32):
            raise ConfigError(f"{where}: a u32 is less than 2^32, so this must be given and be at most that")


def _check_numbers(path: Path, table: Hypercalls) -> None:
    previous: Call | None = None
    names: set[str] = set()
    for call in table.calls:
        if previous and call.number <= previous.number:
            problem = f"{call.number} comes after {previous.number}; numbers grow, each stands once"
            raise _wrong(path, call, "number", problem)
        if call.name in names:
            raise _wrong(path, call, "name", "two calls have this name")
        names.add(call.name)
        previous = call


def _check_arguments(path: Path, table: Hypercalls, call: Call) -> None:
    names = [argument.name for argument in call.arguments]
    for index, argument in enumerate(call.arguments):
        if names.count(argument.name) > 1:
            raise _wrong(path, call, f"arguments.{index}.name", f"{argument.name!r} stands twice")
        if argument.type not in table.types:
            known = ", ".join(table.types)
            raise _wrong(path, call, f"arguments.{index}.type", f"no type {argument.type!r}; known: {known}")
    for index, fit in enumerate(call.fits):
        for field, name in (("first", fit.first), ("second", fit.second)):
            if name not in names:
                raise _wrong(path, call, f"fits.{index}.{field}", f"{name!r} is not an argument of the call")
        if fit.first == fit.second:
            raise _wrong(path, call, f"fits.{index}.second", "the same argument twice")


def _check_handler(path: Path, table: Hypercalls, call: Call, prototypes: Mapping[str, Signature]) -> None:
    signature = prototypes.get(call.handler)
    if signature is None:
        raise _wrong(path, call, "handler", f"prims.h has no prototype of {call.handler}")
    given = tuple(table.types[argument.type].c.upper() for argument in call.arguments)
    if given != signature.types:
        wants = ", ".join(kind.lower() for kind in signature.types) or "nothing"
        has = ", ".join(kind.lower() for kind in given) or "nothing"
        raise _wrong(path, call, "arguments", f"{call.handler} takes ({wants}), the call has ({has})")
    if (call.returns is None) != (signature.result is None):
        problem = "has no result to speak of" if call.returns else "has a result: say what it is"
        raise _wrong(path, call, "returns", f"{call.handler} {problem}")


def _number(value: int) -> str:
    return str(value) if value < 1 << 16 else f"0x{value:x}"


def conditions(table: Hypercalls, call: Call) -> Iterator[Condition]:
    """What the dispatcher checks of a call, in order."""
    for place, argument in enumerate(call.arguments, 1):
        kind = table.types[argument.type]
        if kind.low:
            low = _number(kind.low)
            yield Condition(f"Atleast {place} {low}", (f"arg{place} >= {low}ULL",))
        if kind.below is not None:
            below = _number(kind.below)
            yield Condition(f"Below {place} {below}", (f"arg{place} < {below}ULL",))
    for fit in call.fits:
        first, second, limit = call.place(fit.first), call.place(fit.second), _number(fit.limit)
        yield Condition(
            f"Fit {first} {second} {limit}",
            (f"arg{second} <= {limit}ULL", f"arg{first} <= {limit}ULL - arg{second}"),
        )


def outputs(proofs: Path) -> dict[Path, str]:
    """The generated files and what they must hold.

    Raises ConfigError if the table is wrong, or if the C file lacks the marks of the generated part.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    table = load_hypercalls(proofs)
    environment = Environment(
        loader=PackageLoader("aetool.proofs"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    calls = []
    for call in table.calls:
        checks = list(conditions(table, call))
        calls.append(
            {
                "call": call,
                "types": [table.types[argument.type] for argument in call.arguments],
                "conditions": checks,
                "tests": [test for check in checks for test in check.c],
            }
        )
    data = {"table": table, "calls": calls, "places": range(1, MOST_ARGUMENTS + 1), "number": _number}

    def text(template: str) -> str:
        return environment.get_template(template).render(data)

    layer = proofs / "layers" / DISPATCHER
    return {
        layer / f"{DISPATCHER}.c": _insert(layer / f"{DISPATCHER}.c", text("hypercalls.c.j2")),
        layer / "Table.v": text("hypercalls.v.j2"),
        proofs.parent / "docs" / "proofs" / "hypercalls.md": text("hypercalls.md.j2"),
    }


def _insert(path: Path, part: str) -> str:
    """The C file with `part` between its marks."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; the dispatcher is a part of it") from error
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ConfigError(f"{path}: the generated part must stand once, between the lines {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{part}{END}{rest.partition(END)[2]}"


def stale(proofs: Path) -> list[Path]:
    """The generated files that are not what the table gives. Raises as `outputs`."""
    return [path for path, text in outputs(proofs).items() if _contents(path) != text]


def regenerate(proofs: Path) -> list[Path]:
    """Bring the generated files up to date; returns those that were written. Raises as `outputs`."""
    wanted = outputs(proofs)
    written = [path for path, text in wanted.items() if _contents(path) != text]
    for path in written:
        write_file(path, wanted[path])
    return written


def _contents(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
