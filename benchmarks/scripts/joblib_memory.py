"""joblib caches results in files."""

from joblib import Memory

memory = Memory("cache", verbose=0)


@memory.cache
def square(number):
    return number**2


print(square(3), square(3))
