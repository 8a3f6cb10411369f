# SPDX-License-Identifier: Apache-2.0
"""Building kernels, on a stand-in for a kernel's tree: the same targets of make, with one compiled file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aetool.core.config import load_yaml
from aetool.core.errors import ConfigError, LabError, MissingToolError, StorageError
from aetool.core.progress import Silent
from aetool.core.ssh import Result
from aetool.lab import Lab
from aetool.lab.build import Built, KernelRecipe, build, missing, settings
from aetool.lab.local import LocalRemote

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("make", "gcc", "flex", "bison", "bc")),
    reason="make, gcc, flex, bison or bc is not installed",
)

# Like the kernel's: .config is made by a target, olddefconfig drops options that it does not know.
MAKEFILE = """\
small_defconfig:
\techo CONFIG_BASE=y >$(O)/.config
olddefconfig:
\tgrep -v CONFIG_UNKNOWN $(O)/.config >$(O)/.config.new || true
\tmv $(O)/.config.new $(O)/.config
\techo configured >>$(O)/history
kernelrelease:
\t@echo 4.18.0+
$(O)/main.o: main.c
\t$(CROSS_COMPILE)gcc $(KCFLAGS) -c -o $@ $<
\techo compiled >>$(O)/history
Image: $(O)/main.o
\tmkdir -p $(O)/arch/arm64/boot
\tcp $(O)/main.o $(O)/arch/arm64/boot/Image
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    place.mkdir()
    (place / "Kconfig").write_text("")
    (place / "Makefile").write_text(MAKEFILE)
    (place / "main.c").write_text("int start(void) { return 0; }\n")
    return place


def recipe(folder: Path, fragment: str = "CONFIG_KVM=y\n", more: str = "") -> Path:
    (folder / "fragment.config").write_text(fragment)
    path = folder / "recipe.yaml"
    path.write_text(f'base: small_defconfig\nfragments: [fragment.config]\ncross_compile: ""\n{more}')
    return path


def make(tree: Path, recipe_file: Path) -> Built:
    out = str(tree.parent / "out")
    return build(LocalRemote(), str(tree), recipe_file, out, jobs=1, timeout=60, progress=Silent())


def test_a_kernel_is_built_outside_its_tree_with_the_fragment_on_top(tree: Path, tmp_path: Path) -> None:
    before = sorted(p.name for p in tree.iterdir())
    built = make(tree, recipe(tmp_path))
    assert built.release == "4.18.0+"
    assert Path(built.image).read_bytes()[:4] == b"\x7fELF"
    assert sorted(p.name for p in tree.iterdir()) == before
    assert (tmp_path / "out" / ".config").read_text() == "CONFIG_BASE=y\nCONFIG_KVM=y\n"


def test_a_second_build_configures_and_compiles_nothing_anew(tree: Path, tmp_path: Path) -> None:
    make(tree, recipe(tmp_path))
    make(tree, recipe(tmp_path))
    history = (tmp_path / "out" / "history").read_text().split()
    assert history == ["configured", "compiled"]
    make(tree, recipe(tmp_path, "CONFIG_KVM=y\nCONFIG_MORE=y\n"))
    assert (tmp_path / "out" / "history").read_text().split() == [*history, "configured"]


def test_an_option_that_the_tree_does_not_grant_stops_the_build(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="does not grant 1 of the options") as caught:
        make(tree, recipe(tmp_path, "CONFIG_KVM=y\nCONFIG_UNKNOWN=y\n"))
    assert caught.value.detail == "CONFIG_UNKNOWN: asked for y, got n"
    assert not (tmp_path / "out" / "main.o").exists()


def test_a_tree_that_does_not_compile_gives_the_compiler_s_message_and_can_be_mended(
    tree: Path, tmp_path: Path
) -> None:
    (tree / "main.c").write_text("int start(void) { return nothing; }\n")
    with pytest.raises(LabError, match=r"failed with status 2; the whole log is in .*build\.log") as caught:
        make(tree, recipe(tmp_path))
    assert "nothing" in (caught.value.detail or "")
    # what an old tree needs under a new compiler can be given by the recipe
    make(tree, recipe(tmp_path, more='make: {KCFLAGS: "-Dnothing=0"}\n'))


def test_a_full_disk_is_named_as_such(tree: Path, full_disk: Path) -> None:
    (tree / "main.c").write_text("char room[4 << 20] = {1};\n")
    with pytest.raises(StorageError, match="the disk is full"):
        build(
            LocalRemote(), str(tree), recipe(tree.parent), str(full_disk / "out"), jobs=1, timeout=60,
            progress=Silent(),
        )  # fmt: skip


