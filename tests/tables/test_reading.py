"""CSV files as people write them: delimiters, decimal marks, types, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_lightning.errors import UserError
from gan_lightning.tables import Options, Table, encode_rows, read_schema, read_table
from gan_lightning.tables.columns import REACH
from gan_lightning.tables.numbers import read_number

KINDS = {"marks": "integer", "weight": "decimal", "town": "category"}
PLAIN = "marks,weight,town\n12,1.5,Ulm\n7,-2.25,Bonn\n30,10.0,Ulm\n"


def table(folder: Path, text: str | bytes, **options: object) -> Table:
    file = folder / "table.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(file, Options.of(options))


def rows(found: Table) -> list[tuple[str, ...]]:
    """Return the rows after a way through points and back."""
    schema = read_schema(found.schema.plain())
    labels = found.labels() if schema.label else np.zeros(len(found), np.int64)
    return schema.rows(schema.encode(found.values), labels)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", ";").replace(".", ","),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.replace("Ulm", '"Ulm"').replace("marks", '"marks"'),
        PLAIN.replace("7,-2.25", ' 7 , "-2.25" '),
        PLAIN.replace("7,-2.25", "7,\u22122.25"),
        PLAIN + "\n\n",
    ],
)
def test_one_table_in_many_spellings(text: str | bytes, tmp_path: Path) -> None:
    found = table(tmp_path, text)
    assert {c.name: c.kind for c in found.schema.columns} == KINDS
    assert found.schema.label == "town"
    assert found.values[1].tolist() == [1.5, -2.25, 10.0]
    mark = found.schema.mark
    shown = [tuple(field.replace(mark, ".") for field in row) for row in rows(found)]
    assert shown == [("12", "1.50", "Ulm"), ("7", "-2.25", "Bonn"), ("30", "10.00", "Ulm")]


def test_headers_may_have_any_letters(tmp_path: Path) -> None:
    found = table(tmp_path, "größe;  Straße 名 ;x\n1,5;ä;1\n2,5;ö;2\n")
    assert [c.name for c in found.schema.columns] == ["größe", "Straße 名", "x"]
    assert (found.schema.delimiter, found.schema.mark) == (";", ",")
    assert rows(found) == [("1,5", "ä", "1"), ("2,5", "ö", "2")]


def test_thousands_and_quoted_delimiters(tmp_path: Path) -> None:
    found = table(tmp_path, 'pay,name\n"1,234","a, b"\n"1,234,567.5",c\n12,"d ""e"""\n')
    assert found.values[0].tolist() == [1234.0, 1234567.5, 12.0]
    assert found.schema.classes == ["a, b", "c", 'd "e"']


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1.5", ".", (1.5, 1)),
        ("1,5", ",", (1.5, 1)),
        ("1.234.567", ",", (1234567.0, 0)),
        ("1 234,50", ",", (1234.5, 2)),
        ("1'234.5", ".", (1234.5, 1)),
        ("-1e3", ".", (-1000.0, 0)),
        ("2.5E-3", ".", (0.0025, 4)),
        (".5", ".", (0.5, 1)),
        ("+7", ".", (7.0, 0)),
        ("1,5", ".", None),
        ("1.23.4", ",", None),
        ("1,23,4", ".", None),
        ("1_000", ".", None),
        ("inf", ".", None),
        ("1e999", ".", None),
        (".", ".", None),
        ("-", ".", None),
        ("", ".", None),
        ("12 km", ".", None),
    ],
)
def test_numbers(text: str, mark: str, number: tuple[float, int] | None) -> None:
    assert read_number(text, mark) == number


def test_kinds_and_labels_may_be_given(tmp_path: Path) -> None:
    text = "zip,a,b,y\n1,x,u,0\n2,y,v,1\n1,x,v,1\n"
    assert table(tmp_path, text).schema.label == "b"
    assert table(tmp_path, text, label=None).schema.label is None
    found = table(tmp_path, text, label="y", kinds={"zip": "category", "column2": "ignore"}).schema
    assert [(c.name, c.kind) for c in found.columns] == [
        ("zip", "category"),
        ("b", "category"),
        ("y", "category"),
    ]
    assert (found.label, found.classes, found.categories) == ("y", ["0", "1"], [2, 2])
    assert table(tmp_path, text, kinds={"y": "decimal"}, label="a").schema.size == 4


