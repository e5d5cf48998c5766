"""What engines complain of, as they print it."""

import pytest

from envstage.pipelines.complaint import complaint

DVC_YAML = """\
'./dvc.yaml' is invalid.

While parsing a flow node, in line 2, column 1
Expected the node content, but found '<stream end>', in line 2, column 1
  2
"""
SNAKEFILE = """\
Assuming unrestricted shared filesystem usage.
SyntaxError in file "/home/ada/Snakefile", line 9:
Expected name or colon after rule or checkpoint keyword.:
None
"""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (DVC_YAML, "'./dvc.yaml' is invalid. While parsing a flow node, in line 2, column 1"),
        (
            SNAKEFILE,
            'SyntaxError in file "/home/ada/Snakefile", line 9: Expected name or colon after rule '
            "or checkpoint keyword",
        ),
        ("", "it does not say why"),
    ],
)
def test_the_words_that_tell(said: str, words: str) -> None:
    assert complaint(said) == words
    assert complaint(said.encode()) == words


def test_secrets_are_left_out() -> None:
    assert "ghp_" not in complaint("ERROR: token ghp_" + "a1B2" * 9)
