"""What the template allows its functions, with its parameters and conditions resolved."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import yaml

from infra.packaging.model import REPOSITORY

__all__ = ["allowed", "load_template", "statements_of"]

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::StackName": "it",
}


_Loader: Any = type("_Loader", (yaml.SafeLoader,), {"__doc__": "Reads CloudFormation's short forms as its long ones."})


def _short(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short)


def load_template(name: str = "template.yaml") -> Any:
    """Return a template as plain data."""
    return yaml.load((REPOSITORY / "infra" / name).read_text(), _Loader)


def statements_of(function: str, values: Mapping[str, str], true: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the statements of a function's role.

    Parameters
    ----------
    values
        What parameters and resources are.
    true
        The conditions that hold.
    """
    role = load_template()["Resources"][f"{function.capitalize()}Role"]["Properties"]
    (policy,) = role["Policies"]
    given = {**_PSEUDO, **values}
    resolved = [_resolved(one, given, true) for one in policy["PolicyDocument"]["Statement"]]
    return [one for one in resolved if one is not None]


def _resolved(node: Any, values: Mapping[str, str], true: frozenset[str]) -> Any:
    match node:
        case {"Fn::If": [condition, yes, no]}:
            return _resolved(yes if condition in true else no, values, true)
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            return values[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return values[f"{name}.{attribute}"]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text)
        case dict():
            return {name: _resolved(value, values, true) for name, value in node.items()}
        case list():
            return [_resolved(value, values, true) for value in node]
    return node


def allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Tell whether a role with these statements may do it. All of them allow."""
    assert all(one["Effect"] == "Allow" for one in statements)
    return any(
        any(fnmatchcase(action, pattern) for pattern in one["Action"]) and fnmatchcase(resource, one["Resource"])
        for one in statements
    )
