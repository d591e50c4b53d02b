"""A scikit-learn pipeline as PMML, which an engine in any language can score (S19).

PMML describes the model and everything before it, in XML: which columns come in, how a missing
value is filled, how a number is scaled or put into a bucket, which weight each category has. (Data
Mining Group: PMML 4.4, 2019.)

The converters on the package index do not fit here: one refuses a ``ColumnTransformer``, the other
a category that may be missing, and it goes through pickled files. So the elements that these two
pipelines need are written here, one function each.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from recsys_lib import files
from recsys_lib.errors import DataError

LIKE = "probability(1)"  # the output field
_NAMESPACE = "http://www.dmg.org/PMML-4_4"


def linear_pipeline(
    categories: Sequence[str],
    buckets: Sequence[str],
    numbers: Sequence[str],
    *,
    n_buckets: int = 10,
    C: float = 1.0,
) -> Pipeline:
    """Return an untrained logistic regression over one-hot categories, buckets and numbers.

    Parameters
    ----------
    categories : sequence of str
        Columns of texts or whole numbers. A missing value and one that training did not contain
        give zeros.
    buckets : sequence of str
        Columns of numbers that are cut at the quantiles of training; missing ones go to the
        bucket of the median.
    numbers : sequence of str
        Columns of numbers that are scaled to mean 0 and deviation 1; missing ones get the mean.
    n_buckets : int
    C : float
        Inverse strength of the l2 penalty.
    """
    cut = _Quantiles(
        n_buckets, encode="onehot-dense", quantile_method="averaged_inverted_cdf", subsample=None
    )
    columns = ColumnTransformer(
        [
            ("categories", _one_hot(), list(categories)),
            ("buckets", make_pipeline(SimpleImputer(strategy="median"), cut), list(buckets)),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), list(numbers)),
        ]
    )
    return Pipeline([("columns", columns), ("model", LogisticRegression(C=C, max_iter=1_000))])


class _Quantiles(KBinsDiscretizer):
    """Buckets between quantiles; where quantiles are equal, as of small counts, there are fewer."""

    def fit(self, X, y=None, sample_weight=None):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Bins whose width", UserWarning)
            return super().fit(X, y, sample_weight)


def tree_pipeline(
    categories: Sequence[str],
    numbers: Sequence[str],
    *,
    n_trees: int = 50,
    max_depth: int = 3,
    seed: int = 42,
) -> Pipeline:
    """Return untrained gradient-boosted trees over one-hot categories and numbers.

    Parameters
    ----------
    categories, numbers : sequences of str
        As for :func:`linear_pipeline`; numbers are filled, not scaled.
    n_trees, max_depth, seed : int
    """
    columns = ColumnTransformer(
        [
            ("categories", _one_hot(), list(categories)),
            ("numbers", make_pipeline(SimpleImputer()), list(numbers)),
        ]
    )
    trees = GradientBoostingClassifier(n_estimators=n_trees, max_depth=max_depth, random_state=seed)
    return Pipeline([("columns", columns), ("model", trees)])


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def write_pmml(pipeline: Pipeline, path: Path) -> None:
    """Write a trained pipeline of this module to a PMML file, atomically.

    Raises
    ------
    DataError
        It is another kind of pipeline.
    """
    document = ET.Element("PMML", xmlns=_NAMESPACE, version="4.4")
    ET.SubElement(document, "Header", description="A ranking model: the probability of a like")
    columns, model = pipeline.named_steps["columns"], pipeline.named_steps["model"]
    _write_dictionary(document, columns)
    derived = ET.SubElement(document, "TransformationDictionary")
    fields = list(_write_columns(derived, columns))
    if isinstance(model, LogisticRegression):
        _write_regression(document, columns, fields, model)
    elif isinstance(model, GradientBoostingClassifier):
        _write_trees(document, columns, fields, model)
    else:
        raise DataError(f"There is no PMML here for a {type(model).__name__}.")
    ET.indent(document)
    text = ET.tostring(document, encoding="unicode", xml_declaration=True)
    files.write_text(path, text.replace("encoding='us-ascii'", "encoding='UTF-8'") + "\n")


def _inputs(columns: ColumnTransformer) -> dict[str, str]:
    """Return the PMML type of each column that comes in."""
    types = {}
    for name, step, chosen in columns.transformers_:
        if name == "categories":
            for column, values in zip(chosen, step.categories_, strict=True):
                known = [v for v in values if not _is_missing(v)]
                whole = all(isinstance(v, int | np.integer) for v in known)
                types[column] = "integer" if whole and known else "string"
        elif name in ("buckets", "numbers"):
            types |= dict.fromkeys(chosen, "double")
    return types


def _is_missing(value) -> bool:
    return value is None or value != value


def _write_dictionary(document: ET.Element, columns: ColumnTransformer) -> None:
    """Write which columns come in. No list of known values: any other is valid too."""
    dictionary = ET.SubElement(document, "DataDictionary")
    target = ET.SubElement(
        dictionary, "DataField", name="like", optype="categorical", dataType="integer"
    )
    for value in "01":
        ET.SubElement(target, "Value", value=value)
    for column, kind in _inputs(columns).items():
        optype = "continuous" if kind == "double" else "categorical"
        ET.SubElement(dictionary, "DataField", name=column, optype=optype, dataType=kind)


def _write_columns(derived: ET.Element, columns: ColumnTransformer) -> Iterator[str]:
    """Write how the model's inputs come about; yield their names in the model's order."""
    for name, step, chosen in columns.transformers_:
        if name == "categories":
            for column, values in zip(chosen, step.categories_, strict=True):
                yield from _write_one_hot(derived, column, values)
        elif name == "buckets":
            imputer, cut = step[0], step[1]
            parts = zip(chosen, imputer.statistics_, cut.bin_edges_, strict=True)
            for column, fill, edges in parts:
                yield from _write_buckets(derived, column, fill, edges)
        elif name == "numbers":
            scaler = step[1] if len(step) > 1 else None
            for place, (column, fill) in enumerate(zip(chosen, step[0].statistics_, strict=True)):
                shift = None if scaler is None else (scaler.mean_[place], scaler.scale_[place])
                yield _write_number(derived, column, fill, shift)


def _write_one_hot(derived: ET.Element, column: str, values) -> Iterator[str]:
    for place, value in enumerate(values):
        field = _derived(derived, f"{column}={place}")
        if _is_missing(value):
            missing = ET.SubElement(field, "Apply", function="if")
            asked = ET.SubElement(missing, "Apply", function="isMissing")
            ET.SubElement(asked, "FieldRef", field=column)
            for constant in ("1", "0"):
                ET.SubElement(missing, "Constant", dataType="double").text = constant
        else:
            ET.SubElement(field, "NormDiscrete", field=column, value=str(value), mapMissingTo="0")
        yield f"{column}={place}"


def _write_buckets(derived: ET.Element, column: str, fill: float, edges) -> Iterator[str]:
    """Write a bucket's number, then one field a bucket; the outer buckets are open."""
    known = f"{column}, known"
    _write_filled(_derived(derived, known), column, fill)
    number = _derived(derived, f"bucket of {column}", "categorical", "integer")
    cut, inside = ET.SubElement(number, "Discretize", field=known), len(edges) - 2
    for place in range(inside + 1):
        one = ET.SubElement(cut, "DiscretizeBin", binValue=str(place))
        left = {"leftMargin": _number(edges[place])} if place > 0 else {}
        right = {"rightMargin": _number(edges[place + 1])} if place < inside else {}
        ET.SubElement(
            one, "Interval", closure="closedOpen" if left else "openOpen", **left, **right
        )
    for place in range(inside + 1):
        name = f"bucket {place} of {column}"
        field = _derived(derived, name)
        ET.SubElement(field, "NormDiscrete", field=f"bucket of {column}", value=str(place))
        yield name


