"""Processes of a fork server."""

import multiprocessing


def work():
    import sympy

    print(sympy.Integer(3))


if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=work)
    process.start()
    process.join()
