"""Scoring generators side by side: from paths to a table, a JSON file and a picture."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gan_lightning.config.build import build_data, build_data_module
from gan_lightning.config.schema import EvaluateConfig
from gan_lightning.data import DataModule, TableDataModule
from gan_lightning.errors import UserError
from gan_lightning.evaluation.candidates import Candidate, collect
from gan_lightning.evaluation.figure import draw
from gan_lightning.evaluation.judge import Judge
from gan_lightning.evaluation.known_modes import evaluate_modes
from gan_lightning.evaluation.result_file import (
    Record,
    candidate_entry,
    earlier_entries,
    header,
    write_record,
)
from gan_lightning.evaluation.rows import evaluate_tables
from gan_lightning.evaluation.table import score_table
from gan_lightning.export.generator_file import newest_generator
from gan_lightning.metrics.features.classifier import FeatureNetwork, read_feature_network
from gan_lightning.metrics.features.inception import inception_network
from gan_lightning.metrics.features.store import feature_network
from gan_lightning.metrics.modes import mode_scorer
from gan_lightning.sampling.draw import one_device
from gan_lightning.sampling.place import free_path


def find_network(asked: str, data: DataModule) -> FeatureNetwork:
    """Return the feature network that `metrics.features` names; UserError if it cannot load."""
    if asked == "classifier":
        return feature_network(data)
    if asked == "inception":
        return inception_network(None, feature_network(data))
    path = Path(asked)
    if path.suffix == ".pth":
        return inception_network(path, feature_network(data))
    if path.suffix != ".safetensors":
        raise UserError(
            f"metrics.features={asked}: must be classifier, inception, a .safetensors file of "
            "train_features, or the .pth file of the Inception weights"
        )
    return read_feature_network(path)


def evaluate(asked: EvaluateConfig, console: Console) -> Path:
    """Score everything that was asked for; return the path of the JSON file.

    Raises:
        UserError: something cannot be read, or cannot be compared.
    """
    if not asked.generator and not asked.images:
        asked.generator = [str(newest_generator(Path("outputs")))]
    output = find_output(asked)
    candidates = collect(asked, build_data_module(asked.data))
    count = len(candidates[0].images)
    for line in remarks(asked, candidates):
        console.print(f"[bold yellow]WARNING: {escape(line)}")
    # Missing images are an error here, also with on_missing=digits.
    data, *_ = build_data({"data": {**asked.data, "on_missing": "error"}})
    check_labels(candidates, data)
    if isinstance(data, TableDataModule):
        if asked.compare:
            raise UserError("compare is not for tables: name both with generator=A,B")
        evaluate_tables(candidates, data, output, console)
        return output
    scorer = mode_scorer(data, one_device(asked.accelerator))
    if scorer:
        if asked.compare:
            raise UserError(f"compare is not for {data.name}: name both with generator=A,B")
        evaluate_modes(candidates, data, scorer, output, console)
        return output
    judge = Judge(data, find_network(str(asked.metrics["features"]), data), count)
    record: Record = header(judge)
    earlier = [item for path in asked.compare for item in earlier_entries(Path(path), record)]
    verdicts = [judge.judge(c.images, c.labels, c.categories) for c in candidates]
    if any(candidate.labels is not None for candidate in candidates):
        accuracy = judge.accuracy_floor()
        record["floors"]["own"]["cas"] = {"value": accuracy.value, "margin": accuracy.margin}
    entries = [candidate_entry(c, v) for c, v in zip(candidates, verdicts, strict=True)]
    record["candidates"] = entries + earlier
    write_record(output, record)
    draw(output.with_suffix(".png"), candidates, verdicts, judge)
    console.print(score_table(record))
    return output


def check_labels(candidates: list[Candidate], data: DataModule) -> None:
    """Raise UserError if a candidate has labels that the data set does not have."""
    for candidate in candidates:
        asked = set() if candidate.labels is None else set(candidate.labels.tolist())
        wrong = sorted(asked - set(range(data.num_classes)))
        if wrong:
            raise UserError(f"{candidate.name} has label {wrong[0]}, which {data.name} has not")


def remarks(asked: EvaluateConfig, candidates: list[Candidate]) -> list[str]:
    """Return remarks to print below the table."""
    count, name = len(candidates[0].images), asked.data["name"]
    classes = asked.data["classes"] or list(range(asked.data["num_classes"]))
    found = []
    for c in candidates:
        of, drawn = c.about.get("data", name), c.about.get("classes", classes)
        if of != name:
            found.append(f"{c.name} was trained on {of} and is scored against {name}: data={of}?")
        elif drawn != classes:
            found.append(f"{c.name} draws other classes than the reals: data.classes={drawn}?")
    if count < asked.num_samples:
        found.append(f"scoring {count:,} images of each: one candidate has no more")
    return found


def find_output(asked: EvaluateConfig) -> Path:
    """Return where the JSON file goes: as asked, or beside the first candidate, numbered.

    Raises:
        UserError: it does not end in .json, or is there already.
    """
    if asked.output:
        path = Path(asked.output)
        if path.suffix != ".json":
            raise UserError(f"output={path}: end it in .json; the picture stands beside it")
        for file in (path, path.with_suffix(".png")):
            if file.exists() and not asked.overwrite:
                raise UserError(f"output={file} exists: choose another, or set overwrite=true")
        return path
    first = Path((asked.generator or asked.images)[0])
    folder = first if first.is_dir() and asked.generator else first.parent
    return free_path(folder / "evaluation.json")
