"""A scikit-learn grid search over two loky workers."""

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if __name__ == "__main__":
    data = load_iris()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    grid = {"logisticregression__C": [0.1, 1.0]}
    print(GridSearchCV(model, grid, n_jobs=2).fit(data.data, data.target).best_params_)
