"""networkx looks for backends by entry point."""

import networkx as nx

print(nx.shortest_path(nx.path_graph(4), 0, 3))
