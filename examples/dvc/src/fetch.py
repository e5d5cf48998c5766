"""Write the Wisconsin breast cancer data, which scikit-learn ships, as one CSV file."""

from pathlib import Path

from sklearn.datasets import load_breast_cancer

if __name__ == "__main__":
    Path("data").mkdir(exist_ok=True)
    load_breast_cancer(as_frame=True).frame.to_csv("data/raw.csv", index=False)
