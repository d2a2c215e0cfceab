"""From the command's arguments to a page that is served until a signal ends it."""

import errno
import os
import signal
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from types import FrameType

import uvicorn

from gan_lightning.errors import UserError
from gan_lightning.export.generator_file import newest_generator
from gan_lightning.export.rebuild import Trust
from gan_lightning.page.app import Page
from gan_lightning.page.drawing import Studio
from gan_lightning.page.library import find_recordings
from gan_lightning.page.player import read_player
from gan_lightning.system.portable import STATUS

ADDRESS = "127.0.0.1"


class Server(uvicorn.Server):
    """A server that a signal ends at once.

    Nothing is lost by it, and to wait, as uvicorn does, is to wait for threads that compute and
    cannot be interrupted, and for browsers that keep a connection open.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        sys.stdout.flush()
        os._exit(STATUS[signal.Signals(sig)])


def serve(
    generator: Path | None = None,
    port: int = 8000,
    open: bool = True,
    lab: Path | None = None,
    trust: Trust = None,
) -> None:
    """Serve the page until a signal; the arguments are the command's.

    Raises:
        UserError: the port is in use, or the generator or a recording cannot be read.
    """
    listening = listen(port)
    page = make_page(generator, lab, trust)
    config = uvicorn.Config(page.app(), log_level="warning", access_log=False, server_header=False)
    address = f"http://{ADDRESS}:{listening.getsockname()[1]}/"
    known = page.studio.player if page.studio else None
    words = f"{known.file} ({known.metadata.dataset}; {known.metadata.standing})" if known else ""
    print(f"{words or page.refusal}\n{address}  (Ctrl-C ends it)", flush=True)
    if open and has_browser():
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    if page.studio:
        threading.Thread(target=page.studio.warm_up, daemon=True).start()
    Server(config).run(sockets=[listening])


def make_page(generator: Path | None, lab: Path | None = None, trust: Trust = None) -> Page:
    """Return the page of a generator; None: the newest, or the lab alone if there is none."""
    if lab is not None and not lab.exists():
        raise UserError(f"lab={lab}: no such folder")
    refusal = ""
    if generator is None:
        try:
            generator = newest_generator(Path("outputs"))
        except UserError:
            words = "train one with `python train.py`, or name one with generator=PATH"
            refusal = f"No generator below outputs/: {words}. The lab is here without."
    player = read_player(generator, trust) if generator is not None else None
    refusal = player.refusal if player else refusal
    studio = Studio(player, trust) if player and not refusal else None
    return Page(studio, find_recordings(lab, player.file.parent if player else None), refusal)


def listen(port: int) -> socket.socket:
    """Return a socket of this machine alone; UserError if the port is not to be had."""
    # By its number TCP: asyncio turns Nagle's algorithm off for such alone, else an answer whose
    # head and body are two packets waits 40 ms for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would share a port that is in use
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        listening.listen()
        return listening
    except OSError as error:
        listening.close()
        reasons = {errno.EADDRINUSE: "is in use", errno.EACCES: "is not for users"}
        reason = reasons.get(error.errno or 0, str(error))
        raise UserError(f"port={port} {reason}: choose another, such as port=8123") from error


def has_browser() -> bool:
    """Whether a window can be opened: a browser of a terminal would take it away from us."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
