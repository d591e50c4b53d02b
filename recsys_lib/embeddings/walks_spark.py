"""DeepWalk's and node2vec's walks on Spark, for graphs that outgrow one machine.

The distribution is that of :mod:`recsys_lib.embeddings.walks`, but a seed gives other walks. All
walks take a step at the same time, which needs no table for pairs of nodes:

1. A join with the edges of the current node finds the candidates of each walk.
2. In node2vec, a join with the edges of the previous node finds which candidates are near it.
3. Each candidate draws an exponentially distributed time, whose rate is its weight times its bias.
   The smallest time wins, which happens with a probability proportional to the rate (Efraimidis
   and Spirakis, 2006).

A step has as many candidates as the visited nodes have edges, so each visit to a node with a
million edges costs a million rows. Remove edges of such nodes at random first.
"""

from typing import TYPE_CHECKING

from recsys_lib.embeddings.graph_checks import WEIGHT_RANGE
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
        Columns ``source``, ``target`` (raw item ids) and ``weight``. The weights of a repeated
        edge are summed.
    config : WalkConfig
    seed : int
        The walks depend on it and on the edges, but not on partitions or the order of rows.

    Returns
    -------
    DataFrame
        ``start``, ``round`` (0 to ``walks_per_node - 1``) and ``walk``, an array of raw item ids
        that begins with ``start``. It is shorter than ``walk_length`` where it met a sink.

    Raises
    ------
    DataError
        A weight is missing or outside 1e-100 to 1e100.

    Notes
    -----
    Every step is computed once and kept by the executors (``localCheckpoint``). Otherwise the
    plan would grow with the walk.
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
    """Return the next node of each walk; walks that have met a sink are left out."""
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
    """Hash the keys of a row to a number between 0 and 1, both excluded."""
    from pyspark.sql import functions as F

    return (F.shiftrightunsigned(F.xxhash64(*keys), 11) + 0.5) * 2.0**-53
