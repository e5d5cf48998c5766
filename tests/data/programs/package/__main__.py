import sys

from package import helper

print(sys.argv, __name__, __package__, sys.path[0], helper.__file__)
