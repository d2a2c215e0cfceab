"""Run sample.py's own main on one file after another; say how each ended, and what it took.

`python -m tests.untrusted.probe FILE...` prints a JSON line each: status, stderr, seconds, and by
how many bytes its memory grew in between. One process, because a start costs seconds.
"""

import contextlib
import io
import json
import logging
import sys
import time

import sample
from tests.untrusted.memory import reset, used


def attempt(overrides: list[str]) -> dict[str, object]:
    sys.argv = ["sample.py", "accelerator=cpu", "num_samples=4", "output=x.npz", *overrides]
    logging.root.handlers = []
    before, start, status = reset(), time.monotonic(), 0
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            sample.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    seconds = time.monotonic() - start
    found = {"status": status, "said": err.getvalue(), "out": out.getvalue()}
    return found | {"seconds": seconds, "grew": used() - before}


if __name__ == "__main__":
    files = sys.argv[1:]
    attempt(["generator=nowhere.ckpt"])  # the first call pays for what all share
    for path in files:
        print(json.dumps({"path": path} | attempt([f"generator={path}"])), flush=True)
