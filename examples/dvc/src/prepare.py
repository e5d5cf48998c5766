"""Split the rows, each class alike, into those to learn from and those to test on."""

import pandas as pd
import yaml

if __name__ == "__main__":
    with open("params.yaml", encoding="utf-8") as file:
        chosen = yaml.safe_load(file)
    rows = pd.read_csv("data/raw.csv")
    test = rows.groupby("target").sample(
        frac=chosen["prepare"]["test_share"], random_state=chosen["seed"]
    )
    test.sort_index().to_csv("data/test.csv", index=False)
    rows.drop(test.index).to_csv("data/train.csv", index=False)