def _write_number(derived: ET.Element, column: str, fill: float, shift) -> str:
    """Write ``(x - mean) / scale``, or x alone, with the fill for a missing x."""
    name = f"{column}, scaled" if shift else f"{column}, filled"
    into = _derived(derived, name)
    if shift:
        into = ET.SubElement(into, "Apply", function="/")
        inner = ET.SubElement(into, "Apply", function="-")
        _write_filled(inner, column, fill)
        ET.SubElement(inner, "Constant", dataType="double").text = _number(shift[0])
        ET.SubElement(into, "Constant", dataType="double").text = _number(shift[1])
    else:
        _write_filled(into, column, fill)
    return name


def _write_filled(into: ET.Element, column: str, fill: float) -> None:
    choice = ET.SubElement(into, "Apply", function="if")
    missing = ET.SubElement(choice, "Apply", function="isMissing")
    ET.SubElement(missing, "FieldRef", field=column)
    ET.SubElement(choice, "Constant", dataType="double").text = _number(fill)
    ET.SubElement(choice, "FieldRef", field=column)


def _derived(derived: ET.Element, name: str, optype="continuous", kind="double") -> ET.Element:
    return ET.SubElement(derived, "DerivedField", name=name, optype=optype, dataType=kind)


def _write_regression(document, columns, fields: Sequence[str], model) -> None:
    regression = ET.SubElement(
        document,
        "RegressionModel",
        functionName="classification",
        normalizationMethod="logit",
    )
    _write_schema(regression, [*_inputs(columns)], target=True)
    _write_output(regression)
    _write_table(regression, model.intercept_[0], dict(zip(fields, model.coef_[0], strict=True)))


