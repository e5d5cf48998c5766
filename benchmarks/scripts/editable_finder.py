"""An editable install through setuptools' finder, which a .pth file loads at every start."""

import demo_finder.inner

print(demo_finder.inner.NAME)
