# SPDX-License-Identifier: Apache-2.0
"""The table of hypercalls: what is generated from it, that it is in sync, and what a wrong one is told."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from aetool.cli.proofs import proofs as command
from aetool.core.errors import AuditError, ConfigError
from aetool.proofs.clight import render, signatures
from aetool.proofs.hypercalls import load_hypercalls, outputs, regenerate, stale
from aetool.proofs.structure import check_files
from aetool.proofs.tree import load_tree

TABLE = """\
types:
  word: {c: u64, prose: any word}
  vm: {c: u32, low: 1, below: 16, prose: a VM}
calls:
  - number: 14
    name: HVC_CLEAR
    arguments: [{name: vm, type: vm}, {name: start, type: word}, {name: size, type: word}]
    fits: [{first: start, second: size, limit: 0x1000000000000}]
    handler: clear
    prose: Memory of a VM that is off.
  - number: 24
    name: HVC_REGISTER
    handler: register
    returns: a number
    prose: A new VM.
"""
MANIFEST = """\
root: T
parts: []
layers:
  - {number: 1, name: Low, group: G, functions: [clear, register]}
  - {number: 2, name: TrapDispatcher, group: G, functions: [host_hvc_dispatcher]}
  - {number: 3, name: High, group: G, functions: [handle]}
"""
PRIMS = """\
typedef unsigned int u32;
typedef unsigned long long u64;
u32 get_cur_vmid(void);
u32 get_cur_vcpuid(void);
u64 get_shadow_ctxt(u32 vmid, u32 vcpuid, u32 reg);
void set_shadow_ctxt(u32 vmid, u32 vcpuid, u32 reg, u64 value);
void clear(u32 vmid, u64 start, u64 size);
u32 register(void);
void handle(void);
void host_hvc_dispatcher(void);
""".replace("register", "enroll")
TABLE = TABLE.replace("handler: register", "handler: enroll")
MANIFEST = MANIFEST.replace("register", "enroll")
SOURCE = """\
#include "../prims.h"

