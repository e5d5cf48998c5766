"""stevedore keeps a cache of all entry points."""

from stevedore import ExtensionManager

print(ExtensionManager("demo.plugins", invoke_on_load=True).names())
