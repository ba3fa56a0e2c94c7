"""Sessions that ended are still registered: nobody thought of taking them out."""

from typing import ClassVar

from diagtools import mark

_SESSIONS = 200


class Session:
    """What one client sent, until it leaves."""

    registered: ClassVar[list["Session"]] = []

    def __init__(self, client: str, size: int) -> None:
        self.client = client
        self.received = [b"x" * (size // 4) for _ in range(4)]
        Session.registered.append(self)

    def close(self) -> None:
        """The client leaves, and is still registered."""
        self.client = ""


def hold(size: int) -> str:
    """What is held? `size` bytes by sessions that were closed."""
    for number in range(_SESSIONS):
        with mark.item(f"session {number}"):
            Session(f"client {number}", size // _SESSIONS).close()
    return f"{len(Session.registered)} sessions, none of them open"