/* From here to the end mark: generated from hypercalls.yaml by `aetool proofs hypercalls`. */
/* End of the generated part. */
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A tree with two calls; the folder of its proofs."""
    root = tmp_path / "proofs"
    for file, text in {
        "hypercalls.yaml": TABLE,
        "tree.yaml": MANIFEST,
        "layers/prims.h": PRIMS,
        "layers/TrapDispatcher/TrapDispatcher.c": SOURCE,
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return root


def test_the_tree_is_in_sync_with_its_table(project: Path) -> None:
    assert stale(project / "proofs") == []


def test_the_published_numbers(project: Path) -> None:
    """Numbers 13 to 25 are those of the published table; 26 to 29 follow there too."""
    calls = load_hypercalls(project / "proofs").calls
    assert [call.number for call in calls] == list(range(13, 30))
    assert {call.name: call.number for call in calls}["HVC_REGISTER_KVM"] == 24


def test_what_is_generated(small: Path) -> None:
    """The C, the table and the page have the numbers, the checks in order and the handlers."""
    written = regenerate(small)
    assert [path.name for path in written] == ["TrapDispatcher.c", "Table.v", "hypercalls.md"]
    c, coq, page = (path.read_text() for path in written)
    assert "#define HVC_CLEAR 14ULL\n#define HVC_REGISTER 24ULL\n" in c
    assert (
        "\tif (number == HVC_CLEAR) {\n"
        "\t\tif (arg1 >= 1ULL &&\n\t\t    arg1 < 16ULL &&\n\t\t    arg3 <= 0x1000000000000ULL &&\n"
        "\t\t    arg2 <= 0x1000000000000ULL - arg3) {\n"
        "\t\t\tclear((u32)arg1, arg2, arg3);\n\t\t\tanswer = 0ULL;\n\t\t}\n"
        "\t} else if (number == HVC_REGISTER) {\n\t\tanswer = enroll();\n\t}\n"
    ) in c
    assert (
        '[mkcall HVC_CLEAR "clear" false [U32; U64; U64]\n'
        "     [Atleast 1 1; Below 1 16; Fit 2 3 0x1000000000000];\n"
        '   mkcall HVC_REGISTER "enroll" true []\n     []].\n'
    ) in coq
    assert "## 14: HVC_CLEAR" in page and "`start` and `size` together are at most 0x1000000000000" in page
    assert regenerate(small) == []


def test_the_generated_c_is_in_the_subset(small: Path) -> None:
    regenerate(small)
    source = small / "layers/TrapDispatcher/TrapDispatcher.c"
    assert list(signatures(source)) == ["host_hvc_dispatcher"]
    assert '(Scall (Some "answer") "enroll" [])' in render(source)


@pytest.mark.parametrize("file", ["TrapDispatcher.c", "Table.v", "hypercalls.md"])
def test_a_change_of_a_generated_file_is_stale(small: Path, file: str) -> None:
    path = next(path for path in regenerate(small) if path.name == file)
    path.write_text(path.read_text().replace("14", "15", 1))
    assert stale(small) == [path]
    regenerate(small)
    path.unlink()
    if file.endswith(".c"):
        with pytest.raises(ConfigError, match=r"TrapDispatcher\.c: no such file"):
            stale(small)
    else:
        assert stale(small) == [path]


def test_a_change_of_the_table_is_seen_everywhere(small: Path) -> None:
    regenerate(small)
    path = small / "hypercalls.yaml"
    path.write_text(path.read_text().replace("below: 16", "below: 17"))
    assert [stale_file.name for stale_file in stale(small)] == ["TrapDispatcher.c", "Table.v"]


def test_text_outside_of_the_marks_stays(small: Path) -> None:
    path = small / "layers/TrapDispatcher/TrapDispatcher.c"
    path.write_text(f"{SOURCE}\nvoid handle(void)\n{{\n}}\n")
    regenerate(small)
    text = path.read_text()
    assert text.startswith('#include "../prims.h"\n') and text.endswith("\nvoid handle(void)\n{\n}\n")
    path.write_text(text.replace("/* End of the generated part. */", ""))
    with pytest.raises(ConfigError, match=r"TrapDispatcher\.c: the generated part must stand once"):
        regenerate(small)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("number: 24", "number: 14", "call HVC_REGISTER: number: 14 comes after 14"),
        ("number: 24", "number: -1", r"hypercalls\.yaml:\d+: calls\.1\.number: "),
        ("name: HVC_REGISTER", "name: HVC_CLEAR", "call HVC_CLEAR: name: two calls have this name"),
        ("name: HVC_REGISTER", "name: register", r"hypercalls\.yaml:\d+: calls\.1\.name: "),
        ("type: vm}", "type: vn}", "call HVC_CLEAR: arguments.0.type: no type 'vn'; known: word, vm"),
        ("{name: size, type", "{name: start, type", "call HVC_CLEAR: arguments.1.name: 'start' stands twice"),
        ("second: size", "second: length", "call HVC_CLEAR: fits.0.second: 'length' is not an argument"),
        ("second: size", "second: start", "call HVC_CLEAR: fits.0.second: the same argument twice"),
        ("handler: clear", "handler: clean", "call HVC_CLEAR: handler: prims.h has no prototype of clean"),
        ("handler: enroll", "handler: handle", "call HVC_REGISTER: returns: handle has no result"),
        ("    returns: a number\n", "", "call HVC_REGISTER: returns: enroll has a result: say what it is"),
        (
            "handler: enroll\n    returns: a number",
            "handler: handle",
            "call HVC_REGISTER: handler: handle is not a function of a layer below TrapDispatcher",
        ),
        (
            "[{name: vm, type: vm}, ",
            "[",
            r"call HVC_CLEAR: arguments: clear takes \(u32, u64, u64\), the call has \(u64, u64\)",
        ),
        ("low: 1, below: 16", "low: 16, below: 16", "type vm: below: no value is at least 16"),
        ("low: 1, below: 16, ", "", "type vm: below: a u32 is less than"),
        ("c: u64", "c: u8", r"hypercalls\.yaml:\d+: types\.word\.c: "),
        ("prose: A new VM.", "prose: A.\n    return: x", r"hypercalls\.yaml:\d+: .*'calls\.1\.return'"),
        ("types:", "type:", r"hypercalls\.yaml: 2 problems"),
    ],
)
def test_a_wrong_table_names_file_call_and_field(small: Path, old: str, new: str, message: str) -> None:
    path = small / "hypercalls.yaml"
    assert path.read_text().count(old) >= 1
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_hypercalls(small)
    assert str(path) in str(caught.value)


def test_the_audit_sees_a_stale_table(project: Path, tmp_path: Path) -> None:
    """On a copy of the sources: a number changed in the table alone makes each generated file a finding."""
    copy = tmp_path / "proofs"
    built = shutil.ignore_patterns("*.vo*", "*.glob", "*.aux", ".aetool")
    shutil.copytree(project / "proofs", copy, ignore=built)
    (tmp_path / "docs/proofs").mkdir(parents=True)
    shutil.copy(project / "docs/proofs/hypercalls.md", tmp_path / "docs/proofs")
    assert not [found for found in check_files(load_tree(copy)) if "hypercalls" in found.message]
    table = copy / "hypercalls.yaml"
    table.write_text(table.read_text().replace("number: 29", "number: 30"))
    found = [found.subject for found in check_files(load_tree(copy)) if "hypercalls" in found.message]
    assert len(found) == 3 and all(subject.endswith(":stale") for subject in found)


def test_command(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes, then finds in sync; with --check it fails on a stale file and writes nothing."""
    monkeypatch.setattr("aetool.core.project.project_root", lambda: small.parent)
    failed = CliRunner().invoke(command, ["hypercalls", "--check"])
    assert isinstance(failed.exception, AuditError) and "Table.v" in str(failed.exception)
    assert not (small / "layers/TrapDispatcher/Table.v").exists()
    wrote = CliRunner().invoke(command, ["hypercalls"])
    assert re.search(r"written +proofs/layers/TrapDispatcher/Table\.v", wrote.output)
    done = CliRunner().invoke(command, ["hypercalls", "--check", "--json"])
    assert {row["state"] for row in json.loads(done.output)} == {"in sync"}
    assert set(outputs(small)) == {small.parent / row["file"] for row in json.loads(done.output)}
