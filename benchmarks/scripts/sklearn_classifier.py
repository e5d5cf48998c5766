"""Train and score a random forest with scikit-learn."""

from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

features, labels = make_classification(n_samples=200, random_state=0)
print(cross_val_score(RandomForestClassifier(n_estimators=5, random_state=0), features, labels))
