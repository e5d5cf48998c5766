"""HDF5 files with h5py."""

import h5py
import numpy as np

with h5py.File("data.h5", "w") as file:
    file["a"] = np.arange(3)
    print(file["a"][:])
