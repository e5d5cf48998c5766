"""polars; its plugins and optional partners are lazy."""

import polars as pl

print(pl.DataFrame({"a": [1, 2]}).select(pl.col("a").sum()))
