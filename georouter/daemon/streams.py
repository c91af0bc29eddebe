"""Standard streams that were closed: their numbers must not go to sockets and files of ours."""

import os

STANDARD = (0, 1, 2)


def hold_standard() -> tuple[int, ...]:
    """Open /dev/null for each of the first three descriptors that is closed; which were.

    Otherwise the next socket gets that number, and what a library or a dying interpreter prints goes to it.
    """
    closed = []
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            closed.append(number)
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    return tuple(closed)
