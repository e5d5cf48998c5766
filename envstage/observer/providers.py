"""Which distribution provides a module: the names looked up in `packages_distributions()`.

Runs inside the observed program (see `recorder`). The mapping is made from the metadata of every
distribution, and nearly everybody asks it for a few names (transformers, click). So the
program gets a dictionary that hears which: for a key, the fact is who provides that name;
for anything else, the whole mapping, which still is less than every version.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

WHOLE = "*"
BY_KEY = ("__getitem__", "__contains__", "get", "pop", "setdefault", "__setitem__", "__delitem__")
BY_ALL = (
    "__iter__",
    "__len__",
    "__eq__",
    "__ne__",
    "__repr__",
    "__or__",
    "__ror__",
    "__reversed__",
    "keys",
    "values",
    "items",
    "copy",
    "popitem",
)


def watch_mapping(report: "Any", module: "Any") -> None:
    """Put a function in the place of a module's `packages_distributions`."""
    plain = getattr(module, "packages_distributions", None)  # Python 3.10 and newer
    if plain is None:
        return
    kind = heard_kind(report)

    def packages_distributions() -> "Any":
        return kind(plain())

    for name in ("__doc__", "__module__", "__qualname__", "__annotations__"):
        setattr(packages_distributions, name, getattr(plain, name, None))
    module.packages_distributions = packages_distributions


def heard_kind(report: "Any") -> "Any":
    """A dictionary that says what is asked of it."""

    def asked(mapping: "Any", key: "Any") -> None:
        if not isinstance(key, str) or ("provider", WHOLE) in report.seen:
            return
        report.once("provider", key)
        for name in dict.get(mapping, key, ()):
            report.once("distribution", str(name))

    def plain(mapping: "Any", protocol: int) -> "Any":
        report.once("provider", WHOLE)
        return dict, (dict(mapping),)

    space: "Any" = {"__module__": "builtins", "__hash__": None, "__reduce_ex__": plain}
    space.update((name, by_key(asked, name)) for name in BY_KEY)
    space.update((name, by_all(report, name)) for name in BY_ALL if hasattr(dict, name))
    return type("dict", (dict,), space)


def by_key(asked: "Callable[[Any, Any], None]", name: str) -> "Any":
    """A method whose first argument is a key."""
    method = getattr(dict, name)

    def heard(self: "Any", key: "Any", *arguments: "Any") -> "Any":
        asked(self, key)
        return method(self, key, *arguments)

    heard.__name__ = name
    return heard


def by_all(report: "Any", name: str) -> "Any":
    """A method that tells of the whole mapping."""
    method = getattr(dict, name)

    def heard(self: "Any", *arguments: "Any") -> "Any":
        report.once("provider", WHOLE)
        return method(self, *arguments)

    heard.__name__ = name
    return heard
