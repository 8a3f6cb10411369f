# SPDX-License-Identifier: Apache-2.0
"""The generated terms mean what gcc makes of the C: the same calls, interpreted and run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aetool.cli.proofs_clight import clight
from aetool.core.errors import AuditError
from aetool.proofs import clight_gcc
from aetool.proofs.clight import layer_sources, render
from aetool.proofs.clight_gcc import compare

HEADER = """\
typedef unsigned int u32;
typedef unsigned long long u64;
u32 small(u32 x);
u64 big(u32 x, u64 y);
void put(u64 x);
u32 get(void);
void panic(void);
"""


@pytest.fixture(scope="session")
def library(project: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for coqc under which the interpreter and what it rests on are compiled, from the sources."""
    root = tmp_path_factory.mktemp("library")
    proofs = project / "proofs"
    order = subprocess.run(
        ["coqdep", "-Q", ".", "SeKVM", "-sort", "lib/Interp.v"],
        cwd=proofs, check=True, capture_output=True, text=True, timeout=60,
    ).stdout.split()  # fmt: skip
    (root / "lib").mkdir()
    for file in order:
        (root / file).write_bytes((proofs / file).read_bytes())
        subprocess.run(["coqc", "-q", "-Q", ".", "SeKVM", file], cwd=root, check=True, timeout=120)
    return ["-Q", str(root), "SeKVM"]


@pytest.mark.timeout(2400)
def test_layers_agree_with_gcc(project: Path, library: list[str], request: pytest.FixtureRequest) -> None:
    """On random calls over an oracle for the layers below, each layer's term and its machine code agree."""
    count = 500 if request.config.getoption("--full") else 20
    for source in layer_sources(project / "proofs"):
        result = compare(source, library, count=count, seed=5)
        assert not result.differences, (source.name, result.differences[:3])
        assert result.defined > 0, source.name


# -- random programs ------------------------------------------------------------------------------------

NAMES = {"a": "u32", "b": "u64", "c": "u32", "d": "u64"}
INTEGERS = st.one_of(st.integers(0, 70), st.integers(0, 2**31 - 1), st.sampled_from([2**31 - 1, 4096]))


@st.composite
def constant(draw: st.DrawFn, kind: str) -> str:
    number = draw(INTEGERS)
    suffix = {"u32": "U", "u64": "ULL", "int": ""}[kind]
    big = draw(st.integers(0, 2**32 - 1 if kind == "u32" else 2**64 - 1))
    if kind != "int" and draw(st.booleans()):
        number = big
    return (hex(number) if draw(st.booleans()) else str(number)) + suffix


@st.composite
def expression(draw: st.DrawFn, kind: str, depth: int) -> str:
    """An expression whose type in C is `kind`: u32, u64, or int."""
    if depth == 0 or draw(st.integers(0, 9)) == 0:
        names = [name for name, of in NAMES.items() if of == kind]
        if names and draw(st.integers(0, 3)):
            return draw(st.sampled_from(names))
        return draw(constant(kind))
    kinds = st.sampled_from(["u32", "u64", "int"])
    sub = depth - 1
    if kind == "int":
        left, right = draw(expression(draw(kinds), sub)), draw(expression(draw(kinds), sub))
        operator = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "&&", "||", "!"]))
        return f"(!({right}))" if operator == "!" else f"(({left}) {operator} ({right}))"
    form = draw(st.integers(0, 9))
    if form == 0:
        return f"(~{draw(expression(kind, sub))})"
    if form == 1:
        return f"(({kind}){draw(expression(draw(kinds), sub))})"
    if form == 2:
        left = draw(expression(kind, sub))
        # a literal shift amount keeps most programs defined, a computed one tries the edges
        amount = draw(st.one_of(st.integers(0, 31).map(str), expression(draw(kinds), sub)))
        return f"({left} {draw(st.sampled_from(['<<', '>>']))} ({amount}))"
    # the usual conversions: the other operand may be of any type that does not widen the result
    other = draw(st.sampled_from(["u32", "int"] if kind == "u32" else ["u32", "u64", "int"]))
    left, right = draw(expression(kind, sub)), draw(expression(other, sub))
    if draw(st.booleans()):
        left, right = right, left
    operator = draw(st.sampled_from(["+", "-", "*", "&", "|", "^", "+", "-", "*", "/", "%"]))
    return f"({left} {operator} {right})"


