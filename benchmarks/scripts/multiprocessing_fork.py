"""A pool of forked workers, terminated when the block ends."""

import multiprocessing


def work(number):
    import yaml

    return yaml.safe_load(str(number))


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(4)))
