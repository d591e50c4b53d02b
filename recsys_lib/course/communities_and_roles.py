"""Two ways in which nodes of a graph can be alike: being near (community) and being alike (role).

node2vec's authors (Grover and Leskovec, 2016) claim that q < 1 finds the first (homophily) and
q > 1 the second (structural equivalence). This module has what it takes to test that: clusters of
the vectors, how well they fit the communities of the graph, and roles defined without embeddings.
"""

import numpy as np

from recsys_lib.embeddings.graph import ItemGraph
from recsys_lib.embeddings.table import EmbeddingTable
from recsys_lib.errors import DataError


def k_means(points: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Return the cluster of each point, int32 of shape (n,); the best of ten starts."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # with few points, more threads would wait for each other
        return KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(points)


def modularity(graph: ItemGraph, labels: np.ndarray) -> float:
    """Return Newman's modularity (2004) of a partition of an undirected graph.

    It is the share of weight inside the groups, less what that share would be if edges were drawn
    at random between nodes of these degrees: 0 for a single group or a random partition, close to
    1 for separate groups.

    Parameters
    ----------
    graph : ItemGraph
        Undirected, as :meth:`ItemGraph.undirected` returns it.
    labels : int array, shape (n_nodes,)

    Raises
    ------
    DataError
        The graph is directed, has no edges, or does not have one label for each node.
    """
    if len(labels) != graph.n_nodes:
        raise DataError(f"{len(labels)} labels do not fit {graph.n_nodes} nodes.")
    if not graph.n_edges or abs(graph.matrix - graph.matrix.T).max() > 0:
        raise DataError("Modularity needs an undirected graph with edges: call undirected() first.")
    labels = np.unique(labels, return_inverse=True)[1]
    total = graph.weights.sum()
    inside = graph.weights[labels[graph.sources] == labels[graph.indices]].sum() / total
    strength = np.bincount(labels, weights=np.asarray(graph.matrix.sum(axis=1)).ravel()) / total
    return float(inside - (strength**2).sum())


def role_features(graph: ItemGraph) -> np.ndarray:
    """Describe the surroundings of each node without saying who is there: float64, (n_nodes, 10).

    A node has five features: the number of its neighbours, the weight of its edges, the number of
    edges among its neighbours, the number of edges that leave its egonet (these four as
    logarithms), and the share of its neighbours' pairs that are joined. Five more are the means of
    these over its neighbours (ReFeX with one recursion: Henderson et al., 2011; the features of
    RolX, 2012). Columns have mean 0 and variance 1.

    Parameters
    ----------
    graph : ItemGraph
        Undirected.
    """
    near = (graph.matrix > 0).astype(np.float64)
    near.setdiag(0)
    near.eliminate_zeros()
    degree = np.asarray(near.sum(axis=1)).ravel()
    triangles = np.asarray((near @ near).multiply(near).sum(axis=1)).ravel() / 2
    # Ends of edges at the neighbours, less those that lead to the node or to each other.
    leaving = near @ degree - degree - 2 * triangles
    pairs = degree * (degree - 1) / 2
    features = np.column_stack(
        [
            np.log1p(degree),
            np.log1p(np.asarray(graph.matrix.sum(axis=1)).ravel()),
            np.log1p(triangles),
            np.log1p(leaving),
            np.divide(triangles, pairs, out=np.zeros_like(pairs), where=pairs > 0),
        ]
    )
    means_of_neighbours = (near @ features) / np.maximum(degree, 1)[:, None]
    features = np.column_stack([features, means_of_neighbours])
    deviation = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def roles(graph: ItemGraph, n_roles: int, seed: int) -> np.ndarray:
    """Return the structural role of each node of an undirected graph, by k-means of its features.

    int32, (n_nodes,).
    """
    return k_means(role_features(graph), n_roles, seed)


def agreement_of_nearest(table: EmbeddingTable, alike: np.ndarray, k: int = 10) -> float:
    """Return how many of an item's ``k`` nearest by cosine are like it by another measure: a share.

    Parameters
    ----------
    table : EmbeddingTable
    alike : bool array, shape (len(table), len(table))
        In the order of ``table.item_ids``.
    k : int
        Below ``len(table)``.
    """
    unit = table.normalized().vectors
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    nearest = np.argpartition(-cosine, k, axis=1)[:, :k]
    return float(np.take_along_axis(alike, nearest, axis=1).mean())