def _write_table(regression: ET.Element, intercept: float, weights: dict[str, float]) -> None:
    table = ET.SubElement(
        regression, "RegressionTable", intercept=_number(intercept), targetCategory="1"
    )
    for field, weight in weights.items():
        ET.SubElement(table, "NumericPredictor", name=field, coefficient=_number(weight))
    ET.SubElement(regression, "RegressionTable", intercept="0", targetCategory="0")


def _write_trees(document, columns, fields: Sequence[str], model) -> None:
    """Write the sum of the trees as one model, and its logistic function as a second."""
    prior = model.init_.class_prior_[1]
    chain = ET.SubElement(document, "MiningModel", functionName="classification")
    _write_schema(chain, [*_inputs(columns)], target=True)
    steps = ET.SubElement(chain, "Segmentation", multipleModelMethod="modelChain")
    total = ET.SubElement(_segment(steps, 1), "MiningModel", functionName="regression")
    _write_schema(total, [*_inputs(columns)])
    output = ET.SubElement(total, "Output")
    ET.SubElement(
        output,
        "OutputField",
        name="logit",
        optype="continuous",
        dataType="double",
        feature="predictedValue",
        isFinalResult="false",
    )
    sum_of = ET.SubElement(total, "Segmentation", multipleModelMethod="sum")
    for place, (tree,) in enumerate(model.estimators_, start=1):
        one = ET.SubElement(
            _segment(sum_of, place),
            "TreeModel",
            functionName="regression",
            splitCharacteristic="binarySplit",
        )
        _write_schema(one, [*_inputs(columns)])
        _write_node(one, tree.tree_, 0, ("True", {}), fields, model.learning_rate)
    last = ET.SubElement(
        _segment(steps, 2),
        "RegressionModel",
        functionName="classification",
        normalizationMethod="logit",
    )
    _write_schema(last, ["logit"], target=True)
    _write_output(last)
    _write_table(last, np.log(prior / (1 - prior)), {"logit": 1.0})


def _segment(segmentation: ET.Element, number: int) -> ET.Element:
    segment = ET.SubElement(segmentation, "Segment", id=str(number))
    ET.SubElement(segment, "True")
    return segment


def _write_node(parent, tree, node: int, predicate, fields: Sequence[str], rate: float) -> None:
    kind, attributes = predicate
    left, right = tree.children_left[node], tree.children_right[node]
    leaf = {"score": _number(rate * tree.value[node, 0, 0])} if left < 0 else {}
    written = ET.SubElement(parent, "Node", id=str(node), **leaf)
    ET.SubElement(written, kind, attributes)
    if left < 0:
        return
    border = _number(border_in_double(tree.threshold[node]))
    for child, operator in ((left, "lessOrEqual"), (right, "greaterThan")):
        asked = {"field": fields[tree.feature[node]], "operator": operator, "value": border}
        _write_node(written, tree, child, ("SimplePredicate", asked), fields, rate)


def border_in_double(threshold: float) -> float:
    """Return the largest x, in double precision, whose 32-bit rounding is at most the threshold.

    The trees round their inputs to 32 bits before they compare; an engine that computes in double
    precision has to compare with another number to take the same way.
    """
    below = np.float32(threshold)
    if float(below) > threshold:
        below = np.nextafter(below, np.float32(-np.inf))
    above = np.nextafter(below, np.float32(np.inf))
    middle = (float(below) + float(above)) / 2
    return middle if np.float32(middle) == below else float(np.nextafter(middle, -np.inf))


def _write_schema(model: ET.Element, fields: Sequence[str], target: bool = False) -> None:
    schema = ET.SubElement(model, "MiningSchema")
    if target:
        ET.SubElement(schema, "MiningField", name="like", usageType="target")
    for field in fields:
        ET.SubElement(schema, "MiningField", name=field, invalidValueTreatment="asIs")


def _write_output(model: ET.Element) -> None:
    output = ET.SubElement(model, "Output")
    ET.SubElement(
        output,
        "OutputField",
        name=LIKE,
        optype="continuous",
        dataType="double",
        feature="probability",
        value="1",
    )


def _number(value: float) -> str:
    return repr(float(value))
