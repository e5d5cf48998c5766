"""attrs generates methods: code that claims a file of its own."""

import attrs


@attrs.define
class Point:
    x: int = attrs.field(converter=int)


print(Point("3"))
