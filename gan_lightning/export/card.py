"""README.md of an exported folder: a model card, as the Hugging Face Hub reads it."""

import json
import re
from dataclasses import dataclass

from gan_lightning.export.metadata import GeneratorMetadata
from gan_lightning.export.program import OPSET
from gan_lightning.export.recorded import Recorded, Row

LICENCE = "apache-2.0"  # of this project
HUB_DATA = {"mnist": "ylecun/mnist", "fashion_mnist": "zalando-datasets/fashion_mnist"}
_TORCH = "2.6"  # the first whose torch.export this project uses

_BODY = """
# {title}

![{shown}](samples.png)

*{shown}, seed 0, not selected.*

{about}

## Use

```bash
pip install {needs}
python usage.py{example}
```

`usage.py`:

```python
{usage}```

| | name | type | shape | |
|---|---|---|---|---|
{inputs}

{program}

## Training

{training}

## Scores

{scores}

## Limits

{limits}

## Licence

gan-lightning, which trained it, is under the Apache License 2.0, and so is this folder, as the
`license` line says: change it if your weights are to be under another. The terms of the data,
{data}, hold as well.
"""


@dataclass(frozen=True)
class Export:
    """What is exported, in the card's words."""

    kind: str  # onnx or torch
    parameters: int
    torch: str  # its version
    usage: str  # the script
    samples: int  # in the picture
    truncation: float | None


def card(metadata: GeneratorMetadata, run: Recorded, export: Export) -> str:
    """Return the card, front matter first."""
    m = metadata
    rows = m.schema is not None or m.image_shape[1:] == [1, 1]
    what = "points" if rows else "images"
    name = m.class_name.rpartition(".")[2]
    shape = "x".join(map(str, m.image_shape))
    labels = f" for a label of {_words(m.labels)}" if m.labels else ", without labels"
    about = (
        f"{name} with {export.parameters:,} parameters, which draws {what} {shape}{labels}. "
        f"It was trained on {m.dataset} with gan-lightning: {m.images_seen:,} images seen."
    )
    if export.truncation is not None:
        about += f" The program truncates its styles by {export.truncation:g}; the weights do not."
    return front_matter(m, export.kind, rows) + _BODY.format(
        title=f"{name}, {m.dataset}",
        shown=f"{export.samples:,} {what}" + (", labels in turn" if m.labels else ""),
        about=about,
        needs="onnxruntime numpy" if export.kind == "onnx" else f"'torch>={_TORCH}'",
        example=f" 16 {m.labels[-1]} 0" if m.labels else " 16 0",
        usage=export.usage,
        inputs=_signature(m),
        program=_program(export),
        training=_training(m, run),
        scores=_scores(run),
        limits=_limits(m, rows),
        data=m.dataset,
    )


def front_matter(metadata: GeneratorMetadata, kind: str, rows: bool) -> str:
    """Return the YAML that the Hub reads; strings are written as JSON, which YAML holds."""
    m = metadata
    tags = ["gan-lightning", m.class_name.rpartition(".")[2].lower(), _slug(m.dataset)]
    tags += ["onnx", "onnxruntime"] if kind == "onnx" else ["pytorch", "torch-export"]
    tags += ["tabular" if rows else "image-generation"]
    lines = [f"license: {LICENCE}", "library_name: gan-lightning"]
    if not rows and not m.num_classes:  # the Hub has no such task with labels
        lines.append("pipeline_tag: unconditional-image-generation")
    if m.dataset in HUB_DATA:
        lines += ["datasets:", f"- {HUB_DATA[m.dataset]}"]
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in dict.fromkeys(tags) if tag)]
    return "\n".join(["---", *lines, "---", ""])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _words(labels: list[int]) -> str:
    whole = labels == list(range(labels[0], labels[-1] + 1)) and len(labels) > 2
    return f"{labels[0]} to {labels[-1]}" if whole else ", ".join(map(str, labels))


def _signature(m: GeneratorMetadata) -> str:
    shape = ", ".join(map(str, m.image_shape))
    lines = [f"| input | `z` | float32 | [B, {m.latent_dim}] | standard normal numbers |"]
    if m.labels:
        names = _words(m.labels)
        if m.schema is not None:
            names = ", ".join(f"{k} = {_cell(str(m.schema.classes[k]))}" for k in m.labels[:20])
        lines.append(f"| input | `y` | int64 | [B] | labels: {names} |")
    return "\n".join(
        [*lines, f"| output | `images` | float32 | [B, {shape}] | in [-1, 1], up to rounding |"]
    )


def _program(export: Export) -> str:
    if export.kind == "onnx":
        return (
            f"`generator.onnx`: opset {OPSET} (onnxruntime 1.18 or newer), any batch size B. "
            "Sample i of `usage.py` depends on "
            "the seed, i and its label alone, as that of gan-lightning's `sample.py` does. "
            "`generator.safetensors` has the weights, for `gan_lightning.load_generator`."
        )
    return (
        f"`generator.pt2`: a torch.export program, any batch size B, made by torch {export.torch}. "
        "`torch.export.load` unpickles, so load such files only from people you trust; "
        "`generator.safetensors`, the weights for `gan_lightning.load_generator`, is safe to read."
    )


def _training(m: GeneratorMetadata, run: Recorded) -> str:
    parts = []
    if run.command:
        parts.append(f"```bash\n{run.command}\n```")
    arguments = ", ".join(f"{key}={value}" for key, value in m.arguments.items())
    recipe = {
        "data": m.dataset,
        "images seen": f"{m.images_seen:,}",
        "generator": f"{m.class_name.rpartition('.')[2]}({arguments})",
        **run.recipe,
    }
    lines = [f"| {key} | `{_cell(value)}` |" for key, value in recipe.items()]
    return "\n\n".join([*parts, "\n".join(["| | |", "|---|---|", *lines])])


def _scores(run: Recorded) -> str:
    if not run.scores:
        return "None were measured."
    table = ["| score | value | floor |", "|---|---|---|"]
    table += [_score(row) for row in run.scores]
    return "\n".join([*table, "", run.note])


def _score(row: Row) -> str:
    return f"| {_cell(row.title)} | {row.value} | {row.floor or '-'} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")


def _limits(m: GeneratorMetadata, rows: bool) -> str:
    lines = [
        f"It draws what {m.dataset} has and nothing else, with that data's errors and shares.",
        "Samples may resemble training data; they are not anonymous by themselves.",
    ]
    if rows and m.schema is not None:
        lines.append(
            "`images` are points, columns standardised; `python sample.py "
            "generator=generator.safetensors output=rows.csv` of gan-lightning writes them as rows."
        )
    if m.labels:
        lines.append("A label outside the list gives an error or a meaningless image.")
    return "\n".join(f"- {line}" for line in lines)
