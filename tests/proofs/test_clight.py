# SPDX-License-Identifier: Apache-2.0
"""The C subset: what is translated, how it is laid out, and how everything else is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from aetool.cli.proofs_clight import clight
from aetool.core.errors import AuditError, ConfigError
from aetool.core.process import ProcessError
from aetool.proofs.clight import in_sync, layer_sources, regenerate, render, signatures
from aetool.proofs.clight_gcc import compile_c
from aetool.proofs.clight_parse import Signature

PRIMS = """\
typedef unsigned int u32;
typedef unsigned long long u64;
u32 small(u32 x);
u64 big(u32 x, u64 y);
void put(u32 x);
u32 get(void);
u32 f(u32 a, u64 b);
void g(u32 a);
"""


@pytest.fixture
def c_file(tmp_path: Path) -> Path:
    (tmp_path / "prims.h").write_text(PRIMS)
    return tmp_path / "L.c"


def write(c_file: Path, body: str, head: str = "u32 f(u32 a, u64 b)") -> Path:
    c_file.write_text(f'#include "prims.h"\n{head}\n{{\n\t{body}\n}}\n')
    return c_file


GOLDEN = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from L.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_f : func :=
  mkfunc (Some U32) [("a", U32); ("b", U64)] ["sum"; "i"; "t'0"]
    (Sseq (Sset "sum" (Econst 0))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "a"))
            (Sseq (Scall (Some "t'0") "big" [Evar "i"; Evar "b"])
            (Sseq (Sset "sum" (Ebin Oadd U64 (Evar "sum") (Evar "t'0")))
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))
    (Sseq (Sif
            (Eland (Ecmp Cgt (Evar "sum") (Econst 4096)) (Evar "a"))
            (Scall None "put" [Evar "a"])
            Sskip)
    (Sreturn (Some (Ecast U32 (Ebin Oadd U64 (Evar "sum") (Evar "a"))))))))).

Definition code : module :=
  [("f", f_f)].
"""


def test_golden_output(c_file: Path) -> None:
    """A function with a loop, a call in an expression and a narrowing return has exactly this text."""
    c_file.write_text(
        '#include "prims.h"\n#define PAGE 4096ULL\nu32 f(u32 a, u64 b)\n{\n\tu64 sum = 0;\n'
        "\tfor (u32 i = 0; i < a; i++)\n\t\tsum += big(i, b);\n"
        "\tif (sum > PAGE && a)\n\t\tput(a);\n\treturn sum + a;\n}\n"
    )
    text = render(c_file)
    assert text == GOLDEN
    assert render(c_file) == text


