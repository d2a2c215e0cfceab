"""Wrong arguments of any subcommand are one sentence and status 2."""

import pytest

from gan_lightning.lecture.__main__ import main


@pytest.mark.parametrize(
    ("subcommand", "wrong"),
    [
        ("joint", ["--samples", "0"]),
        ("joint", ["--seed", "-1"]),
        ("joint", ["--picture", "x.foo"]),
        ("marks", ["--rows", "0"]),
        ("plane", ["--picture", "no/x.png"]),
        ("scaling", ["--picture", "x"]),
        ("steps", ["--updates", "0"]),
        ("steps", ["--seed", "-1"]),
    ],
)
def test_wrong_arguments_are_one_sentence(
    subcommand: str, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([subcommand, *wrong])
    assert end.value.code == 2
    assert f"{' '.join(wrong)} must" in capsys.readouterr().err
