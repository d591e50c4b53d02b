"""What the doctor finds."""

from recsys_lib.experiments import doctor


def test_this_environment_is_well():
    found = {each.name: each for each in doctor.checks()}
    assert {"Python", "Packages", "Java", "Redis server", "Jupyter kernel"} <= set(found)
    assert [each for each in found.values() if each.required and not each.ok] == []


def test_a_missing_java_is_reported_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = {each.name: each for each in doctor.checks()}["Java"]
    assert not java.ok
    assert "17 or 21" in java.advice


def test_pins_are_read_with_their_markers():
    lock = (
        "numpy==2.4.0 \\\n    --hash=sha256:00\n    # via pandas\n"
        'old==1.0 ; python_full_version == "2.7.*" \\\n    --hash=sha256:11\n'
    )
    assert doctor.pinned_versions(lock) == {"numpy": "2.4.0"}