@pytest.mark.parametrize(
    ("body", "term"),
    [
        # usual arithmetic conversions: an int joins the other operand, u32 joins u64
        ("return a + 1;", '(Ebin Oadd U32 (Evar "a") (Econst 1))'),
        ("return (u32)(a + b);", '(Ecast U32 (Ebin Oadd U64 (Evar "a") (Evar "b")))'),
        ("return a + (a < b);", '(Ebin Oadd U32 (Evar "a") (Ecmp Clt (Evar "a") (Evar "b")))'),
        ("return (u64)a * 8U;", '(Ecast U32 (Ebin Omul U64 (Evar "a") (Econst 8)))'),
        # a shift has the type of its left operand, whatever the right one is
        ("return a << b;", '(Ebin Oshl U32 (Evar "a") (Evar "b"))'),
        ("return b >> a;", '(Ecast U32 (Ebin Oshr U64 (Evar "b") (Evar "a")))'),
        # assignment and return truncate
        ("a = b; return a;", '(Sset "a" (Ecast U32 (Evar "b")))'),
        ("b = a; return a;", '(Sset "b" (Evar "a"))'),
        ("return b;", '(Sreturn (Some (Ecast U32 (Evar "b"))))'),
        # ~ at its own type, ! an int
        ("return ~a;", '(Enot U32 (Evar "a"))'),
        ("return ~b;", '(Ecast U32 (Enot U64 (Evar "b")))'),
        ("return !b;", '(Elnot (Evar "b"))'),
        # compound assignment computes at the joined type, then truncates
        ("a += b; return a;", '(Sset "a" (Ecast U32 (Ebin Oadd U64 (Evar "a") (Evar "b"))))'),
        ("a <<= b; return a;", '(Sset "a" (Ebin Oshl U32 (Evar "a") (Evar "b")))'),
        ("--a; return a;", '(Sset "a" (Ebin Osub U32 (Evar "a") (Econst 1)))'),
        # arguments are converted to the parameters' types
        ("put(b); return a;", '(Scall None "put" [Ecast U32 (Evar "b")])'),
        ("return big(a, a);", '(Sseq (Scall (Some "t\'0") "big" [Evar "a"; Evar "a"])'),
        # a call whose result fits goes straight into the local, another through a temporary
        ("b = get(); return a;", '(Scall (Some "b") "get" [])'),
        ("a = big(a, b); return a;", '(Sset "a" (Ecast U32 (Evar "t\'0")))'),
        ("if (get()) put(1); return a;", '(Sseq (Scall (Some "t\'0") "get" []) (Sseq (Sif (Evar "t\'0")'),
        ("return (u32)big(a, b) | 1U;", '(Ebin Oor U32 (Ecast U32 (Evar "t\'0")) (Econst 1))'),
        ("while (1) return a;", '(Swhile (Econst 1) (Sreturn (Some (Evar "a"))))'),
        ("for (;;) return a;", '(Swhile (Econst 1) (Sreturn (Some (Evar "a"))))'),
        ("return a || b;", '(Elor (Evar "a") (Evar "b"))'),
        ("return 0xFFFFFFFFU;", "(Econst 4294967295)"),
        ("b ^= 0xffffffffffffffffULL; return a;", "(Econst 18446744073709551615)"),
        (";{} return a;", '(Sreturn (Some (Evar "a")))'),
    ],
)
def test_translation(c_file: Path, body: str, term: str) -> None:
    """Conversions, shifts, comparisons and calls become the terms that C's rules ask for."""
    assert term in " ".join(render(write(c_file, body)).split())


def test_a_name_may_return_in_a_later_block(c_file: Path) -> None:
    """Two disjoint blocks may use one name if each gives it a value; it is one temporary."""
    text = render(write(c_file, "{ u32 x = 1; put(x); }\n\t{ u32 x = 2; put(x); }\n\treturn a;"))
    assert '["x"]' in text


