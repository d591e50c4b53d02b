"""Vectors trained elsewhere as the start of a ranking model's own (S10)."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from recsys_lib.data.ids import Ids
from recsys_lib.errors import DataError
from recsys_lib.ranking.columns import array_kind
from recsys_lib.ranking.inputs import FeatureInputs, vocabulary_of


class Vectors(Protocol):
    """What an embedding table has: ``item_ids``, int64 (n,), and ``vectors``, float32 (n, dim)."""

    item_ids: np.ndarray
    vectors: np.ndarray


def place_vectors(table: np.ndarray, inputs: FeatureInputs, pretrained: Mapping[str, Vectors]):
    """Return the matrix of all categories' vectors, with the rows of some columns replaced.

    The given vectors of a column are multiplied by one factor, so that their root mean square is
    the standard deviation of the network's initial vectors: training then starts on the scale
    that it expects. Categories without a given vector keep their random one, which distinguishes
    them from each other and says nothing else.

    Parameters
    ----------
    table : float32 array, shape (n_rows, dim)
        The network's initial vectors.
    inputs : FeatureInputs
    pretrained : dict of str to Vectors
        The given vectors, by column.

    Raises
    ------
    DataError
        A column is no category of the model, or its vectors have another length.
    """
    table = table.copy()
    for column, found in pretrained.items():
        fields = {field.name: field for field in inputs.fields}
        if column not in inputs.categories or found.vectors.shape[1] != table.shape[1]:
            raise DataError(
                f"{column} has vectors of {found.vectors.shape[1]} numbers; they need a category "
                f"of the model ({', '.join(inputs.categories)}) and embedding_dim "
                f"{table.shape[1]}."
            )
        vocabulary = inputs.vocabularies[vocabulary_of(column)]
        place = Ids(array_kind(vocabulary), vocabulary).codes_of(found.item_ids)
        known = place >= 0
        vectors = found.vectors[known]
        rms = np.sqrt(np.mean(np.square(vectors))) if len(vectors) else 1.0
        table[fields[column].table + 1 + place[known]] = vectors * table.std() / rms
    return table
