"""The adversarial loop: who moves when, and on what."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import SGD, Optimizer

from gan_lightning.losses import Loss, NonSaturating
from gan_lightning.training.gan import GANModule
from tests.tiny import BATCH, SHAPE, Points, build, fit, weights


class Watch:
    """Makes optimizers that write down which network each of their steps changed."""

    def __init__(self) -> None:
        self.module: GANModule
        self.steps: list[tuple[str, set[str], set[str]]] = []

    def networks(self) -> dict[str, nn.Module]:
        m = self.module
        return {"D": m.discriminator, "G": m.generator, "average": m.average}

    def optimizer(self, name: str) -> Callable[[Iterable[nn.Parameter]], Optimizer]:
        def make(parameters: Iterable[nn.Parameter]) -> Optimizer:
            optimizer = SGD(parameters, lr=0.1)
            optimizer.register_step_pre_hook(self._before)
            optimizer.register_step_post_hook(partial(self._after, name))
            return optimizer

        return make

    def _before(self, *_: Any) -> None:
        self.old = {name: weights(network) for name, network in self.networks().items()}
        self.with_gradient = {
            name
            for name, network in self.networks().items()
            if any(p.requires_grad for p in network.parameters())
        }

    def _after(self, name: str, *_: Any) -> None:
        now = self.networks().items()
        changed = {key for key, network in now if not torch.equal(weights(network), self.old[key])}
        self.steps.append((name, changed, self.with_gradient))


@pytest.mark.parametrize(
    ("d_steps", "g_steps", "share_fakes"), [(1, 1, False), (1, 1, True), (3, 1, True), (1, 2, True)]
)
def test_each_step_changes_its_own_network_alone(
    d_steps: int, g_steps: int, share_fakes: bool
) -> None:
    watch = Watch()
    watch.module = build(
        share_fakes=share_fakes,
        d_steps=d_steps,
        g_steps=g_steps,
        discriminator_optimizer=watch.optimizer("D"),
        generator_optimizer=watch.optimizer("G"),
    )
    fit(watch.module, steps=2)
    one_pass = [("D", {"D"}, {"D"})] * d_steps + [("G", {"G"}, {"G"})] * g_steps
    assert watch.steps == one_pass * 2


def test_nothing_stays_toggled_off() -> None:
    module = build()
    fit(module)
    trained = (*module.generator.parameters(), *module.discriminator.parameters())
    assert all(p.requires_grad for p in trained)
    assert not any(p.requires_grad for p in module.average.parameters())


def test_d_sees_every_image_of_the_batch_once() -> None:
    module, seen = build(d_steps=3), []
    module.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    fit(module)
    reals = torch.cat(seen[0:6:2])  # real, fake, three times; then G's fakes
    assert [len(x) for x in seen] == [2] * 7
    expected = 2 * torch.rand(BATCH, *SHAPE, generator=torch.Generator().manual_seed(1)) - 1
    assert sorted(reals.sum((1, 2, 3)).tolist()) == sorted(expected.sum((1, 2, 3)).tolist())


def test_no_latent_is_drawn_twice() -> None:
    module, latents = build(d_steps=2, g_steps=2), []
    module.generator.register_forward_pre_hook(lambda _, args: latents.append(args[0]))
    fit(module, steps=2)
    rows = torch.cat(latents)
    assert len(rows) == len(rows.unique(dim=0)) == 2 * (2 + 2) * BATCH / 2


def test_shared_fakes_are_drawn_once_and_seen_by_both() -> None:
    module, latents, seen = build(share_fakes=True), [], []
    module.generator.register_forward_pre_hook(lambda _, args: latents.append(args[0]))
    module.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    fit(module, steps=2)
    assert len(latents) == 2
    assert not torch.equal(*latents)
    for _, of_d, of_g in (seen[:3], seen[3:]):
        assert torch.equal(of_d, of_g)
        assert not of_d.requires_grad
        assert of_g.requires_grad


@pytest.mark.parametrize("more", [{"d_steps": 2}, {"g_steps": 2}, {"accumulate": 2}])
def test_fakes_are_shared_by_one_update_of_each_alone(more: dict[str, int]) -> None:
    alone, shared = build(**more), build(**more, share_fakes=True)
    for module in (alone, shared):
        fit(module, steps=2)
    assert torch.equal(weights(alone.generator), weights(shared.generator))


@pytest.mark.parametrize("num_classes", [0, 10])
def test_labels_reach_conditional_networks_alone(num_classes: int) -> None:
    module, labels = build(num_classes), []
    for network in (module.generator, module.discriminator):
        network.register_forward_pre_hook(lambda _, args: labels.append(args[1]))
    fit(module)
    assert len(labels) == 5  # G for D, D twice, G, D
    shown = [y.tolist() if y is not None else None for y in labels]
    (expected,) = {tuple(y) if y else None for y in shown}
    if num_classes:
        assert sorted(expected) == list(range(BATCH))
    else:
        assert expected is None


@pytest.mark.parametrize("relativistic", [False, True])
def test_only_a_relativistic_loss_sees_reals_in_gs_step(relativistic: bool) -> None:
    seen = []

    class Spy(NonSaturating):
        def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
            seen.append(real_logits)
            return super().generator(fake_logits)

    spy: Loss = Spy()
    spy.relativistic = relativistic
    fit(build(loss=spy))
    (real_logits,) = seen
    assert (real_logits is not None) == relativistic
    assert not relativistic or real_logits.shape == (BATCH,)


def test_penalties_run_in_float32_even_in_mixed_precision() -> None:
    seen = []

    def penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, y: Tensor | None) -> Tensor:
        logits = discriminator(real, y)
        seen.append((real.dtype, fake.dtype, logits.dtype))
        return 0.0 * logits

    fit(build(penalty=penalty), precision="bf16-mixed")
    assert seen == [(torch.float32,) * 3]


def test_the_penalty_counts() -> None:
    """D climbs when it is paid to: -1000 x the logit on reals outweighs the loss."""
    plain, paid = build(), build(penalty=lambda d, real, fake, y: -1000.0 * d(real, y))
    fit(plain)
    fit(paid)
    x = torch.zeros(1, *SHAPE)
    assert paid.discriminator(x) > plain.discriminator(x) + 10


def test_gradient_norms_are_those_of_the_step_whatever_the_precision() -> None:
    norms = {}
    for precision in ("32-true", "16-mixed"):
        points = Points()
        module = build(log_every_n_images=BATCH)
        plugin = {"plugins": MixedPrecision("16-mixed", "cpu", GradScaler("cpu"))}
        chosen = plugin if precision == "16-mixed" else {}
        fit(module, logger=points, **chosen)
        norms[precision] = points.points[0][1]["grad_norm/D"]
    assert norms["16-mixed"] == pytest.approx(norms["32-true"], rel=0.05)
