"""The loop: asks Optuna for settings, watches their runs, tells it what they came to."""

import math
import time
from collections import deque
from collections.abc import Sequence

from optuna import Study
from optuna.trial import Trial, TrialState

from gan_lightning.errors import RunError
from gan_lightning.search.asked import Asked
from gan_lightning.search.recipe import Recipe
from gan_lightning.search.space import Dimension
from gan_lightning.search.trial import TrialRun, busy, scores_of
from gan_lightning.system.portable import cores
from gan_lightning.system.signals import SIGNALS

POLL = 0.5  # seconds between two looks at the runs
CLOCK = 10.0  # seconds after which the time spent is written down
HOPELESS = 3  # trials of one start that fail, where none has worked
DONE = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Loop:
    """Runs trials side by side until there are enough, or time or a signal ends it.

    A trial that a killed or stopped search left unfinished goes on as the same trial: its run
    resumes, and the values that it had reported are not reported twice.
    """

    def __init__(
        self, study: Study, asked: Asked, recipe: Recipe, space: Sequence[Dimension]
    ) -> None:
        self.study, self.asked, self.recipe, self.space = study, asked, recipe, space
        known = study.get_trials(deepcopy=False)
        # Optuna makes such a handle for its own loop alone: it has no way to go on with a trial.
        self.left = deque(
            Trial(study, one._trial_id) for one in known if one.state == TrialState.RUNNING
        )
        self.finished = sum(one.state in DONE for one in known)
        self.worked = any(one.state in DONE[:2] for one in known)
        self.failures: list[str] = []
        self.runs: list[TrialRun] = []
        self.spent = float(study.user_attrs.get("seconds", 0.0))
        self.written = self.spent

    def run(self) -> None:
        """Run trials; what runs at the end is stopped, and left to go on with."""
        began = time.monotonic() - self.spent
        try:
            while self._goes_on():
                self._begin()
                self._look()
                time.sleep(POLL)
                self._count(time.monotonic() - began)
        finally:
            self._stop()

    def _goes_on(self) -> bool:
        if len(self.failures) >= HOPELESS and not self.worked:
            raise RunError(
                f"the first {len(self.failures)} trials failed: {self.failures[-1]}; what they "
                f"said is in {self.asked.folder / 'logs'}"
            )
        enough = self.finished >= self.asked.trials and not self.runs
        return not (SIGNALS.status or enough or self.spent >= (self.asked.max_time or math.inf))

    def _count(self, seconds: float) -> None:
        """Write down, now and then, the time of all starts together."""
        self.spent = seconds
        if self.spent - self.written > CLOCK:
            self.study.set_user_attr("seconds", self.spent)
            self.written = self.spent

    def _begin(self) -> None:
        """Start trials where there is room; those left by an earlier start first."""
        while len(self.runs) < self.asked.jobs:
            if self.finished + len(self.runs) >= self.asked.trials:
                return
            if self.left and busy(self.asked.folder, self.left[0].number):
                return  # its run, of a search that was killed, is still ending
            trial = self.left.popleft() if self.left else self.study.ask()
            values = {one.key: one.suggest(trial) for one in self.space}
            words = [one.override(values[one.key]) for one in self.space]
            budget = self.recipe.overrides(self.asked, values)
            threads = max(1, cores() // self.asked.jobs)
            words = [*self.asked.overrides, *budget, *words]
            self.runs.append(TrialRun(trial, self.asked.folder, words, threads))

    def _look(self) -> None:
        for run in [*self.runs]:
            status = run.process.poll()  # before the scores are read: the last ones are then there
            self._report(run)
            if status is not None:
                self.runs.remove(run)
                self._conclude(run, status)

    def _report(self, run: TrialRun) -> None:
        """Report new values by their number, and end the run if they are hopeless."""
        values = scores_of(run.folder, self.recipe.metric)
        for step, (_, value) in enumerate(values, 1):
            if step > run.reported:
                run.trial.report(value, step)
                run.reported = step
        if 0 < run.reported < self.recipe.looks and not run.pruned and run.trial.should_prune():
            run.pruned = True
            run.end()

    def _conclude(self, run: TrialRun, status: int) -> None:
        values = scores_of(run.folder, self.recipe.metric)
        self.finished += 1
        self.worked = self.worked or bool(values)
        said = f"{self.recipe.metric} {values[-1][1]:.4g}" if values else ""
        if status == 0 and values:
            self.study.tell(run.trial, values[-1][1])
        elif run.pruned:
            self.study.tell(run.trial, state=TrialState.PRUNED)
            said += f", pruned at {values[-1][0] if values else 0:,} images"
        else:
            none = f"no finite {self.recipe.metric} in metrics.csv"
            reason = run.reason(status) if status else none
            run.trial.set_user_attr("reason", reason)
            self.study.tell(run.trial, state=TrialState.FAIL)
            self.failures.append(reason)
            said = f"failed: {reason}"
        print(f"trial {run.trial.number}: {said}", flush=True)

    def _stop(self) -> None:
        """End what runs, saved; a run that was done meanwhile counts."""
        for run in self.runs:
            if not run.pruned:
                run.end()
        for run in self.runs:
            status = run.process.wait()
            self._report(run)
            if status == 0 or run.pruned:
                self._conclude(run, status)
        self.runs.clear()
        self.study.set_user_attr("seconds", self.spent)
