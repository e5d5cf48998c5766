"""Gradient boosting with LightGBM."""

import lightgbm
import numpy as np

data = np.random.default_rng(0).random((60, 3))
model = lightgbm.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(data, data[:, 0])
print(model.predict(data)[:2])
