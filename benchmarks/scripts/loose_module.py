"""A module in site-packages that no distribution has installed."""

import demo_loose

print(demo_loose.NAME)
