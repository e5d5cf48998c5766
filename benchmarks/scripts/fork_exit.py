"""A bare fork whose child leaves by os._exit."""

import os

child = os.fork()
if child == 0:
    import h5py

    print(h5py.version.hdf5_version, flush=True)
    os._exit(0)
os.waitpid(child, 0)
