"""Prints a line of figures for each graph on standard input, by networkx.

Input: for each graph a line `graph NAME FULL DIRECTED NODES`, then a line `A B WEIGHT` for each edge.
FULL is 1 for graphs that are small enough for a search from every node and for flows.
"""

import sys
from collections import Counter

import networkx as nx


def spread(parts):
    sizes = sorted((len(part) for part in parts), reverse=True)
    return f"{len(sizes)}/{sizes[0]}/{sum(size * size for size in sizes)}"


def nodes_of(nodes):
    return f"{len(nodes)}/{sum(nodes)}"


def shape(graph):
    """Whether it is a tree, a star, a ring."""
    degrees = sorted(degree for _, degree in graph.degree)
    count = len(degrees)
    tree = nx.is_tree(graph)
    star = tree and count > 1 and degrees[-1] == count - 1
    ring = count > 2 and set(degrees) == {2} and nx.is_connected(graph)
    return f"{int(tree)}{int(star)}{int(ring)}"


def far(graph):
    """Eccentricities of what each node reaches, and pairs by distance."""
    hops, eccentricity = Counter(), {}
    for source, reached in nx.all_pairs_shortest_path_length(graph):
        eccentricity[source] = max(reached.values())
        hops.update(distance for distance in reached.values() if distance > 0)
    whole = nx.is_strongly_connected(graph) if graph.is_directed() else nx.is_connected(graph)
    if whole:
        radius, diameter = nx.radius(graph), nx.diameter(graph)
        center, periphery = nx.center(graph), nx.periphery(graph)
    else:
        radius, diameter = min(eccentricity.values()), max(eccentricity.values())
        center = [node for node, value in eccentricity.items() if value == radius]
        periphery = [node for node, value in eccentricity.items() if value == diameter]
    weighed = sum(value * (node + 1) for node, value in eccentricity.items())
    counts = ",".join(str(hops[distance]) for distance in range(1, max(hops, default=0) + 1))
    return f"far={radius}/{diameter}/{weighed} center={nodes_of(center)} periphery={nodes_of(periphery)} hops={counts}"


def place(edge, graph):
    """A number by which graphs with other edges are noticed."""
    a, b = edge if graph.is_directed() else sorted(edge)
    return (a + 1) * (b + 3)


def measure(name, full, graph):
    both = graph.to_undirected()
    last = graph.number_of_nodes() - 1
    local = nx.clustering(both)
    some = [value for node, value in local.items() if both.degree(node) > 1]
    degrees = Counter(dict(graph.out_degree if graph.is_directed() else graph.degree).values())
    figures = [
        name,
        f"size={last + 1}/{graph.number_of_edges()}/{sum(place(edge, graph) for edge in graph.edges)}",
        f"weak={spread(nx.connected_components(both))}",
        f"strong={spread(nx.strongly_connected_components(graph if graph.is_directed() else graph.to_directed()))}",
        f"degrees={','.join(str(degrees[degree]) for degree in range(max(degrees) + 1))}",
        f"triangles={sum(nx.triangles(both).values()) // 3}",
        f"clustering={nx.average_clustering(both):.9f}/{sum(some) / max(len(some), 1):.9f}/{nx.transitivity(both):.9f}",
        f"planar={int(nx.check_planarity(both)[0])}",
        f"shape={shape(both)}",
    ]
    for source in [0, last // 2]:
        near = nx.single_source_shortest_path_length(graph, source)
        figures.append(f"hops{source}={len(near)}/{sum(near.values())}")
        near = nx.single_source_dijkstra_path_length(graph, source)
        figures.append(f"weight{source}={len(near)}/{sum(near.values()):.6f}")
    if full:
        figures += [far(graph), f"cut={nx.edge_connectivity(graph)}", f"paths={nx.edge_connectivity(graph, 0, last)}"]
    print(" ".join(figures))


def main():
    graph = None
    for line in sys.stdin:
        words = line.split()
        if words[0] == "graph":
            if graph is not None:
                measure(name, full, graph)
            name, full = words[1], words[2] == "1"
            graph = nx.DiGraph() if words[3] == "1" else nx.Graph()
            graph.add_nodes_from(range(int(words[4])))
        else:
            graph.add_edge(int(words[0]), int(words[1]), weight=float(words[2]))
    if graph is not None:
        measure(name, full, graph)


main()
