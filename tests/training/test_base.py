"""How a network takes a step: micro-batches add up to the batch, gradients are clipped."""

from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import SGD, Optimizer

from gan_lightning.augment import NoAugment
from gan_lightning.losses import ACGAN, Loss, NonSaturating, RelativisticPaired, TopK
from gan_lightning.networks import MLPGenerator
from gan_lightning.penalties import R1, Consistency, Lazy, Penalty, Scheduled, Sum
from gan_lightning.schedules import Constant, Follower, Linear
from gan_lightning.training.gan import GANModule
from tests.tiny import BATCH, SHAPE, Points, build, fit, weights


def in_double(num_classes: int, **arguments: Any) -> GANModule:
    """Without BatchNorm, in float64, so that only rounding of sums can differ."""
    torch.manual_seed(0)
    generator = MLPGenerator(3, SHAPE, num_classes, hidden=[])
    module = build(num_classes, generator=generator, **arguments).double()

    def to_double(_: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (arguments[0].double(), *arguments[1:])

    for network in (module.generator, module.discriminator):
        network.register_forward_pre_hook(to_double)
    return module


@pytest.mark.parametrize("num_classes", [0, 10])
@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        (NonSaturating(), R1(1.0)),
        (RelativisticPaired(), Scheduled(R1(1.0), Linear(1.0, 0.0, 30))),
        (NonSaturating(), Lazy(R1(1.0), every=2)),
    ],
)
def test_micro_batches_are_the_batch(loss: Loss, penalty: Penalty, num_classes: int) -> None:
    trained = []
    for accumulate in (1, 3):
        arguments = {"loss": loss, "penalty": penalty, "accumulate": accumulate, "d_steps": 2}
        if isinstance(penalty, Lazy):
            arguments["penalty"] = Lazy(R1(1.0), every=2)
        module = in_double(num_classes, **arguments)
        start = weights(module.generator)
        fit(module, steps=3, batch=12)
        assert (weights(module.generator) - start).abs().max() > 1e-3
        trained.append(weights(module))
    torch.testing.assert_close(trained[0], trained[1], rtol=1e-12, atol=1e-14)


def test_d_sees_micro_batches() -> None:
    module, seen = build(accumulate=3), []
    module.discriminator.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    fit(module, batch=12)
    assert seen == [4] * (2 + 1) * 3  # reals and fakes for D, fakes for G


@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
@pytest.mark.parametrize("clip", [None, 0.01])
def test_a_step_goes_as_far_as_the_clipped_gradient(clip: float | None, precision: str) -> None:
    """SGD at 0.1 moves the weights by a tenth of it; the curves tell the gradient before."""
    points = Points()
    module = build(clip_norm=clip, log_every_n_images=1)
    networks = {"D": module.discriminator, "G": module.generator}
    before = {name: weights(network) for name, network in networks.items()}
    plugin = MixedPrecision("16-mixed", "cpu", GradScaler("cpu"))
    fit(module, logger=points, **({"plugins": plugin} if precision == "16-mixed" else {}))
    for name, network in networks.items():
        moved = (weights(network) - before[name]).norm().item() / 0.1
        told = points.points[0][1][f"grad_norm/{name}"]
        assert told > 0.02
        assert moved == pytest.approx(clip or told, rel=0.01)


def test_small_gradients_are_left_alone() -> None:
    free, clipped = build(), build(clip_norm=1e6)
    for module in (free, clipped):
        fit(module, steps=2)
    assert torch.equal(weights(free), weights(clipped))


def test_a_head_of_the_loss_learns_with_d_and_is_saved(tmp_path: Any) -> None:
    module = build(10, loss=ACGAN(NonSaturating()))
    before = module.loss.head.weight.detach().clone()
    trainer = fit(module)
    head = module.loss.head.weight.detach().clone()
    assert not torch.equal(before, head)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    again = build(10, loss=ACGAN(NonSaturating()))
    again.load_state_dict(torch.load(tmp_path / "a.ckpt", weights_only=True)["state_dict"])
    assert torch.equal(again.loss.head.weight, head)


def test_the_heads_of_two_updates_are_one() -> None:
    """G's update leaves the head alone: it moves with D's optimizer, once a step."""
    module = build(10, loss=ACGAN(NonSaturating()))
    fit(module)
    d_optimizer, g_optimizer = module.trainer.optimizers

    def owned(optimizer: Optimizer) -> set[int]:
        return {id(p) for group in optimizer.param_groups for p in group["params"]}

    head = {id(p) for p in module.loss.head.parameters()}
    assert head <= owned(d_optimizer)
    assert not head & owned(g_optimizer)


def test_what_follows_the_run_is_told_before_every_update_of_d() -> None:
    """However deep it is in the loss, the penalty or the augmentation."""

    class Told(Follower, NoAugment):
        def follow(self, images_seen: int) -> None:
            super().follow(images_seen)
            told.append(images_seen)

    told: list[int] = []
    lazy, deep = Lazy(R1(1.0)), Consistency(Told())
    top, factor = TopK(NonSaturating(), Constant(1.0)), Scheduled(deep, Constant(1.0))
    fit(build(loss=ACGAN(top), penalty=Sum([lazy, factor]), num_classes=10, d_steps=2), steps=3)
    assert told == [0, 0, BATCH, BATCH, 2 * BATCH, 2 * BATCH]
    assert lazy.updates == 6
    assert top.images_seen == factor.images_seen == 2 * BATCH


def test_the_head_teaches_the_generator() -> None:
    """With a D that does not move, its weight still changes what G learns."""
    trained = []
    for weight in (0.0, 10.0):
        still = partial(SGD, lr=0.0)
        module = build(10, loss=ACGAN(NonSaturating(), weight), discriminator_optimizer=still)
        fit(module)
        trained.append(weights(module.generator))
    assert (trained[0] - trained[1]).abs().max() > 1e-4
