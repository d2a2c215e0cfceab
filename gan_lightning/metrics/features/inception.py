"""Inception features, for scores that can be compared with published ones."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import NoTrainInceptionV3

from gan_lightning.errors import UserError
from gan_lightning.metrics.features.classifier import Embedded, FeatureNetwork
from gan_lightning.pixels import to_uint8


class InceptionNetwork(FeatureNetwork):
    """2,048 features of the Inception network of Heusel et al. 2017; classes by the classifier.

    `inception` maps uint8[N, 3, H, W] to features[N, 2048], its weights having that `sha256`. Grey
    images are repeated to three channels; torch-fidelity resizes them to 299 px.
    """

    def __init__(self, inception: nn.Module, sha256: str, classifier: FeatureNetwork) -> None:
        self.inception = inception
        self.classifier = classifier
        self.sha256 = sha256
        self.metadata = {"network": "inception", "classifier": classifier.sha256}

    def to(self, device: torch.device | str) -> "InceptionNetwork":
        self.inception.to(device)
        self.classifier.to(device)
        return self

    @torch.no_grad()
    def embed(self, images: Tensor, chunk: int = 50) -> Embedded:
        """Return Inception's features and the classifier's logits of images[N, C, H, W]."""
        images = to_uint8(images)
        device = next(self.classifier.network.parameters()).device
        rgb = images if images.shape[1] == 3 else images[:, :1].expand(-1, 3, -1, -1)
        parts = [self.inception(part.to(device)).cpu() for part in rgb.split(chunk)]
        return Embedded(torch.cat(parts), self.classifier.embed(images).logits, self.unit)


def inception_network(weights: Path | None, classifier: FeatureNetwork) -> InceptionNetwork:
    """Return the Inception network, its weights from a file or from torch-fidelity's release.

    Raises:
        UserError: torch-fidelity is not installed, or the weights cannot be loaded.
    """
    if weights is not None and not weights.is_file():
        raise UserError(f"metrics.features={weights}: no such file")
    try:
        network = NoTrainInceptionV3(
            name="inception-v3-compat",
            features_list=["2048"],
            feature_extractor_weights_path=str(weights) if weights else None,
        )
    except ModuleNotFoundError as error:
        raise UserError(
            "metrics.features=inception needs torch-fidelity: pip install torch-fidelity"
        ) from error
    except Exception as error:  # whatever a download or a strange file may raise
        reason = " ".join(str(error).split())[:150]
        raise UserError(
            f"metrics.features={weights or 'inception'}: the weights could not be read ({reason}); "
            "download weights-inception-2015-12-05-6726825d.pth from torch-fidelity's releases on "
            "GitHub and set metrics.features to its path"
        ) from error
    return InceptionNetwork(network, _digest(network), classifier)


def _digest(network: nn.Module) -> str:
    """Return the SHA-256 of the tensors: the same for a file and a download."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
