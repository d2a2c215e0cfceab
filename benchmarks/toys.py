"""Toy problems on which theory says what must happen."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_lightning.losses import Loss
from gan_lightning.penalties import Penalty


class Quadratic(nn.Module):
    """D(x) = slope . x + curvature / 2 ||x||^2, so grad D(x) = slope + curvature x.

    It keeps what it was shown, in order.
    """

    def __init__(self, slope: Tensor, curvature: float = 0.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(slope.clone())
        self.curvature = nn.Parameter(slope.new_tensor(curvature))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        self.seen.append(x.detach())
        flat = x.flatten(1)
        return flat @ self.slope + 0.5 * self.curvature * flat.square().sum(dim=1)

    def squared_norms(self, x: Tensor) -> Tensor:
        """||grad D||^2 per sample, worked out by hand."""
        return (self.slope + self.curvature * x.flatten(1)).square().sum(dim=1)


def dirac_gan(
    loss: Loss, penalty: Penalty, steps: int, lr: float, start: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return (theta, psi) over time: reals at 0, the fake at theta, D(x) = psi x.

    Alternating gradient descent, as in Mescheder et al. 2018, section 2 and figure 3.
    """
    zero = torch.zeros(1, 1, dtype=torch.float64)
    theta = torch.full_like(zero, start, requires_grad=True)
    psi = torch.full_like(zero, start, requires_grad=True)

    def judge(x: Tensor, y: Tensor | None = None) -> Tensor:
        return (x * psi).squeeze(1)

    path = []
    for _ in range(steps):
        fake = theta.detach()
        d_loss = loss.discriminator(judge(zero), judge(fake))
        d_loss = d_loss + penalty(judge, zero, fake, None).mean()
        (gradient,) = torch.autograd.grad(d_loss, psi)
        psi = (psi - lr * gradient).detach().requires_grad_()
        reals = judge(zero) if loss.relativistic else None
        (gradient,) = torch.autograd.grad(loss.generator(judge(theta), reals), theta)
        theta = (theta - lr * gradient).detach().requires_grad_()
        path.append([theta.item(), psi.item()])
    thetas, psis = torch.tensor(path, dtype=torch.float64).T
    return thetas, psis


SPACING, STD = 0.4, 0.02
GRID = torch.cartesian_prod(torch.arange(-2.0, 3.0), torch.arange(-2.0, 3.0)) * SPACING


def grid_sample(count: int, generator: torch.Generator) -> Tensor:
    """Draw from 25 Gaussians on a grid; a twentieth of the spacing wide."""
    modes = GRID[torch.randint(25, (count,), generator=generator)]
    return modes + STD * torch.randn(count, 2, generator=generator)


def grid_network(outputs: int, inputs: int = 2, width: int = 128) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )


@dataclass(frozen=True)
class GridScore:
    """Modes with at least 20 samples within 3 std, and the share of samples that are."""

    modes: int
    high_quality: float


def grid_score(samples: Tensor) -> GridScore:
    distance, nearest = torch.cdist(samples, GRID).min(dim=1)
    good = distance <= 3 * STD
    counts = torch.bincount(nearest[good], minlength=25)
    return GridScore(int((counts >= 20).sum()), good.float().mean().item())


def train_on_grid(
    loss: Loss, penalty: Penalty, steps: int, batch: int = 256, lr: float = 2e-3, seed: int = 0
) -> GridScore:
    """Train small networks and score 2,500 samples, as in Lin et al. 2018, PacGAN, section 4.1."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    generator, judge = grid_network(2), grid_network(1)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr, (0.0, 0.9))
    d_optimizer = torch.optim.Adam(judge.parameters(), lr, (0.0, 0.9))

    def discriminator(x: Tensor, y: Tensor | None = None) -> Tensor:
        return judge(x / SPACING).squeeze(1)

    def draw(count: int) -> Tensor:
        return generator(torch.randn(count, 2, generator=rng))

    for step in range(steps):
        for optimizer in (d_optimizer, g_optimizer):
            optimizer.param_groups[0]["lr"] = lr * (1.0 - step / steps)
        real, fake = grid_sample(batch, rng), draw(batch).detach()
        d_loss = loss.discriminator(discriminator(real), discriminator(fake))
        d_optimizer.zero_grad()
        (d_loss + penalty(discriminator, real, fake, None).mean()).backward()
        d_optimizer.step()
        reals = discriminator(real).detach() if loss.relativistic else None
        g_optimizer.zero_grad()
        loss.generator(discriminator(draw(batch)), reals).backward()
        g_optimizer.step()
    with torch.no_grad():
        return grid_score(draw(2500))
