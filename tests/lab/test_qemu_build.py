# SPDX-License-Identifier: Apache-2.0
"""Building QEMU, on a stand-in of its shape: a configure script, make, a program that answers like it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aetool.core.config import load_yaml
from aetool.core.errors import ConfigError, LabError, MissingToolError
from aetool.core.progress import Silent
from aetool.core.ssh_fake import FakeRemote
from aetool.lab.local import LocalRemote
from aetool.lab.qemu import Emulator, QemuRecipe, build, check, probe

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

CONFIGURE = """\
#!/bin/sh
echo configured "$@" >>history
case $* in *--broken*) echo "ERROR: glib-2.48 is required" >&2; exit 1 ;; esac
cat >Makefile <<'END'
all: aarch64-softmmu/qemu-system-aarch64
aarch64-softmmu/qemu-system-aarch64: TREE/emulator
\techo compiled >>history
\tmkdir -p aarch64-softmmu
\tcp TREE/emulator $@
END
sed -i "s#TREE#$(dirname "$0")#" Makefile
"""
EMULATOR = """\
#!/bin/sh
case $1 in
  --version) echo "QEMU emulator version 3.0.0 (v3.0.0-1-gec883a2)" ;;
  *) echo "Possible accelerators: kvm, xen, tcg"; exit 1 ;;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    place.mkdir()
    for name, text in (("configure", CONFIGURE), ("emulator", EMULATOR)):
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return place


def recipe(folder: Path, **more: str) -> Path:
    fields = {"version": "3.0.0", "accelerators": "[kvm]", "configure": "[--target-list=x]", **more}
    path = folder / "qemu.yaml"
    path.write_text(
        "source: {kind: git, urls: ['https://example.org/qemu.git'], commit: ec883a2c}\n"
        "binary: [qemu-system-aarch64, aarch64-softmmu/qemu-system-aarch64]\n"
        + "".join(f"{name}: {value}\n" for name, value in fields.items())
    )
    return path


def make(tree: Path, recipe_file: Path) -> Emulator:
    out = str(tree.parent / "out")
    return build(LocalRemote(), str(tree), recipe_file, out, jobs=1, timeout=60, progress=Silent())


def test_it_is_built_outside_its_tree_and_probed(tree: Path, tmp_path: Path) -> None:
    before = sorted(p.name for p in tree.iterdir())
    found = make(tree, recipe(tmp_path))
    assert found.path == f"{tmp_path}/out/aarch64-softmmu/qemu-system-aarch64"
    assert (found.version, found.accelerators) == ("3.0.0", ("kvm", "tcg", "xen"))
    assert sorted(p.name for p in tree.iterdir()) == before


def test_a_second_build_does_nothing_and_other_arguments_configure_anew(tree: Path, tmp_path: Path) -> None:
    make(tree, recipe(tmp_path))
    make(tree, recipe(tmp_path))
    history = tmp_path / "out" / "history"
    assert history.read_text().splitlines() == ["configured --target-list=x", "compiled"]
    make(tree, recipe(tmp_path, configure="[--target-list=y]"))
    assert history.read_text().splitlines()[2:] == ["configured --target-list=y"]


def test_an_interrupted_configuration_begins_anew(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="QEMU's configuration failed with status 1") as caught:
        make(tree, recipe(tmp_path, configure="[--broken]"))
    assert "glib-2.48 is required" in (caught.value.detail or "")
    assert make(tree, recipe(tmp_path)).version == "3.0.0"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"version": '"3.0"'}, None),
        ({"version": '"3"'}, None),
        ({"version": "3.0.1"}, "is QEMU 3.0.0, not 3.0.1"),
        ({"version": "7.2.0"}, "is QEMU 3.0.0, not 7.2.0"),
        ({"accelerators": "[hvf]"}, "was built without hvf"),
        ({"tools": "{no-such-tool: some-package}"}, "no-such-tool not installed"),
    ],
)
def test_a_build_that_is_not_what_the_recipe_says_is_refused(
    tree: Path, tmp_path: Path, fields: dict[str, str], said: str | None
) -> None:
    if said is None:
        make(tree, recipe(tmp_path, **fields))
        return
    with pytest.raises((LabError, MissingToolError), match=said):
        make(tree, recipe(tmp_path, **fields))


def test_what_is_no_tree_of_qemu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not QEMU's source tree"):
        make(tmp_path / "tree", recipe(tmp_path))


def test_what_qemu_says_of_its_accelerators_is_read_in_its_old_and_its_new_form() -> None:
    def answer(command: str, stdin: bytes | None) -> tuple[int, str, str]:
        if "--version" in command:
            return 0, "QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg)\nCopyright (c)\n", ""
        return 0, "Accelerators supported in QEMU binary:\nqtest\ntcg\n", ""

    found = probe(FakeRemote("server", answer), "/usr/bin/qemu-system-aarch64")
    assert (found.version, found.accelerators) == ("7.2.18", ("qtest", "tcg"))
    with pytest.raises(LabError, match="does not say its version"):
        probe(FakeRemote("server", lambda command, stdin: (0, "hello\n", "")), "/bin/hello")


def test_a_qemu_without_kvm_is_no_qemu_for_guests(project: Path) -> None:
    for path in sorted((project / "cloudlab" / "qemu").glob("*kvm.yaml")):
        with pytest.raises(LabError, match="was built without kvm") as caught:
            check(Emulator("/q", "3.0.0", ("tcg",)), load_yaml(path, QemuRecipe))
        assert "on the server" in (caught.value.hint or "")


def test_every_recipe_of_the_project_is_one(project: Path) -> None:
    found = sorted((project / "cloudlab" / "qemu").glob("*.yaml"))
    assert len(found) >= 3
    for path in found:
        load_yaml(path, QemuRecipe)