ANY = st.sampled_from(["u32", "u64", "int"])


@st.composite
def with_call(draw: st.DrawFn) -> str:
    """An expression that holds one call, at the top or below operators."""
    one, two = draw(expression(draw(ANY), 1)), draw(expression(draw(ANY), 1))
    call = draw(st.sampled_from([f"small({one})", f"big({one}, {two})", "get()"]))
    other = draw(expression(draw(st.sampled_from(["u32", "u64"])), 1))
    operator = draw(st.sampled_from(["+", "-", "^", "<", "==", "&"]))
    return draw(st.sampled_from([call, f"(u32)({call})", f"({call}) {operator} ({other})", f"(~{call})"]))


@st.composite
def statement(draw: st.DrawFn, depth: int, loops: int) -> list[str]:
    form = draw(st.integers(0, 9))
    name = draw(st.sampled_from(sorted(NAMES)))
    value = draw(st.one_of(expression(draw(ANY), 2), with_call()))
    if form <= 2 or (depth == 0 and form > 5):
        return [f"{name} = {value};"]
    if form == 3:
        operator = draw(st.sampled_from(["+=", "-=", "*=", "|=", "&=", "^="]))
        return [f"{name} {operator} {value};"]
    if form == 4:
        shift = draw(st.integers(0, 31))
        return [f"{name} {draw(st.sampled_from(['<<=', '>>=']))} {shift};", f"{name}++;", f"--{name};"]
    if form == 5:
        return [f"put({draw(expression(draw(ANY), 2))});"]
    if form <= 7:
        then, other = draw(block(depth - 1, loops)), draw(block(depth - 1, loops))
        return [f"if ({value}) {{", *then, "} else {", *other, "}"]
    if form == 8 and loops < 2:
        bound = draw(expression("u32", 1))
        index = f"i{loops}"
        body = draw(block(depth - 1, loops + 1))
        return [f"for (u32 {index} = 0; {index} < ({bound} & 7U); {index}++) {{", *body, "}"]
    if draw(st.booleans()):
        return [f"if ({draw(expression(draw(ANY), 1))})", "panic();"]
    return [f"if ({draw(expression(draw(ANY), 1))})", f"return {value};"]


@st.composite
def block(draw: st.DrawFn, depth: int, loops: int) -> list[str]:
    return [line for _ in range(draw(st.integers(1, 3))) for line in draw(statement(depth, loops))]


@st.composite
def program(draw: st.DrawFn) -> str:
    """A C file of four functions in the subset."""
    heads, bodies = [], []
    for number in range(4):
        result = draw(st.sampled_from(["u32", "u64"]))
        head = f"{result} f{number}(u32 a, u64 b)"
        heads.append(f"{head};")
        lines = [*draw(block(2, 0)), *draw(block(2, 0)), f"return {draw(expression(draw(ANY), 3))};"]
        bodies.append("\n".join([head, "{", "u32 c = a;", "u64 d = b ^ 3;", *lines, "}"]))
    return "\n".join([HEADER, *heads, *bodies]) + "\n"


# gcc warns of what random programs do by nature: comparisons that are always true, shifts that overflow
RANDOM_WARNINGS = ("-std=gnu11", "-w")


def check_program(text: str, place: Path, library: list[str], count: int) -> int:
    """Compare all functions of a program; returns how many calls were defined."""
    file = place / "torture.c"
    file.write_text(text)
    result = compare(file, library, count=count, seed=len(text))
    assert not result.differences, f"{result.differences[0]}\n{text}"
    return result.defined


