"""Readers: every number exactly, from any row on, in constant memory; or a clear refusal."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest

from qrun_equiv.errors import DataError
from qrun_equiv.streaming import RunError, parquet
from qrun_equiv.streaming.rows import open_rows

pyarrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

X = np.random.default_rng(0).normal(size=(1000, 3))


def saved(tmp_path, array, name="in.npy"):
    np.save(tmp_path / name, array)
    return tmp_path / name


def table(tmp_path, columns, name="in.parquet", **options):
    pq.write_table(pyarrow.table(columns), tmp_path / name, **options)
    return tmp_path / name


def read(rows, start=0, size=64):
    chunks = list(rows.chunks(start, size))
    assert all(c.dtype == np.float64 and len(c) == size for c in chunks[:-1])
    return np.concatenate(chunks)


class Pipe(io.RawIOBase):
    """Gives some bytes at a time and can't go back."""

    def __init__(self, data, most=77):
        self.data, self.at, self.most = data, 0, most

    def readable(self):
        return True

    def read(self, count=-1):
        part = self.data[self.at : self.at + min(count, self.most)]
        self.at += len(part)
        return part


@pytest.mark.parametrize("start", [0, 64, 960, 1000])
@pytest.mark.parametrize("kind", ["npy", "fortran", "pipe", "parquet", "one group", "many groups"])
def test_every_row_from_any_row_on(kind, start, tmp_path):
    if kind == "npy":
        source = saved(tmp_path, X)
    elif kind == "fortran":
        source = saved(tmp_path, np.asfortranarray(X))
    elif kind == "pipe":
        source = Pipe(saved(tmp_path, X).read_bytes())
    else:
        groups = {"parquet": 150, "one group": 1000, "many groups": 7}[kind]
        columns = {name: X[:, k] for k, name in enumerate("abc")}
        source = table(tmp_path, columns, row_group_size=groups)
    rows = open_rows(source, 3)
    assert rows.n_rows == 1000
    found = list(rows.chunks(start, 64))
    if start == 1000:
        assert found == []
    else:
        np.testing.assert_array_equal(np.concatenate(found), X[start:])
        assert [len(c) for c in found[:-1]] == [64] * (len(found) - 1)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", ">f4", "<f8", ">f8", "i1", "u1", "i2", "i4", ">i4", "u4", "i8", "u8"]
)
def test_types_are_converted_exactly(dtype, tmp_path):
    array = (X * 50).astype(dtype) if dtype[-2] != "u" else np.abs(X * 50).astype(dtype)
    np.testing.assert_array_equal(read(open_rows(saved(tmp_path, array), 3)), array)
    if ">" not in dtype:
        columns = {name: array[:, k] for k, name in enumerate("abc")}
        np.testing.assert_array_equal(read(open_rows(table(tmp_path, columns), 3)), array)


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_whole_numbers_that_are_no_float64(value, tmp_path):
    array = np.full((100, 2), 2**53)
    array[70, 1] = value
    with pytest.raises(DataError, match=rf"column 1 of .*, row 70: {value} is beyond 2\^53"):
        read(open_rows(saved(tmp_path, array), 2))
    path = table(tmp_path, {"a": array[:, 0], "b": array[:, 1]}, row_group_size=30)
    with pytest.raises(DataError, match=rf"column 'b' of .*, row 70: {value} is"):
        read(open_rows(path, 2), size=32)
    array[70, 1] = -(2**53)
    np.testing.assert_array_equal(read(open_rows(saved(tmp_path, array), 2)), array)


def test_unsigned_beyond(tmp_path):
    path = saved(tmp_path, np.full((2, 1), 2**64 - 1, dtype="u8"))
    with pytest.raises(DataError, match=r"18446744073709551615 is beyond"):
        read(open_rows(path, 1))


def test_columns_in_the_order_asked_for(tmp_path):
    for source in (saved(tmp_path, X), saved(tmp_path, np.asfortranarray(X), "f.npy")):
        rows = open_rows(source, 2, ["2", "0"])
        np.testing.assert_array_equal(read(rows), X[:, [2, 0]])
        assert rows.identity["columns"] == ["2", "0"]
    path = table(tmp_path, {"a": X[:, 0], "b.c": X[:, 1], "text": ["t"] * 1000, "d": X[:, 2]})
    rows = open_rows(path, 2, ["d", "b.c"])
    np.testing.assert_array_equal(read(rows), X[:, [2, 1]])


