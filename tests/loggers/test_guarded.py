"""A logger that fails never ends the training."""

import pickle
import resource
from functools import partial
from pathlib import Path

import pytest
from lightning.pytorch.loggers import Logger, TensorBoardLogger

from gan_lightning.errors import UserError
from gan_lightning.loggers import Guarded, MetricsCSV, TensorBoard
from tests.conftest import Command
from tests.loggers.failing import Failing
from tests.loggers.test_curves import rows

SHORT = ("data=digits", "debug=fast", "model=mlp", "callbacks.doctor=null", "hydra.run.dir=run")
PLACES = ("__init__", "log_hyperparams", "experiment", "save_dir", "log_metrics", "picture")


def failing(tmp_path: Path, place: str, seconds: float = 0.0) -> Guarded:
    make = partial(Failing, place, str(tmp_path / "calls"), seconds)
    return Guarded("logger.own", Failing, make)


def calls(tmp_path: Path) -> list[str]:
    return [line.split()[1] for line in (tmp_path / "calls").read_text().splitlines()]


@pytest.mark.parametrize("place", [*PLACES, "finalize"])
def test_a_failing_logger_is_one_warning(place: str, command: Command, tmp_path: Path) -> None:
    own = f"+logger.own={{_target_: tests.loggers.failing.Failing, place: {place}, calls: calls}}"
    ended = command(*SHORT, own)
    assert ended.status == 0, ended.err
    assert ended.err.count("WARNING: logger.own failed") == (place in calls(tmp_path))
    assert place in calls(tmp_path) or place == "save_dir"
    if place in calls(tmp_path):
        assert "(ConnectionError: the server is gone): the run goes on" in ended.err
    points = [row for row in rows(tmp_path / "run" / "metrics.csv") if row["loss/D"]]
    assert [int(row["images_seen"]) for row in points] == list(range(8, 65, 8))


def test_what_fails_at_once_is_tried_again(tmp_path: Path) -> None:
    logger = failing(tmp_path, "log_metrics")
    for step in range(3):
        logger.log_metrics({}, step)
        while logger._again > 0 and not _rested(logger):
            pass
    assert calls(tmp_path).count("log_metrics") == 3


def _rested(logger: Guarded) -> bool:
    import time

    return time.monotonic() >= logger._again


def test_what_fails_slowly_is_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger = failing(tmp_path, "log_metrics", seconds=0.2)
    for step in range(5):
        logger.log_metrics({}, step)
    assert calls(tmp_path).count("log_metrics") == 1
    assert capfd.readouterr().err.count("WARNING") == 1


def test_calls_of_the_experiment_are_tried_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a callback of the user's does: logger.experiment.add_image(...)."""
    failing(tmp_path, "picture").experiment.picture("samples", None, 0)
    assert "logger.own failed" in capfd.readouterr().err


def test_it_is_of_the_loggers_class_and_has_its_attributes(tmp_path: Path) -> None:
    logger = Guarded("logger.tensorboard", TensorBoard, partial(TensorBoard, str(tmp_path)))
    assert isinstance(logger, TensorBoardLogger)
    assert isinstance(logger, Logger)
    assert not isinstance(logger, MetricsCSV)
    assert logger.save_dir == str(tmp_path)
    assert not hasattr(logger, "no_such_name")


def test_it_is_not_made_before_its_first_use(tmp_path: Path) -> None:
    """Spawned ranks are given it, and make it themselves."""
    logger = pickle.loads(pickle.dumps(failing(tmp_path, "none")))
    assert not (tmp_path / "calls").exists()
    logger.log_metrics({}, 0)
    logger.log_metrics({}, 1)
    assert calls(tmp_path) == ["__init__", "log_metrics", "log_metrics"]


def test_an_ended_logger_is_not_begun_again(tmp_path: Path) -> None:
    logger = failing(tmp_path, "none")
    logger.log_metrics({}, 0)
    logger.finalize("success")
    logger.log_metrics({}, 1)
    assert calls(tmp_path) == ["__init__", "log_metrics", "finalize"]


def test_a_mistake_of_the_users_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("no,curves\n1,2\n")
    logger = Guarded("logger.csv", MetricsCSV, partial(MetricsCSV, str(tmp_path)))
    with pytest.raises(UserError, match="holds no curves"):
        logger.resume(0)


def test_only_the_first_of_two_processes_logs(command: Command, tmp_path: Path) -> None:
    own = "+logger.own={_target_: tests.loggers.failing.Failing, place: none, calls: calls}"
    ended = command(*SHORT, own, "trainer.devices=2")
    assert ended.status == 0, ended.err
    lines = (tmp_path / "calls").read_text().splitlines()
    assert len({line.split()[0] for line in lines}) == 1
    assert calls(tmp_path).count("__init__") == 1
    assert calls(tmp_path).count("picture") == 3  # reals, and samples of two epochs
    points = [row for row in rows(tmp_path / "run" / "metrics.csv") if row["loss/D"]]
    assert [int(row["images_seen"]) for row in points] == list(range(16, 129, 16))


def test_a_row_of_a_full_disk_is_whole_or_not_there(tmp_path: Path) -> None:
    log = MetricsCSV(str(tmp_path))
    log.log_metrics({"loss/D": 1.5}, step=100)
    before = log.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 3, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            log.log_metrics({"loss/D": 1.25}, step=200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.path.read_bytes() == before
    log.log_metrics({"loss/D": 1.0}, step=300)
    assert log.column("loss/D") == [1.5, 1.0]
