"""What MLflow keeps with a model: python_env.yaml, with requirements.txt beside it.

The requirements are what the model was seen to import: a part of the environment, so a package
that is not in the list is not absent. https://mlflow.org/docs/latest/model/dependencies/
"""

from typing import Final

from envstage.compare.foreign import conda_environment, requirements
from envstage.compare.foreign.interface import Document, Foreign, unreadable
from envstage.compare.sides import Coverage
from envstage.errors import EnvstageError
from envstage.snapshot.model import Address, Value
from envstage.yaml_node import composed, refuse_bombs

FORMAT: Final = "MLflow model"
_PYTHON: Final = "python_env.yaml"
_LIST: Final = "requirements.txt"
_CONDA: Final = "conda.yaml"
_MODEL: Final = "MLmodel"


def recognises(document: Document) -> bool:
    """One of a model's files, told by its name or by what stands beside it."""
    if document.name in (_PYTHON, _MODEL):
        return True
    is_beside = _PYTHON in document.beside or _MODEL in document.beside
    return is_beside and document.name in (_LIST, _CONDA)


def read(document: Document) -> Foreign:
    """The interpreter from the one, the packages from the other."""
    facts: dict[Address, Value] = {}
    listed, python, conda = (document.other(name) for name in (_LIST, _PYTHON, _CONDA))
    if python is not None:
        facts |= _interpreter(python)
    elif conda is not None:
        facts |= {
            address: value
            for address, value in conda_environment.read(conda).facts.items()
            if address[0] in ("python", "packages")
        }
    unlisted: frozenset[str] = frozenset()
    if listed is not None:
        packages = requirements.read(listed)
        facts |= packages.facts
        unlisted = packages.coverage.unlisted
    return Foreign(format=FORMAT, facts=facts, coverage=Coverage(unlisted=unlisted))


def _interpreter(document: Document) -> dict[Address, Value]:
    try:
        root = composed(document.data, document.where)
        if root is None:
            return {}
        refuse_bombs(root.node, document.where)
        found = {key: value for key, _, value in root.entries()}
        return {("python", "version"): found["python"].text()} if "python" in found else {}
    except EnvstageError as error:
        raise unreadable(document.where, error.what) from None
