"""What a person sees: one line per step, with its result and its time."""

import contextlib
import sys
import time


class Failed(Exception):
    """A step did not do what it must; the text says what, where, and what to look at."""


_begun = time.monotonic()


@contextlib.contextmanager
def step(name):
    """Runs a step. It yields a list: what is appended stands behind the step's name."""
    begun = time.monotonic()
    results = []
    try:
        yield results
    except BaseException:
        print(f"FAILED {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        raise
    said = ": " + ", ".join(str(result) for result in results) if results else ""
    print(f"ok     {name}{said} ({time.monotonic() - begun:.1f} s)", flush=True)


def total():
    return f"{time.monotonic() - _begun:.0f} s"


def need(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def eventually(what, probe, seconds=90, every=0.25):
    """The first true answer of `probe`, or a failure that shows the last one."""
    until = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > until:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(every)


def complain(error):
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
