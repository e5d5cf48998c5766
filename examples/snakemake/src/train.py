"""Fit a random forest; one thread and a seed, so that a second run gives the same model."""

import argparse

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rows")
    parser.add_argument("model")
    parser.add_argument("--trees", type=int, default=100)
    chosen = parser.parse_args()
    rows = pd.read_csv(chosen.rows)[::2]
    model = RandomForestClassifier(n_estimators=chosen.trees, random_state=1, n_jobs=1)
    model.fit(rows.drop(columns="target"), rows["target"])
    joblib.dump(model, chosen.model)
