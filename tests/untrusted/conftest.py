from pathlib import Path

import pytest

from tests.untrusted import planted as p
from tests.untrusted.files import FILES, MARK


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    p.torch_pickled(folder / "payload", folder / MARK)
    for name, (_, make) in FILES.items():
        make(folder / name.replace(" ", "_"))
    return folder
