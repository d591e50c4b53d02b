"""One small table in every form people have it in: the same interactions come out of all of them.

The right answer is written down once, by hand, and each form is made from it by Python's own
modules or by pandas, not by the code that is tested.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys_lib.data import Interactions, Request, get
from recsys_lib.data.reading import Meaning
from recsys_lib.data.tables import TextForm
from recsys_lib.errors import DataError

# user, item, rating, Unix seconds; in order of time.
TRUTH = [
    ("007", "B 1", 4.5, 1_499_990_400),
    ("7", 'say "é"', 3.0, 1_499_990_401),
    ("电影", "a,b;c\td|e", 0.5, 1_500_076_800),
    ("007", "6221888200042590030", 5.0, 1_531_000_000),
]
HEAD = ["user", "item", "rating", "timestamp"]


def written(rows, separator=",", quoting=csv.QUOTE_MINIMAL, head=HEAD, end="\n") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerows([head, *rows] if head else rows)
    return out.getvalue()


def with_times(change) -> list[tuple]:
    return [(user, item, rating, change(when)) for user, item, rating, when in TRUTH]


def iso(zone, form=None):
    def change(when):
        moment = datetime.fromtimestamp(when, UTC).astimezone(zone)
        return moment.strftime(form) if form else moment.isoformat()

    return change


PLAIN = written(TRUTH)
LATIN = [row for row in TRUTH if row[0] != "电影"]
DAYS = [(*row[:3], row[3] // 86_400 * 86_400) for row in TRUTH]
EAST = timezone(timedelta(hours=5, minutes=30))
BERLIN = ZoneInfo("Europe/Berlin")
COMMAS = [(u, i, str(r).replace(".", ","), t) for u, i, r, t in TRUTH]

TEXTS = {
    "comma": (PLAIN, {}),
    "semicolon": (written(TRUTH, ";"), {}),
    "tab": (written(TRUTH, "\t"), {}),
    "bar": (written(TRUTH, "|"), {}),
    "tilde": (written(TRUTH, "~"), {"form": TextForm(separator="~")}),
    "all quoted": (written(TRUTH, quoting=csv.QUOTE_ALL), {}),
    "crlf": (written(TRUTH, end="\r\n"), {}),
    "cr": (written(TRUTH, end="\r"), {}),
    "blank lines": ("\n\n" + PLAIN.replace("\n", "\n\n"), {}),
    "no last line end": (PLAIN.rstrip(), {}),
    "header in capitals": (written(TRUTH, head=["USER_ID", "Item-Id", "Rating", "TimeStamp"]), {}),
    "columns in another order": (
        written([row[::-1] for row in TRUTH], head=HEAD[::-1]),
        {},
    ),
    "more columns": (written([(*r, "x") for r in TRUTH], head=[*HEAD, "rating_id"]), {}),
    "typed names": (written(TRUTH, "\t", head=["user:token", "item:token", *HEAD[2:]]), {}),
    "no header": (
        written(TRUTH, ";", head=None),
        {
            "form": TextForm(header=False),
            "columns": {"user": "1", "item": "2", "rating": "3", "timestamp": "4"},
        },
    ),
    "decimal comma": (written(COMMAS, ";"), {}),
    "decimal comma by option": (written(COMMAS, ";"), {"decimal": ","}),
    "milliseconds": (written(with_times(lambda t: t * 1_000 + 7)), {}),
    "microseconds": (written(with_times(lambda t: t * 10**6 + 999_999)), {}),
    "nanoseconds": (written(with_times(lambda t: t * 10**9)), {}),
    "fractions of seconds": (written(with_times(lambda t: t + 0.75)), {}),
    "iso with Z": (written(with_times(iso(UTC, "%Y-%m-%dT%H:%M:%SZ"))), {}),
    "iso in words": (written(with_times(iso(UTC, "%Y-%m-%d %H:%M:%S UTC"))), {}),
    "iso without a zone": (written(with_times(iso(UTC, "%Y-%m-%d %H:%M:%S"))), {}),
    "iso with an offset": (written(with_times(iso(EAST))), {}),
    "iso basic": (written(with_times(iso(UTC, "%Y%m%dT%H%M%SZ"))), {}),
    "local time": (
        written(with_times(iso(BERLIN, "%Y-%m-%d %H:%M:%S"))),
        {"time_zone": "Europe/Berlin"},
    ),
    "digits of date and time": (written(with_times(iso(UTC, "%Y%m%d%H%M%S"))), {}),
    "American dates": (
        written(with_times(iso(UTC, "%m/%d/%Y %I:%M:%S %p"))),
        {"time_unit": "%m/%d/%Y %I:%M:%S %p"},
    ),
}
IN_DAYS = {
    "digits of a date": (written(with_times(iso(UTC, "%Y%m%d"))), {}),
    "dates": (written(with_times(iso(UTC, "%Y-%m-%d"))), {}),
    "days since 1970": (written(with_times(lambda t: t // 86_400)), {"time_unit": "D"}),
}
BYTES = {
    "utf-8 with a mark": (PLAIN.encode("utf-8-sig"), {}),
    "utf-16": (PLAIN.encode("utf-16"), {}),
    "utf-32": (PLAIN.encode("utf-32"), {}),
    "gb18030": (PLAIN.encode("gb18030"), {"form": TextForm(encoding="gb18030")}),
    "gzip": (gzip.compress(PLAIN.encode()), {}),
    "bzip2": (bz2.compress(PLAIN.encode()), {}),
    "xz": (lzma.compress(PLAIN.encode()), {}),
    "zstandard": (pa.compress(PLAIN.encode(), "zstd", asbytes=True), {}),
    "gzip of utf-16": (gzip.compress(PLAIN.encode("utf-16")), {}),
    "json lines": (
        "\n".join(json.dumps(dict(zip(HEAD, row, strict=True))) for row in TRUTH).encode(),
        {},
    ),
}


def both_ways(path, columns=None, form=None, **meaning) -> list[list[tuple]]:
    """Return what comes in by :class:`Interactions` and by ``data get``, with the raw ids."""
    said = Meaning(**meaning)
    table = Interactions.from_file(path, **columns or {}, form=form, **meaning)
    request = Request("mine", source=path, columns=columns, form=form or TextForm(), meaning=said)
    stored = get(request)
    frame = stored.interactions
    users, items = frame["user_id"], frame["item_id"]
    ids = {
        "user_id": users if stored.user_ids is None else stored.user_ids.raw_of(users),
        "item_id": items if stored.item_ids is None else stored.item_ids.raw_of(items),
    }
    frames = (table.to_frame(), frame.assign(**ids))
    return [list(each.itertuples(index=False, name=None)) for each in frames]


@pytest.mark.parametrize("kind", TEXTS)
def test_texts(kind, tmp_path):
    text, options = TEXTS[kind]
    (tmp_path / "table.csv").write_text(text, encoding="utf-8", newline="")
    assert both_ways(tmp_path / "table.csv", **options) == [TRUTH, TRUTH]


@pytest.mark.parametrize("kind", IN_DAYS)
def test_texts_with_days(kind, tmp_path):
    text, options = IN_DAYS[kind]
    (tmp_path / "table.csv").write_text(text, encoding="utf-8", newline="")
    for found in both_ways(tmp_path / "table.csv", **options):
        assert sorted(found) == sorted(DAYS)


@pytest.mark.parametrize("kind", BYTES)
def test_encodings_and_compression(kind, tmp_path):
    content, options = BYTES[kind]
    (tmp_path / "table").write_bytes(content)
    assert both_ways(tmp_path / "table", **options) == [TRUTH, TRUTH]


def test_another_encoding_by_option(tmp_path):
    (tmp_path / "table.csv").write_text(written(LATIN), encoding="latin-1")
    found = both_ways(tmp_path / "table.csv", form=TextForm(encoding="latin-1"))
    assert found == [LATIN, LATIN]


def test_a_zip_archive_with_one_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "table.zip", "w") as out:
        out.writestr("folder/table.csv", PLAIN)
        out.writestr("__MACOSX/folder/._table.csv", "x")
    assert both_ways(tmp_path / "table.zip") == [TRUTH, TRUTH]


def test_double_colons(tmp_path):
    rows = [("007", "B 1", 4.5, 1_499_990_400), ("7", "x:", 3.0, 1_499_990_401)]
    text = "".join("::".join(map(str, row)) + "\n" for row in [HEAD, *rows])
    (tmp_path / "table.dat").write_text(text)
    assert both_ways(tmp_path / "table.dat") == [rows, rows]


@pytest.mark.parametrize("kind", ["pandas", "plain", "feather", "folder", "categories", "moments"])
def test_typed_tables(kind, tmp_path):
    frame = pd.DataFrame(TRUTH, columns=HEAD)
    path = tmp_path / "table.parquet"
    if kind == "pandas":
        frame.to_parquet(path)
    elif kind == "plain":
        pq.write_table(pa.table({name: frame[name].tolist() for name in HEAD}), path)
    elif kind == "feather":
        frame.to_feather(path)
    elif kind == "folder":
        path.mkdir()
        frame[2:].to_parquet(path / "part-1.parquet")
        frame[:2].to_parquet(path / "part-0.parquet")
        (path / "_SUCCESS").write_text("")
    elif kind == "categories":
        frame.astype({"user": "category", "item": "category"}).to_parquet(path)
    else:
        when = pd.to_datetime(frame["timestamp"], unit="s", utc=True).dt.tz_convert("Asia/Tokyo")
        frame.assign(timestamp=when).to_parquet(path)
    assert both_ways(path) == [TRUTH, TRUTH]


@pytest.mark.parametrize("metadata", [True, False])
def test_large_whole_numbers_beside_a_null(metadata, tmp_path):
    items = [6221888200042590030, None, 6221888200042590031, 6221888200042590032]
    table = pa.table({"user": [1, 2, 3, 4], "item": items, "timestamp": [row[3] for row in TRUTH]})
    if metadata:
        table = pa.Table.from_pandas(
            table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        )
    pq.write_table(table, tmp_path / "table.parquet")
    found = both_ways(tmp_path / "table.parquet")
    expected = [(1, items[0], 5.0), (3, items[2], 5.0), (4, items[3], 5.0)]
    assert [[row[:3] for row in way] for way in found] == [expected, expected]


REFUSED = {
    "a byte that does not fit": (PLAIN.encode("gb18030"), r"not utf-8: the bytes \w\w on line 3 "),
    "a cut gzip": (gzip.compress(PLAIN.encode() * 99)[:-9], "damaged or was cut short"),
    "an open quotation mark": (b'user,item\n1,2\n3,"4\n5,6\n', "begins on line 3 never ends"),
    "a mixture of units": (b"user,item,time\n1,2,1500000000\n1,3,1500000000000\n", "mixes seconds"),
    "an unknown date": (b"user,item,time\n1,2,07/14/2017 03:44\n", r"'%m/%d/%Y %H:%M' \(month"),
    "days or seconds": (b"user,item,time\n1,2,17000\n1,3,17001\n", "--time-unit D"),
    "thousands or fractions": (b'user,item,rating\n1,2,"1,234"\n', "--decimal"),
    "words as ratings": (b"user,item,rating\n1,2,view\n", "leave the rating out"),
    "one number in two forms": (b"user,item\n1,2\n1.0,3\n", "with and without a point"),
    "a picture": (b"\x89PNG\r\n\x1a\n0000", "is a picture"),
    "a database": (b"SQLite format 3\x00...", "SQLite"),
    "one JSON list": (b'[{"user": 1, "item": 2}]', "one object a line"),
    "nothing": (b"", "is empty"),
    "a header alone": (b"user,item\n", "holds no rows"),
    "no known column": (b"a,b\n1,2\n", "called like the user"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_ambiguous_or_damaged_is_refused(kind, tmp_path):
    content, said = REFUSED[kind]
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(DataError, match=said):
        Interactions.from_file(tmp_path / "table")
    with pytest.raises(DataError, match=said):
        get(Request("mine", source=tmp_path / "table"))


def test_a_zip_archive_with_several_tables_or_of_an_office(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as out:
        out.writestr("a.csv", PLAIN)
        out.writestr("b.csv", PLAIN)
    with pytest.raises(DataError, match=r"holds 2 files \('a.csv', 'b.csv'\)"):
        Interactions.from_file(tmp_path / "two.zip")
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as out:
        out.writestr("[Content_Types].xml", "")
    with pytest.raises(DataError, match="save the table as CSV"):
        Interactions.from_file(tmp_path / "x.xlsx")


def test_lines_are_counted_through_quoted_line_ends(tmp_path):
    text = 'user,item,note\n1,2,"a\nb"\n,3,"c\r\nd\re"\n4\n,5,x\n'
    (tmp_path / "table.csv").write_text(text, newline="")
    aside = Interactions.from_file(tmp_path / "table.csv").rejects
    assert aside[["line", "reason"]].to_numpy().tolist() == [
        [4, "no id"],
        [7, "1 field instead of 3"],
        [8, "no id"],
    ]


COMMENTED = {
    "comments and a header": ("# by me\n# 4, columns, of, these\n" + PLAIN, {}),
    "a blank line between": ("# by me\r\n\r\n" + written(TRUTH, end="\r\n"), {}),
    "a header that is a comment": ("# by me\n#" + PLAIN, {}),
    "semicolons": ("# a, b\n" + written(TRUTH, ";"), {}),
    "no header": (
        "# by me\n" + written(TRUTH, head=None),
        {
            "form": TextForm(header=False),
            "columns": {"user": "1", "item": "2", "rating": "3", "timestamp": "4"},
        },
    ),
    "a header once more": (PLAIN + PLAIN.splitlines()[0] + "\n", {}),
    "a total": (PLAIN + "total,,13,\n", {}),
}


@pytest.mark.parametrize("kind", COMMENTED)
def test_what_is_no_row_is_left_out(kind, tmp_path):
    text, options = COMMENTED[kind]
    (tmp_path / "table.csv").write_text(text, encoding="utf-8", newline="")
    for found in both_ways(tmp_path / "table.csv", **options):
        assert found == TRUTH


def test_ids_that_begin_with_the_sign_of_a_comment_are_ids(tmp_path):
    path = tmp_path / "tags.csv"
    path.write_text("#cats,2\n#dogs,3\nmice,1\n")
    table = Interactions.from_file(path, "1", "2", form=TextForm(header=False))
    assert table.to_frame()["user_id"].tolist() == ["#cats", "#dogs", "mice"]


def test_totals_and_headers_do_not_decide_what_a_column_holds(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("user,item,rating\n7,8,4\nuser,item,rating\n9,8,5\nTOTAL,,900\n")
    table = Interactions.from_file(path)
    assert table.to_frame()[["user_id", "item_id"]].to_numpy().tolist() == [[7, 8], [9, 8]]
    assert table.user_ids is None
    assert any("from 4 to 5" in note for note in table.notes)
    assert table.rejects["line"].tolist() == [3, 5]


def test_nested_columns(tmp_path):
    rows = [
        {"who": {"id": f"u{n}", "of": {"shop": 2**60 + n}}, "what.sku": n, "ts": 1_500_000_000 + n}
        for n in range(3)
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    for name in ("x.jsonl", "x.parquet"):
        found = Interactions.from_file(tmp_path / name, "who.of.shop", "what.sku", timestamp="ts")
        ids = found.to_frame()[["user_id", "item_id"]].to_numpy().tolist()
        assert ids == [[2**60 + n, n] for n in range(3)]


@pytest.mark.parametrize("separator", ["\0", "\n", '"', "é", "ab", ""])
def test_what_cannot_separate_columns_is_refused(separator):
    with pytest.raises(DataError, match="The separator must be one ASCII character"):
        TextForm(separator=separator)
