"""Draw a figure with the Agg backend; matplotlib asks for backends by entry points."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
plt.savefig("figure.png")
