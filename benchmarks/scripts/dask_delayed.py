"""dask on threads, over pandas."""

import dask.dataframe as dd
import pandas as pd

frame = dd.from_pandas(pd.DataFrame({"a": range(10)}), npartitions=2)
print(frame["a"].sum().compute())
