"""The orchestration: run the probe and the facets, assemble snapshot and views, write them.

`envstage.capture()` can be called, too: it describes the running interpreter, for notebooks and
training scripts (`envstage.notebook.captured.capture`).
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envstage.notebook.captured import Captured


class _Callable(type(sys)):  # type: ignore[misc]  # types.ModuleType, without importing types
    """This package, which is also a function of the public API.

    `import envstage.refs` binds the name `envstage.capture` to this package, whatever
    `envstage.__getattr__` would have answered: so the package itself has to answer a call.
    """

    def __call__(self, environment: str = "main", *, directory: str = ".") -> "Captured":
        """See `envstage.notebook.captured.capture`."""
        import importlib

        captured: Captured = importlib.import_module("envstage.notebook.captured").capture(
            environment, directory=directory
        )
        return captured


sys.modules[__name__].__class__ = _Callable
