# SPDX-License-Identifier: Apache-2.0
"""The manifest has all functions of the hypervisor, each in its layer, and each layer's code has its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aetool.proofs.tree import Layer, Manifest, load_tree

HERE = Path(__file__).parent

# What a layer of this project has beside the published functions.
ADDED = {"MmioPTWalk": ("clear_smmu_pgd",), "MmioOps": ("vm_has_bank",)}

# The highest layer below which no function may be missing.
DONE = 12


def read_functions(path: Path) -> dict[str, tuple[str, ...]]:
    """The layers' names, lowest first, with the names of their functions."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    pairs = [line.split(":") for line in lines]
    return {name.strip(): tuple(functions.split()) for name, functions in pairs}


def defined_functions(layer: Layer, proofs: Path) -> tuple[str, ...] | None:
    """The functions that the layer's generated code lists, or None if it has no code yet."""
    code = proofs / layer.folder / "Code.v"
    if not code.is_file():
        return None
    _, _, table = code.read_text().partition("Definition code : module :=")
    return tuple(re.findall(r'\("(\w+)", f_\1\)', table))


@pytest.fixture(scope="module")
def manifest(project: Path) -> Manifest:
    return load_tree(project / "proofs").manifest


def differences(manifest: Manifest, published: dict[str, tuple[str, ...]]) -> list[str]:
    """What the manifest says of the layers and their functions that the list does not, and the reverse."""
    found = []
    layers = sorted(manifest.layers, key=lambda layer: layer.number)
    if [layer.name for layer in layers] != list(published):
        found.append("the layers, or their order, differ")
    for layer in layers:
        expected = {*published.get(layer.name, ()), *ADDED.get(layer.name, ())}
        found += [f"{layer.name} lacks {name}" for name in sorted(expected - {*layer.functions})]
        found += [f"{layer.name} has {name}" for name in sorted({*layer.functions} - expected)]
        if len(set(layer.functions)) != len(layer.functions):
            found.append(f"{layer.name} names a function twice")
    return found


def test_the_manifest_has_all_functions_in_their_layers(manifest: Manifest) -> None:
    published = read_functions(HERE / "functions.txt")
    assert (len(published), sum(map(len, published.values()))) == (34, 149)
    assert differences(manifest, published) == []


def test_a_lost_a_strange_and_a_moved_function_are_found(manifest: Manifest) -> None:
    published = read_functions(HERE / "functions.txt")
    published["PTWalk"] = (*published["PTWalk"], "walk_p4d")
    published["NPTOps"] = published["NPTOps"][1:]
    published["MemRegion"], published["PageIndex"] = published["PageIndex"], published["MemRegion"]
    assert differences(manifest, published) == [
        "PTWalk lacks walk_p4d",
        "NPTOps has get_level_s2pt",
        "MemRegion lacks get_s2_page_index",
        "MemRegion has mem_region_search",
        "PageIndex lacks mem_region_search",
        "PageIndex has get_s2_page_index",
    ]


def test_no_function_of_the_layers_of_tables_is_missing(manifest: Manifest) -> None:
    missing = {
        layer.name: layer.missing for layer in manifest.layers if layer.number <= DONE and layer.missing
    }
    assert missing == {}


def test_the_code_of_each_layer_defines_its_functions(manifest: Manifest, project: Path) -> None:
    """All that the manifest names; those that it says are missing may have code without a proof."""
    seen = 0
    for layer in manifest.layers:
        defined = defined_functions(layer, project / "proofs")
        if defined is None:
            assert layer.number > DONE, layer.name
            continue
        seen += 1
        assert len(set(defined)) == len(defined), layer.name
        assert set(layer.functions) - set(layer.missing) <= set(defined) <= set(layer.functions), layer.name
    assert seen >= DONE
