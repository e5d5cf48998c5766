"""pyarrow converts to pandas: the import happens in compiled code."""

import pyarrow as pa

print(pa.table({"a": [1, 2]}).to_pandas())
