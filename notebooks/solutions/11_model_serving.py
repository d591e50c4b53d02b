"""Solutions to the exercises of notebook 11, model serving."""

import math
import xml.etree.ElementTree as ET

# Exercise 1: users x items x contexts x bytes, in gigabytes.
answer_1 = 5e6 * 20_000 * 24 * 2 / 1e9


# Exercise 2: an id and a score for each item of a list.
def top_n_bytes(n_users: int, n: int) -> int:
    return n_users * n * (4 + 4)


# Exercise 3: the table of the class 1 holds all weights.
def sigmoid_of_pmml(text: str, genre: str, mean: float) -> float:
    space = {"p": "http://www.dmg.org/PMML-4_4"}
    table = ET.fromstring(text).find(".//p:RegressionTable[@targetCategory='1']", space)
    logit = float(table.get("intercept"))
    logit += float(table.find("p:NumericPredictor", space).get("coefficient")) * mean
    category = table.find("p:CategoricalPredictor", space)
    if category.get("value") == genre:
        logit += float(category.get("coefficient"))
    return 1 / (1 + math.exp(-logit))


# Exercise 4: the n-th row takes the n-th value of each column.
def columns_to_rows(inputs: dict[str, list]) -> list[dict]:
    return [dict(zip(inputs, row, strict=True)) for row in zip(*inputs.values(), strict=True)]


# Exercise 5: as numbers, 10 comes after 9; as texts it does not.
def choose(found: list[str], n: int) -> list[int]:
    return sorted(int(name) for name in found if name.isdigit())[-n:]


# Exercise 6: when two versions do not fit into memory. With resource_preserving=True the old
# version is unloaded first, and in between every request fails with "not found"; clients need a
# default list, or a second server that is updated later.
