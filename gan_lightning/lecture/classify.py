"""One table: discriminative and generative classifiers of the same images."""

import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

import hydra
import torch
from rich.console import Console
from rich.table import Table

from gan_lightning.cli.arguments import CONF
from gan_lightning.config.build import build_data
from gan_lightning.config.schema import register, resolved
from gan_lightning.data import DataModule, DataUnavailable
from gan_lightning.data.batches import ImageTensors
from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import load_generator
from gan_lightning.lecture.classifiers import CLASSIFIERS, Classifier
from gan_lightning.pixels import to_uint8
from gan_lightning.sampling.draw import sample
from gan_lightning.system.key_values import Reader, key_values, names, optional, whole

HELP = "a table of classifiers, of P(Y|X) and of P(X|Y) P(Y): data=mnist generator=RUN images=10000"
KEYS: dict[str, Reader] = {  # the others are train.py's
    "generator": optional(str),
    "images": whole(1),
    "tested": whole(1),
    "seed": whole(0, (1 << 32) - 1),  # scikit-learn's bound
    "trust": optional(names),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `main` reads."""
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="data=... as for train.py; images=10000 to train on, tested=2000; generator=RUN: "
        "train on its samples too; trust=a.MyG; seed=0",
    )


@dataclass(frozen=True)
class Asked:
    """What the command's own keys say."""

    generator: str | None = None
    images: int = 10_000
    tested: int = 2000
    seed: int = 0
    trust: list[str] | None = None


def main(arguments: Namespace) -> str:
    """Fit all classifiers and show how many test images each gets right."""
    own = [word for word in arguments.overrides if word.partition("=")[0] in KEYS]
    asked = Asked(**key_values(own, KEYS))
    data = _data([word for word in arguments.overrides if word not in own])
    classes = data.num_classes
    if not classes:
        raise UserError(f"{data.name} has no labels: there is nothing to classify")
    test = _some(_test_split(data), asked.tested)
    sources = {"reals": _some(data.images, asked.images)}
    if asked.generator:
        sources["samples"] = _samples(asked, data, len(sources["reals"]))
    console = Console()
    console.print(
        f"{data.name}: trained on {len(sources['reals']):,} images"
        + (f", or on as many samples of {asked.generator}" if asked.generator else "")
        + f"; tested on {len(test):,} others"
    )
    table = Table(title="share of the test images named right", title_justify="left")
    table.add_column("classifier", no_wrap=True)
    for head in ("learns", *_columns(sources), "draws"):
        table.add_column(head)
    for one in CLASSIFIERS:
        cells = [
            cell
            for images in sources.values()
            for cell in _row(one, images, test, classes, asked.seed)
        ]
        table.add_row(one.name, one.learns, *cells, "yes" if one.generates else "no")
        console.print(f"{one.name}: {', '.join(cells)}", style="dim")
    console.print(table)
    return f"guessing would be right in {1 / len(data.classes):.1%}"


def _data(overrides: list[str]) -> DataModule:
    register()
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            config = hydra.compose("config", [*overrides, "run_dir=."])
    except Exception as error:  # Hydra's own have no common class
        raise UserError(f"{' '.join(overrides)}: {str(error).splitlines()[0]}") from error
    return build_data(resolved(config))[0]


def _test_split(data: DataModule) -> ImageTensors:
    try:
        return data.split(train=False)
    except DataUnavailable as error:
        raise UserError(f"{error}: classifiers are tested on a test split") from error


def _some(images: ImageTensors, count: int) -> ImageTensors:
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    some = images.rows(order[:count])
    return ImageTensors(some.images[:], some.labels)  # shards are read here


def _samples(asked: Asked, data: DataModule, count: int) -> ImageTensors:
    """Return labelled samples of the generator, labels as often as in its data."""
    assert asked.generator is not None
    generator = load_generator(asked.generator, asked.trust)
    if generator.num_classes != data.num_classes or generator.image_shape != _shape(data):
        raise UserError(
            f"generator={asked.generator} draws {list(generator.image_shape)} images of "
            f"{generator.num_classes} labels, and {data.name} has {list(_shape(data))} of "
            f"{data.num_classes}"
        )
    about = generator.metadata
    images, labels = sample(generator, count, asked.seed, about.labels, about.class_counts or ())
    assert labels is not None  # it is conditional
    return ImageTensors(to_uint8(images), labels)


def _shape(data: DataModule) -> tuple[int, ...]:
    return tuple(data.images.images.shape[1:])


def _columns(sources: dict[str, ImageTensors]) -> list[str]:
    return [head for name in sources for head in (f"right, {name}", "fit, s")]


def _row(
    one: Classifier, images: ImageTensors, test: ImageTensors, classes: int, seed: int
) -> tuple[str, str]:
    """Return the accuracy and the seconds to fit, in words; why not, if it cannot be fitted."""
    before = time.perf_counter()
    try:
        classify = one.fit(images, classes, seed)
    except ModuleNotFoundError as error:
        return f"needs {error.name}: pip install -c constraints.txt -e '.[lecture]'", ""
    except UserError as error:  # too few images for it; the others may do with them
        return str(error), ""
    seconds = time.perf_counter() - before
    right = (classify(test.images) == test.labels).float().mean().item()
    return f"{right:.1%}", f"{seconds:.1f}"
