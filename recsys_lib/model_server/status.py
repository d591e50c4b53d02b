"""What can go wrong with a request, in the terms of the protocol: a code and a message."""

from recsys_lib.errors import DataError, RecsysError

# Name of the gRPC code -> (its number, the HTTP status that stands for it).
CODES = {
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
_NAMES = {number: name for name, (number, _) in CODES.items()}


class StatusError(RecsysError):
    """A request or a load failed.

    Parameters
    ----------
    code : str
        A key of :data:`CODES`.
    message : str
        Sent to the client as it is.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    @property
    def message(self) -> str:
        """The text without the code."""
        return str(self)

    @property
    def number(self) -> int:
        """Number of the gRPC code."""
        return CODES[self.code][0]

    @property
    def http(self) -> int:
        """HTTP status."""
        return CODES[self.code][1]


def invalid(message: str) -> StatusError:
    """Return the error of a request that is wrong whatever the state of the server."""
    return StatusError("INVALID_ARGUMENT", message)


def status_of(error: Exception) -> StatusError:
    """Return any error as a status: TensorFlow's own keep their code, the rest are internal."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, DataError):
        return StatusError("DATA_LOSS", str(error))
    code = getattr(error, "error_code", None)
    if isinstance(code, int) and code in _NAMES:
        return StatusError(_NAMES[code], getattr(error, "message", None) or str(error))
    return StatusError("INTERNAL", f"{type(error).__name__}: {error}")
