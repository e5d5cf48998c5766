"""What the installers say, word for word, and what is made of it."""

import pytest

from envstage.recreate.failures import failure
from envstage.recreate.process import Finished

NAMES = ["six", "numpy", "my-private.pkg"]
UNSOLVED = "error: No solution found when resolving dependencies\n  cause: Because "
SAID = {
    "vanished, uv": (
        UNSOLVED + "there is no version of six==99.9 and you require six==99.9, we can conclude "
        "that your requirements are unsatisfiable.",
        "six",
        "no index that is known here serves this version",
    ),
    "unknown, uv": (
        UNSOLVED + "my-private-pkg was not found in the package registry and you require "
        "my-private-pkg==1.0, we can conclude that your requirements are unsatisfiable.",
        "my-private.pkg",
        "cannot be rebuilt from elsewhere",
    ),
    "credentials, uv": (
        UNSOLVED + "six was not found in the package registry and you require six==1.16.0\n\n"
        "hint: An index URL (https://corp.example/simple) could not be queried due to a lack of "
        "valid authentication credentials (401 Unauthorized)",
        "six",
        "an index wants credentials",
    ),
    "offline, uv": (
        UNSOLVED + "six was not found in the cache and you require six==1.15.0\n\n"
        "hint: Packages were unavailable because the network was disabled.",
        "six",
        "offline, and it is not in the cache",
    ),
    "unreachable, uv": (
        "error: Request failed after 3 retries in 11.7s\n"
        "  cause: Failed to fetch: http://127.0.0.1:9/simple/six/\n"
        "  cause: error sending request for url (http://127.0.0.1:9/simple/six/)",
        "six",
        "it cannot be reached",
    ),
    "vanished, pip": (
        "ERROR: Could not find a version that satisfies the requirement six==99.9 (from versions: "
        "1.16.0, 1.17.0)\nERROR: No matching distribution found for six==99.9",
        "six",
        "no index that is known here serves this version",
    ),
    "build, uv": (
        "  x Failed to build `numpy==1.17.0`\n  NameError: name 'CCompiler' is not defined\n"
        "hint: Build failures usually indicate a problem with the package",
        "numpy",
        "its build failed",
    ),
    "something else": ("error: the moon is full", "the installer", "the moon is full"),
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_package_and_cause_are_named(said: tuple[str, str, str]) -> None:
    text, where, what = said
    error = failure(Finished(returncode=1, lines=tuple(text.splitlines())), NAMES)
    assert error.where == where
    assert what in error.what
    assert error.exit_code == 3
