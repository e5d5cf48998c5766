"""Gradient boosting with XGBoost."""

import numpy as np
import xgboost

data = np.random.default_rng(0).random((50, 3))
model = xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(data, data[:, 0])
print(model.predict(data)[:2])
