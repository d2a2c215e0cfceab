"""Every argument of Lightning's Trainer: it works, or ends in a sentence with the way that does."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig
from torch.multiprocessing.spawn import ProcessRaisedException

from gan_lightning import train
from gan_lightning.config.schema import resolved
from gan_lightning.config.value_rules import ELSEWHERE
from gan_lightning.errors import UserError
from gan_lightning.runs.failures import explain
from gan_lightning.runs.preflight import preflight

# Those of one line are tried together.
WORK = (
    "fast_dev_run=true",
    "fast_dev_run=2 profiler=simple detect_anomaly=true",
    "max_steps=6 min_steps=2 max_epochs=-1 deterministic=true benchmark=false",
    "max_time=00:00:10:00 limit_train_batches=0.05 min_epochs=1 inference_mode=false",
    "limit_val_batches=1 val_check_interval=2 num_sanity_val_steps=1",
    "limit_val_batches=1.0 check_val_every_n_epoch=2 reload_dataloaders_every_n_epochs=1",
    "limit_test_batches=1 limit_predict_batches=1 enable_model_summary=true profiler=advanced",
    "accelerator=cpu devices=1 num_nodes=1 strategy=ddp precision=bf16-mixed",
    "enable_autolog_hparams=false model_registry=name deterministic=warn devices=auto",
)
REFUSED = {
    "gradient_clip_val=1.0": "set optimizer.clip_norm",
    "gradient_clip_algorithm=norm": "set optimizer.clip_norm",
    "accumulate_grad_batches=2": "set accumulate",
    "overfit_batches=2": "use debug=overfit",
    "overfit_batches=0.1": "use debug=overfit",
    "use_distributed_sampler=true": "the data module shares out the batches",
    "log_every_n_steps=5": "set log_every_n_images",
    "enable_checkpointing=false": r"callbacks\.checkpoints=null",
    "enable_progress_bar=false": r"callbacks\.progress_bar=null",
    "barebones=true": "callbacks=none",
    "callbacks=[]": "the group callbacks",
    "logger=false": "the group logger",
    "plugins=[]": "by this project's",
    "default_root_dir=x": r"hydra\.run\.dir",
    "strategy=fsdp": "a kind of DDP",
    "strategy=deepspeed_stage_2": "a kind of DDP",
    "strategy=dp": "a kind of DDP",
    "strategy=ddp_spwan": "a kind of DDP",
    "sync_batchnorm=true": "each device's own",
    "val_check_interval=0": "number of batches",
    "check_val_every_n_epoch=0": "check_val_every_n_epoch=0 must be",
    "precision=64-true": "32-true",
    "accelerator=tpu": "^trainer",
    "accelerator=mps": "^trainer",
    "devices=0": "a number of devices",
    "devices=-1": "^trainer",
    "num_nodes=2": "torchrun --nnodes 2",
    "max_epochs=2.5": r"trainer\.max_epochs",
    "gpus=1": "'gpus'",  # Lightning before 2.0
    "auto_lr_find=true": "'auto_lr_find'",
    "resume_from_checkpoint=x": "'resume_from_checkpoint'",
}
TINY = (
    *("data=digits", "data.repeat=1", "debug=fast", "model=mlp", "model.generator.hidden=[4]"),
    *("model.discriminator.hidden=[4]", "callbacks.progress_bar=null", "callbacks.doctor=null"),
    *("callbacks.samples=null", "logger.tensorboard=null", "data.validation=32"),
)


def overrides(line: str) -> list[str]:
    return [f"++trainer.{argument}" for argument in line.split()]


def name_of(argument: str) -> str:
    return argument.partition("=")[0]


def test_a_check_that_never_comes_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^trainer: .*val_check_interval"):
        train([*TINY, *overrides("val_check_interval=1000")])


def test_every_argument_is_tried() -> None:
    known = {*inspect.signature(Trainer.__init__).parameters} - {"self"}
    tried = {name_of(one) for line in (*WORK, *REFUSED) for one in line.split()}
    assert known <= tried
    assert ELSEWHERE.keys() <= {name_of(line) for line in REFUSED}


@pytest.mark.parametrize("line", WORK)
def test_it_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        run = train([*TINY, *overrides(line)])
    finally:
        torch.use_deterministic_algorithms(False)
    assert (run / "metrics.csv").exists()


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_share_below_one_batch_is_a_sentence(
    split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^trainer: .*limit_{split}_batches"):
        train([*TINY, *overrides(f"limit_{split}_batches=0.001"), "hydra.run.dir=run"])
    (session,) = json.loads(Path("run/run.json").read_text())["sessions"]
    assert session["status"] == 2


def test_what_a_rank_finds_wrong_is_the_same_sentence() -> None:
    """A spawned rank's error comes as the text of its traceback."""
    name = f"{MisconfigurationException.__module__}.{MisconfigurationException.__name__}"
    text = f"\n\n-- Process 1 terminated\nTraceback ...\n{name}: 0.5 * 1\n < 1\n"
    found = explain(ProcessRaisedException(text, 1, 7), {}, 0)
    assert isinstance(found, UserError)
    assert str(found) == "trainer: 0.5 * 1 < 1"


@pytest.mark.parametrize("line", REFUSED)
def test_it_ends_in_a_sentence(line: str, compose: Callable[..., DictConfig]) -> None:
    config = compose("data=digits", "model=mlp", "trainer=cpu", *overrides(line))
    assert resolved(config)
    with pytest.raises(UserError, match=REFUSED[line]) as error:
        preflight(config)
    assert "\n" not in str(error.value)
