"""pyproject.toml, requirements.lock and environment.yml speak of one environment."""

import os
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from recsys_lib.paths import project_root
from recsys_lib.spark.java import SUPPORTED

ROOT = project_root()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
SUPPORTED_PYTHONS = ["3.11.7", "3.12.1", "3.13.0"]


def locked() -> list[Requirement]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [Requirement(line) for line in lines if re.match(r"[A-Za-z0-9]", line)]


def asked() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    return [Requirement(text) for text in [*PROJECT["dependencies"], *extras["dev"]]]


def test_every_lock_line_is_an_exact_pin():
    assert len(locked()) > 100
    for pin in locked():
        assert len(pin.specifier) == 1, pin
        assert next(iter(pin.specifier)).operator == "==", pin


@pytest.mark.parametrize("python", SUPPORTED_PYTHONS)
def test_lock_satisfies_pyproject_on_every_python(python):
    here = {"python_full_version": python, "python_version": python.rsplit(".", 1)[0]}
    pins = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in locked()
        if pin.marker is None or pin.marker.evaluate(here)
    }
    for requirement in asked():
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in the lock: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}"


def test_supported_pythons_are_the_declared_ones():
    declared = SpecifierSet(PROJECT["requires-python"])
    assert all(Version(python) in declared for python in SUPPORTED_PYTHONS)
    assert Version("3.10.13") not in declared
    assert Version("3.14.0") not in declared


def test_conda_brings_python_java_and_the_same_lock():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    pip = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
    versions = dict(entry.split("=") for entry in plain if "=" in entry)
    assert Version(versions["python"] + ".9") in SpecifierSet(PROJECT["requires-python"])
    assert int(versions["openjdk"]) in SUPPORTED
    assert pip == ["-r requirements.lock", "-e ."]


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="Only workers have groups.")
def test_workers_know_which_tests_belong_together(request):
    """Without groups nothing fails, but each worker starts Spark and runs all labs anew."""
    assert request.node.nodeid.endswith("@test_environment")
