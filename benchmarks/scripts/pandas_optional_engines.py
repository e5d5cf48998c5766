"""pandas with whichever optional engines are there: numexpr, bottleneck, pyarrow."""

import pandas as pd

frame = pd.DataFrame({"a": range(20_000), "b": range(20_000)})
print(frame.eval("a + b").std(), frame["a"].rolling(3).mean().sum())
