"""pluggy loads plugins by going through every distribution."""

import pluggy

manager = pluggy.PluginManager("demo")
print(manager.load_setuptools_entrypoints("demo.pluggy"))
