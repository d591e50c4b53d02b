"""A notebook's parameters: what its tagged cell declares, and values in the declared types."""

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import Any

from recsys_lib.errors import RecsysError

_TRUE_FALSE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EXAMPLES = {
    "int": "5",
    "float": "0.5",
    "str": "text",
    "bool": "true",
    "list": "[1, 2]",
    "list[int]": "[1, 2]",
    "list[float]": "[0.5, 2.0]",
    "list[str]": "['a', 'b']",
    "list[bool]": "[True, False]",
}


@dataclass(frozen=True)
class Parameter:
    """One line of a cell tagged ``parameters``: ``name: type = default  # help``."""

    name: str
    type: str
    default: Any
    help: str

    def parse(self, text: str) -> Any:
        """Return the value that ``text`` writes, in the declared type.

        Raises
        ------
        RecsysError
            The text is not a value of that type.
        """
        try:
            if self.type == "str":
                return text
            if self.type == "bool":
                return _TRUE_FALSE[text.strip().lower()]
            value = ast.literal_eval(text.strip())
        except (KeyError, ValueError, SyntaxError, TypeError):
            value = None
        return self.check(value, shown=text)

    def check(self, value: Any, shown: str | None = None) -> Any:
        """Return ``value`` (an int becomes a float where one is declared), or refuse it."""
        kind, _, inner = self.type.removesuffix("]").partition("[")
        if kind == "list" and isinstance(value, list):
            if not inner:
                return value
            try:
                return [Parameter(self.name, inner, None, "").check(each) for each in value]
            except RecsysError:
                pass
        elif kind == "float" and type(value) in (int, float):
            return float(value)
        elif type(value).__name__ == kind:
            return value
        raise RecsysError(
            f"Parameter {self.name!r} is of type {self.type} and can't be "
            f"{value if shown is None else shown!r}. Write it like {_EXAMPLES[self.type]}."
        )


def parse_parameters(source: str) -> tuple[Parameter, ...]:
    """Read the parameters a cell declares, without running it.

    Every statement must give a literal to one name. The type is the annotation, or that of the
    default; the comment at the end of the line is the help.

    Raises
    ------
    RecsysError
        The cell holds anything else.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise RecsysError(f"the parameters cell is not Python ({error})") from None
    comments = _comments(source)
    parameters = []
    for node in statements:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        try:
            if not isinstance(target, ast.Name):
                raise ValueError
            default = ast.literal_eval(node.value)
        except (ValueError, AttributeError, TypeError):
            line = source.splitlines()[node.lineno - 1].strip()
            raise RecsysError(
                f"the parameters cell may hold only 'name: type = literal', not {line!r}"
            ) from None
        annotation = getattr(node, "annotation", None)
        kind = ast.unparse(annotation) if annotation else type(default).__name__
        if kind not in _EXAMPLES:
            raise RecsysError(
                f"parameter {target.id!r} is of type {kind}; known types: {', '.join(_EXAMPLES)}"
            )
        parameter = Parameter(target.id, kind, default, comments.get(node.end_lineno, ""))
        parameter.check(default)
        parameters.append(parameter)
    return tuple(parameters)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }
