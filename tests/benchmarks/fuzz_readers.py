"""A fuzz of the readers of a person's tables: whatever the bytes, an answer or one clear error.

    python tests/benchmarks/fuzz_readers.py [NUMBER_OF_INPUTS [SEED]]

Inputs are tables as people have them, spoilt: odd fields, cut and changed bytes, other encodings,
compression, damaged Parquet, Feather and JSON lines. An exception other than ``RecsysError`` is a
failure, which hypothesis shrinks to a small input. Every thousandth input adds a line to stderr.
"""

import bz2
import gzip
import io
import json
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from recsys_lib.data import Interactions
from recsys_lib.data.tables import TextForm
from recsys_lib.errors import RecsysError

ODD = [
    *("", " ", "0", "00", "1", "-1", "1.0", "1e3", "1e400", "nan", "inf", "NULL", "true"),
    *("9" * 40, "4,5", "1,234", "1.234,5", "1_000", "0x10", "٣", "½", "é", "电影", "😀", "\ufeff"),
    *("\x00", "\x1f", "a\nb", "a\rb", '"', '""', 'a"b', "'", "\\", "::", "{", "[", "=", "+", "-"),
    *("2017-07-14", "20170714", "07/14/2017", "14.07.17 10:00", "10:00", "2017-02-30"),
    *("2017-07-14T10:00:00+02:00", "0000-00-00", "9999-12-31", "-262144-01-01", "2017-W28-5"),
    *("1500000000", "1500000000000", "1500000000.5"),
]
FIELD = st.one_of(
    st.sampled_from(ODD),
    st.integers(-5, 99).map(str),
    st.integers(10**8, 2 * 10**9).map(str),
    st.text(max_size=5),
)
NAMES = [
    *("user", "item", "rating", "timestamp", "user_id", "movieId", "Rating", "RATING", "time"),
    *("", " user ", "user:token", '"item"', "item\nid", "a", "1", "2", "stars", "date"),
]
NAME = st.sampled_from(NAMES)
SOUND = ["user", "item", "rating", "timestamp"]
MOSTLY = st.sampled_from([True, True, True, False])  # to be read as often as to be refused
HEADER = st.builds(
    lambda sound, header: SOUND if sound else header,
    MOSTLY,
    st.one_of(st.just(SOUND[:3]), st.lists(NAME, min_size=1, max_size=6)),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030", "latin-1", "cp1252")
FORMS = st.builds(
    lambda plain, form: {} if plain else form,
    MOSTLY,
    st.builds(
        dict,
        separator=st.sampled_from([None, *",;\t|", "::", " ", "\x00", '"', "\n", "é", "x"]),
        encoding=st.sampled_from([None, *ENCODINGS]),
        header=st.booleans(),
    ),
)
UNITS = st.sampled_from([*[None] * 12, "s", "ms", "D", "date", "%d/%m/%Y"])


@st.composite
def texts(draw) -> bytes:
    header = draw(HEADER)
    width = len(header)
    ids = st.integers(0, 99).map(str) if draw(st.booleans()) else FIELD
    sound = [ids, ids, st.integers(1, 5).map(str), st.integers(10**9, 10**9 + 99).map(str)]
    whole = st.tuples(*sound[:width], *[FIELD] * (width - 4)).map(list)
    rows = draw(st.lists(whole, max_size=6))
    rows += draw(st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=2))
    rows += draw(st.lists(st.lists(FIELD, max_size=width + 1), max_size=1))
    separator = draw(st.sampled_from([",", ";", "\t", "|", "::", ":", " "]))
    quoted = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))

    def line(fields) -> str:
        return separator.join(f'"{each}"' if quoted else each for each in fields)

    text = end.join(line(each) for each in [header, *rows]) + draw(st.sampled_from(["", end]))
    encoding = "utf-8" if draw(MOSTLY) else draw(st.sampled_from(ENCODINGS))
    return text.encode(encoding, errors="replace")


