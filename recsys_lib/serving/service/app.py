"""The service on the web: one FastAPI application over a :class:`Service`, and the page."""

import json
import logging
import re
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from recsys_lib.serving.degradation import AdaptiveLimit, Overloaded
from recsys_lib.serving.service.asked import Asked, NoSuch
from recsys_lib.serving.service.guard import LISTS, Guard, target_of
from recsys_lib.serving.service.journal import Event
from recsys_lib.serving.service.metrics import Metrics
from recsys_lib.serving.service.rendered import Rendered
from recsys_lib.serving.service.service import Service

logger = logging.getLogger(__name__)

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
RETRY_AFTER_S = 1
LONGEST_ID = 128

# One id of the data set, or of somebody new. No control characters: they go into a log.
Id = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]+$")]
K = Annotated[int, Query(ge=1, le=50, description="Items in the list.")]


class Rating(BaseModel):
    """A film that a user has rated."""

    item_id: str = Field(min_length=1, max_length=LONGEST_ID)
    rating: float = Field(ge=0.5, le=5, allow_inf_nan=False, description="Stars.")


class Dismissal(BaseModel):
    """A film that a user does not want to be shown."""

    item_id: str = Field(min_length=1, max_length=LONGEST_ID)


class Problem(BaseModel):
    """What was wrong."""

    error: str


def _problems(**meanings: str) -> dict[int | str, dict[str, Any]]:
    general = {
        "s401": "A token is needed.",
        "s421": "The service answers only to localhost.",
        "s414": "The address is too long.",
        "s422": "A value is not of its form.",
    }
    found = {**general, **meanings}
    return {int(s[1:]): {"model": Problem, "description": text} for s, text in found.items()}


_OF_POSTS = {
    "s400": "The body is not JSON.",
    "s403": "The request comes from another site.",
    "s404": "There is no such item.",
    "s411": "The body has no length.",
    "s413": "The body is too long.",
    "s415": "The body is not declared as JSON.",
    "s503": "The disk does not take it.",
}


