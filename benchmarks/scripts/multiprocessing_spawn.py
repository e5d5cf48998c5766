"""A pool of spawned workers, closed and joined."""

import multiprocessing


def work(number):
    import tomli

    return tomli.loads(f"a = {number}")


if __name__ == "__main__":
    pool = multiprocessing.get_context("spawn").Pool(2)
    print(pool.map(work, range(4)))
    pool.close()
    pool.join()
