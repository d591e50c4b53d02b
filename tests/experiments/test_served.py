"""What the service takes from runs: the newest good one on the same data, or light channels."""

import json

import pandas as pd
import pytest

from recsys_lib.data import Request, get
from recsys_lib.experiments.served import find_served
from recsys_lib.rankers import RecallOrder
from recsys_lib.recall import Ease, Merged, Popular
from recsys_lib.seeding import generator
from recsys_lib.serving import Cascade


@pytest.fixture
def clicks(tmp_path, monkeypatch):
    """A small data set, and an empty folder of outputs."""
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RECSYS_OUTPUTS_DIR", str(tmp_path / "outputs"))
    rng = generator(5, "clicks")
    rows = [(u, i) for u in range(20) for i in rng.choice(30, 6, replace=False)]
    pd.DataFrame(rows, columns=["user", "item"]).to_csv(tmp_path / "clicks.csv", index=False)
    return get(Request("clicks", source=tmp_path / "clicks.csv"))


def run_of(outputs, name, data, *, status="complete", fingerprint=None, cascade=False):
    """Leave what a run leaves: fitted recallers, and perhaps a cascade."""
    run = outputs / name
    merged = Merged({"ease": Ease(), "popular": Popular()}, fusion="rank").fit(data.interactions)
    kept = {"recallers": merged}
    if cascade:
        kept["cascade"] = Cascade(merged, RecallOrder(), candidates=17, ranking_weight=1.0)
    for artifact, recaller in kept.items():
        folder = run / "artifacts" / artifact
        part = "last_likes/merged" if artifact == "recallers" else "last_likes"
        recaller.save(folder / part)
        made = {"data": fingerprint or data.fingerprint, "content": f"{name}{artifact}"}
        (folder / "artifact.json").write_text(json.dumps(made))
    (run / "run.json").write_text(json.dumps({"status": status}))
    return run


def test_the_newest_good_run_on_the_same_data_is_served(clicks, tmp_path):
    outputs, said = tmp_path / "outputs", []
    run_of(outputs, "20260101-000000-clicks-default", clicks)
    run_of(outputs, "20260102-000000-clicks-default", clicks)
    run_of(outputs, "20260103-000000-clicks-default", clicks, status="failed")
    run_of(outputs, "20260104-000000-clicks-default", clicks, fingerprint="other data")
    found = find_served(clicks, None, said.append)
    assert found.parts.version.startswith("20260102-000000")
    assert set(found.parts.channels) == {"ease", "popular"}
    assert found.parts.default == "recall_order"
    assert found.users is None
    assert said == ["Models of 20260102-000000-clicks-default."]


def test_a_cascade_that_a_run_has_saved_is_the_default(clicks, tmp_path):
    run_of(tmp_path / "outputs", "20260101-000000-clicks-default", clicks, cascade=True)
    parts = find_served(clicks, None).parts
    assert parts.default == "cascade"
    assert parts.depth == 17
    assert parts.rankings["cascade"].weight == 1.0
    assert set(parts.rankings) == {"cascade", "recall_order"}


def test_the_version_names_all_models(clicks, tmp_path):
    outputs = tmp_path / "outputs"
    run = run_of(outputs, "20260101-000000-clicks-default", clicks, cascade=True)
    before = find_served(clicks, None).parts.version
    made = run / "artifacts" / "cascade" / "artifact.json"
    made.write_text(json.dumps({"data": clicks.fingerprint, "content": "trained anew"}))
    assert find_served(clicks, None).parts.version != before


def test_a_damaged_run_is_left_out_with_a_reason(clicks, tmp_path):
    outputs, said = tmp_path / "outputs", []
    run_of(outputs, "20260101-000000-clicks-default", clicks)
    newer = run_of(outputs, "20260102-000000-clicks-default", clicks)
    (newer / "artifacts/recallers/last_likes/merged/recaller.json").write_text("{}")
    found = find_served(clicks, None, said.append)
    assert found.parts.version.startswith("20260101-000000")
    assert "20260102-000000" in said[0]
    assert "left out" in said[0]


def test_without_a_run_light_channels_are_fitted_once(clicks, tmp_path):
    said = []
    first = find_served(clicks, None, said.append).parts
    assert "light channels are fitted now" in said[0]
    assert set(first.channels) == {"ease", "item_knn", "popular"}
    written = tmp_path / "outputs/service/clicks/light/recaller.json"
    before = written.stat().st_mtime_ns
    again = find_served(clicks, None).parts
    assert written.stat().st_mtime_ns == before
    assert again.version == first.version
    users = first.matrix.user_ids[:3]
    for name, channel in first.channels.items():
        expected = channel.recommend(users, 5)
        pd.testing.assert_frame_equal(again.channels[name].recommend(users, 5), expected)
