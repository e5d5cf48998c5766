"""A regression by formula with statsmodels (patsy reads it)."""

import pandas as pd
import statsmodels.formula.api as smf

frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.1, 2.9, 4.2]})
print(smf.ols("y ~ x", frame).fit().params)
