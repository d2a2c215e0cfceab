"""What a command line says, looked at before Hydra: its errors there are tracebacks."""

import os
import sys
import tempfile
from pathlib import Path

from gan_lightning.config.schema import AUTO
from gan_lightning.runs.record import read_record

CONF = str(Path(__file__).resolve().parents[2] / "conf")


# Switches that end before anything is made.
SHOWING = {"-h", "--help", "--hydra-help", "--version", "-c", "--cfg", "-i", "--info"}


def key_value(argument: str) -> tuple[str, str]:
    """Return the key and the value of an override."""
    key, _, value = argument.partition("=")
    return key, value.strip("'\"")


def check_resume(arguments: list[str]) -> None:
    """Refuse a folder to resume from that is none, before Hydra makes it."""
    given = dict(map(key_value, arguments))
    value = given.get("resume", "")
    folders = {"run_dir", "hydra.run.dir", "hydra.sweep.dir"}
    if value == AUTO and not folders & given.keys():
        sys.stderr.write(
            "resume=auto: which run? name its folder by hydra.run.dir=FOLDER "
            "(a sweep's by hydra.sweep.dir=FOLDER)\n"
        )
        sys.exit(2)
    if value not in ("", "null", AUTO) and not (Path(value) / "config.yaml").is_file():
        print(f"resume={value}: no run is there (a folder with config.yaml)", file=sys.stderr)
        sys.exit(2)


def check_options(arguments: list[str]) -> None:
    """Refuse `loss=null`: Hydra's error is a traceback."""
    groups = {path.name: path for path in Path(CONF).iterdir() if path.is_dir()}
    for key, value in map(key_value, arguments):
        group = groups.get(key.lstrip("+").partition("@")[0])
        chosen = [name.strip(" '\"").lower() for name in value.strip("[]").split(",")]
        if group and "null" in chosen:
            options = ", ".join(sorted(file.stem for file in group.glob("*.yaml")))
            way = f"leave it out, or choose of {options}"
            print(f"{key}={value} is no option: {way}", file=sys.stderr)
            sys.exit(2)


def check_place(arguments: list[str]) -> list[Path]:
    """Refuse a place for new folders where none can be made: Hydra's error is a traceback.

    Returns:
        The folder that is there already, and in which new ones will be made; empty if none will.
    """
    given = dict(map(key_value, arguments))
    if SHOWING & given.keys() or given.get("resume", AUTO) not in ("", "null", AUTO):
        return []
    sweep = {"-m", "--multirun"} & given.keys() or given.get("hydra.mode", "").upper() == "MULTIRUN"
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    # What stands before an interpolation is all that is known of a path.
    place = Path((given.get(key) or "outputs").partition("${")[0]).absolute()
    while not os.path.lexists(place):
        place = place.parent
    try:
        tempfile.TemporaryDirectory(dir=place).cleanup()
    except OSError as error:
        print(
            f"{key}={given.get(key) or 'outputs/...'} cannot be written: {place}: "
            f"{error.strerror}; choose another folder",
            file=sys.stderr,
        )
        sys.exit(2)
    return [place]


def history(arguments: list[str]) -> list[str]:
    """Return the overrides that a run to go on with was made with, but those given anew.

    What this command line changes is composed with them, not with the defaults: `penalty.every`
    exists if that run chose `penalty=r1_lazy`.
    """
    given = dict(map(key_value, arguments))
    folder = given.get("resume")
    if not folder or folder == AUTO:
        return []
    past = [item for item in read_record(Path(folder)).get("overrides", []) if type(item) is str]
    anew = {key.lstrip("+~") for key in given}
    return [
        item
        for item in past
        if not any((key_value(item)[0].lstrip("+~") + ".").startswith(f"{key}.") for key in anew)
    ]


def quote_lists(arguments: list[str]) -> list[str]:
    """Turn generator=A,B into generator=['A','B']: Hydra takes a bare comma for a sweep."""
    turned = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("generator", "images", "compare") and "," in value and value[0] not in "['\"":
            quoted = [item.replace("\\", "\\\\").replace("'", "\\'") for item in value.split(",")]
            argument = f"{key}=[" + ",".join(f"'{item}'" for item in quoted if item) + "]"
        turned.append(argument)
    return turned
