"""A real SMTP server for tests: Debian's OpenSMTPD on a loopback port, delivering one domain into a Maildir.

The server runs in the foreground with a configuration of its own. Its spool and control socket have fixed places in
the file system, so it runs in a mount namespace with private ones where the machine allows that (any daemon of the
system then stays untouched), and on the ordinary ones where it does not.
"""
import email
import email.message
import email.policy
import getpass
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SERVER = "/usr/sbin/smtpd"
SPOOL = "/var/spool/smtpd"


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MailServer:
    """OpenSMTPD with one mailbox for everybody of `domain`."""

    def __init__(self, domain: str = "example.com"):
        self.domain = domain
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="portal-mail-"))
        self.mailbox = self.directory / "mailbox"
        self.log = self.directory / "smtpd.log"
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "MailServer":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    # Starting and stopping

    def start(self) -> None:
        self._write_configuration()
        # New sessions of the shell script get a process group, so that all of the server's helpers end with it.
        self.process = subprocess.Popen(
            self._privileged(["sh", str(self.directory / "start.sh")]),
            stdout=self.log.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
        )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as client:
                    client.noop()
                return
            except (OSError, smtplib.SMTPException):
                time.sleep(0.1)
        log = self.log.read_text()
        self.stop()
        raise RuntimeError(f"OpenSMTPD did not start:\n{log}")

    def stop(self) -> None:
        if self.process is not None:
            self._end_group(signal.SIGTERM)
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._end_group(signal.SIGKILL)
                self.process.wait()
            self.process = None
        if os.geteuid() == 0:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            subprocess.run(self._privileged(["rm", "-rf", str(self.directory)]), check=False)

    def _end_group(self, number: signal.Signals) -> None:
        group = os.getpgid(self.process.pid) if self.process.poll() is None else self.process.pid
        subprocess.run(self._privileged(["kill", f"-{int(number)}", "--", f"-{group}"]), check=False,
                       stderr=subprocess.DEVNULL)

    @staticmethod
    def _privileged(command: list[str]) -> list[str]:
        """The server opens its spool as root and then drops to its own users."""
        return command if os.geteuid() == 0 else ["sudo", "-n", *command]

    def _write_configuration(self) -> None:
        owner = getpass.getuser() if os.geteuid() != 0 else "nobody"
        account = pwd.getpwnam(owner)
        for folder in (self.mailbox, *(self.mailbox / name for name in ("cur", "new", "tmp"))):
            folder.mkdir()
            if os.geteuid() == 0:
                os.chown(folder, account.pw_uid, account.pw_gid)
        self.directory.chmod(0o755)
        (self.directory / "smtpd.conf").write_text(
            f'table everybody {{ "@{self.domain}" = "{owner}" }}\n'
            f"listen on 127.0.0.1 port {self.port} hostname mail.{self.domain}\n"
            f'action "deliver" maildir "{self.mailbox}" virtual <everybody>\n'
            f'match from any for domain "{self.domain}" action "deliver"\n'
        )
        # Without rights for a mount namespace the server uses the system's own spool and socket.
        (self.directory / "start.sh").write_text(
            f"spool() {{ mkdir -p {SPOOL} && chmod 711 {SPOOL}; }}\n"
            "private() {\n"
            "    mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs -o mode=755 tmpfs /var/spool || return 1\n"
            "}\n"
            'if [ "$1" = "--inside" ]; then\n'
            f'    private && spool || exit 1\n    exec {SERVER} -d -f "$2"\n'
            "fi\n"
            f'conf="{self.directory}/smtpd.conf"\n'
            "if unshare --mount true 2>/dev/null; then\n"
            '    exec unshare --mount --propagation private sh "$0" --inside "$conf"\n'
            "fi\n"
            f'spool\nexec {SERVER} -d -f "$conf"\n'
        )

    # Reading the mailbox

    def count(self) -> int:
        """How many messages were delivered."""
        return len(list((self.mailbox / "new").iterdir()))

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Waits until at least `count` messages were delivered."""
        deadline = time.monotonic() + seconds
        while self.count() < count:
            if time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text().splitlines()[-15:])
                raise AssertionError(f"{self.count()} of {count} messages arrived within {seconds} s\n{tail}")
            time.sleep(0.1)

    def messages(self) -> list[email.message.EmailMessage]:
        """All delivered messages, parsed."""
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((self.mailbox / "new").iterdir())
        ]

    def clear(self) -> None:
        """Empties the mailbox."""
        for path in (self.mailbox / "new").iterdir():
            path.unlink()


if __name__ == "__main__":
    with MailServer() as server:
        for number in range(3):
            with smtplib.SMTP("127.0.0.1", server.port) as session:
                session.sendmail(
                    "sender@example.org", [f"person{number}@{server.domain}"],
                    f"Subject: Message {number}\r\nTo: person{number}@{server.domain}\r\n\r\nHello\r\n",
                )
        server.wait_for(3, seconds=10)
        print([str(message["Delivered-To"] or message["To"]) for message in server.messages()])
