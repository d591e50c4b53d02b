"""Each published format, worked by hand, ends in the same canonical tables."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny_sources import WRITERS, write_csv, write_double_colon, zipped

from recsys_lib import schema
from recsys_lib.data import Request, get, load
from recsys_lib.data.formats import split_title
from recsys_lib.data.integrity import problems
from recsys_lib.errors import DataError


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("archived", [False, True])
def test_every_format_gives_the_same_tables(form, archived, tmp_path):
    source = WRITERS[form](tmp_path / "tiny")
    if archived:
        source = zipped(source, tmp_path / "tiny.zip")
    dataset = get(Request("tiny", source=source))
    rows = list(dataset.interactions.itertuples(index=False, name=None))
    assert rows == [(2, 10, 3.0, 1000), (1, 10, 5.0, 2000), (1, 20, 1.0, 2000), (2, 30, 4.0, 3000)]
    assert list(dataset.items["item_id"]) == [10, 20, 30]
    assert list(dataset.items["title"]) == ["American President, The", "Amélie", "Untitled"]
    assert list(dataset.items["release_year"][:2]) == [1995, 2001]
    assert dataset.items["release_year"].isna().tolist() == [False, False, True]
    assert list(dataset.items["genres"]) == [["Comedy", "Sci-Fi"], [], ["Film-Noir"]]
    stored = pq.read_schema(dataset.path / "interactions.parquet").remove_metadata()
    assert stored.equals(schema.INTERACTIONS)
    assert dataset.description["counts"]["interactions"] == 4
    assert dataset.description["rejects"] == {}
    assert not (dataset.path / "rejects.parquet").exists()
    assert problems(load("tiny")) == []


def test_users_of_each_format(tmp_path):
    def users(form):
        return get(Request(form, source=WRITERS[form](tmp_path / form))).users

    assert users("csv") is None
    for form in ("tab", "recbole"):
        assert users(form).to_numpy().tolist() == [
            [1, 24, "F", "technician", "85711"],
            [2, 53, "M", "other", "94043"],
        ]
    assert users("double_colon").to_numpy().tolist() == [
        [1, 1, "F", "K-12 student", "48067"],
        [2, 56, "M", "self-employed", "70072"],
    ]


def test_knowledge_graph_of_recbole(tmp_path):
    dataset = get(Request("tiny", source=WRITERS["recbole"](tmp_path / "tiny")))
    assert dataset.triples.to_numpy().tolist() == [["m.01", "film.director", "m.02"]]
    assert dataset.items["entity_id"].isna().tolist() == [False, True, True]
    assert dataset.items["entity_id"][0] == "m.01"


def test_fingerprint_is_of_the_content_not_of_the_format(tmp_path):
    first = get(Request("a", source=WRITERS["csv"](tmp_path / "csv")))
    second = get(Request("b", source=zipped(tmp_path / "csv", tmp_path / "x.zip")))
    assert first.fingerprint == second.fingerprint
    text = (tmp_path / "csv" / "ratings.csv").read_text().replace("1,10,5", "1,10,4")
    (tmp_path / "csv" / "ratings.csv").write_text(text)
    assert get(Request("c", source=tmp_path / "csv")).fingerprint != first.fingerprint


def test_titles_with_and_without_a_year():
    import pandas as pd

    titles = pd.Series(["Heat (1995)", "Untitled", "Twelve (Monkeys) (1995) ", "2001", "", "X (1)"])
    title, year = split_title(titles)
    assert list(title) == ["Heat", "Untitled", "Twelve (Monkeys)", "2001", "", "X (1)"]
    assert year.isna().tolist() == [False, True, False, True, True, True]


def test_title_that_ends_in_a_colon(tmp_path):
    folder = write_double_colon(tmp_path / "tiny")
    (folder / "movies.dat").write_text("10::Alien 3:::Horror\n20::A::B\n30::C::D\n")
    items = get(Request("tiny", source=folder)).items
    assert list(items["title"]) == ["Alien 3:", "A", "C"]
    assert items["genres"][0] == ["Horror"]


def test_byte_order_mark_and_carriage_returns(tmp_path):
    folder = write_csv(tmp_path / "tiny")
    text = (folder / "ratings.csv").read_text().replace("\n", "\r\n")
    (folder / "ratings.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert len(get(Request("tiny", source=folder)).interactions) == 4


def test_blocks_of_a_large_file_agree_with_one_block(tmp_path, monkeypatch):
    from recsys_lib.data import delimited, sorted_rows

    rng = np.random.default_rng(0)
    rows = rng.integers(1, 500, (5000, 2))
    when = rng.integers(1, 10**6, 5000)
    folder = tmp_path / "tiny"
    folder.mkdir()
    text = "".join(f"{u},{i},4,{t}\n" for (u, i), t in zip(rows, when, strict=True))
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + text)
    whole = get(Request("whole", source=folder)).fingerprint
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(sorted_rows, "BATCH_ROWS", 256)
    assert get(Request("parts", source=folder)).fingerprint == whole


def test_unknown_and_ambiguous_folders_are_refused(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="format is unknown"):
        get(Request("tiny", source=tmp_path / "none"))
    write_csv(tmp_path / "both")
    write_double_colon(tmp_path / "both")
    with pytest.raises(DataError, match="more than one data set"):
        get(Request("tiny", source=tmp_path / "both"))


def test_wrong_header_is_refused_by_name(tmp_path):
    folder = write_csv(tmp_path / "tiny")
    (folder / "ratings.csv").write_text("user,movie,stars\n1,2,3\n")
    with pytest.raises(DataError, match="has no column 'userId'"):
        get(Request("tiny", source=folder))


@pytest.mark.slow
def test_real_ml_100k(ml_100k):
    counts = ml_100k.description["counts"]
    assert (counts["interactions"], counts["users"], counts["items"]) == (100_000, 943, 1_682)
    assert counts["triples"] == 91_631
    assert ml_100k.description["rejects"] == {}
    assert ml_100k.items["release_year"].isna().sum() == 2
    assert ml_100k.items["entity_id"].notna().sum() == 1_598
    genres = {genre for row in ml_100k.items["genres"] for genre in row}
    assert len(genres) == 19
    assert {"unknown", "Children's", "Film-Noir", "Sci-Fi"} <= genres
    assert problems(ml_100k) == []