REJECTED = [
    # declarations
    ("int x = 1; return 1;", 2, "the type 'int'"),
    ("unsigned int x = 1; return 1;", 2, "the type 'unsigned int'"),
    ("u32 *x; return 1;", 6, "a pointer"),
    ("u32 x[2]; return 1;", 6, "an array"),
    ("struct s { u32 x; } y; return 1;", None, "struct"),
    ("union s { u32 x; } y; return 1;", None, "union"),
    ("enum e { A } y; return 1;", None, "enum"),
    ("static u32 x = 1; return x;", 13, "'static' on 'x'"),
    ("const u32 x = 1; return x;", 12, "'const' on 'x'"),
    ("volatile u32 x = 1; return x;", 15, "'volatile' on 'x'"),
    ("u32 a = 1; return a;", 6, "'a', which hides another 'a',"),
    ("u32 x = 1; { u32 x = 2; put(x); } return x;", 19, "'x', which hides another 'x',"),
    ("u32 get = 1; return 1;", 6, "'get', which hides another 'get',"),
    ("{ u32 x; x = 1; put(x); } return 1;", 8, "'x' without initial value in this place"),
    ("while (a) { u32 x; x = a; a = x; } return 1;", 18, "'x' without initial value in this place"),
    ("{ u32 x = 1; put(x); } u32 x; return x;", 29, "'x' without initial value in this place"),
    ("{ u32 x = 1; put(x); } { u64 x = 1; b = x; } return 1;", 31, "a second type for 'x' in one function"),
    ("u32 x = x + 1; return x;", 10, "the name 'x', which is no local in scope,"),
    ("x = 1; u32 x; return x;", 2, "the name 'x', which is no local in scope,"),
    ("{ u32 x = 1; put(x); } return x;", 32, "the name 'x', which is no local in scope,"),
    ("if (a) u32 x = 1; return 1;", None, "syntax error before: u32"),
    # expressions
    ("return 1 + 2;", 9, "signed arithmetic (+ on two ints)"),
    ("return (a < b) - 1;", None, "signed arithmetic (- on two ints)"),
    ("return 1 << a;", 9, "<< of an int"),
    ("return ~0;", 10, "~ on an int"),
    ("return -a;", 10, "unary -"),
    ("return +a;", 10, "unary +"),
    ("return a ? 1U : 2U;", 9, "the conditional operator ?:"),
    ("return (a, b);", None, "the comma operator"),
    ("return sizeof(a);", None, "sizeof"),
    ("return *a;", 10, "a pointer dereference"),
    ("return (u32)&a;", None, "the address operator &"),
    ("return a[0];", 9, "an array access"),
    ("return a.x;", 9, "a structure access"),
    ("return a = 1U;", None, "an assignment inside an expression"),
    ("return a++;", None, "++ inside an expression"),
    ("return --a;", None, "-- inside an expression"),
    ("return 017U;", 9, "the octal constant 017U"),
    ("return 2147483648;", 9, "the constant 2147483648, above 2147483647,"),
    ("return 4294967296U;", 9, "the constant 4294967296U, above 4294967295,"),
    ("return 1L;", 9, "the suffix of 1L"),
    ("return 1UL;", 9, "the suffix of 1UL"),
    ("return 'a';", 9, "the constant 'a'"),
    ("return 1.5;", 9, "the constant 1.5"),
    ('return "a";', 9, 'the constant "a"'),
    ("return (int)a;", 10, "the type 'int'"),
    ("return (void)a;", None, "a cast to void"),
    ("return (u32 *)a;", None, "a pointer"),
    ("return put;", 9, "the name 'put', which is no local in scope,"),
    # calls
    ("return small(a) + small(a);", 20, "a second call in one expression"),
    ("return small(small(a));", 15, "a second call in one expression"),
    ("put(small(a)); return 1;", 6, "a second call in one expression"),
    ("a = small(get()); return 1;", 12, "a second call in one expression"),
    ("return a && small(a);", 14, "a call under &&"),
    ("return small(a) || a;", 9, "a call under ||"),
    ("return a ? small(a) : 1U;", 13, "a call under ?:"),
    ("while (small(a)) put(a); return 1;", 9, "a call in the condition of a loop"),
    ("for (; small(a);) put(a); return 1;", 9, "a call in the condition of a loop"),
    ("return put(a);", 9, "the value of the void function 'put'"),
    ("a = put(a); return 1;", 6, "the value of the void function 'put'"),
    ("return small(a, a);", 9, "a call of 'small' with 2 arguments"),
    ("put(); return 1;", 2, "a call of 'put' with 0 arguments"),
    ("return unknown(a);", 9, "a call of 'unknown', which has no prototype,"),
    ("return f(a, b);", 9, "the recursive call of 'f'"),
    ("return (*small)(a);", None, "a call through an expression"),
    # statements
    ("break;", 2, "break"),
    ("while (a) break; return 1;", 12, "break"),
    ("while (a) { if (b) continue; a = 0; } return 1;", 21, "continue"),
    ("do put(a); while (a); return 1;", 2, "do"),
    ("switch (a) { default: return 1; }", 2, "switch"),
    ("goto x; x: return 1;", 2, "goto"),
    ("x: return 1;", 2, "a label"),
    ("a; return 1;", 2, "an expression without effect"),
    ("a == 1; return 1;", 2, "an expression without effect"),
    ("(void)small(a); return 1;", None, "an expression without effect"),
    ("a = 1, b = 2; return 1;", None, "the comma operator"),
    ("for (a = 1, b = 2; a; a--) ; return 1;", None, "the comma operator"),
    ("for (a; a; a--) ; return 1;", 7, "this expression in a for"),
    ("3 = a; return 1;", 2, "an assignment to something else than a local"),
    ("a = b = 1U; return 1;", 6, "an assignment inside an expression"),
    ("return;", 2, "return without a value"),
    ("typedef u32 t; return 1;", None, "a typedef in a function"),
]


