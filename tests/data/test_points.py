"""Points in the place of images, and the scores of modes."""

import pytest
import torch
from torch import Tensor

from gan_lightning.data import (
    DataModule,
    DigitsDataModule,
    DiracDataModule,
    GridDataModule,
    PointsDataModule,
    RingDataModule,
)
from gan_lightning.metrics.modes import PointModes, mode_scorer
from gan_lightning.pixels import FAKE, REAL, SIDE, scatter

KINDS = [(RingDataModule, 8, 2), (GridDataModule, 25, 2)]


def toy(
    kind: type[PointsDataModule], classes: int, channels: int, **more: float
) -> PointsDataModule:
    data = kind(name="toy", num_classes=classes, channels=channels, resolution=1, **more)  # type: ignore[arg-type]
    data.prepare_data()
    data.setup()
    return data


def scorer_of(data: PointsDataModule) -> PointModes:
    scorer = mode_scorer(data)
    assert isinstance(scorer, PointModes)
    return scorer


@pytest.mark.parametrize(("kind", "classes", "channels"), KINDS)
def test_reals_have_all_modes_at_their_places(
    kind: type[PointsDataModule], classes: int, channels: int
) -> None:
    data = toy(kind, classes, channels, batch_size=16)
    image, label = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert (image.shape, image.dtype, label.dtype) == ((16, 2, 1, 1), torch.float32, torch.int64)
    points, labels = data.images.images.flatten(1), data.images.labels
    centres = kind.centres()
    assert points.abs().max() <= 1
    assert labels.unique().tolist() == list(range(classes))
    for mode in range(classes):
        torch.testing.assert_close(points[labels == mode].mean(0), centres[mode], atol=5e-3, rtol=0)
    assert (points - centres[labels]).std() == pytest.approx(0.02, rel=0.05)
    scores = scorer_of(data).scores(points)
    assert scores["modes"] == classes
    assert scores["high_quality"] == pytest.approx(1 - 2.718281828**-4.5, abs=0.004)


def test_the_modes_are_apart() -> None:
    """Balls of three standard deviations do not meet."""
    for kind, _, _ in KINDS:
        assert torch.pdist(kind.centres()).min() > 6 * 0.02


def test_splits_differ_and_do_not_depend_on_the_seed() -> None:
    one, other = (toy(RingDataModule, 8, 2, seed=seed) for seed in (0, 1))
    assert torch.equal(one.load(train=True)[0], other.load(train=True)[0])
    assert not torch.equal(one.load(train=True)[0][:10], one.load(train=False)[0][:10])


def test_dirac_is_zero() -> None:
    data = toy(DiracDataModule, 1, 1, std=0.0)
    assert data.images.images.shape == (25600, 1, 1, 1)
    assert data.images.images.abs().max() == 0
    near, far = torch.full((100, 1, 1, 1), 0.01), torch.full((100, 1, 1, 1), 0.2)
    scorer = scorer_of(data)
    assert scorer.scores(scorer.read(near)) == {"modes": 1, "high_quality": 1}
    assert scorer.scores(scorer.read(far)) == {"modes": 0, "high_quality": 0}


def test_uniform_noise_has_few_good_points_and_one_point_one_mode() -> None:
    scorer = PointModes(GridDataModule.centres(), 0.06)
    noise = 2 * torch.rand(10_000, 2, generator=torch.Generator().manual_seed(0)) - 1
    # 25 balls of radius 0.06 in a square of side 2
    assert scorer.scores(noise)["high_quality"] == pytest.approx(
        25 * 3.14159 * 0.06**2 / 4, abs=0.01
    )
    assert scorer.scores(torch.zeros(100, 2)) == {"modes": 1, "high_quality": 1}


def test_a_mode_needs_a_fifth_of_its_share() -> None:
    """20 of 2,500 points in 25 modes."""
    centres = GridDataModule.centres()
    scorer = PointModes(centres, 0.06)
    for count, modes in ((19, 1), (20, 2)):
        points = centres[[0] * (2500 - count) + [7] * count]
        assert scorer.scores(points)["modes"] == modes


class Line(DataModule):
    """A set of one's own: it says where its modes are."""

    reach = 0.1

    @staticmethod
    def centres() -> Tensor:
        return torch.tensor([[-1.0], [1.0]])


def test_any_data_set_may_say_its_modes() -> None:
    scorer = mode_scorer(Line("line"))
    assert isinstance(scorer, PointModes)
    assert scorer.scores(torch.tensor([[-1.0], [0.95], [0.0], [-0.95]])) == {
        "modes": 2,
        "high_quality": 0.75,
    }
    assert mode_scorer(DigitsDataModule()) is None


def shown(picture: Tensor, x: int, y: int) -> list[int]:
    return picture[:, y, x].tolist()


def test_dots_are_where_the_points_are() -> None:
    real = torch.tensor([0.5, 0.5])[None, :, None, None]
    fake = torch.tensor([-0.5, -1.0])[None, :, None, None]
    picture = scatter(real, [fake])
    low, high = round(0.25 * (SIDE - 1)), round(0.75 * (SIDE - 1))
    assert shown(picture, high, SIDE - 1 - high) == list(REAL), "right and up"
    assert shown(picture, low, SIDE - 1) == list(FAKE), "left, at the bottom"
    assert shown(picture, low, 5) == [255, 255, 255]
    line = scatter(torch.zeros(5, 1, 1, 1), [torch.ones(5, 1, 1, 1)])
    assert (line[0, :, SIDE - 1] < 255).any()
