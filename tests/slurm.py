"""A stand-in for SLURM, on one machine: jobs, and the commands `srun` and `scontrol`.

As SLURM does, `srun` starts a job's processes on its nodes, each with its numbers in SLURM_*, and
ends with the highest of their statuses; a warning before the limit goes to them and not to the
script; `scontrol requeue` ends the script and starts it again with the same job id.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = "TESTS_SLURM"  # the folder that srun, scontrol and the job look at


class Job:
    """A job that was submitted: a script that bash runs, again when it is requeued."""

    def __init__(
        self, script: str, cwd: Path, number: int, nodes: int, tasks_per_node: int
    ) -> None:
        self.state, self.cwd, self.restarts = cwd / f".slurm-{number}", cwd, 0
        self.state.mkdir()
        for command in ("srun", "scontrol"):
            (self.state / command).write_text(
                f'#!/bin/sh\nexec {sys.executable} -m tests.slurm {command} "$@"\n'
            )
            (self.state / command).chmod(0o755)
        (self.state / "script").write_text(script)
        nodelist = f"127.0.0.[1-{nodes}]"
        numbers = {
            "JOB_ID": number,
            "JOB_NAME": "digits",
            "NNODES": nodes,
            "NTASKS": nodes * tasks_per_node,
            "NTASKS_PER_NODE": tasks_per_node,
            "JOB_NODELIST": nodelist,
            "NODELIST": nodelist,
            **{"NODEID": 0, "PROCID": 0, "LOCALID": 0},  # the script runs on the first node
        }
        self.env = {f"SLURM_{name}": str(value) for name, value in numbers.items()}
        self.env |= {"PATH": f"{self.state}:{os.environ['PATH']}", STATE: str(self.state)}
        self.env |= {"PYTHONPATH": f"{ROOT}:{cwd}"}
        self._start()

    def _start(self) -> None:
        again = {"SLURM_RESTART_COUNT": str(self.restarts)} if self.restarts else {}
        with (self.cwd / f"slurm-{self.env['SLURM_JOB_ID']}.out").open("a") as said:
            self.process = subprocess.Popen(
                ["bash", str(self.state / "script")],
                cwd=self.cwd,
                env=os.environ | self.env | again,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def warn(self) -> None:
        """Do what --signal=USR1@SECONDS asks for."""
        for pid in (self.state / "tasks").read_text().split():
            os.kill(int(pid), signal.SIGUSR1)

    def wait(self, seconds: float) -> int:
        """Return the status of the script that ended and was not requeued."""
        deadline = time.monotonic() + seconds
        while True:
            assert time.monotonic() < deadline, "the job does not end"
            ended = self.process.poll()
            if (self.state / "requeue").exists():
                if ended is None:
                    os.killpg(self.process.pid, signal.SIGTERM)
                self.process.wait(30)
                (self.state / "requeue").unlink()
                self.restarts += 1
                self._start()
            elif ended is not None:
                return ended
            time.sleep(0.1)


def srun(state: Path, arguments: list[str]) -> int:
    """Start the job's tasks, and wait for them; KillOnBadExit and WaitTime are a site's worst."""
    options = {"--kill-on-bad-exit": "1", "--wait": "1"}
    while arguments[0].startswith("--"):
        name, _, value = arguments.pop(0).partition("=")
        options[name] = value
    count, each = (int(os.environ[f"SLURM_{name}"]) for name in ("NTASKS", "NTASKS_PER_NODE"))
    tasks = []
    for rank in range(count):
        numbers = {"PROCID": rank, "NODEID": rank // each, "LOCALID": rank % each, "STEP_ID": 0}
        own = {f"SLURM_{name}": str(value) for name, value in numbers.items()}
        tasks.append(subprocess.Popen(arguments, env=os.environ | own, start_new_session=True))
    (state / "tasks").write_text(" ".join(str(task.pid) for task in tasks))
    first = None
    while any(task.poll() is None for task in tasks):
        ended = [task.returncode for task in tasks if task.returncode is not None]
        first = first or (time.monotonic() if ended else None)
        waited = first is not None and time.monotonic() > first + (
            float(options["--wait"]) or float("inf")
        )
        if waited or (any(ended) and options["--kill-on-bad-exit"] == "1"):
            for task in tasks:
                task.kill()
        time.sleep(0.05)
    return max(task.returncode if task.returncode >= 0 else 128 - task.returncode for task in tasks)


def scontrol(state: Path, arguments: list[str]) -> int:
    """Ask for the job to be requeued."""
    if arguments != ["requeue", os.environ["SLURM_JOB_ID"]]:
        return 1
    (state / "requeue").touch()
    return 0


if __name__ == "__main__":
    act = {"srun": srun, "scontrol": scontrol}[sys.argv[1]]
    sys.exit(act(Path(os.environ[STATE]), sys.argv[2:]))
