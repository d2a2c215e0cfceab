"""What became of a run's score: its best, and whether quality falls."""

import math

import pytest

from gan_lightning.system.checkpoint_file import RunCheckpoint
from gan_lightning.training.course import Course


def course(*fids: float, how: str = "") -> Course:
    made = Course()
    for position, fid in enumerate(fids, start=1):
        made.add({"score/fid": fid, "score/recall": 0.5}, position, how)
    return made


def test_the_best_and_where_it_was() -> None:
    made = course(3.0, 1.0, 2.0)
    assert (made.name, made.best, made.best_at, made.latest) == ("score/fid", 1.0, 2, 2.0)
    again = Course()
    again.load_state_dict(made.state_dict())
    assert vars(again) == vars(made)


@pytest.mark.parametrize(
    ("fids", "falls"),
    [
        ((1.0, 2.1, 2.1), 2),
        ((1.0, 2.1, 2.0), 0),
        ((10.0, 25.0, math.nan, 25.0), 3),  # not a number is no recovery
        ((0.0, 1.0, 1.0), 2),
        ((-1e-9, 1e-7), 0),  # rounding of a divergence
    ],
)
def test_quality_falls_beyond_twice_the_best(fids: tuple[float, ...], falls: int) -> None:
    assert course(*fids).falls == falls


def test_scores_made_otherwise_are_not_compared() -> None:
    """FID falls with the number of samples; another score is another scale."""
    made = course(1.0, how="10000 samples")
    made.add({"score/fid": 5.0}, 2, "1000 samples")
    assert (made.best, made.best_at, made.falls) == (5.0, 2, 0)
    made.add({"score/reverse_kl": 7.0}, 3, "1000 samples")
    assert (made.name, made.best, made.best_at) == ("score/reverse_kl", 7.0, 3)


def test_without_a_watched_score_there_is_no_best() -> None:
    made = Course()
    made.add({"score/recall": 0.5}, 7)
    assert (made.latest_at, made.best_at, made.falls) == (7, -1, 0)


@pytest.mark.parametrize(("measured", "scores"), [(128, {"score/fid": 1.0}), (64, {})])
def test_a_checkpoint_has_the_scores_of_its_own_position(
    measured: int, scores: dict[str, float]
) -> None:
    state = {"images_seen": 128, "scores": {"score/fid": 1.0}, "course": {"latest_at": measured}}
    assert RunCheckpoint({"state_dict": {"_extra_state": state}}).scores == scores
    del state["course"]  # an older one
    assert RunCheckpoint({"state_dict": {"_extra_state": state}}).scores == {"score/fid": 1.0}
