"""Train the feature network of a data set, as the shipped ones were.

`python benchmarks/features.py data=mnist` writes `mnist_features.safetensors` and
`mnist_features.json` into the package, or into output=FOLDER. The same seed, threads and versions
give the same file, bit for bit.
"""

import json
import os
import sys
from pathlib import Path

from gan_lightning.data import DataModule, DigitsDataModule, MNISTDataModule
from gan_lightning.data.base import DataUnavailable
from gan_lightning.data.mnist import NAMES
from gan_lightning.errors import UserError
from gan_lightning.metrics.features.classifier import SHIPPED
from gan_lightning.metrics.features.store import train_features


def find_data(name: str) -> DataModule:
    """Return a data set by its name in `conf/data/`; UserError if it or its images are missing."""
    if name == "digits":
        return DigitsDataModule()
    known = {short: dataset for dataset, short in NAMES.items()}
    if name not in known:
        raise UserError(f"data={name}: known are digits, {', '.join(known)}")
    data = MNISTDataModule(known[name], os.environ.get("GAN_DATA_DIR", "data"))
    try:
        data.prepare_data()
    except DataUnavailable as error:
        raise UserError(f"{error}: set GAN_DATA_DIR to where it is") from error
    return data


def main(arguments: list[str]) -> None:
    """Train as the command line says and tell the accuracy and the hash."""
    given = {key: value for key, _, value in (item.partition("=") for item in arguments)}
    numbers = {key: given[key] for key in ("seed", "epochs", "width") if key in given}
    unknown = set(given) - {"data", "output", *numbers}
    if unknown or "data" not in given or not all(n.isdecimal() for n in numbers.values()):
        raise UserError(
            "usage: python benchmarks/features.py data=NAME "
            "[seed=0] [epochs=8] [width=32] [output=FOLDER]"
        )
    data = find_data(given["data"])
    path = Path(given.get("output", SHIPPED)) / f"{data.name}_features.safetensors"
    path.unlink(missing_ok=True)
    network = train_features(data, path, **{key: int(value) for key, value in numbers.items()})
    note = {"sha256": network.sha256, **network.metadata}
    path.with_suffix(".json").write_text(json.dumps(note, indent=2) + "\n")
    print(f"{path}: {network.metadata['test_accuracy']:.2%} of the test split, unit {network.unit}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