@st.composite
def json_lines(draw) -> bytes:
    value = st.one_of(
        FIELD, st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers())
    )
    objects = draw(st.lists(st.dictionaries(NAME, value, max_size=5), min_size=1, max_size=6))
    objects = [{"user": draw(value), "item": draw(value), **each} for each in objects]
    return "\n".join(json.dumps(each) for each in objects).encode()


@st.composite
def frames(draw) -> bytes:
    n = draw(st.integers(0, 5))
    value = st.one_of(
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n),
        st.lists(st.one_of(st.none(), st.integers(0, 2**60)), min_size=n, max_size=n),
        st.lists(st.one_of(st.none(), FIELD), min_size=n, max_size=n),
        st.lists(st.floats(), min_size=n, max_size=n),
        st.lists(st.binary(max_size=4), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=n, max_size=n),
        st.lists(st.datetimes(), min_size=n, max_size=n),
        st.lists(st.decimals(allow_nan=False, allow_infinity=False), min_size=n, max_size=n),
    )
    columns = {name: draw(value) for name in draw(HEADER)}
    out = io.BytesIO()
    try:
        frame = pd.DataFrame(columns)
        (frame.to_parquet if draw(st.booleans()) else frame.to_feather)(out)
    except (ValueError, OverflowError, TypeError):  # no table of that kind can be written
        return b"PAR1"
    return out.getvalue()


@st.composite
def inputs(draw) -> bytes:
    content = draw(st.one_of(*[texts()] * 5, json_lines(), frames(), st.binary(min_size=9)))
    for _ in range(0 if draw(MOSTLY) else draw(st.integers(1, 2))):
        if content:
            place = draw(st.integers(0, len(content) - 1))
            kind = draw(st.sampled_from(["cut", "change", "insert", "repeat"]))
            if kind == "cut":
                content = content[:place]
            elif kind == "change":
                content = content[:place] + draw(st.binary(max_size=3)) + content[place + 1 :]
            elif kind == "insert":
                content = content[:place] + draw(st.sampled_from([b'"', b"\n", b"\x00", b"\xff"]))
            else:
                content += content[place:]
    wrap = draw(st.sampled_from([None, None, None, None, "gzip", "bz2", "zip"]))
    if wrap == "gzip":
        content = gzip.compress(content, 1)
    elif wrap == "bz2":
        content = bz2.compress(content, 1)
    elif wrap == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("table.csv", content)
        content = out.getvalue()
    if wrap and draw(st.integers(0, 3)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    return content


def fuzz(n_inputs: int, first_seed: int = 0) -> Counter:
    """Read so many inputs; return how often there was an answer, and how often an error."""
    outcomes: Counter = Counter()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))

    @seed(first_seed)
    @settings(
        max_examples=n_inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(), FORMS, UNITS)
    def one(content: bytes, form: dict, unit: str | None) -> None:
        n_tried = outcomes.total()
        if n_tried and n_tried % 1000 == 0:
            print(f"{n_tried} of {n_inputs}", file=sys.stderr, flush=True)
        path = folder / "table"
        path.write_bytes(content)
        columns = {} if form.get("header", True) else {"user": "1", "item": "2"}
        try:
            found = Interactions.from_file(path, **columns, form=TextForm(**form), time_unit=unit)
        except RecsysError as error:
            if not str(error).strip():
                raise AssertionError("an error without a word") from error
            outcomes["errors"] += 1
            return
        outcomes["answers"] += 1
        frame = found.frame
        assert len(frame)
        assert not frame.isna().any(axis=None)
        assert (frame[["user_id", "item_id", "timestamp"]] >= 0).all(axis=None)
        assert len(found.to_frame()) == len(frame)

    one()
    return outcomes


if __name__ == "__main__":
    started = time.monotonic()
    n_inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first_seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    outcomes = dict(fuzz(n_inputs, first_seed))
    print(n_inputs, "inputs:", outcomes, f"{time.monotonic() - started:.0f} s, seed {first_seed}")
