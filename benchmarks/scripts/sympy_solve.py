"""Algebra with SymPy; gmpy2 would be taken if it were there."""

import sympy

x = sympy.symbols("x")
print(sympy.solve(x**2 - 2, x))
