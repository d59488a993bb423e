"""Standard streams whose trouble ends no command: full disks, readers gone, closed streams, poor encodings.

What cannot be printed is lost and told; what the command does, and its exit code, stay as they are.
"""

import codecs
import errno
import io
import os
import select
import sys
from contextlib import suppress

SIGNS = {"₹": "Rs ", "·": "|", "…": "...", "→": "->", "←": "<-", "–": "-", "—": "-", "−": "-", "×": "x"}
"""What stands for signs of ours in an encoding that lacks them; any other becomes a question mark."""

_HANDLER = "tradedesk-signs"


class LenientOutput(io.RawIOBase):
    """A file descriptor whose failing loses only what is written; `trouble` is the first failure."""

    def __init__(self, descriptor: int, trouble: OSError | None = None) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.trouble = trouble

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: "io.Buffer", /) -> int:  # type: ignore[name-defined]
        """Write what can be written; after a failure everything is taken and lost."""
        taken = memoryview(data).nbytes
        while self.trouble is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # another program made the terminal or pipe non-blocking
                select.select([], [self._descriptor], [])
            except OSError as problem:
                self.trouble = problem
        return taken


def stand_in() -> LenientOutput:
    """Put streams that end no command in place of the standard ones; returns what stdout is written to.

    A closed descriptor is opened on nothing first: else the next file that is opened, such as a database,
    would be the standard output.
    """
    closed = {descriptor for descriptor in range(3) if not _is_open(descriptor)}
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor is taken
    codecs.register_error(_HANDLER, _in_signs)
    gone = OSError(errno.EBADF, "it is closed")
    raw = LenientOutput(1, gone if 1 in closed else None)
    sys.stdout = _text(raw, sys.stdout)
    sys.stderr = _text(LenientOutput(2), sys.stderr)
    if 0 in closed or sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - None where closed
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the life of the process
    with suppress(AttributeError):
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    return raw


def what_was_lost(raw: LenientOutput) -> str:
    """What to tell of output that could not be printed; empty where all was, or nobody reads on."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    if raw.trouble is None or raw.trouble.errno == errno.EPIPE:
        return ""
    return (
        f"the output could not be written: {raw.trouble.strerror}. What the command did stands, and its exit "
        "code says how it ended; `tradedesk orders`, `runs` and `certificate` show it"
    )


def pass_on() -> None:
    """Have whoever reads stdout see at once what was written to it."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()


def reader_is_gone() -> bool:
    """Whether nobody reads stdout on, such as a `head` that has had enough."""
    with suppress(OSError, ValueError):
        polled = select.poll()
        polled.register(sys.stdout.fileno(), 0)
        return any(state & select.POLLERR for _, state in polled.poll(0))
    return False


def takes_every_sign() -> bool:
    """Whether stdout's encoding has every sign there is."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _text(raw: LenientOutput, before: object) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors=_HANDLER, line_buffering=raw.isatty()
    )


def _in_signs(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeEncodeError)
    lost = problem.object[problem.start : problem.end]
    return "".join(SIGNS.get(sign, "?") for sign in lost), problem.end
