"""From a table to a run to a table: train.py, `sample.py output=new.csv`, evaluate.py."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import evaluate
import sample
from gan_lightning.export.generator_file import GENERATOR_FILE, read_generator
from gan_lightning.lecture.marks import marks
from tests.conftest import Command

QUICK = ("data=table", "trainer.accelerator=cpu", "hydra.run.dir=run", "callbacks=none")
SHORT = (*QUICK, "trainer.max_epochs=1", "trainer.limit_train_batches=3", "data.batch_size=16")
MIXED = "größe;alt;wo;ja;fest;y\n" + "".join(
    f"{1 + i / 7:.2f}".replace(".", ",")
    + f";{i % 50};{'UVW'[i % 3]};{i % 2 == 0};7;{'ab'[i % 2]}\n"
    for i in range(60)
)


def rows(path: str, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    with open(path, newline="", encoding="utf-8") as file:
        header, *body = csv.reader(file, delimiter=delimiter)
    return header, body


def test_a_mixed_table_comes_back_with_its_columns(command: Command) -> None:
    Path("mixed.csv").write_text(MIXED, encoding="utf-8")
    assert command(*SHORT, "data.root=mixed.csv", "data.label=y").status == 0
    Path("mixed.csv").unlink()  # the generator file alone knows
    ended = command("generator=run", "num_samples=250", "output=new.csv", script=sample)
    assert (ended.status, ended.err) == (0, "")
    header, body = rows("new.csv", ";")
    assert header == ["größe", "alt", "wo", "ja", "fest", "y"]
    assert len(body) == 250
    for size, old, where, yes, fixed, y in body:
        assert 1 <= float(size.replace(",", ".")) <= 9.43
        assert len(size.partition(",")[2]) == 2
        assert 0 <= int(old) <= 49
        assert where in ("U", "V", "W")
        assert yes in ("True", "False")
        assert (fixed, y in ("a", "b")) == ("7", True)
    again = command("generator=run/checkpoints/last.ckpt", "output=b.csv", script=sample)
    assert again.status == 2, "callbacks=none writes no checkpoint"


def test_labels_are_drawn_as_often_as_in_the_table(command: Command) -> None:
    lines = [("a", "y"), *((str(i), "rare" if i % 10 == 0 else "common") for i in range(100))]
    Path("t.csv").write_text("".join(f"{a},{y}\n" for a, y in lines))
    assert command(*SHORT, "data.root=t.csv").status == 0
    assert command("generator=run", "num_samples=1000", script=sample).status == 0
    labels = [row[1] for row in rows("run/sample-seed0.csv")[1]]
    assert labels.count("rare") == pytest.approx(100, abs=35)
    asked = ("generator=run", "label=1", "output=one.csv")
    assert command(*asked, script=sample).status == 0
    assert {row[1] for row in rows("one.csv")[1]} == {"rare"}
    for output, words in (("x.npz", "this is a table"), ("x.txt", ".csv (rows of a table)")):
        ended = command("generator=run", f"output={output}", script=sample)
        assert ended.status == 2
        assert words in ended.err


def test_an_unconditional_generator_leaves_the_label_out(command: Command) -> None:
    Path("mixed.csv").write_text(MIXED, encoding="utf-8")
    assert command(*SHORT, "data.root=mixed.csv", "model.num_classes=0").status == 0
    assert command("generator=run", "output=new.csv", script=sample).status == 0
    assert rows("new.csv", ";")[0] == ["größe", "alt", "wo", "ja", "fest"]


def test_columns_are_left_out_by_name_or_place(command: Command) -> None:
    Path("mixed.csv").write_text(MIXED, encoding="utf-8")
    kinds = "data.kinds={column1: ignore, wo: ignore, alt: category}"
    assert command(*SHORT, "data.root=mixed.csv", kinds, "data.label=alt").status == 0
    assert command("generator=run", "output=new.csv", script=sample).status == 0
    assert rows("new.csv", ";")[0] == ["alt", "ja", "fest", "y"]


def test_a_checkpoint_knows_the_columns_too(command: Command) -> None:
    Path("mixed.csv").write_text(MIXED, encoding="utf-8")
    with_all = [item for item in SHORT if item != "callbacks=none"]
    assert command(*with_all, "data.root=mixed.csv", "callbacks.scores.num_samples=100").status == 0
    for source in ("run", "run/checkpoints/last.ckpt"):
        output = f"output={source.replace('/', '-')}.csv"
        assert command(f"generator={source}", output, script=sample).status == 0
    assert rows("run.csv", ";") == rows("run-checkpoints-last.ckpt.csv", ";")
    assert "score/gap" in read_generator(Path("run"))[1].scores


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,b\n1,2\n2,\n", "row 3, column 'b': a value is missing"), ("", "is empty")],
)
def test_bad_tables_end_with_status_2(text: str, words: str, command: Command) -> None:
    Path("t.csv").write_text(text)
    ended = command(*SHORT, "data.root=t.csv")
    assert ended.status == 2
    assert words in ended.err


def test_images_have_no_rows(run_folder: Path, command: Command) -> None:
    ended = command(f"generator={run_folder / GENERATOR_FILE}", "output=x.csv", script=sample)
    assert (ended.status, "draws images, not rows" in ended.err) == (2, True)


STUDENTS = "physics,maths,y\n" + "".join(f"{','.join(one)}\n" for one in marks())


@pytest.mark.slow
def test_students_come_back_with_their_moments(command: Command) -> None:
    """Done when: 5,000 students, means and deviations within 5 %, the correlation within 0.05."""
    Path("marks.csv").write_text(STUDENTS)
    assert command(*QUICK, "data.root=marks.csv").status == 0
    asked = ("generator=run", "num_samples=5000", "output=new.csv")
    assert command(*asked, script=sample).status == 0
    real = np.array([(float(a), float(b)) for a, b, _ in marks()])
    fake = np.array([(float(a), float(b)) for a, b, _ in rows("new.csv")[1]])
    assert fake.mean(0) == pytest.approx(real.mean(0), rel=0.05)
    assert fake.std(0) == pytest.approx(real.std(0), rel=0.05)
    assert np.corrcoef(fake.T)[0, 1] == pytest.approx(np.corrcoef(real.T)[0, 1], abs=0.05)


def test_rows_are_scored_beside_reals(command: Command) -> None:
    pytest.importorskip("sdmetrics")
    Path("marks.csv").write_text(STUDENTS)
    assert command(*SHORT, "data.root=marks.csv").status == 0
    reals, asked = ("data=table", "data.root=marks.csv"), ("num_samples=500", "output=ev.json")
    ended = command("generator=run", "images=marks.csv", *reals, *asked, script=evaluate)
    assert (ended.status, ended.err) == (0, "")
    record = json.loads(Path("ev.json").read_text())
    untrained, same = (candidate["scores"] for candidate in record["candidates"])
    assert untrained.keys() == same.keys() == record["floor"].keys()
    assert (same["mean"], same["deviation"]) < (0.01, 0.05)
    assert same["quality"] > record["floor"]["quality"] > untrained["quality"]
    assert (same["boundary"], same["new_rows"]) == (1, pytest.approx(0, abs=0.15))
    assert 0.6 < record["floor"]["learnt"] <= 1
    assert Path("ev.png").stat().st_size > 1000
    ended = command("generator=run", script=evaluate)
    assert (ended.status, "data=table data.root=FILE" in ended.err) == (2, True)
    Path("other.csv").write_text(STUDENTS.replace("maths", "music"))
    other = ("data=table", "data.root=other.csv")
    ended = command("generator=run", *other, script=evaluate)
    assert (ended.status, "rows of another table" in ended.err) == (2, True)
