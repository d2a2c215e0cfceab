"""What a search is asked for: words, space files, and the recipe that it is around."""

from pathlib import Path

import pytest

pytest.importorskip("optuna")

from gan_lightning.errors import UserError
from gan_lightning.search.__main__ import main
from gan_lightning.search.asked import Asked, duration, parsed
from gan_lightning.search.recipe import looked_at
from gan_lightning.search.space import read_space

HERE = "folder=search"


def test_words_are_told_apart() -> None:
    words = ["loss=hinge", HERE, "max_time=1h30m", "jobs=2", "images=5000", "data.batch_size=32"]
    asked = parsed(words)
    assert (asked.folder, asked.max_time, asked.jobs) == (Path("search"), 5400.0, 2)
    assert (asked.images, asked.trials) == (5000, 40)
    assert asked.overrides == ["loss=hinge", "data.batch_size=32"]
    assert [duration(text) for text in ("90s", "15m", "1h", "1h1s")] == [90, 900, 3600, 3601]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["loss=hinge"], "name the folder of the search"),
        ([HERE, "trials=0"], "trials=0 must be a whole number at least 1"),
        ([HERE, "max_time=1 h"], "max_time=1 h must be a time such as 90s"),
        ([HERE, "max_time=h"], "must be a time"),
        ([HERE, "resume=auto"], "resume=auto: the search chooses resume for each trial"),
        ([HERE, "-m"], "-m is not KEY=VALUE"),
        ([HERE, "images=9", "trainer.max_epochs=3"], "exclude each other"),
        ([HERE, "space=nowhere"], "space=nowhere is no file, and no option of conf/search: def"),
        ([HERE, "trails=3"], "trails=3: did you mean trials?"),
        ([HERE, "loss=hinj"], "loss=hinj is no option (did you mean 'hinge'?)"),
        ([HERE, "loss"], "'loss' is not KEY=VALUE"),
        ([HERE, "seed=1,2"], "seed=1,2"),
        ([HERE, "penalty.weight=1"], "penalty.weight=1: penalty.weight is searched by space"),
        ([HERE, "penalty=none"], "penalty.weight"),
        ([HERE, "trainer.max_epochs=-5"], "trainer.max_epochs=-5 must be"),
        ([HERE, "callbacks.scores=null"], "optimized_metric=score/fid is not measured"),
        ([HERE, "logger.csv=null"], "a search reads optimized_metric from metrics.csv"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "search").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must have a line for each setting"),
        ("[1, 2]", "must have a line for each setting"),
        ("a: {", "is no YAML"),
        ("a: [1]", "a must be a list of two or more values"),
        ("a: 3", "a must be a list"),
        ("a: {low: 1, hihg: 2}", "a must be a list"),
        ("a: {low: 2, high: 1}", "a: low (2) must be below high (1)"),
        ("a: {low: x, high: 1}", "a: low, high and step must be numbers"),
        ("a: {low: 0, high: 1, log: true}", "a: low (0) must be above 0"),
        ("a: {low: 1, high: 2, log: 3}", "a: log must be true or false"),
        ("a: {low: 1, high: 2, step: 1, log: true}", "a: step must be above 0"),
    ],
)
def test_mistakes_in_a_space_name_file_and_key(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as raised:
        read_space(str(file))
    assert str(raised.value).startswith(str(file))
    assert sentence in str(raised.value)


def test_values_of_a_space(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("a: {low: 8, high: 32, step: 8}\nb: {low: 1e-4, high: 1, log: true}\nc: [x, ~]")
    a, b, c = read_space(str(file))
    assert [a.holds(value) for value in (8, 16, 12, 40, "x", None)] == [True, True, *[False] * 4]
    assert [b.holds(value) for value in (0.5, 1, 2, True)] == [True, True, False, False]
    assert (a.override(16), b.override(0.123456), c.override(None)) == (
        "a=16",
        "b=0.1235",
        "c=null",
    )


def test_the_default_space_is_around_the_default_recipe() -> None:
    space = read_space("default")
    recipe = looked_at(Asked(Path("x"), images=100_000, looks=5), space)
    assert len(space) == 5
    assert all(one.holds(recipe.values[one.key]) for one in space)
    assert (recipe.metric, recipe.looks, recipe.batch_size) == ("score/fid", 5, 64)
    budget = recipe.overrides(Asked(Path("x"), images=100_000, looks=5), {})
    assert budget == ["trainer.max_epochs=5", "trainer.limit_train_batches=312"]
    assert recipe.overrides(Asked(Path("x")), {}) == []
