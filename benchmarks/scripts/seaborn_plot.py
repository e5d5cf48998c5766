"""seaborn over pandas and matplotlib."""

import matplotlib
import pandas as pd

matplotlib.use("Agg")
import seaborn as sns

frame = pd.DataFrame({"x": range(10), "y": range(10), "kind": list("ab") * 5})
sns.lineplot(data=frame, x="x", y="y", hue="kind").figure.savefig("figure.png")
