"""The page's server: static files, pictures of latents, answers about drawings, recordings."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_lightning.errors import UserError
from gan_lightning.page.asked import (
    BadRequest,
    body,
    fields,
    labels_for,
    latents,
    seed_of,
    share,
    whole,
)
from gan_lightning.page.drawing import Studio
from gan_lightning.page.library import Recordings
from gan_lightning.page.player import Player
from gan_lightning.sampling.latents import sample_latents

STATIC = Path(__file__).parent / "static"
HOSTS = {"127.0.0.1", "localhost"}
MAX_DRAWING = 1 << 20  # bytes
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class LoopbackOnly:
    """Answers only those who ask for this machine by name, and pages of its own.

    A site elsewhere can point its name at 127.0.0.1 (DNS rebinding): its requests then say that
    name in Host. Its pages may also send requests here directly: those say theirs in Origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a strange Host or Origin; add the headers to every answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        host, origin = asked.get("host", ""), asked.get("origin")
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            answer = sentence("This page answers to 127.0.0.1 and localhost alone.", 400)
            await answer(scope, receive, send)
        elif origin is not None and origin != f"http://{host}":
            await sentence("This page answers to no other site.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, guarded(send))


def guarded(send: Send) -> Send:
    """Return a `send` that adds the headers."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending


def sentence(words: str, status: int) -> JSONResponse:
    """Return an answer that says what is wrong."""
    return JSONResponse({"error": words}, status)


class Page:
    """The endpoints; a generator may be missing, then the lab is left.

    Args:
        refusal: why there is none to play with, a sentence.
    """

    def __init__(self, studio: Studio | None, recordings: Recordings, refusal: str = "") -> None:
        self.studio, self.recordings = studio, recordings
        self.refusal = refusal

    @property
    def player(self) -> Player:
        return self._asked_studio().player

    def _asked_studio(self) -> Studio:
        if self.studio is None:
            raise BadRequest(self.refusal)
        return self.studio

    async def index(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def about(self, _: Request) -> Response:
        """What there is to play with."""
        known = self.studio.player.about() if self.studio else None
        return JSONResponse({"generator": known, "refusal": self.refusal})

    async def latents(self, request: Request) -> Response:
        """`?seed=0&count=4` -> {"z": [count, L]}: those of samples 0, 1, ... of sample.py."""
        asked = request.query_params
        count = whole(asked.get("count", "1"), "count", 1, self.player.most)
        seed = seed_of(asked.get("seed", "0"))
        z = sample_latents(seed, 0, count, self.player.metadata.latent_dim)
        return JSONResponse({"z": [[round(x, 5) for x in row] for row in z.tolist()]})

    async def images(self, request: Request) -> Response:
        """{"z": [N, L], "y": label(s)?, "truncation"?} -> bytes [N, C, H, W], their X-Shape."""
        player, asked = self.player, await fields(request)
        z = latents(asked.get("z"), player.metadata.latent_dim, player.most)
        y = labels_for(asked.get("y"), player.metadata.labels, len(z))
        strength = asked.get("truncation")
        strength = None if strength is None else share(strength, "truncation")
        made = await run_in_threadpool(player.images, z, y, strength)
        headers = {"X-Shape": ",".join(map(str, made.shape))}
        content = made.contiguous().numpy().tobytes()
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def drawing(self, request: Request) -> Response:
        """A PNG, white on black -> how the data would have it, its class, P(fake)."""
        return await self._of_drawing(request, self._asked_studio().look)

    async def nearest(self, request: Request) -> Response:
        """A PNG, `?label=` -> the nearest fake, its latent and its error."""
        return await self._of_drawing(request, self._asked_studio().nearest)

    async def _of_drawing(self, request: Request, answer: Callable[..., Any]) -> Response:
        known, label = self.player.metadata.labels, request.query_params.get("label")
        chosen = None if label is None or not known else whole(label, "label", 0, max(known))
        if chosen is not None:
            labels_for(chosen, known, 1)
        png = await body(request, MAX_DRAWING)
        return JSONResponse(await run_in_threadpool(answer, png, chosen))

    async def lab(self, _: Request) -> Response:
        return JSONResponse({"recordings": self.recordings.listed()})

    async def recording(self, request: Request) -> Response:
        last = len(self.recordings.paths) - 1
        if last < 0:
            raise BadRequest("there are no recordings")
        number = whole(request.path_params["number"], "the recording's number", 0, last)
        return JSONResponse(await run_in_threadpool(self.recordings.read, number))

    def app(self) -> ASGIApp:
        """Return the ASGI application."""
        routes: list[Any] = [
            Route("/", self.index),
            Route("/api/about", self.about),
            Route("/api/latents", self.latents),
            Route("/api/images", self.images, methods=["POST"]),
            Route("/api/drawing", self.drawing, methods=["POST"]),
            Route("/api/nearest", self.nearest, methods=["POST"]),
            Route("/api/lab", self.lab),
            Route("/api/lab/{number}", self.recording),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
            BadRequest: _bad,
            UserError: _bad,
            HTTPException: _http,
        }
        return LoopbackOnly(Starlette(routes=routes, exception_handlers=handlers))


async def _bad(_: Request, error: Exception) -> Response:
    return sentence(str(error), 400)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return sentence(f"{request.url.path}: {error.detail}", error.status_code)
