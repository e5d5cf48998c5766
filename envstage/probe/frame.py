"""How the probe's words are told from what else is written to standard output."""

from __future__ import annotations

import os
import sys


def write(cookie: str, text: str) -> None:
    """Write a text between two cookies, in one piece.

    Anything else may write there too: a `sitecustomize`, a `.pth` file, an exit handler.
    """
    frame = "\n%s%s%s\n" % (cookie, text, cookie[::-1])
    sys.stdout.flush()
    data = frame.encode("ascii")
    while data:
        data = data[os.write(1, data) :]
