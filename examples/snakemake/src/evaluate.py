"""Score the model on the rows that it has not seen. Snakemake brings `snakemake` along."""

import json

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score

rows = pd.read_csv(snakemake.input.rows)[1::2]  # type: ignore[name-defined]  # noqa: F821
model = joblib.load(snakemake.input.model)  # type: ignore[name-defined]  # noqa: F821
accuracy = float(accuracy_score(rows["target"], model.predict(rows.drop(columns="target"))))
with open(snakemake.output[0], "w", encoding="utf-8") as file:  # type: ignore[name-defined]  # noqa: F821
    json.dump({"accuracy": round(accuracy, 6)}, file, indent=2)
    file.write("\n")
