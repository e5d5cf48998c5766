"""A pool of processes: `spawn`, `forkserver` or `fork`."""

import multiprocessing
import sys


def work(number):
    print("worker", number, file=sys.stderr)
    return number * number


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(work, range(5), chunksize=5))
        pool.close()
        pool.join()
    process = context.Process(target=sys.exit, args=(7,))
    process.start()
    process.join()
    print(process.exitcode)
