"""Boosted trees as data: their nodes in arrays, which numpy follows, without scikit-learn."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.errors import DataError
from recsys_lib.ranking.column_schema import Schema
from recsys_lib.ranking.inputs import FeatureInputs

MOST_CATEGORIES = 255  # that scikit-learn can divide; a column with more is taken as a number
_ROWS_AT_A_TIME = 4_096  # each needs a place in every tree
NODES = ("value", "column", "threshold", "left", "right", "missing_left", "division")


def tree_table(inputs: FeatureInputs, frame: pd.DataFrame) -> np.ndarray:
    """Return what trees read: codes of categories, then numbers as they are, missing ones NaN.

    float64, (n, n_codes + n_numbers). Each place of a bag and of a history is a column of its own.
    """
    numbers = frame[list(inputs.numbers)].to_numpy(np.float64, na_value=np.nan)
    return np.hstack([inputs.encode(frame).categories, numbers])


@dataclass(frozen=True)
class BoostedTrees:
    """Grown trees, whose sum is the logit of a like.

    Attributes
    ----------
    inputs : FeatureInputs
        How columns become codes.
    nodes : dict of str to array, shape (n_nodes,)
        Of all trees, one after another: ``value`` (float64, of a leaf), ``column`` (int64, of
        :func:`tree_table`), ``threshold`` (float64, a number up to it goes left), ``left`` and
        ``right`` (int64, where the way goes on; a leaf leads to itself), ``missing_left`` (bool)
        and ``division`` (int64, a row of ``divisions``, or -1 where a number decides).
    divisions : int8 array, shape (n_divisions + 1, MOST_CATEGORIES + 1)
        Of the codes of a category, 1 for those that go left, 0 for right, -1 for unknown ones,
        which go where missing values go. The last row is for the nodes where a number decides.
    roots : int64 array, shape (n_trees,)
        The first node of each tree.
    baseline : float
        The logit before the first tree.
    schema : Schema, optional
        The names that a person's own table uses.
    """

    inputs: FeatureInputs
    nodes: Mapping[str, np.ndarray]
    divisions: np.ndarray
    roots: np.ndarray
    baseline: float
    schema: Schema | None = None

    def predict(self, samples: pd.DataFrame) -> np.ndarray:
        """Return the probability of a like for each sample: float64, (n,).

        Raises
        ------
        DataError
            A column is missing or holds values of another type than in training.
        """
        if self.schema is not None:
            samples = self.schema.select(samples, self.inputs.columns)
        table = tree_table(self.inputs, samples)
        starts = range(0, len(table), _ROWS_AT_A_TIME)
        logits = [self._logits(table[start : start + _ROWS_AT_A_TIME]) for start in starts]
        return 1 / (1 + np.exp(-np.concatenate([np.empty(0), *logits])))

    def _logits(self, table: np.ndarray) -> np.ndarray:
        nodes, rows = self.nodes, np.arange(len(table))[:, None]
        place = np.tile(self.roots, (len(table), 1))  # (n, n_trees)
        while True:
            value = table[rows, nodes["column"][place]]
            division = nodes["division"][place]
            code = np.clip(np.nan_to_num(value), 0, MOST_CATEGORIES).astype(np.int64)
            side = np.where(
                division >= 0, self.divisions[division, code], value <= nodes["threshold"][place]
            )
            unknown = np.isnan(value) | (side < 0)
            left = np.where(unknown, nodes["missing_left"][place], side > 0)
            onward = np.where(left, nodes["left"][place], nodes["right"][place])
            if np.array_equal(onward, place):
                return self.baseline + nodes["value"][place].sum(axis=1)
            place = onward

    def save(self, folder: Path) -> None:
        """Write ``trees.npz``, ``inputs.npz`` and ``trees.json`` to a folder, atomically."""
        arrays, of_inputs = self.inputs.to_parts()
        with files.atomic_folder(Path(folder)) as fresh:
            np.savez(fresh / "trees.npz", divisions=self.divisions, roots=self.roots, **self.nodes)
            np.savez(fresh / "inputs.npz", **arrays)
            schema = None if self.schema is None else asdict(self.schema)
            described = {"baseline": self.baseline, "schema": schema, **of_inputs}
            files.write_json(fresh / "trees.json", described)

    @classmethod
    def load(cls, folder: Path) -> "BoostedTrees":
        """Read trees that :meth:`save` wrote.

        Raises
        ------
        DataError
            The folder holds none, or damaged ones.
        """
        folder = Path(folder)
        try:
            described = files.read_json(folder / "trees.json")
            arrays = files.read_npz(folder / "trees.npz")
            return cls(
                FeatureInputs.from_parts(files.read_npz(folder / "inputs.npz"), described),
                {name: arrays[name] for name in NODES},
                arrays["divisions"],
                arrays["roots"],
                float(described["baseline"]),
                None if described["schema"] is None else Schema(**described["schema"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:  # bad JSON is a ValueError
            raise DataError(
                f"No boosted trees can be read from {folder}: {type(error).__name__}, {error}."
            ) from None

    @classmethod
    def of(cls, inputs: FeatureInputs, grown, schema: Schema | None = None) -> "BoostedTrees":
        """Take the trees out of a fitted ``HistGradientBoostingClassifier`` of two classes.

        scikit-learn has no public form of them, so this reads its private one; the tests compare
        the predictions. It puts the categories before the numbers and counts those it has seen.
        """
        order, seen = np.arange(grown.n_features_in_), ()
        if grown.is_categorical_ is not None:
            order = np.argsort(~grown.is_categorical_, kind="stable")
            seen = grown._preprocessor.named_transformers_["encoder"].categories_
        trees = [tree for (tree,) in grown._predictors]
        roots = np.cumsum([0, *(len(tree.nodes) for tree in trees)])[:-1]
        nodes, divisions = [], []
        for root, tree in zip(roots, trees, strict=True):
            theirs, own = tree.nodes, np.arange(root, root + len(tree.nodes))
            leaf, divides = theirs["is_leaf"] > 0, theirs["is_categorical"] > 0
            division = np.full(len(theirs), -1)
            division[divides] = len(divisions) + np.arange(divides.sum())
            for node in theirs[divides]:
                bits = tree.raw_left_cat_bitsets[node["bitset_idx"]]
                divisions.append(_division(seen[node["feature_idx"]].astype(np.int64), bits))
            onward = {
                side: np.where(leaf, own, root + theirs[side].astype(np.int64))
                for side in ("left", "right")
            }
            nodes.append(
                {
                    "value": theirs["value"].astype(np.float64),
                    "column": order[theirs["feature_idx"]],
                    "threshold": theirs["num_threshold"].astype(np.float64),
                    **onward,
                    "missing_left": theirs["missing_go_to_left"] > 0,
                    "division": division,
                }
            )
        together = {name: np.concatenate([each[name] for each in nodes]) for name in NODES}
        divisions.append(np.full(MOST_CATEGORIES + 1, -1))
        baseline = float(grown._baseline_prediction.item())
        return cls(inputs, together, np.array(divisions, np.int8), roots, baseline, schema)


def _division(known: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Return the side of each code; the bit of a code is its place among those that were seen."""
    sides = np.full(MOST_CATEGORIES + 1, -1, np.int8)
    places = np.arange(len(known))
    sides[known] = bits[places // 32] >> (places % 32) & 1
    return sides
