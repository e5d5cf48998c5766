"""pandas writes and reads Parquet: pyarrow comes in when it is needed."""

import pandas as pd

pd.DataFrame({"a": [1, 2]}).to_parquet("table.parquet")
print(pd.read_parquet("table.parquet"))
