"""Collects what passed and what failed, with a picture of the page for each failure."""
import re
import tempfile
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page


class Stopped(Exception):
    """A step failed on which the rest of its story stands."""


class Report:
    """One run. Every check is a sentence that is true or false."""

    def __init__(self):
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.folder: Path | None = None

    @contextmanager
    def check(self, sentence: str, page: Page | None = None, needed: bool = False):
        """Runs its body as one check. With `needed`, a failure ends the story it belongs to."""
        started = time.monotonic()
        try:
            yield
        except Stopped:
            raise
        except Exception as error:  # every failure is reported and the run goes on
            self.fail(sentence, self._explain(error), page)
            if needed:
                raise Stopped(sentence) from error
        else:
            self.passed.append(sentence)
            print(f"  ok    {sentence} ({time.monotonic() - started:.1f} s)", flush=True)

    def take(self, other: "Report") -> None:
        """Adds what another run found."""
        self.passed += other.passed
        self.failed += other.failed
        self.folder = self.folder or other.folder

    def fail(self, sentence: str, reason: str, page: Page | None = None) -> None:
        self.failed.append(sentence)
        print(f"  FAIL  {sentence}\n        " + reason.replace("\n", "\n        "), flush=True)
        if page is not None:
            self._picture(sentence, page)

    def _picture(self, sentence: str, page: Page) -> None:
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="portal-failures-"))
        name = re.sub(r"[^A-Za-z0-9]+", "-", sentence)[:80].strip("-")
        path = self.folder / f"{len(self.failed):03}-{name}.png"
        try:
            page.screenshot(path=str(path), full_page=True)
            print(f"        {page.url}\n        picture: {path}", flush=True)
        except BrowserError as error:
            print(f"        no picture: {error.message.splitlines()[0]}", flush=True)

    @staticmethod
    def _explain(error: Exception) -> str:
        text = str(error).strip() or type(error).__name__
        last = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in last if "Tests/Browser" in frame.filename]
        place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
        return "\n".join(text.splitlines()[:12]) + place

    def finish(self) -> int:
        """Prints the sum and gives the exit status."""
        if self.failed:
            print("\nFailed:")
            for sentence in self.failed:
                print(f"  {sentence}")
        if self.folder is not None:
            print(f"Pictures: {self.folder}")
        print(f"{len(self.passed)} passed, {len(self.failed)} failed")
        return 1 if self.failed else 0
