"""The command: how it ends, and what it says of a user's mistakes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_lightning.errors import UserError
from gan_lightning.page import __main__ as command
from gan_lightning.page.serve import make_page
from tests.conftest import ROOT

Files = Callable[..., Path]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["generator=nowhere"], "generator=nowhere: no such file"),
        (["lab=nowhere"], "lab=nowhere: no such folder"),
        (["port=x"], "port=x must be a whole number at least 0 and at most 65535"),
        (["port=70000"], "port=70000 must be"),
        (["open=maybe"], "open=maybe must be true or false"),
        (["colour=red"], "there is no key colour; did you mean generator, port, open, lab, trust"),
        (["8000"], "'8000' is not KEY=VALUE"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [word for word in ("port=0", "open=false") if word[:5] != words[0][:5]]
    with pytest.raises(SystemExit) as end:
        command.main([*given, *words])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert len(said.splitlines()) == 1


def test_a_port_in_use_is_a_sentence(
    generator_file: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            command.main([f"generator={generator_file('labels')}", f"port={port}"])
    assert end.value.code == 2
    assert f"port={port} is in use: choose another" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as end:
        command.main([])
    assert end.value.code == 2
    assert "pip install -c constraints.txt -e '.[page]'" in capsys.readouterr().err


def test_a_folder_without_recordings_is_a_sentence(generator_file: Files) -> None:
    file = generator_file("labels")
    with pytest.raises(UserError, match="callbacks=lab"):
        make_page(file, file.parent)
    (file.parent / "lab.npz").write_bytes(b"none")
    with pytest.raises(UserError, match="not a recording"):
        make_page(file, file.parent)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_at_once_without_a_word(
    generator_file: Files, number: signal.Signals, status: int
) -> None:
    arguments = [f"generator={generator_file('labels')}", "port=0", "open=false"]
    with subprocess.Popen(
        [sys.executable, "-m", "gan_lightning.page", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert "labels.safetensors (mnist; 0 images seen)" in server.stdout.readline()
        address = server.stdout.readline().split()[0]
        with urllib.request.build_opener().open(address, timeout=30) as answer:
            assert b"gan-lightning" in answer.read()
        port = int(address.rpartition(":")[2].strip("/"))
        with socket.create_connection(("127.0.0.1", port)) as waiting:  # in the midst of a request
            head = (
                f"POST /api/images HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 99\r\n\r\n"
            )
            waiting.sendall(head.encode())
            began = time.monotonic()
            server.send_signal(number)
            _, said = server.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert server.returncode == status
    assert said == ""