def make_app(
    service: Service, *, token: str | None = None, limit: AdaptiveLimit | None = None
) -> Guard:
    """Return the application.

    Parameters
    ----------
    service : Service
    token : str, optional
        Without which nobody is answered.
    limit : AdaptiveLimit, optional
        Of requests for lists at a time; more are refused with status 503.
    """
    metrics, rendered = Metrics(service), Rendered(service)
    limit = limit or AdaptiveLimit(initial=40, lowest=20, highest=64)
    app = FastAPI(
        title="recsys",
        summary="Recommendations, with the reason for each and what it cost.",
        version="1",
        docs_url=None,  # its page loads scripts from another server; ours does not
        redoc_url=None,
        redirect_slashes=False,
    )
    _add_errors(app, metrics)
    _add_page(app)

    @app.get("/health", tags=["state"])
    async def health() -> dict:
        """Say that the process lives."""
        return {"status": "alive"}

    @app.get("/ready", tags=["state"], responses=_problems(s503="Still getting ready."))
    async def ready():
        """Say whether the service can answer at its best."""
        if service.is_ready.is_set():
            return {"status": "ready", "versions": service.versions}
        return _problem(503, "Still getting ready.", {"retry-after": str(RETRY_AFTER_S)})

    @app.get("/metrics", tags=["state"], response_class=Response)
    async def prometheus():
        """Return the figures for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/api/status", tags=["state"])
    async def status():
        """Return how the service is: levels, breakers, hit rate, latencies."""
        return _json(service.status())

    @app.get("/api/users", tags=["users"], responses=_problems())
    def users(q: Annotated[str, Query(max_length=LONGEST_ID)] = "", k: K = 20):
        """Return users whose id begins with a text, those with most films first."""
        return _json(service.people.find(q, k))

    @app.get("/api/users/{user_id}", tags=["users"], responses=_problems())
    def user(user_id: Id):
        """Return who a user is: history, genres, taste over time. A new id is somebody new."""
        return _json(service.profile(user_id))

    @app.get(
        LISTS,
        tags=["recommendations"],
        responses=_problems(s404="There is no such ranker or part.", s503="Too many requests."),
    )
    async def recommendations(
        request: Request,
        user_id: Id,
        k: K = 10,
        ranker: Annotated[str | None, Query(max_length=64)] = None,
        diversity: Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)] = None,
        off: Annotated[
            str,
            Query(max_length=256, description="Parts to go without, separated by commas."),
        ] = "",
    ):
        """Return the list of a user, with what each score is made of."""
        parts = frozenset(filter(None, (each.strip() for each in off.split(","))))
        asked = Asked(user=user_id, k=k, ranker=ranker, diversity=diversity, off=parts)
        admitted = limit.admit()
        if admitted is None:
            raise Overloaded("Too many requests at a time. Try again later.")
        try:
            version = service.version_of(user_id)
            answer = await run_in_threadpool(service.recommend, asked)
        finally:
            limit.end(admitted)
        metrics.answer(answer)
        return _text(rendered.put(target_of(request.scope), version, answer, "cache" not in parts))

    @app.get("/api/users/{user_id}/rows", tags=["recommendations"], responses=_problems())
    def rows(user_id: Id, k: K = 12):
        """Return the list of each recall channel, with the reason for each film."""
        return _json(service.channel_rows(user_id, k))

    @app.post(
        "/api/users/{user_id}/ratings",
        tags=["events"],
        status_code=201,
        responses=_problems(**_OF_POSTS),
    )
    def rate(user_id: Id, rating: Rating):
        """Keep a rating. The next answer knows of it."""
        event = Event(user=user_id, kind="rating", item=rating.item_id, rating=rating.rating)
        return _take(event)

    @app.post(
        "/api/users/{user_id}/dismissals",
        tags=["events"],
        status_code=201,
        responses=_problems(**_OF_POSTS),
    )
    def dismiss(user_id: Id, dismissal: Dismissal):
        """Keep that a film is not wanted. The next answer is without it."""
        return _take(Event(user=user_id, kind="dismissal", item=dismissal.item_id))

    @app.delete(
        "/api/users/{user_id}/events", tags=["events"], responses=_problems(s403="Another site.")
    )
    def take_back(user_id: Id):
        """Take back all that this service was told of a user."""
        _take(Event(user=user_id, kind="reset"))
        return {"events_known": service.journal.count(user_id)}

    @app.get("/api/items/{item_id}", tags=["items"], responses=_problems(s404="No such item."))
    def item(item_id: Id):
        """Return what is known of a film."""
        return _json(service.item(item_id))

    @app.get(
        "/api/items/{item_id}/similar", tags=["items"], responses=_problems(s404="No such item.")
    )
    def similar(item_id: Id, k: K = 10):
        """Return similar films, by each channel and embedding that compares films."""
        return _json(service.similar(item_id, k))

    @app.get("/api/search", tags=["items"], responses=_problems())
    def search(q: Annotated[str, Query(min_length=1, max_length=LONGEST_ID)], k: K = 10):
        """Return films whose title holds all words of a text."""
        return _json(service.catalogue.search(q, k))

    def _take(event: Event) -> Response:
        _writable(event.user, event.item)
        kept = service.take(event)
        metrics.event(event.kind)
        known = service.journal.count(event.user)
        return _json({"at": kept.at, "events_known": known}, 201)

    return Guard(app, metrics, token, rendered)


def _writable(*texts: str) -> None:
    """Refuse half a character (a lone surrogate), which no file can hold."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise HTTPException(422, "An id holds half a character.") from None


def _add_errors(app: FastAPI, metrics: Metrics) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError):
        # Without the value itself, which may be anything.
        places = [
            f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()
        ]
        broken = any(each["type"] == "json_invalid" for each in error.errors())
        return _problem(400 if broken else 422, "; ".join(places) or "Not of its form.")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException):
        return _problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(NoSuch)
    async def unknown(request: Request, error: NoSuch):
        return _problem(404, str(error))

    @app.exception_handler(Overloaded)
    async def overloaded(request: Request, error: Overloaded):
        metrics.shed()
        return _problem(503, str(error), {"retry-after": str(RETRY_AFTER_S)})

    @app.exception_handler(OSError)
    async def not_kept(request: Request, error: OSError):
        # An event that is not on the disk is not taken: whoever sent it may send it again.
        logger.error("%s: %s", request.url.path, error)
        again = {"retry-after": str(RETRY_AFTER_S)}
        return _problem(503, "The disk does not take it. Try again later.", again)


def _add_page(app: FastAPI) -> None:
    """Serve the page: a few small files that come with the package, read once."""
    folder = files("recsys_lib.serving.service") / "page"
    pages = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}

    def respond(name: str) -> Response:
        kind = TYPES.get(name.rpartition(".")[2])
        if name not in pages or kind is None:
            return _problem(404, "There is no such page.")
        return Response(pages[name], media_type=kind, headers={"cache-control": "no-cache"})

    @app.get("/", include_in_schema=False)
    async def index():
        return respond("index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs():
        return respond("docs.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon():
        return respond("icon.svg")

    @app.get("/page/{name}", include_in_schema=False)
    async def asset(name: str):
        return respond(name)


def _json(value: Any, status: int = 200) -> Response:
    # Faster than FastAPI's own way over all fields; half characters are escaped, not an error.
    return _text(json.dumps(value), status)


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    text = re.sub(r"[\ud800-\udfff]", "\ufffd", message)
    return JSONResponse({"error": text}, status, headers=headers)