@pytest.mark.parametrize(("body", "column", "construct"), REJECTED, ids=[body for body, _, _ in REJECTED])
def test_rejected(c_file: Path, body: str, column: int | None, construct: str) -> None:
    """Each construct outside the subset is an error that names file, line, column, construct, alternative."""
    with pytest.raises(ConfigError) as caught:
        render(write(c_file, body))
    message = caught.value.message
    assert message.startswith(f"{c_file}:4:" if column is None else f"{c_file}:4:{column}: "), message
    assert construct in message
    if "syntax error" not in construct:
        assert "is not in the C subset; allowed: " in message


TOP_LEVEL = [
    ("u32 x;", 1, "the global declaration 'x'"),
    ("struct s { u32 x; };", 1, "this"),
    ("typedef unsigned char u8;", 1, "the typedef 'u8'"),
    ("typedef unsigned long u64;", 1, "the typedef 'u64'"),
    ("static u32 h(u32 x);", 1, "'static' on 'h'"),
    ("u32 h();", 1, "'h()' without parameter types"),
    ("u32 h(u32 x, ...);", 1, "the variable parameters of 'h'"),
    ("u32 h(u32 x, void);", 1, "a void parameter of 'h'"),
    ("u32 h(u32 *x);", 1, "a pointer"),
    ("long h(u32 x);", 1, "the type 'long'"),
    ("u32 h(u32 x);\nu64 h(u32 x);", 2, "a second prototype of 'h' with another type"),
    ("typedef unsigned int u32;\nu32 h(u32 x)\n{\n\treturn x;\n}", 2, "'h' without a prototype before it"),
    ("u32 f(u32 a, u32 b)\n{\n\treturn a + b;\n}", 1, "a definition of 'f' that differs from its prototype"),
    ("u32 f(u32, u64 b)\n{\n\treturn b;\n}", 1, "unnamed or equal parameters of 'f'"),
    ("u32 f(a, b) u32 a; u64 b;\n{\n\treturn a;\n}", 1, "the old-style parameters of 'f'"),
    ("u32 f(u32 get, u64 b)\n{\n\treturn b;\n}", 2, "the parameter 'get', the name of a function,"),
    ("void g(u32 a)\n{\n\treturn a;\n}", 3, "a value returned from a void function"),
    ("void g(u32 a)\n{\n}\nvoid g(u32 a)\n{\n}", 4, "a second definition of 'g'"),
    ("void g(u32 a)\n{\n}\nu32 f(u32 a, u64 b)\n{\n\tg(a);\n\treturn b;\n}", 6, "'g' of the same layer"),
]


@pytest.mark.parametrize(("text", "line", "construct"), TOP_LEVEL, ids=[text for text, _, _ in TOP_LEVEL])
def test_rejected_at_top_level(c_file: Path, text: str, line: int, construct: str) -> None:
    """Declarations outside the subset are errors at their own line, after the include."""
    c_file.write_text(f'#include "prims.h"\n{text}\n')
    with pytest.raises(ConfigError) as caught:
        render(c_file)
    assert caught.value.message.startswith(f"{c_file}:{line + 1}:"), caught.value.message
    assert construct in caught.value.message


def test_a_definition_in_an_included_file_is_rejected(c_file: Path) -> None:
    """Code that another file brings in would not be in this layer's Code.v under its own name."""
    (c_file.parent / "more.h").write_text("u32 small(u32 x)\n{\n\treturn x;\n}\n")
    c_file.write_text('#include "prims.h"\n#include "more.h"\n')
    with pytest.raises(ConfigError, match=r"more\.h:1:5: the definition of 'small' in an included file"):
        render(c_file)


def test_text_that_is_not_c(c_file: Path) -> None:
    """A syntax error, a missing include and a missing file each name the place."""
    with pytest.raises(ConfigError, match=r"L\.c:4:\d+: .*(before|expected)"):
        render(write(c_file, "return a +;"))
    c_file.write_text('#include "nothere.h"\n')
    with pytest.raises(ConfigError, match=r"L\.c:1:10: fatal error: nothere\.h"):
        render(c_file)
    with pytest.raises(ConfigError, match="no such file"):
        render(c_file.with_name("M.c"))
    c_file.write_text('#include "prims.h"\n')
    with pytest.raises(ConfigError, match="defines no function"):
        render(c_file)


