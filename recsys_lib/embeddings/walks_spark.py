"""DeepWalk's and node2vec's walks on Spark, for graphs that outgrow one machine.

The distribution is that of :mod:`recsys_lib.embeddings.walks`; the walks of a seed are others. All
walks take a step together: three joins, with nothing tabled for pairs of nodes.

1. Walkers meet the edges of the node they are on: their candidates.
2. Candidates meet the edges of the node before: which are near (node2vec only).
3. A race decides (Efraimidis and Spirakis, 2006): each candidate draws an exponential time with its
   weight times bias as rate, and the first one home is the next node, with probability in
   proportion to the rate.

Candidates of a step are as many as the edges of all nodes that are walked on, so a node with a
million edges costs a million rows a visit: thin out such nodes first.
"""

from typing import TYPE_CHECKING

from recsys_lib.embeddings.graph import WEIGHT_RANGE
from recsys_lib.embeddings.walks import WalkConfig
from recsys_lib.errors import DataError
from recsys_lib.seeding import DEFAULT_SEED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def spark_walks(edges: "DataFrame", config: WalkConfig, seed: int = DEFAULT_SEED) -> "DataFrame":
    """Walk from every node that has an edge.

    Parameters
    ----------
    edges : DataFrame
        Columns ``source``, ``target`` (raw item ids) and ``weight``; a repeated edge counts with
        the sum of its weights.
    config : WalkConfig
    seed : int
        The walks depend on it and on the edges, not on partitions or the order of rows.

    Returns
    -------
    DataFrame
        ``start``, ``round`` (0 to ``walks_per_node - 1``) and ``walk``, an array of raw item ids
        that begins with ``start``, shorter than ``walk_length`` where it met a sink.

    Raises
    ------
    DataError
        A weight is missing or outside 1e-100 to 1e100.

    Notes
    -----
    Every step is computed once and kept by the executors (``localCheckpoint``), or the plan would
    grow with the walk.
    """
    from pyspark.sql import functions as F

    allowed = F.col("weight").between(*WEIGHT_RANGE)  # NULL is neither, NaN is above all
    wrong = edges.where(~F.coalesce(allowed, F.lit(False))).head()
    if wrong:
        raise DataError(
            f"Edge {wrong['source']} -> {wrong['target']} has weight {wrong['weight']}: weights "
            f"must be positive, from {WEIGHT_RANGE[0]:g} to {WEIGHT_RANGE[1]:g}."
        )
    edges = edges.groupBy("source", "target").agg(F.sum("weight").alias("weight"))
    edges = edges.localCheckpoint()
    nodes = edges.select(F.col("source").alias("start")).union(edges.select("target")).distinct()
    rounds = F.explode(F.sequence(F.lit(0), F.lit(config.walks_per_node - 1)))
    walkers = nodes.select("start", rounds.alias("round")).select(
        "start", "round", F.lit(None).cast("long").alias("previous"), F.col("start").alias("node")
    )
    places = [walkers.localCheckpoint()]
    for place in range(1, config.walk_length):
        step = _step(places[-1], edges, config, place, seed)
        places.append(step.localCheckpoint())

    visits = [
        walked.select("start", "round", F.struct(F.lit(place).alias("place"), "node").alias("at"))
        for place, walked in enumerate(places)
    ]
    whole = visits[0]
    for visit in visits[1:]:
        whole = whole.union(visit)
    walk = F.array_sort(F.collect_list("at"))["node"]
    return whole.groupBy("start", "round").agg(walk.alias("walk"))


def _step(walkers: "DataFrame", edges: "DataFrame", config: WalkConfig, place: int, seed: int):
    """Return where the walkers are next; those on a sink are gone."""
    from pyspark.sql import functions as F

    candidates = walkers.join(edges.withColumnRenamed("source", "node"), "node")
    rate = F.col("weight")
    if place > 1 and (config.p, config.q) != (1, 1):
        near = edges.select(F.col("source").alias("previous"), "target", F.lit(True).alias("near"))
        candidates = candidates.join(near, ["previous", "target"], "left")
        rate *= (
            F.when(F.col("target") == F.col("previous"), 1 / config.p)
            .when(F.col("near"), 1.0)
            .otherwise(1 / config.q)
        )
    time = -F.log(_uniform(F.lit(seed), "start", "round", F.lit(place), "target")) / rate
    return (
        candidates.withColumn("time", time)
        .groupBy("start", "round")
        .agg(F.first("node").alias("previous"), F.min_by("target", "time").alias("node"))
    )


def _uniform(*keys) -> "Column":
    """Hash a row's keys to a number between 0 and 1, both left out."""
    from pyspark.sql import functions as F

    return (F.shiftrightunsigned(F.xxhash64(*keys), 11) + 0.5) * 2.0**-53
