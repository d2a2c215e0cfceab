"""The commands and overrides that a page shows, and what is wrong with them."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from tests.conftest import CONF, ROOT, compose_config
from tests.pages import FENCE, examples, spans

OVERRIDE = re.compile(r"[+~]{0,2}[a-z_]+(\.\w+)*=\S*")
HOLE = re.compile(r"\w+=([A-Z]+|\.+)")  # an option for you to fill in
PROGRAMS = {"python", "make", "pytest", "pip"}
KNOWN = {"tensorboard", "jupyter", "hf", "pre-commit", "scontrol", "["}  # nothing is asked of these
KNOWN |= {"wandb", "mlflow", "trackio", "optuna-dashboard", "sbatch"}
CONFIGS = {"train.py": "config", "sample.py": "sample", "evaluate.py": "evaluate"}

Job = tuple[str, tuple[str, ...]]  # a config and its overrides


def commands(text: str) -> Iterator[list[str]]:
    """Yield the commands of a page, in blocks and between backticks, as words."""
    lines = [span for span in spans(text) if " " in span and is_command(span)]
    for language, code in FENCE.findall(text):
        block = code.replace("\\\n", " ").splitlines()
        lines += [line for line in block if language == "bash" or is_command(line)]
    for part in [part for line in lines for part in line.split("&&")]:
        words = shlex.split(part, comments=True)
        if words:
            yield bare(words)


def is_command(line: str) -> bool:
    return bool(set(bare(line.split())[:1]) & PROGRAMS)


def bare(words: list[str]) -> list[str]:
    """Return a command without the variables, and srun with its options, in front of it."""
    while words and (re.match(r"[A-Z_]+=|--[a-z]", words[0]) or words[0] == "srun"):
        words = words[1:]
    return words


def wrong_commands(text: str) -> list[str]:
    found = [(command, wrong_command(command)) for command in commands(text)]
    return [f"{shlex.join(command)}: {fault}" for command, fault in found if fault]


def wrong_command(words: list[str]) -> str:
    """Return what is wrong with a command, its overrides aside; "" if nothing is."""
    program, *rest = words
    if program == "torchrun":  # as if python ran the script behind the launcher's own options
        program, rest = "python", rest[[w.endswith(".py") for w in rest].index(True) :]
    if program in ("python3", ".venv/bin/python"):  # before an environment is active, and by path
        program = "python"
    if program == "python" and rest[:3] == ["-m", "pip", "install"]:
        program, rest = "pip", rest[2:]
    if program == "python" and rest[0] == "-m":
        return "" if find_spec(rest[1]) else f"no module {rest[1]}"
    if program == "python" and rest[0].endswith("/usage.py"):  # of an exported folder
        return ""
    if program == "python":
        if not (ROOT / rest[0]).is_file():
            return f"no script {rest[0]}"
        given = [word for word in rest if word.startswith("--") and rest[0] not in CONFIGS]
        unknown = [word for word in given if f'"{word}"' not in (ROOT / rest[0]).read_text()]
        return f"no option {unknown[0]}" if unknown else ""
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
        return "" if rest[0] in targets else f"no target {rest[0]}"
    if program == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = {f".[{name}]" for name in project["optional-dependencies"]} | {"."}
        return f"no extra {rest[-1]}" if rest[-1][0] == "." and rest[-1] not in extras else ""
    if program == "pytest":
        gone = [word for word in rest if "/" in word and not (ROOT / word).exists()]
        return f"no {gone[0]}" if gone else ""
    return "" if program in KNOWN else "which program is that?"


def jobs_on(text: str) -> list[Job]:
    """Return what must compose for a page to be right."""
    new = examples(text)
    found = [(config_of(words), words) for words in map(overrides, spans(text)) if words]
    for command in commands(text):
        found += jobs_of([word for word in command if chosen_file(word) not in new])
    return found


def chosen_file(override: str) -> str:
    group, _, option = override.partition("=")
    return f"conf/{group}/{option}.yaml"


def overrides(span: str) -> tuple[str, ...]:
    """Return the overrides that a span between backticks consists of; none if of something else."""
    words = tuple(shlex.split(span)) if span.count("'") % 2 == 0 else ()
    good = all(OVERRIDE.fullmatch(word) and not HOLE.fullmatch(word) for word in words)
    return words if good else ()


@cache
def top_keys(name: str) -> set[str]:
    groups = {path.name for path in CONF.iterdir() if path.is_dir()} - {
        "mode",
        "search",
    }  # of others
    return {"hydra", *map(str, compose_config(name=name)), *(groups if name == "config" else ())}


def config_of(words: tuple[str, ...]) -> str:
    """Return the config that knows the keys, train.py's if none does."""
    return next((name for name in CONFIGS.values() if tops(words) <= top_keys(name)), "config")


def tops(words: tuple[str, ...]) -> set[str]:
    return {re.split(r"[.=@]", word.lstrip("+~"))[0] for word in words}


def jobs_of(command: list[str]) -> list[Job]:
    """Return what a command composes, its lists of values taken apart."""
    program, script, *rest = [*command, "", ""]
    if program == "make" and script == "train":
        script, rest = "train.py", [w for word in rest for w in word.removeprefix("ARGS=").split()]
    given = [word for word in rest if "=" in word and not HOLE.fullmatch(word)]
    if script not in CONFIGS:
        return []
    try:
        parsed = OverridesParser.create().parse_overrides(given)
    except Exception:  # for `compose` to say
        return [(CONFIGS[script], tuple(given))]
    values = [
        [f"{one.key_or_group}={v}" for v in one.sweep_string_iterator()]
        if one.is_sweep_override()
        else [word]
        for one, word in zip(parsed, given, strict=True)
    ]
    count = max(map(len, values), default=0)
    return [(CONFIGS[script], tuple(v[k % len(v)] for v in values)) for k in range(count)]


def not_composing(jobs: list[Job]) -> list[str]:
    """Return a line for every job that does not compose.

    A composition takes a fifth of a second: jobs about different groups are tried together.
    """
    packs: list[list[Job]] = []
    for name, words in dict.fromkeys(jobs):
        for pack in packs:
            others = tops(tuple(word for _, them in pack for word in them))
            apart = not others & tops(words) and "experiment" not in others | tops(words)
            if pack[0][0] == name and apart:
                pack.append((name, words))
                break
        else:
            packs.append([(name, words)])
    found = []
    for pack in packs:
        if wrong_config(pack[0][0], tuple(word for _, words in pack for word in words)):
            found += [f"{' '.join(words)}: {wrong_config(name, words)}" for name, words in pack]
    return [line for line in found if not line.endswith(": ")]


@cache
def wrong_config(name: str, words: tuple[str, ...]) -> str:
    """Return the first line of what Hydra says against some overrides."""
    place = ("run_dir=here",) if name == "config" else ()
    try:
        OmegaConf.to_container(compose_config(*place, *words, name=name), resolve=True)
    except Exception as error:  # Hydra and OmegaConf have many
        return str(error).strip().splitlines()[0]
    return ""
