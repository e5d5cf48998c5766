"""An editable install that lies outside the repository (a path in a .pth file)."""

import demo_checkout

print(demo_checkout.NAME)
