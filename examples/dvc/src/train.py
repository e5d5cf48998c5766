"""Fit a random forest; one thread and a seed, so that a second run gives the same model."""

import joblib
import pandas as pd
import yaml
from sklearn.ensemble import RandomForestClassifier

if __name__ == "__main__":
    with open("params.yaml", encoding="utf-8") as file:
        chosen = yaml.safe_load(file)
    rows = pd.read_csv("data/train.csv")
    model = RandomForestClassifier(
        n_estimators=chosen["model"]["trees"],
        max_depth=chosen["model"]["depth"],
        random_state=chosen["seed"],
        n_jobs=1,
    )
    model.fit(rows.drop(columns="target"), rows["target"])
    joblib.dump(model, "model.joblib")
