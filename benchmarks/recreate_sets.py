"""The sets that `benchmarks/recreate.py` brings back, written as people write them."""

from benchmarks.recreate_hard_sets import HARD
from benchmarks.recreate_set import Set

SETS = (
    Set(name="scikit-learn stack", lines=("scikit-learn pandas",)),
    Set(name="scikit-learn stack, pip", lines=("scikit-learn pandas",), installer="pip"),
    Set(name="plotting", lines=("matplotlib seaborn",)),
    Set(name="Jupyter, without the server", lines=("ipykernel nbclient jupytext",)),
    Set(name="FastAPI service", lines=("fastapi uvicorn[standard] pydantic-settings httpx",)),
    Set(
        name="an old pinned set",
        lines=("numpy==1.23.5 pandas==1.5.3 scipy==1.9.3 requests==2.28.0 setuptools==65.5.0",),
    ),
    Set(name="extras", lines=("httpx[http2,brotli,cli] requests[socks] coverage[toml]",)),
    Set(name="geospatial", lines=("geopandas rasterio",)),
    Set(name="NLP, without models", lines=("nltk tokenizers sentencepiece",)),
    Set(name="databases", lines=("sqlalchemy alembic psycopg[binary] duckdb",), installer="pip"),
    Set(name="cloud client", lines=("boto3 s3fs",)),
    Set(name="boosting", lines=("lightgbm optuna",)),
    Set(name="Flask, pip", lines=("flask flask-sqlalchemy gunicorn",), installer="pip"),
    Set(name="testing", lines=("pytest pytest-cov hypothesis tox",)),
    Set(name="types", lines=("mypy types-requests types-PyYAML",)),
    Set(name="documentation", lines=("mkdocs",)),
    Set(name="a namespace of several", lines=("zope.interface zope.event zope.component",)),
    Set(name="a pre-release", lines=("pydantic==2.0b3",)),
    *HARD,
    Set(name="PyTorch, CPU", lines=("torch",), installer="pip"),
)