def test_one_dimension_is_one_feature(tmp_path):
    np.testing.assert_array_equal(read(open_rows(saved(tmp_path, X[:, 0]), 1)), X[:, :1])


def test_missing_values_are_nan_and_the_others_exact(tmp_path):
    numbers = pyarrow.array([1.5, None, float("nan"), 4.0])
    wholes = pyarrow.array([2**53, 7, None, -(2**53)], pyarrow.int64())
    found = read(open_rows(table(tmp_path, {"a": numbers, "b": wholes}), 2))
    expected = [[1.5, 2.0**53], [np.nan, 7], [np.nan, np.nan], [4.0, -(2.0**53)]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("array", "features", "message"),
    [
        (X, 2, r"has 3 column\(s\); choose 2 of them with --columns \(0 to 2\)"),
        (X[:, 0], 2, r"has 1 column\(s\)"),
        (X[None], 3, "has shape"),
        (np.array(1.0), 1, "has shape"),
        (np.array([["a"]]), 1, "holds <U1, no numbers"),
        (X.astype(complex), 3, "holds complex128"),
        (X > 0, 3, "holds bool"),
        (X.astype(np.longdouble), 3, "holds float128|holds longdouble"),
        (np.zeros(3, dtype=[("a", "f8")]), 1, "no numbers"),
    ],
)
def test_arrays_that_do_not_fit(array, features, message, tmp_path):
    path = saved(tmp_path, array)
    with pytest.raises(DataError, match=message):
        open_rows(path, features)
    with pytest.raises(DataError, match=message.replace("in.npy", "the standard input")):
        open_rows(io.BytesIO(path.read_bytes()), features)


def test_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "in.npy", np.array([[print]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds object"):
        open_rows(tmp_path / "in.npy", 1)


@pytest.mark.parametrize("columns", [["3"], ["a"], ["-1"], ["1.0"], [""]])
def test_columns_that_an_array_does_not_have(columns, tmp_path):
    with pytest.raises(DataError, match="has the columns 0 to 2, got --columns"):
        open_rows(saved(tmp_path, X), 1, columns)


def test_too_few_columns_named(tmp_path):
    with pytest.raises(DataError, match=r"2 column\(s\) named with --columns; the pair takes 3"):
        open_rows(saved(tmp_path, X), 3, ["0", "1"])


def test_truncated_and_overlong_npy(tmp_path):
    path = saved(tmp_path, X)
    data = path.read_bytes()
    for changed, message in [
        (data[:-1], "truncated: its head says 1000 rows"),
        (data[:100], "its head is damaged"),
        (data[:4], "no NPY data"),
        (b"", "no NPY data"),
        (data + b"x", "followed by other data"),
        (data.replace(b"(1000, 3)", b"(-100, 3)"), "has shape"),
        (b"\x93NUMPY\x03" + data[7:], r"NPY version \(3, 0\)"),
    ]:
        path.write_bytes(changed)
        with pytest.raises(DataError, match=message):
            open_rows(path, 3)


def test_a_pipe_that_ends_early(tmp_path):
    data = saved(tmp_path, X).read_bytes()
    for start in (0, 960):
        rows = open_rows(Pipe(data[: 128 + 970 * 24 + 5]), 3)
        with pytest.raises(DataError, match="ended after 970 of 1000 rows"):
            list(rows.chunks(start, 64))
    with pytest.raises(DataError, match="Fortran order"):
        open_rows(Pipe(saved(tmp_path, np.asfortranarray(X)).read_bytes()), 3)


def test_a_pipe_that_is_another(tmp_path):
    data = saved(tmp_path, X).read_bytes()
    rows = open_rows(Pipe(data), 3)
    chunks = rows.chunks(0, 64)
    next(chunks)
    digest = rows.digest()
    again = open_rows(Pipe(data), 3)
    np.testing.assert_array_equal(np.concatenate(list(again.chunks(64, 64, digest))), X[64:])
    other = open_rows(Pipe(data[:140] + bytes([data[140] ^ 1]) + data[141:]), 3)
    with pytest.raises(DataError, match="first 64 rows differ from those of the run so far"):
        next(other.chunks(64, 64, digest))


def test_files_that_are_none(tmp_path):
    (tmp_path / "in.csv").write_text("1,2\n")
    for name, message in [
        ("none.npy", "is missing"),
        ("", "is a folder"),
        ("in.csv", "neither .npy nor .parquet"),
    ]:
        with pytest.raises(DataError, match=message):
            open_rows(tmp_path / name, 2)
    with pytest.raises(DataError, match="no features"):
        open_rows(tmp_path / "in.csv", 0)


def test_a_file_that_is_changed_while_it_is_read(tmp_path):
    for path in (saved(tmp_path, X), table(tmp_path, {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]})):
        rows = open_rows(path, 3)
        rows.check_unchanged()
        data = path.read_bytes()
        path.write_bytes(data)  # the same bytes, but who knows what stood there in between
        with pytest.raises(DataError, match="was changed while it was read"):
            rows.check_unchanged()
        rows = open_rows(path, 3)
        path.unlink()
        with pytest.raises(DataError, match="was changed"):
            rows.check_unchanged()


def test_a_file_that_is_cut_while_it_is_read(tmp_path):
    path = saved(tmp_path, X)
    rows = open_rows(path, 3)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="ended early"):
        list(rows.chunks(0, 64))


