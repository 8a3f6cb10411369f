# SPDX-License-Identifier: Apache-2.0
"""A wrong YAML file gets one message with file, line, field, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aetool.core.config import Model, load_yaml, read_yaml
from aetool.core.errors import ConfigError


class Leaf(Model):
    port: int
    user: str = "root"


class Tree(Model):
    name: str
    leaves: list[Leaf]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tree.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_correct_file_gives_the_model(tmp_path: Path) -> None:
    path = write(tmp_path, "name: lab\nleaves:\n  - port: 22\n")
    assert load_yaml(path, Tree) == Tree(name="lab", leaves=[Leaf(port=22)])


def test_a_misspelt_key_names_line_field_and_the_likely_key(tmp_path: Path) -> None:
    path = write(tmp_path, "name: lab\nleaves:\n  - port: 22\n    usr: me\n")
    with pytest.raises(ConfigError) as caught:
        load_yaml(path, Tree)
    assert "tree.yaml:4" in caught.value.message
    assert "'leaves.0.usr'" in caught.value.message
    assert "did you mean 'user'" in caught.value.message


def test_a_wrong_type_names_line_and_value(tmp_path: Path) -> None:
    path = write(tmp_path, "name: lab\nleaves:\n  - port: many\n")
    with pytest.raises(ConfigError, match=r"tree\.yaml:3: leaves\.0\.port: .*found 'many'"):
        load_yaml(path, Tree)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'name' is required"):
        load_yaml(write(tmp_path, "leaves: []\n"), Tree)


def test_several_problems_are_all_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "nme: lab\nleaves:\n  - port: x\n")
    with pytest.raises(ConfigError, match="3 problems") as caught:
        load_yaml(path, Tree)
    assert caught.value.detail is not None
    assert len(caught.value.detail.splitlines()) == 3


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tree\.yaml:2: .*'name' stands twice"):
        read_yaml(write(tmp_path, "name: a\nname: b\n"))


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tree\.yaml:3: .*starts in line 2"):
        read_yaml(write(tmp_path, "name: a\nleaves: [1, 2\n"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name: \xe9"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_yaml(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")


def test_an_empty_file_is_a_missing_mapping(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_yaml(write(tmp_path, ""), Tree)
