"""The two steps apart: only the network whose step it is moves, and D's answers follow."""

import torch

from gan_lightning.lecture.steps import Training


def test_the_other_network_is_frozen() -> None:
    torch.manual_seed(0)
    training = Training()
    start = training.stage("")
    before = training.weights()
    training.update("D", 20)
    after = training.weights()
    assert torch.equal(before["G"], after["G"])
    assert not torch.equal(before["D"], after["D"])
    of_d = training.stage("")
    assert torch.equal(of_d.fakes, start.fakes)
    assert of_d.means[0] > 0.5 > of_d.means[1]  # it tells reals from fakes
    training.update("G", 20)
    of_g = training.stage("")
    assert torch.equal(of_g.field, of_d.field)
    assert of_g.means[1] > of_d.means[1]  # the fakes went where D says real


def test_in_turn_the_fakes_come_to_the_reals() -> None:
    torch.manual_seed(0)
    training = Training()
    for _ in range(500):
        training.update("D")
        training.update("G")
    radius = training.stage("").fakes.norm(dim=1)
    assert radius.mean().item() > 0.6
