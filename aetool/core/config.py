# SPDX-License-Identifier: Apache-2.0
"""YAML files checked against typed models, with errors that name file, line and field.

Every file that a user may edit is read through `load_yaml`. Unknown keys are errors, because a
misspelt key that is silently ignored costs somebody a night of benchmarks.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from aetool.core.errors import ConfigError


class Model(BaseModel):
    """Base of all configuration models: immutable, unknown keys forbidden, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=BaseModel)
Loc = tuple[int | str, ...]


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a mapping with the same key twice (YAML's last-one-wins hides typos)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice in one mapping", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the parsed contents of a YAML file.

    Raises ConfigError if the file is missing, unreadable, not UTF-8 or not YAML.
    """
    return _parse(path)[0]


def load_yaml(path: Path, model: type[M]) -> M:
    """Read a YAML file and check it against `model`.

    Raises ConfigError with one line per problem: file, line, field, what was found, what is allowed.
    """
    data, node = _parse(path)
    try:
        # JSON-mode validation would turn off strictness for enums and paths; python mode with
        # strict models keeps "1" and 1 apart but accepts lists for tuples only when told so.
        return model.model_validate(data, strict=False)
    except ValidationError as error:
        problems = [_describe(path, node, model, item) for item in error.errors()]
        raise ConfigError(
            problems[0] if len(problems) == 1 else f"{path}: {len(problems)} problems",
            detail=None if len(problems) == 1 else "\n".join(problems),
            hint="correct the file and run the same command again",
        ) from error


def _parse(path: Path) -> tuple[Any, yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return yaml.load(text, Loader=_UniqueKeyLoader), node  # a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        start = error.context_mark
        since = f" ({error.context}, which starts in line {start.line + 1})" if start else ""
        raise ConfigError(f"{where}: {error.problem or 'not valid YAML'}{since}") from error


def _line(node: yaml.Node | None, loc: Loc) -> int | None:
    """Line (from 1) of the deepest part of `loc` that exists in the file."""
    line = None
    for part in loc:
        if node is None:
            break
        line = node.start_mark.line + 1
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if getattr(key, "value", None) == str(part):
                    line, child = key.start_mark.line + 1, value
                    break
            else:
                continue  # a union's or validator's tag in the location, not a key of the file
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = child.start_mark.line + 1
        node = child
    return line


def _field_names(model: type[BaseModel], loc: Loc) -> list[str]:
    """Names allowed in the mapping that holds the last element of `loc`, if that can be told."""
    current: Any = model
    is_key = False
    for part in loc[:-1]:
        if isinstance(part, int) or is_key:
            is_key = False
            continue
        fields = getattr(current, "model_fields", None)
        if fields is None or part not in fields:
            return []
        is_key = get_origin(fields[part].annotation) is dict
        current = _inner_model(fields[part].annotation)
    fields = getattr(current, "model_fields", None)
    return list(fields) if fields else []


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None


def _describe(path: Path, node: yaml.Node | None, model: type[BaseModel], item: Any) -> str:
    loc: Loc = item["loc"]
    line = _line(node, loc)
    where = f"{path}:{line}" if line else str(path)
    field = ".".join(str(part) for part in loc) or "(top level)"
    if item["type"] == "extra_forbidden":
        allowed = _field_names(model, loc)
        close = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
        tail = f"; did you mean {close[0]!r}?" if close else ""
        known = f" (allowed here: {', '.join(allowed)})" if allowed else ""
        return f"{where}: unknown key {field!r}{tail}{known}"
    if item["type"] == "missing":
        return f"{where}: the key {field!r} is required but missing"
    return f"{where}: {field}: {item['msg']}; found {item.get('input')!r}"