@pytest.mark.parametrize("length", [0, 3, 100, -1])
def test_truncated_parquet(length, tmp_path):
    path = table(tmp_path, {"a": X[:, 0]})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="truncated or no Parquet file"):
        open_rows(path, 1)


def test_damaged_parquet(tmp_path):
    path = table(tmp_path, {"a": X[:, 0]}, row_group_size=250, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 8] = bytes(b ^ 0xFF for b in data[half : half + 8])
    path.write_bytes(data)
    rows = open_rows(path, 1)
    with pytest.raises(DataError, match=r"is damaged from row (250|500) on"):
        list(rows.chunks(0, 50))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2"], "column 'b' of .* holds string"),
        ([True, False], "holds bool"),
        ([[1.0], [2.0]], "holds list"),
        (pyarrow.array([1, 2], pyarrow.date32()), "holds date32"),
        (pyarrow.array(["a", "b"]).dictionary_encode(), "holds dictionary|holds string"),
    ],
)
def test_columns_of_no_numbers(values, message, tmp_path):
    with pytest.raises(DataError, match=message):
        open_rows(table(tmp_path, {"a": [1.0, 2.0], "b": values}), 2)


def test_columns_that_a_parquet_file_does_not_have(tmp_path):
    path = table(tmp_path, {"a": [1.0], "b": [2.0]})
    with pytest.raises(DataError, match="has no column 'c'; it has a, b"):
        open_rows(path, 2, ["a", "c"])
    with pytest.raises(
        DataError, match=r"2 column\(s\), the pair takes 1; .*; choose 1 with --col"
    ):
        open_rows(path, 1)
    double = pyarrow.Table.from_arrays([pyarrow.array([1.0])] * 2, names=["a", "a"])
    pq.write_table(double, tmp_path / "double.parquet")
    with pytest.raises(DataError, match="more than one column 'a'"):
        open_rows(tmp_path / "double.parquet", 1, ["a"])


def test_without_pyarrow(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    path = table(tmp_path, {"a": [1.0]})
    monkeypatch.setattr(parquet, "import_module", missing)
    with pytest.raises(RunError, match=r"pip install -c constraints.txt 'qrun-equiv\[scale\]'"):
        open_rows(path, 1)


@pytest.mark.parametrize("kind", ["npy", "fortran", "parquet", "pipe"])
def test_memory_is_that_of_a_chunk(kind, tmp_path):
    array = np.arange(3_000_000, dtype=np.float64).reshape(-1, 3)  # 24 MB
    if kind == "parquet":
        columns = {name: array[:, k] for k, name in enumerate("abc")}
        options = {"use_dictionary": False, "compression": "none"}
        source = table(tmp_path, columns, row_group_size=len(array), **options)
    else:
        source = saved(tmp_path, np.asfortranarray(array) if kind == "fortran" else array)
    stream = source.open("rb") if kind == "pipe" else None
    rows = open_rows(stream or source, 3)
    del array
    before = pyarrow.total_allocated_bytes()
    most = 0
    tracemalloc.start()
    try:
        for _ in rows.chunks(0, 10_000):
            most = max(most, pyarrow.total_allocated_bytes() - before)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        if stream:
            stream.close()
    assert peak < 4_000_000  # 10 000 rows are 0.24 MB
    assert most < 8_000_000