def random_programs(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples < 10,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(2400)
def test_random_programs_agree_with_gcc(
    library: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Random expressions and statements of the whole subset mean the same in Coq and in machine code."""
    full = request.config.getoption("--full")
    monkeypatch.setattr(clight_gcc, "WARNINGS", RANDOM_WARNINGS)
    defined = 0

    @random_programs(60 if full else 5)
    @given(program())
    def run(text: str) -> None:
        nonlocal defined
        defined += check_program(text, tmp_path, library, 100 if full else 40)

    run()
    assert defined > (10_000 if full else 200)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Ecast U32 ", "Ecast U64 "),
        ("Ebin Oadd U64 (Evar", "Ebin Oadd U32 (Evar"),
        ("Ecmp Cle", "Ecmp Clt"),
        ('[Evar "a"; Evar "b"]', '[Evar "a"; Evar "a"]'),
        ("Enot U32", "Enot U64"),
    ],
)
def test_a_wrong_term_is_found(
    library: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    """If the generator got a width, an operator or an argument wrong, the comparison would show it."""
    file = tmp_path / "fault.c"
    file.write_text(
        HEADER + "u64 f(u32 a, u64 b);\nu64 f(u32 a, u64 b)\n{\n"
        "\tu64 x = big(a, b);\n\tu32 y = (u32)x / 3U + (u32)b;\n"
        "\tif (x <= 4096ULL)\n\t\tput(x);\n\treturn (a + b) ^ (y + 5ULL + ~a);\n}\n"
    )
    assert not compare(file, library, count=60, seed=1).differences
    assert right in render(file)
    monkeypatch.setattr(clight_gcc, "render", lambda path: render(path).replace(right, wrong, 1))
    assert compare(file, library, count=60, seed=1).differences


def test_undefined_behaviour_is_told_and_not_run(library: list[str], tmp_path: Path) -> None:
    """Division by zero and a shift by the width have no outcome in the semantics, and are not run in C."""
    file = tmp_path / "undefined.c"
    for body in ("a / (u32)b", "a << b", "(u32)(b >> a)"):
        file.write_text(HEADER + f"u32 f(u32 a, u64 b);\nu32 f(u32 a, u64 b)\n{{\n\treturn {body};\n}}\n")
        result = compare(file, library, count=100, seed=2)
        assert not result.differences
        assert 0 < result.defined < result.calls, body


def test_command_compares_and_fails_on_a_difference(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints how many calls agree; a generator that is wrong makes it fail with the call."""
    for name in ("benchmarks", "reports", "cloudlab"):
        (tmp_path / name).mkdir()
    (tmp_path / "proofs" / "lib").mkdir(parents=True)
    for name in ("Lang", "Layer", "Link", "Interp"):
        shutil.copy(project / f"proofs/lib/{name}.v", tmp_path / "proofs/lib")
    (tmp_path / "proofs/_CoqProject").write_text(
        "-Q . SeKVM\nlib/Lang.v\nlib/Layer.v\nlib/Link.v\nlib/Interp.v\n"
    )
    file = tmp_path / "sum.c"
    file.write_text(HEADER + "u64 f(u32 a, u64 b);\nu64 f(u32 a, u64 b)\n{\n\treturn a + b;\n}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AETOOL_STORE", str(tmp_path / "store"))
    done = CliRunner().invoke(clight, ["--against-gcc", "30", str(file)])
    assert done.output == "sum.c: 30 calls, 30 defined in Coq, 0 differences\n", done.exception
    monkeypatch.setattr(clight_gcc, "render", lambda path: render(path).replace("Oadd", "Osub"))
    failed = CliRunner().invoke(clight, ["--against-gcc", "30", "--json", str(file)])
    assert isinstance(failed.exception, AuditError)
    assert json.loads(failed.stdout)[0]["differences"][0]["call"]["function"] == "f"
