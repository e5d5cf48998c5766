"""Entry point of the probe. Only syntax that Python 2.7 can parse: an old one must say so.

Arguments: the frame's cookie, and the folder of the build digests' cache (empty: none); or the
cookie alone, to be told only whether anything is otherwise than it was (`identities`).
"""

import sys

TOO_OLD = 78

if sys.version_info < (3, 8):
    sys.stderr.write("envstage: Python 3.8 or newer is needed\n")
    sys.exit(TOO_OLD)

import os  # noqa: E402  # loaded at every start

_here = __file__.replace("\\", "/").rpartition("/")[0]
# The script's folder is not on the stage's path; what lies here must shadow nothing.
if sys.path and sys.path[0].replace("\\", "/") == _here:
    del sys.path[0]

# A `json.py` on PYTHONPATH is for the program to import, not for the probe: what is imported
# from here on comes from the standard library, where it has it.
_path = list(sys.path)
_standard = os.path.dirname(os.path.abspath(os.__file__))
sys.path.sort(key=lambda entry: not entry.startswith(_standard) or "-packages" in entry)

# The package under a name of its own, so that envstage need not be importable here.
_package = type(sys)("envstage_probe")
_package.__path__ = [_here]
sys.modules["envstage_probe"] = _package

if len(sys.argv) > 2:
    from envstage_probe.answer import respond  # type: ignore

    respond(sys.argv[1], sys.argv[2], _path)
else:
    from envstage_probe.frame import write  # type: ignore
    from envstage_probe.identities import seen  # type: ignore

    write(sys.argv[1], seen(_path)[0])
