"""The socket that a server of ours listens at."""

import socket


def listening_socket(host: str, port: int, backlog: int = 512) -> socket.socket:
    """Return a socket that listens at a host's port; 0 takes a free one.

    It names its protocol: only then asyncio sends small packets at once. Otherwise the body of an
    answer waits 40 ms for the receipt of its head.

    Parameters
    ----------
    host : str
    port : int
    backlog : int
        Connections that may wait to be taken.

    Raises
    ------
    OSError
        The port is taken, or the host is not this machine.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, proto, _, address = found[0]
    listening = socket.socket(family, kind, proto)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    return listening
