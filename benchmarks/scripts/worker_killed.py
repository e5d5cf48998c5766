"""A worker that nobody outside observes is killed by a signal of its own."""
# expected: wide

import multiprocessing
import os
import signal


def work():
    import yaml

    print(yaml.__version__, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