def test_constant_columns_come_back(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b,c,d\n5,0.1,x,1\n5,0.1,x,2\n")
    assert found.schema.size == 1
    assert rows(found) == [("5", "0.1", "x", "1"), ("5", "0.1", "x", "2")]


def test_booleans_are_categories_in_their_own_spelling(tmp_path: Path) -> None:
    found = table(tmp_path, "a,sure\n1,True\n2,False\n3,True\n", label=None)
    assert found.schema.categories == [2]
    assert rows(found) == [("1", "True"), ("2", "False"), ("3", "True")]


BAD = {
    "": "table.csv is empty",
    "\n \n": "table.csv is empty",
    "a,b\n": "table.csv has a header and no rows",
    "1,2\n3,4\n": "row 1 has numbers, not the columns' names: add a header",
    "a,,b\n1,2,3\n": "row 1, column 2 has no name",
    "a,b,a\n1,2,3\n": "row 1: two columns are called 'a'",
    "a,b\n1,2\n\n3\n": "row 4: 1 fields, but the header has 2",
    "a,b\n1,2\n3,\n": "row 3, column 'b': a value is missing",
    "a,b\n1,2\n,\n": "row 3, column 'a': a value is missing",
    "a,b\n1,2\nNA,4\n": "row 3, column 'a': a value is missing",
    "a,b\n1,u\n2,NaN\n": "row 3, column 'b': a value is missing",
    "a,b\n1,2\n2,3\nx,4\n": "row 4, column 'a': 'x' is no number",
    "a,b\n1,2\n2,inf\n3,5\n": "row 3, column 'b': 'inf' is no number",
    "a,b\n1,2\n": "1 row, and no column varies: there is nothing to learn",
    "a,y\n1,u\n1,v\n": "no column varies but the label 'y'",
    "a,b\n" + "".join(f"{i},name {i}\n" for i in range(30)): "30 different texts are too many",
    "a,b\n1,x\x07y\n2,z\n": "row 2, column 'b': no category",
}


@pytest.mark.parametrize("text", BAD, ids=BAD.values())
def test_bad_files_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        table(tmp_path, text)
    assert BAD[text] in str(caught.value)
    assert str(tmp_path / "table.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kinds": {"a": "text"}}, "a: text must be one of integer, decimal, category, ignore"),
        ({"kinds": {"z": "decimal"}}, "z: .* has no such column: a, b"),
        ({"kinds": {"b": "integer"}}, "row 2, column 'b': '1.5' is no whole number"),
        ({"kinds": {"column3": "ignore"}}, "column3: .* has no such column: a, b"),
        ({"label": "z"}, "data.label=z: .* has no such column: a, b"),
        ({"label": "a", "kinds": {"a": "decimal"}}, "its kind must be category"),
        ({"delimiter": "/"}, "data.delimiter='/' must be one of"),
        ({"decimal": ";"}, "data.decimal=; must be one of"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        table(tmp_path, "a,b\n1,1.5\n2,2.5\n", **options)


def test_the_way_out_is_a_word_that_hydra_reads(tmp_path: Path) -> None:
    """Its keys are plain words: other columns are named by their places."""
    for name, key in (("weight", "weight"), ("die Größe", "column2")):
        with pytest.raises(UserError, match=rf"'data.kinds=\{{{key}: category\}}'"):
            table(tmp_path, f"a,{name}\n1,2\n2,3\n3,x\n")


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is no file"), (tmp_path / "none.csv", "cannot be read")):
        with pytest.raises(UserError, match=words):
            read_table(path, Options())
    with pytest.raises(UserError, match="row 3: not in UTF-8"):
        table(tmp_path, "a,b\n1,2\ngröße,3\n".encode("latin-1"))


def test_another_file_has_the_same_coordinates(tmp_path: Path) -> None:
    found = table(tmp_path, PLAIN)
    other = tmp_path / "other.csv"
    other.write_text("town;weight;marks;more\nBonn;1,5;7;x\n")
    points, labels = encode_rows(other, found.schema)
    assert found.schema.rows(points, labels) == [("7", "1.50", "Bonn")]
    for text, words in (("weight,marks\n1,2\n", "no column 'town'"), ("town\nRom\n", "marks")):
        other.write_text(text)
        with pytest.raises(UserError, match=words):
            encode_rows(other, found.schema)
    other.write_text("town,weight,marks\nRom,1,2\n")
    with pytest.raises(UserError, match="row 2, column 'town': 'Rom' is none of Bonn, Ulm"):
        encode_rows(other, found.schema)


TEXTS = st.text(st.characters(categories=["L"]), min_size=1, max_size=8).filter(
    lambda text: text.lower() not in ("na", "nan", "null", "inf", "infinity", "auto")
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(
        st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**5), 10**5), TEXTS),
        min_size=2,
        max_size=15,
    ),
    decimals=st.integers(1, 4),
    mark=st.sampled_from(".,"),
)
def test_any_table_comes_back_as_it_was(
    tmp_path: Path, numbers: list[tuple[int, int, str]], decimals: int, mark: str
) -> None:
    written = [
        (str(a), f"{b / 10**decimals:z.{decimals}f}".replace(".", mark), c) for a, b, c in numbers
    ]
    text = "".join(";".join(row) + "\n" for row in [("a", "b", "c"), *written])
    if len({a for a, _, _ in numbers}) == len({b for _, b, _ in numbers}) == 1:
        return  # nothing to learn
    found = table(tmp_path, text, decimal=mark)
    assert rows(found) == written
    points = found.schema.encode(found.values)
    assert np.abs(points).max() <= REACH + 1e-6


@pytest.mark.parametrize(
    "change",
    [
        {"columns": []},
        {"columns": [{"name": "a\nb", "kind": "integer"}]},
        {"columns": [{"name": "a", "kind": "date"}]},
        {"columns": [{"name": "a", "kind": "integer", "mean": float("nan")}]},
        {"columns": [{"name": "a", "kind": "integer", "decimals": 10**6}]},
        {"columns": [{"name": "a", "kind": "category"}]},
        {"columns": [{"name": "a", "kind": "category", "values": [1]}]},
        {"columns": [{"name": "a", "kind": "integer", "code": "x"}]},
        {"columns": [{"name": "a", "kind": "integer"}] * 2},
        {"columns": "abc"},
        {"label": "b"},
        {"delimiter": "\n"},
        {"mark": "x"},
        {"more": 1},
    ],
)
def test_strangers_tables_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    plain = table(tmp_path, PLAIN).schema.plain()
    assert read_schema(plain).plain() == plain
    with pytest.raises(ValueError, match="its table"):
        read_schema(plain | change)
