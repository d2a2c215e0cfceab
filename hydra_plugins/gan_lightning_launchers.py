"""Where the jobs of a sweep run; Hydra finds launchers in this namespace alone.

The keys of each are in its file in `conf/hydra/launcher`.
"""

import math
import os
import queue
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from gan_lightning.cli.launcher import ROOT, SweepLauncher
from gan_lightning.system.job import Job, run
from gan_lightning.system.signals import SIGNALS

YEAR = 365 * 24 * 60  # minutes


class JoblibLauncher(SweepLauncher):
    """On this machine, several at a time; GPUs go from job to job."""

    library = "joblib"

    def start(self, jobs: Sequence[Job]) -> Sequence[Any]:
        from joblib import Parallel, delayed

        at_once = self.side_by_side
        slots: queue.Queue[str] = queue.Queue()
        for slot in range(at_once):
            first = slot * self.gpus
            slots.put(",".join(map(str, range(first, first + self.gpus))))
        futures: list[Future] = [Future() for _ in jobs]

        def fill(future: Future, job: Job) -> None:
            slot = slots.get()
            try:
                future.set_result(job(**{"CUDA_VISIBLE_DEVICES": slot} if slot else {}))
            except Exception as error:  # for the table
                future.set_exception(error)
            finally:
                slots.put(slot)

        # Threads: each waits for a process, and none of those may be killed with the others.
        calls = [delayed(fill)(*pair) for pair in zip(futures, jobs, strict=True)]
        parallel = Parallel(n_jobs=at_once, backend="threading", batch_size=1)
        threading.Thread(target=parallel, args=(calls,), daemon=True).start()
        return futures


class SubmititLauncher(SweepLauncher):
    """As jobs of SLURM, or of submitit's local executor, which is the same without a queue."""

    library = "submitit"

    def __init__(
        self, cluster: str, parameters: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster, self.parameters = cluster, dict(parameters or {})

    @property
    def at_once(self) -> int:
        return self.side_by_side if self.cluster == "local" else super().at_once

    def start(self, jobs: Sequence[Job]) -> Sequence[Any]:
        known = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{known}" if known else str(ROOT)
        executor = self.executor()
        for job in jobs:
            job.minutes = None  # submitit's
        # What starts now must not hear the terminal's Ctrl-C: it is told by us.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with executor.batch():
                return [executor.submit(job) for job in jobs]
        finally:
            signal.signal(signal.SIGINT, before)

    def executor(self) -> Any:
        """Return submitit's executor with this launcher's settings."""
        import submitit

        # Before a time limit SLURM signals all processes of a job: it has to be the signal that
        # training takes for the wish to save and end. The jobs read it from their environment.
        submitit.JobEnvironment.USR_SIG = os.environ["SUBMITIT_PREEMPT_SIGNAL"] = "USR1"
        kinds = {"local": submitit.LocalExecutor, "slurm": submitit.SlurmExecutor}
        executor = kinds[self.cluster](self.sweep / "submitit", max_num_timeout=self.requeue)
        minutes = self.minutes or YEAR
        if self.cluster == "local":
            named: dict[str, Any] = {"timeout_min": minutes, "gpus_per_node": self.gpus}
        else:
            named = {"job_name": "gan-sweep", "time": math.ceil(minutes)}
            named |= {"cpus_per_task": self.cores, "gpus_per_node": self.gpus or None}
            named |= {"array_parallelism": self.jobs} if self.jobs else {}
        executor.update_parameters(**named | self.parameters)
        return executor

    def cancel(self, handles: Sequence[Any]) -> None:
        if self.cluster == "slurm":  # also those that wait in the queue
            for handle in handles:
                handle.cancel(check=False)


class RayLauncher(SweepLauncher):
    """On a Ray cluster, or on a Ray of this machine that the sweep starts."""

    library = "ray"

    def __init__(self, address: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address = address

    def start(self, jobs: Sequence[Job]) -> Sequence[Any]:
        import ray

        if not ray.is_initialized():
            os.environ.setdefault("RAY_worker_niceness", "0")  # as jobs of the other launchers
            own = {"num_cpus": self.side_by_side * self.cores}
            local: dict[str, Any] = {} if self.address else own
            ray.init(self.address, include_dashboard=False, log_to_driver=False, **local)
            SIGNALS.install()  # Ray takes SIGTERM
        remote = ray.remote(num_cpus=self.cores, num_gpus=self.gpus, max_retries=self.requeue)(run)
        return [remote.remote(job).future() for job in jobs]
