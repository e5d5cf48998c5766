"""SciPy: compiled modules that import others."""

from scipy import optimize, sparse

print(optimize.minimize(lambda x: (x[0] - 1) ** 2, [0.0]).x, sparse.eye(3).nnz)
