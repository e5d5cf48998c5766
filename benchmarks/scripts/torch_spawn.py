"""torch.multiprocessing.spawn: two processes that import on their own."""

import torch.multiprocessing as mp


def work(rank):
    import networkx

    print(rank, networkx.path_graph(3).number_of_edges())


if __name__ == "__main__":
    mp.spawn(work, nprocs=2)
