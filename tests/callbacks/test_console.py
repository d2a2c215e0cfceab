"""How far a run has come: images_seen, the average, the curves, and what a state dict keeps."""

import torch
from torch import nn

from tests.tiny import BATCH, Points, build, fit, weights


def test_images_seen_counts_what_d_was_shown() -> None:
    module = build(d_steps=2)
    trainer = fit(module, steps=3)
    assert module.images_seen == 3 * BATCH
    assert trainer.global_step == 3 * (2 + 1)  # Lightning's own count, which is no axis


def test_the_average_follows() -> None:
    module = build(ema_half_life=100.0, ema_ramp_up=1.0)
    start = weights(module.generator)
    fit(module, steps=3)
    moved = (weights(module.average) - start).norm()
    assert 0 < moved < (weights(module.generator) - start).norm()


def test_the_same_seed_trains_the_same_networks() -> None:
    one, same, other = build(seed=1), build(seed=1), build(seed=2)
    for module in (one, same, other):
        fit(module, steps=3)
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


def test_progress_survives_the_state_dict() -> None:
    module, fresh = build(), build()
    fit(module, steps=3)
    fresh.load_state_dict(module.state_dict())
    assert fresh.images_seen == 3 * BATCH
    assert torch.equal(weights(fresh), weights(module))


def test_curves_have_a_point_per_interval() -> None:
    logger = Points()
    fit(build(log_every_n_images=2 * BATCH), steps=6, logger=[logger])
    assert [step for step, _ in logger.points] == [2 * BATCH, 4 * BATCH, 6 * BATCH]
    names = {"loss/D", "loss/G", "D(real)", "D(fake)", "penalty", "images/s"}
    names |= {"grad_norm/D", "grad_norm/G", "lr/D", "lr/G"}
    for _, values in logger.points:
        assert names <= values.keys()
        assert 0 < values["D(real)"] < 1
        assert values["lr/D"] == values["lr/G"] == 0.1


def test_d_real_is_a_probability() -> None:
    """D(real) is a mean probability, not a logit: here D gives 0 for every image, so 1/2."""
    module, logger = build(log_every_n_images=1), Points()
    nn.init.zeros_(module.discriminator.head.linear.weight)
    nn.init.zeros_(module.discriminator.head.linear.bias)
    fit(module, logger=[logger])
    ((_, values),) = logger.points
    assert values["D(real)"] == values["D(fake)"] == 0.5