def test_a_build_that_takes_too_long_is_ended(tree: Path, tmp_path: Path) -> None:
    (tree / "Makefile").write_text(MAKEFILE + "\tsleep 60\n")
    with pytest.raises(LabError, match="ran longer than 2 s"):
        build(
            LocalRemote(), str(tree), recipe(tmp_path), str(tmp_path / "out"), jobs=1, timeout=2,
            progress=Silent(),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base: small_defconfig\nfragment: [x]\n", "did you mean 'fragments'"),
        ("base: make all\n", "base"),
        ("base: small_defconfig\nmake: {'O=/etc': x}\n", "make"),
        (
            "base: small_defconfig\nfragments: [none.config]\ncross_compile: ''\n",
            "none.config: cannot be read",
        ),
    ],
)
def test_a_recipe_with_a_mistake_is_refused(tree: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        make(tree, path)


def test_what_is_no_kernel_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the source tree of a kernel"):
        make(tmp_path / "tree", recipe(tmp_path))


def test_an_arm_host_uses_its_own_compiler_and_another_one_that_of_the_recipe(
    tree: Path, tmp_path: Path
) -> None:
    class Arm(LocalRemote):
        def run(self, argv, **options) -> Result:  # type: ignore[no-untyped-def]
            if list(argv) == ["uname", "-m"]:
                return Result("uname -m", 0, "aarch64\n", "", 0.0)
            return super().run(argv, **options)

    path = recipe(tmp_path)
    path.write_text(path.read_text().replace('cross_compile: ""', "cross_compile: no-such-"))
    out = str(tmp_path / "out")
    built = build(Arm(), str(tree), path, out, jobs=1, timeout=60, progress=Silent())
    assert Path(built.image).exists()
    with pytest.raises(MissingToolError, match="no-such-gcc not installed") as caught:
        make(tree, path)
    assert "gcc-aarch64-linux-gnu" in (caught.value.hint or "")


def test_a_patch_is_applied_once_and_one_that_does_not_apply_is_named(tree: Path, tmp_path: Path) -> None:
    hunk = "--- a/main.c\n+++ b/main.c\n@@ -1 +1 @@\n"
    hunk += "-int start(void) { return 0; }\n+int start(void) { return 1; }\n"
    (tmp_path / "cycles.diff").write_text(hunk)
    for _ in range(2):
        make(tree, recipe(tmp_path, more="patches: [cycles.diff]\n"))
        assert (tree / "main.c").read_text() == "int start(void) { return 1; }\n"
    (tmp_path / "cycles.diff").write_text(
        hunk.replace("return 0", "return 7").replace("return 1", "return 8")
    )
    with pytest.raises(LabError, match=r"cycles\.diff does not apply to"):
        make(tree, recipe(tmp_path, more="patches: [cycles.diff]\n"))


def test_modules_are_staged_and_the_load_address_of_the_machine_goes_along(
    tree: Path, tmp_path: Path
) -> None:
    with (tree / "Makefile").open("a") as handle:
        handle.write(
            "modules: $(O)/main.o\n"
            "modules_install:\n"
            "\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/4.18.0+\n"
            "\tcp $(O)/main.o $(INSTALL_MOD_PATH)/lib/modules/4.18.0+/tun.ko\n"
        )
    built = make(tree, recipe(tmp_path, more="modules: true\nload_address: 0x80000\n"))
    assert built.load_address == 0x80000
    assert built.modules is not None
    assert (Path(built.modules) / "lib/modules/4.18.0+/tun.ko").exists()


@pytest.mark.e2e
def test_a_tree_is_sent_to_a_host_and_built_there_by_commands(
    tree: Path, tmp_path: Path, lab: Lab, place: Path
) -> None:
    program = "from aetool.cli.main import run; run()"
    where = ["--name", "shared", "--state", str(place), "--on", "server"]
    source = (
        "source: {kind: archive, urls: ['https://example.invalid/linux.tar'], sha256: '" + "0" * 64 + "'}\n"
    )
    kernel = str(recipe(tmp_path, more=source + "load_address: 0x80000\n"))

    def aetool(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, "lab", *words], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    aetool("source", *where, "--from", str(tree), kernel, "/opt/linux")
    said = aetool("kernel", "build", *where, "/opt/linux", kernel, "--out", "/opt/out")
    assert said.split() == [
        "/opt/out/arch/arm64/boot/Image", "--release", "4.18.0+", "--load-address", "0x80000",
        "--built-there",
    ]  # fmt: skip
    assert lab.hosts["server"].get("/opt/out/arch/arm64/boot/Image")[:4] == b"\x7fELF"


def test_every_recipe_of_the_project_is_one(project: Path) -> None:
    found = sorted((project / "cloudlab" / "kernel").glob("*.yaml"))
    assert len(found) >= 3
    for path in found:
        kernel = load_yaml(path, KernelRecipe)
        assert all((path.parent / name).is_file() for name in (*kernel.fragments, *kernel.patches)), path


def test_options_not_set_count_as_asked_for() -> None:
    asked = settings('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="x y"\n# a comment\n')
    assert asked == {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": '"x y"'}
    assert missing(asked, {"CONFIG_A": "y", "CONFIG_C": '"x y"'}) == []
    assert missing(asked, {"CONFIG_B": "m"}) == [
        "CONFIG_A: asked for y, got n",
        "CONFIG_B: asked for n, got m",
        'CONFIG_C: asked for "x y", got n',
    ]
