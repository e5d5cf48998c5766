"""Two distributions share a namespace; one of them is used."""

import demo_space.alpha

print(demo_space.alpha.NAME)
