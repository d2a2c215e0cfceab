"""How the score of a run went so far: its best, where that was, and whether quality falls."""

import math
from collections.abc import Mapping
from typing import Any

FALLEN = 2.0  # times the best: far beyond what two evaluations of one generator differ by
WATCHED = ("score/fid", "score/reverse_kl", "score/gap")  # the first that is measured; low is good


class Course:
    """What became of the watched score, one evaluation after the other."""

    def __init__(self) -> None:
        self.how = ""  # it is measured
        self.name = ""  # of the score; "" before the first evaluation
        self.best = self.latest = math.inf
        self.best_at = -1  # images_seen then
        self.latest_at = -1  # images_seen at the last evaluation, of whatever scores
        self.falls = 0  # evaluations in a row that were more than `FALLEN` times the best

    def add(self, scores: Mapping[str, float], images_seen: int, how: str = "") -> None:
        """Take in an evaluation; `how` it was made, for others cannot be compared with it."""
        self.latest_at = images_seen
        name = next((name for name in WATCHED if name in scores), "")
        if not name:
            return
        if self.name and (self.name, self.how) != (name, how):
            self.best, self.falls = math.inf, 0
        self.name, self.how, self.latest = name, how, scores[name]
        if self.latest < self.best:
            self.best, self.best_at = self.latest, images_seen
        self.falls = self.falls + 1 if not self.latest <= FALLEN * self.floor else 0

    @property
    def floor(self) -> float:
        """The best, but nothing that a ratio to it would make absurd."""
        return max(self.best, 1e-6)

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
