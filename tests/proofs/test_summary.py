# SPDX-License-Identifier: Apache-2.0
"""The state of the tree as a table and as a document, and what two builds at a time do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from scratch_tree import FILES, Scratch

from aetool.proofs import summary
from aetool.proofs.store import Store, Stored

AETOOL = str(Path(sys.executable).parent / "aetool")
LAYER = {
    "layers/One/Spec.v": "Definition f_spec := 0.\n",
    "layers/One/Refine.v": "Lemma l : 0 = 0.\nProof.\n  reflexivity.\nQed.\n",
}


def status(scratch: Scratch) -> dict[str, object]:
    done = subprocess.run(
        [AETOOL, "proofs", "status", "--json", "--project", str(scratch.root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (row,) = json.loads(done.stdout)
    assert isinstance(row, dict)
    return row


def test_a_layer_that_does_not_exist_is_a_row_of_the_table(scratch: Scratch) -> None:
    row = status(scratch)
    assert (row["number"], row["name"], row["Spec.v"], row["complete"]) == (1, "One", None, False)


def test_the_table_follows_what_is_built_and_edited(scratch: Scratch) -> None:
    scratch.write(LAYER)
    assert status(scratch)["Spec.v"] == "not built"
    scratch.build()
    row = status(scratch)
    assert (row["Spec.v"], row["Refine.v"], row["Code.v"]) == ("passed", "passed", None)
    assert (row["lines_spec"], row["lines_proof"]) == (2, 3)
    scratch.write({"layers/One/Spec.v": "Definition f_spec := 1.\n"})
    assert status(scratch)["Spec.v"] == "not built"
    scratch.write({"layers/One/Spec.v": "Definition f_spec := nonsense.\n"})
    scratch.build()
    assert status(scratch)["Spec.v"] == "failed"


def test_a_dependent_of_a_stale_file_does_not_count_as_passed(scratch: Scratch) -> None:
    scratch.build()
    scratch.write({"base/A.v": "Definition x := 2.\n"})
    states = {
        file["path"]: file["status"] for part in summary(scratch.root)["parts"] for file in part["files"]
    }
    assert states == {"base/A.v": "not built", "base/B.v": "not built", "top/C.v": "not built"}


def test_the_summary_of_a_tree_that_passes_has_its_audit(scratch: Scratch) -> None:
    scratch.build()
    document = summary(scratch.root)
    assert document["passed"]
    assert document["audit"]["passed"]
    assert [part["name"] for part in document["parts"]] == ["base", "top"]
    assert document["layers_missing"] == [{"number": 1, "name": "One"}]
    assert json.loads(json.dumps(document)) == document


def test_the_summary_of_a_tree_that_fails_has_none(scratch: Scratch) -> None:
    scratch.write({"base/A.v": "Lemma a : 1 = 2. Proof. reflexivity. Qed."})
    scratch.build()
    document = summary(scratch.root)
    assert not document["passed"]
    assert document["audit"] is None
    assert document["parts"][0]["status"] == "failed"


def test_two_builds_at_a_time_compile_each_file_once(scratch: Scratch) -> None:
    command = [AETOOL, "proofs", "build", "--project", str(scratch.root)]
    environment = os.environ | {"AETOOL_STORE": str(scratch.store)}
    children = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0]
    outputs = "".join(out for out, _ in printed)
    assert "3 compiled" in outputs
    assert "0 compiled" in outputs


def test_the_store_drops_what_was_not_used_for_longest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    contents = {name: name.encode() * 100 for name in ("one", "two", "six")}
    for age, (name, data) in enumerate(contents.items()):
        digest = hashlib.sha256(data).hexdigest()
        store.put(f"{age}{name}", Stored(digest, "library:0", 1.0, 1), data)
        os.utime(tmp_path / "objects" / digest[:2] / digest, (1000 + age, 1000 + age))
    assert store.get("0one") is not None  # used now
    assert store.prune(limit=600) == 1
    assert store.get("1two") is None
    assert store.get("0one") is not None
    assert store.get("2six") is not None


def test_a_store_that_cannot_be_written_is_said_once_and_left_alone(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a directory is wanted")
    result = scratch.build(store=tmp_path / "blocked")
    assert result.passed
    assert len(scratch.compiled(result)) == len(FILES)
    assert sum("the store is not used any more" in note for note in result.notes) == 1
