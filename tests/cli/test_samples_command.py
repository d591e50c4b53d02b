"""``recsys samples``: what is wrong is refused before Spark starts."""

import pytest
from typer.testing import CliRunner

from recsys_lib.cli import app
from recsys_lib.errors import RecsysError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "ml-100"], "Data set 'ml-100' is not in"),
        (["build", ".", "--conf", "spark.driver.memory"], "--conf takes NAME=VALUE"),
        (["build", "."], "There are no Parquet files at"),
    ],
)
def test_a_wrong_argument_is_refused_early(tmp_path, arguments, said):
    result = CliRunner().invoke(app, ["samples", *arguments, "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, RecsysError)
    assert said in str(result.exception)
    assert not (tmp_path / "out").exists()
