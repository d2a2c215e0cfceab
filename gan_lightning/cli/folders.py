"""Where a run or a sweep goes: looked at, and made, before Hydra makes folders."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from gan_lightning.config.schema import AUTO
from gan_lightning.errors import UserError
from gan_lightning.system.launched import agreed

SWEEP_FILE = "multirun.yaml"  # Hydra's own in a sweep's folder
OF_JOBS = "outputs/slurm"  # the folder of a job of SLURM that goes on, by its number


class Folders(Callback):
    """Prepares the folder of a run or a sweep; Hydra calls it: see conf/hydra/common.yaml."""

    ground: ClassVar[Path | None] = None  # the folder that was there, if new ones are made in it
    sweep: ClassVar[Path | None] = None  # the folder of a sweep that begins here

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._prepare(config, "run")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._prepare(config, "sweep")
        folder = Path(config.hydra.sweep.dir)
        Folders.sweep = None if (folder / SWEEP_FILE).exists() else folder

    def _prepare(self, config: DictConfig, kind: str) -> None:
        try:
            Folders.ground = prepare(config, kind)
        except UserError as error:  # Hydra would make a warning of it, and go on
            print(error, file=sys.stderr)
            sys.exit(2)


def prepare(config: DictConfig, kind: str) -> Path | None:
    """Look at the place of a run or a sweep, and make its folder unless the user named one.

    The folder that was made is put into the config, into Hydra's part. Returns the folder that was
    there before, if new ones are made in it.
    """
    key, resume = f"hydra.{kind}.dir", config.resume
    overrides = [*config.hydra.overrides.hydra, *config.hydra.overrides.task]
    given = {override.partition("=")[0] for override in overrides}
    named, job = key in given, ""
    if resume == AUTO and not named and "run_dir" not in given:
        job = os.environ.get("SLURM_JOB_ID", "")  # a job that is requeued keeps it
        if not job:
            raise UserError(f"resume={AUTO}: which {kind}? name its folder by {key}=FOLDER")
    if resume not in (None, "", AUTO):
        if not (Path(resume) / "config.yaml").is_file():
            raise UserError(f"resume={resume}: no run is there (a folder with config.yaml)")
        if kind == "run" and not named:
            return None
    place = Path(OF_JOBS, job) if job else resolved_path(config, key)
    if place is None:
        return None
    ground = _check_ground(key, place)
    folder = agreed(lambda: str(place if named or job else new_folder(place)))
    if not named or folder != str(place):  # a name may hold the time
        with read_write(config.hydra):
            config.hydra[kind].dir = folder
            config.hydra.overrides.hydra.append(f"{key}={folder}")  # jobs of a sweep compose anew
    return ground


def resolved_path(config: DictConfig, key: str) -> Path | None:
    """Return the path at a key; None if it cannot be resolved: Hydra will say why."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)  # paths may refer to it
    try:
        return Path(OmegaConf.select(config, key))
    except OmegaConfBaseException:
        return None
    finally:
        HydraConfig.instance().cfg = before


def _check_ground(key: str, place: Path) -> Path:
    """Return the nearest folder that is there, if another one can be made in it."""
    ground = place.absolute()
    while not os.path.lexists(ground):
        ground = ground.parent
    try:
        tempfile.TemporaryDirectory(dir=ground).cleanup()
    except OSError as error:
        raise UserError(
            f"{key}={place} cannot be written: {ground}: {error.strerror}; choose another folder"
        ) from error
    return ground


def new_folder(path: Path) -> Path:
    """Make a folder that no other run has, and return it: numbered if need be."""
    for number in range(1, 1000):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise UserError(f"{path}: a thousand runs in one second?")
