"""A function compiled by numba."""

import numba


@numba.njit
def total(number):
    result = 0
    for each in range(number):
        result += each
    return result


print(total(10))
