"""usage.py, which stands in an exported folder: a script that needs none of this package."""

from collections.abc import Sequence

from gan_lightning.export.metadata import GeneratorMetadata

_HEAD = '''"""python usage.py {words}: draw images in [-1, 1], saved as {file}."""
'''

_ONNX = """import sys
from pathlib import Path

import numpy as np
import onnxruntime

{names} = [*map(int, sys.argv[1:]), *{defaults}[len(sys.argv) - 1 :]]
{check}

def latent(i: int) -> np.ndarray:  # of sample i, as sample.py draws it
    bits = np.random.Philox(key=seed + (1 << 64), counter=i << 192)
    return np.random.Generator(bits).standard_normal({latent_dim}, np.float32)

inputs = {{"z": np.stack([latent(i) for i in range(count)]){label}}}
session = onnxruntime.InferenceSession(Path(__file__).with_name("generator.onnx"))
images = session.run(["images"], inputs)[0]
np.save("samples.npy", images)
print(images.shape, "from", images.min(), "to", images.max(), "-> samples.npy")
"""

_TORCH = """import sys
from pathlib import Path

import torch

{names} = [*map(int, sys.argv[1:]), *{defaults}[len(sys.argv) - 1 :]]
{check}
random = torch.Generator().manual_seed(seed)  # a row at a time: sample i has the i-th
z = torch.stack([torch.randn({latent_dim}, generator=random) for _ in range(count)])
draw = torch.export.load(Path(__file__).with_name("generator.pt2")).module()
with torch.inference_mode():
    images = draw(z{label})
torch.save(images.clone(), "samples.pt")
print(tuple(images.shape), "from", images.min().item(), "to", images.max().item(), "-> samples.pt")
"""


def usage(metadata: GeneratorMetadata, kind: str) -> str:
    """Return the script for `kind`, onnx or torch: at most 20 lines, of COUNT, LABEL and SEED."""
    labels = metadata.labels
    onnx = kind == "onnx"
    fields = {
        "words": "[COUNT [LABEL [SEED]]]" if labels else "[COUNT [SEED]]",
        "file": "samples.npy" if onnx else "samples.pt",
        "latent_dim": metadata.latent_dim,
        "names": "count, label, seed" if labels else "count, seed",
        "defaults": f"(16, {labels[0]}, 0)" if labels else "(16, 0)",
        "check": "",
        "label": "",
    }
    if labels:
        numpy, tensor = "np.full(count, label, np.int64)", "torch.full((count,), label)"
        fields["label"] = f', "y": {numpy}' if onnx else f", {tensor}"
        known = label_list(labels)
        fields["check"] = (
            f"if label not in {known}:\n"
            f'    sys.exit(f"label {{label}}: this generator knows {known}")'
        )
    text = _HEAD + (_ONNX if onnx else _TORCH)
    return text.format(**fields).replace("\n\n\n\n", "\n\n")


def label_list(labels: Sequence[int]) -> str:
    """Return labels as Python writes them: as a range if they are one."""
    whole = range(labels[0], labels[-1] + 1)
    return repr(whole) if list(labels) == list(whole) else repr(list(labels))
