"""A handler at exit imports a package."""

import atexit


def at_the_end():
    import yaml

    print(yaml.dump([1]))


atexit.register(at_the_end)
