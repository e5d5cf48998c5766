"""joblib with loky workers."""

from joblib import Parallel, delayed


def work(number):
    import networkx

    return networkx.path_graph(number).number_of_nodes()


if __name__ == "__main__":
    print(Parallel(n_jobs=2)(delayed(work)(number) for number in range(4)))
