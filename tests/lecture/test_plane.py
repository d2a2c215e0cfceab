"""Both models of the marks: probabilities, Bayes' rule, and students drawn from P(X, Y)."""

import re

import pytest
import torch

from gan_lightning.lecture.__main__ import main
from gan_lightning.lecture.plane import Models


def models() -> tuple[Models, torch.Tensor, torch.Tensor]:
    """Return models of two Gaussians that are known, and their points."""
    random = torch.Generator().manual_seed(0)
    y = (torch.rand(4000, generator=random) < 0.25).long()
    x = torch.randn(4000, 2, generator=random) * 5 + torch.tensor([[40.0, 50.0], [60.0, 55.0]])[y]
    return Models.fit(x, y), x, y


def test_the_joint_density_is_that_of_the_points() -> None:
    made, x, y = models()
    random = torch.distributions.Normal(torch.tensor([[40.0, 50.0], [60.0, 55.0]]), 5.0)
    exact = random.log_prob(x[:50, None]).sum(2).exp() * torch.tensor([0.75, 0.25])
    likely = exact.max(dim=1).values > 1e-4
    found = made.joint(x[:50])
    best = exact.argmax(dim=1, keepdim=True)
    ratio = found.gather(1, best) / exact.gather(1, best)
    assert ratio[likely].mean().item() == pytest.approx(1, abs=0.05)
    assert (found.argmax(1) == y[:50]).float().mean() > 0.95
    assert made.conditional(x[:50]).sum(1).numpy() == pytest.approx(1)


def test_students_are_drawn_by_label() -> None:
    made, _, _ = models()
    x, y = made.draw(4000, seed=1)
    assert y.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert x[y == 1].mean(0).tolist() == pytest.approx([60, 55], abs=0.7)
    assert x[y == 0].std(0).tolist() == pytest.approx([5, 5], abs=0.4)


def test_a_new_student_is_of_the_label_with_the_larger_joint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["plane", "--physics", "90", "--maths", "92"])
    said = capsys.readouterr().out
    assert len(re.findall(r"│ easy +│", said)) == 3
    assert "right about 50 other students" in said
