"""pyarrow alone: its C++ code imports pandas if it is there."""

import pyarrow as pa
import pyarrow.compute as pc

print(pc.sum(pa.array([1, 2, 3])))
