"""Runs the built portal with a PostgreSQL of its own in a temporary folder, on free ports."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from mail_server import free_port

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Route:
    """A line of `portal routes`."""

    method: str
    path: str
    face: str
    access: str


class PortalServer:
    """The portal as a person starts it, but hidden away."""

    def __init__(self, binary: str | None = None):
        self.binary = Path(binary or os.environ.get("PORTAL_BINARY") or ROOT / ".build/debug/portal").resolve()
        self.directory = Path(tempfile.mkdtemp(prefix="portal-browser-"))
        # The private database server may run as another user, who has to reach its folder.
        self.directory.chmod(0o755)
        self.log = self.directory / "portal.log"
        self.port, self.api_port = free_port(), free_port()
        self.base = f"http://localhost:{self.port}"
        self.api_base = f"http://localhost:{self.api_port}"
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "PortalServer":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("MARKETING_", "MAILGUN_", "DATABASE_URL"))}
        return kept | {
            "MARKETING_VAR_DIR": str(self.directory / "var"),
            "MARKETING_PORTAL_PORT": str(self.port),
            "MARKETING_API_PORT": str(self.api_port),
            "MARKETING_RESOURCES_DIR": str(ROOT),
        }

    def start(self) -> None:
        if not self.binary.exists():
            raise RuntimeError(f"{self.binary} is missing: build it with `swift build --product portal`.")
        self.process = subprocess.Popen(
            [str(self.binary), "serve"], cwd=self.directory, env=self._environment(),
            stdout=self.log.open("w"), stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        log = self.log.read_text()
        self.stop()
        raise RuntimeError(f"The portal did not become ready:\n{log[-4000:]}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def routes(self) -> list[Route]:
        """The route table, from a short second start beside the running one."""
        with tempfile.TemporaryDirectory(prefix="portal-routes-") as folder:
            os.chmod(folder, 0o755)
            answer = subprocess.run(
                [str(self.binary), "routes"], cwd=folder, capture_output=True, text=True, timeout=120, check=True,
                env=self._environment() | {"MARKETING_VAR_DIR": f"{folder}/var"},
            )
        lines = [line.split("\t") for line in answer.stdout.splitlines()]
        return [Route(*line) for line in lines if len(line) == 4]

    def problems(self) -> list[str]:
        """Lines of the log that tell of a failure inside the portal."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if '"level":"error"' in line or '"level":"critical"' in line]
