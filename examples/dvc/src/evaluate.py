"""Score the model on rows that it has not seen."""

import json

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

if __name__ == "__main__":
    rows = pd.read_csv("data/test.csv")
    features, target = rows.drop(columns="target"), rows["target"]
    model = joblib.load("model.joblib")
    metrics = {
        "accuracy": round(float(accuracy_score(target, model.predict(features))), 6),
        "roc_auc": round(float(roc_auc_score(target, model.predict_proba(features)[:, 1])), 6),
    }
    with open("metrics.json", "w", encoding="utf-8") as file:
        json.dump(metrics, file, indent=2)
        file.write("\n")
