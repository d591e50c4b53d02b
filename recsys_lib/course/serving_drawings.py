"""Drawings of notebook 12: the way of a request, and the states of a circuit breaker."""

from recsys_lib.course.style import BASELINE, INK, LOSS, METHOD, TRUTH, arrow, box, canvas


def draw_path():
    """Return a drawing of a service: what a request passes, and what answers when a part fails."""
    figure, axis = canvas(7.2, 3.2, (14.4, 6.4))
    box(axis, (1.2, 4.6), "user asks", size=(1.9, 0.9))
    box(axis, (4.1, 4.6), "balancer", size=(1.9, 0.9))
    box(axis, (6.9, 4.6), "cache", METHOD, size=(1.7, 0.9))
    for x, text in ((9.4, "recall:\n200 of all films"), (12.8, "ranking:\nthe best ten")):
        box(axis, (x, 4.6), text, METHOD, size=(2.5, 1.1))
    arrow(axis, (2.15, 4.6), (3.15, 4.6))
    arrow(axis, (5.05, 4.6), (6.05, 4.6))
    arrow(axis, (7.75, 4.6), (8.15, 4.6))
    arrow(axis, (10.65, 4.6), (11.55, 4.6))
    box(axis, (11.1, 2.5), "Redis: last events", INK, size=(3.0, 0.9))
    arrow(axis, (10.2, 2.95), (9.6, 4.05))
    arrow(axis, (12.0, 2.95), (12.6, 4.05))
    box(axis, (5.0, 0.8), "default list", LOSS, size=(2.4, 0.9))
    axis.plot((11.1, 11.1), (2.05, 0.8), color=LOSS, lw=1.2)
    arrow(axis, (11.1, 0.8), (6.2, 0.8), "when a part fails or is late", LOSS)
    axis.plot((3.8, 0.7), (0.8, 0.8), color=LOSS, lw=1.2)
    arrow(axis, (0.7, 0.8), (0.7, 4.15), colour=LOSS)
    axis.text(2.25, 0.9, "never an error", color=LOSS, fontsize=8, ha="center")
    axis.plot((6.9, 6.9, 1.7), (4.15, 2.9, 2.9), color=TRUTH, lw=1.2)
    arrow(axis, (1.7, 2.9), (1.7, 4.15), colour=TRUTH)
    axis.text(4.3, 3.0, "a list made before", color=TRUTH, fontsize=8, ha="center")
    axis.plot((12.8, 12.8, 1.2), (5.15, 5.8, 5.8), color=TRUTH, lw=1.2)
    arrow(axis, (1.2, 5.8), (1.2, 5.05), colour=TRUTH)
    axis.text(7.0, 5.9, "a new list, kept in the cache", color=TRUTH, fontsize=8, ha="center")
    return figure


def draw_states():
    """Return a drawing of the states of a circuit breaker and what leads from one to another."""
    figure, axis = canvas(6.4, 1.5, (12.8, 3.0))
    for x, text, colour in (
        (1.6, "closed:\nall calls pass", TRUTH),
        (6.4, "open:\nno call passes", LOSS),
        (11.2, "half open:\na few trial calls", BASELINE),
    ):
        box(axis, (x, 2.0), text, colour, size=(2.9, 1.1))
    arrow(axis, (3.05, 2.2), (4.95, 2.2))
    axis.text(4.0, 2.35, "too many fail", fontsize=8, ha="center")
    arrow(axis, (7.85, 2.2), (9.75, 2.2))
    axis.text(8.8, 2.35, "time is up", fontsize=8, ha="center")
    arrow(axis, (9.75, 1.8), (7.85, 1.8))
    axis.text(8.8, 1.4, "trials fail", fontsize=8, ha="center", va="center")
    axis.plot((11.2, 11.2, 1.6), (1.45, 0.5, 0.5), color=INK, lw=1.2)
    arrow(axis, (1.6, 0.5), (1.6, 1.45))
    axis.text(6.4, 0.6, "trials succeed", fontsize=8, ha="center")
    return figure
