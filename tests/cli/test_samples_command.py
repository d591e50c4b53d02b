"""``recsys samples``: what is wrong is said before Spark takes its time to start."""

import pytest
from typer.testing import CliRunner

from recsys_lib.cli import app
from recsys_lib.errors import RecsysError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "ml-100"], "Data set 'ml-100' is not in"),
        (["build", "{data}", "--conf", "spark.driver.memory"], "--conf takes NAME=VALUE"),
        (["build", "{data}", "--engine", "embedded", "--master", "local[1]"], "are for Spark"),
        (["build", "{data}", "--partition", "months"], "Did you mean 'month'"),
        (["build", "."], "There are no Parquet files at"),
        (["build", ".", "--engine", "spark"], "There are no Parquet files at"),
    ],
)
def test_a_wrong_argument_is_named_early(ml_100k, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))  # Spark could not start
    arguments = [argument.format(data=ml_100k.path) for argument in arguments]
    result = CliRunner().invoke(app, ["samples", *arguments, "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, RecsysError)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()