def test_the_line_is_the_users_line_after_a_macro_of_many_lines(c_file: Path) -> None:
    """Macros and includes do not shift the line that an error names."""
    c_file.write_text(
        '#include "prims.h"\n#define BOTH(x, y) \\\n\t((x) + \\\n\t (y))\n'
        "u32 f(u32 a, u64 b)\n{\n\ta = BOTH(a, b);\n\treturn 1 + 2;\n}\n"
    )
    with pytest.raises(ConfigError, match=r"L\.c:8:"):
        render(c_file)


def test_sync_and_signatures(c_file: Path) -> None:
    """A Code.v is in sync until one byte of it, or the C, changes; regenerating writes only what is stale."""
    code = c_file.with_name("Code.v")
    write(c_file, "return a;")
    assert not in_sync(c_file, code)
    assert regenerate(c_file, code)
    assert in_sync(c_file, code)
    assert not regenerate(c_file, code)
    code.write_text(code.read_text() + "\n")
    assert not in_sync(c_file, code)
    regenerate(c_file, code)
    write(c_file, "return a + 1;")
    assert not in_sync(c_file, code)
    assert signatures(c_file) == {"f": Signature("f", "U32", (("a", "U32"), ("b", "U64")))}


def test_command(c_file: Path) -> None:
    """The command writes, then finds in sync; with --check it fails on a stale file and writes nothing."""
    write(c_file, "return a;")
    code = c_file.with_name("Code.v")
    runner = CliRunner()
    failed = runner.invoke(clight, ["--check", str(c_file)])
    assert isinstance(failed.exception, AuditError)
    assert not code.exists()
    assert runner.invoke(clight, [str(c_file)]).output.startswith("written ")
    done = runner.invoke(clight, ["--check", "--json", str(c_file)])
    assert done.exit_code == 0
    assert [item["state"] for item in json.loads(done.output)] == ["in sync"]
    unknown = runner.invoke(clight, ["NoSuchLayer"])
    assert isinstance(unknown.exception, ConfigError)
    assert "PTAlloc" in str(unknown.exception.hint)


def test_every_layer_is_in_the_subset_and_compiles_for_both_machines(project: Path, tmp_path: Path) -> None:
    """The C of each layer translates, and gcc for this machine and for aarch64 has no warning about it."""
    sources = layer_sources(project / "proofs")
    assert sources
    compilers = ["gcc", *(["aarch64-linux-gnu-gcc"] if shutil.which("aarch64-linux-gnu-gcc") else [])]
    for source in sources:
        assert render(source)
        for compiler in compilers:
            compile_c(source, tmp_path / "layer.o", compiler=compiler)


def test_a_warning_of_gcc_is_an_error(c_file: Path, tmp_path: Path) -> None:
    """An unused local, which the subset allows, fails the compilation with the compiler's own words."""
    write(c_file, "u32 unused = 1;\n\treturn a + (u32)b;")
    with pytest.raises(ProcessError) as caught:
        compile_c(c_file, tmp_path / "layer.o")
    assert "unused-variable" in str(caught.value.detail)


def test_generated_text_is_accepted_by_coq(project: Path, c_file: Path) -> None:
    """Coq accepts the constructors that the generator prints (checked against lib/Lang.v itself)."""
    scratch = c_file.parent
    (scratch / "lib").mkdir()
    (scratch / "lib" / "Lang.v").write_bytes((project / "proofs/lib/Lang.v").read_bytes())
    regenerate(write(c_file, "a += small(a) << 2;\n\tif (!b)\n\t\tput(~a);\n\treturn a;"), scratch / "Code.v")
    for file in ("lib/Lang.v", "Code.v"):
        subprocess.run(["coqc", "-Q", ".", "SeKVM", file], cwd=scratch, check=True, timeout=120)
