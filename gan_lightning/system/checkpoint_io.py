"""Checkpoints as Lightning writes and reads them: through `checkpoint_file`."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO

from gan_lightning.system import checkpoint_file


class SafeCheckpointIO(CheckpointIO):
    """Saves by temporary file, fsync and rename; loads weights only, after checking the hash."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        checkpoint_file.write_checkpoint(checkpoint, Path(path))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint, or the bare weights that a spawned worker hands back."""
        kept = checkpoint_file.take_kept(Path(path))
        return kept or checkpoint_file.read_verified(Path(path), map_location or "cpu")

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint and its hash."""
        Path(path).unlink(missing_ok=True)
        checkpoint_file.hash_file(Path(path)).unlink(missing_ok=True)
