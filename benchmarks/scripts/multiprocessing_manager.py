"""A manager: a server process that serves proxies."""

import multiprocessing


def work(shared):
    import attrs

    shared["attrs"] = attrs.__name__


if __name__ == "__main__":
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        process = multiprocessing.Process(target=work, args=(shared,))
        process.start()
        process.join()
        print(dict(shared))
