"""The default reals: the data set that the generator was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gan_lightning.config.schema import resolved
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import newest_generator, read_generator
from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.system.untrusted import printable

if TYPE_CHECKING:
    from gan_lightning.data import DataModule

OWN_FILES = ("array", "image_folder", "table")  # the generator file does not tell where these are


def with_own_reals(config: DictConfig) -> DictConfig:
    """Return evaluate.py's config with the first generator's data set, unless `data` was given.

    Raises:
        UserError: the generator cannot be read, or does not tell where its images are.
    """
    given = list(HydraConfig.get().overrides.task)
    if any(item.lstrip("+~").startswith(("data=", "data.")) for item in given):
        return config
    asked = config.generator
    first = asked if asked is None or isinstance(asked, str) else asked[0]
    if first is None and config.images:
        return config
    path = Path(str(first)) if first else newest_generator(Path("outputs"))
    metadata = read_generator(path, config.trust)[1]
    return hydra.compose("evaluate", [*given, *named_reals(metadata, path)])


def reals_of(metadata: GeneratorMetadata, path: Path) -> "DataModule":
    """Return the data of a generator: what `data=...` names, else what it was trained on.

    Raises:
        UserError: its file does not tell where its images are, or they are missing.
    """
    from gan_lightning.config.build import build_data  # takes seconds to import

    given = [o for o in HydraConfig.get().overrides.task if o.lstrip("+~").startswith("data")]
    config = hydra.compose("evaluate", given or named_reals(metadata, path))
    node: dict[str, Any] = resolved(config)["data"] | {"on_missing": "error"}
    return build_data({"data": node})[0]


def named_reals(metadata: GeneratorMetadata, path: Path) -> list[str]:
    """Return the overrides of `own_reals`; UserError if there are none."""
    own = own_reals(metadata)
    if not own:
        example = (
            "data=table data.root=FILE" if metadata.table else "data=image_folder data.root=DIR"
        )
        raise UserError(
            f"{path} was made of {printable(metadata.dataset)!r} and does not tell where these "
            f"{'rows' if metadata.table else 'images'} are: name them as for train.py, such as "
            f"{example}"
        )
    return own


def own_reals(metadata: GeneratorMetadata) -> list[str]:
    """Return the overrides that make a generator's data set; none if its name is no option.

    A name in a file can only choose a config of this project.
    """
    loader = GlobalHydra.instance().config_loader()
    known = set(loader.get_group_options("data")) - set(OWN_FILES)
    if metadata.dataset not in known:
        return []
    channels, side = metadata.image_shape[:2]
    found = [f"data={metadata.dataset}", f"data.channels={channels}", f"data.resolution={side}"]
    labels = hydra.compose("evaluate", found).data.num_classes
    if metadata.classes and metadata.classes != list(range(labels)):
        found.append(f"data.classes={metadata.classes}")
    return found
