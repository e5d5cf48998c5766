"""pandas asks for an Excel engine that is not installed."""

import pandas as pd

try:
    pd.DataFrame({"a": [1]}).to_excel("table.xlsx")
except ImportError as error:
    print("no engine:", type(error).__name__)
