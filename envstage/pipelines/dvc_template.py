"""`${…}` in dvc.yaml, resolved as DVC does it: parameters, variables, an instance's item.

https://dvc.org/doc/user-guide/project-structure/dvcyaml-files#templating. Only for reading paths:
what this does not know stays as it is written, and whoever asked says so.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from envstage.pipelines.dvc_usage import load_yaml

_REFERENCE: Final = re.compile(r"(?<!\\)\$\{\s*([^}]+?)\s*\}")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\w+)\]")
_PARAMS: Final = "params.yaml"
_MISSING: Final = object()
Values = Mapping[str, Any]


def resolved(text: str, values: Values) -> str:
    """A text with every reference that is known replaced."""

    def value_of(match: "re.Match[str]") -> str:
        found = _looked_up(match[1], values)
        if found is _MISSING or isinstance(found, dict | list):
            return match[0]
        return _words(found)

    return _REFERENCE.sub(value_of, text)


def is_resolved(text: str) -> bool:
    """Whether no reference is left."""
    return _REFERENCE.search(text) is None


def values_in(folder: str, document: Values, stage: Values, instance: str) -> dict[str, Any]:
    """What the references of a stage may mean.

    Args:
        folder: that of dvc.yaml.
        document: dvc.yaml.
        stage: the entry of the stage in it.
        instance: what stands behind `@` in its address; empty for a stage of its own.
    """
    found = read_params(os.path.join(folder, _PARAMS))
    found = _with_variables(found, folder, document)
    if instance:
        found |= _item(found, stage, instance)
    body = stage.get("do")
    return _with_variables(found, folder, body if isinstance(body, dict) else stage)


def read_params(path: str) -> dict[str, Any]:
    """A file of parameters: YAML, JSON or TOML; empty where it cannot be read as one."""
    if path.endswith(".toml"):
        return _toml(path)
    if path.endswith(".json"):
        try:
            with open(path, "rb") as file:
                document = json.load(file)
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}
    return load_yaml(path)


def look_up(name: str, values: Values) -> Any:
    """The value of a parameter (`train.lr`, `layers[0]`); None where there is none."""
    found = _looked_up(name, values)
    return None if found is _MISSING else found


def _toml(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(path, "rb") as file:
            return dict(tomllib.load(file))
    except (OSError, ValueError):
        return {}


def _with_variables(values: dict[str, Any], folder: str, owner: Values) -> dict[str, Any]:
    """Values with those that `vars:` of a document or a stage adds."""
    for item in owner.get("vars") or ():
        known = resolved(item, values) if isinstance(item, str) else item
        values = _merged(values, _variables(folder, known))
    return values


def _variables(folder: str, item: Any) -> dict[str, Any]:
    """One entry of `vars:`: values, a file, or some keys of a file (`file.yaml:a,b`)."""
    if isinstance(item, dict):
        return item
    path, _, keys = str(item).partition(":")
    found = read_params(os.path.join(folder, path))
    return {key: found[key] for key in keys.split(",") if key in found} if keys else found


def _merged(one: Values, other: Values) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        mine = result.get(key)
        both = isinstance(mine, dict) and isinstance(value, dict)
        result[key] = _merged(mine, value) if both else value  # type: ignore[arg-type]
    return result


def _item(values: Values, stage: Values, instance: str) -> dict[str, Any]:
    """What `item` and `key` mean in an instance of a `foreach` or `matrix` stage."""
    for key, item in _instances(values, stage):
        if key == instance:
            return {"item": item, "key": key}
    return {}


def _instances(values: Values, stage: Values) -> Iterator[tuple[str, Any]]:
    if "matrix" in stage:
        axes = _data(stage["matrix"], values)
        listed = {name: _data(each, values) for name, each in axes.items()} if axes else {}
        for combination in product(*(enumerate(each) for each in listed.values())):
            names = [
                f"{name}{index}" if isinstance(item, dict | list) else _words(item)
                for name, (index, item) in zip(listed, combination, strict=True)
            ]
            items = {name: item for name, (_, item) in zip(listed, combination, strict=True)}
            yield "-".join(names), items
        return
    data = _data(stage.get("foreach"), values)
    if isinstance(data, dict):
        yield from ((_words(key), item) for key, item in data.items())
    elif isinstance(data, list):
        has_parts = any(isinstance(item, dict | list) for item in data)
        yield from (
            (str(index) if has_parts else _words(item), item) for index, item in enumerate(data)
        )


def _data(item: Any, values: Values) -> Any:
    """Data of a `foreach` or `matrix`, which may be one reference."""
    match = _REFERENCE.fullmatch(item.strip()) if isinstance(item, str) else None
    return look_up(match[1], values) if match else item


def _looked_up(name: str, values: Any) -> Any:
    for part, index in _STEP.findall(name):
        key = part or index
        if isinstance(values, dict):
            values = values.get(key, _MISSING)
        elif isinstance(values, list) and key.isdigit() and int(key) < len(values):
            values = values[int(key)]
        else:
            return _MISSING
    return values


def _words(value: Any) -> str:
    """A value as DVC writes it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
