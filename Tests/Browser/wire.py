"""What came out of the portal: letters of the mailbox and answers to plain requests."""
import email.message
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.utils import parseaddr
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from people import Person


#: How the request of a person looks, so that it is not taken for a scanner's.
PERSON = {
    "User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "Version/17.0 Safari/605.1.15",
    "Accept-Language": "en-GB,en;q=0.8",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: email.message.Message
    body: bytes


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """One request as a mail program makes it; redirects are answers."""
    request = urllib.request.Request(url, data=data, headers=PERSON | (headers or {}))
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.headers, refusal.read())


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])
        if tag == "img" and named.get("src"):
            self.images.append(named["src"])


class Letter:
    """A delivered message."""

    def __init__(self, message: email.message.EmailMessage):
        self.message = message
        self.recipient = parseaddr(str(message["To"]))[1]
        plain, rich = message.get_body(("plain",)), message.get_body(("html",))
        self.text = plain.get_content() if plain else ""
        self.html = rich.get_content() if rich else ""
        found = _Links()
        found.feed(self.html)
        self.links, self.images = found.links, found.images

    @property
    def pixel(self) -> str:
        return next(source for source in self.images if "/track/open/" in source)

    @property
    def unsubscribe(self) -> str:
        header = str(self.message["List-Unsubscribe"] or "")
        return re.search(r"<(https?://[^>]+)>", header).group(1)

    def link(self, target: str) -> str:
        """The tracked address that stands for a target."""
        return next(link for link in self.links if parse_qs(urlsplit(link).query).get("u") == [target])


def examine(letter: Letter, person: Person, base: str, target: str, address: str) -> None:
    """Holds a letter of the story's campaign against what it must be."""
    message = letter.message
    who = f"message to {person.email}"
    assert message.get_content_type() == "multipart/alternative", f"{who} is {message.get_content_type()}"
    for header in ("Message-ID", "Date", "From", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"):
        assert message[header], f"{who} has no {header}"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", message["List-Unsubscribe-Post"]
    assert parseaddr(str(message["From"]))[1] == "hello@shop.example.com", message["From"]
    assert str(message["Subject"]) == f"{person.first}, spring is here", f"{who}: {message['Subject']!r}"
    escaped = person.first.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"Hello {escaped}" in letter.html.replace("&#34;", '"').replace("&quot;", '"'), f"{who}: name in HTML"
    greeting = f"Hello {person.first}".casefold()
    assert greeting in letter.text.casefold(), f"{who}: name in the text:\n{letter.text[:300]}"
    assert person.plan in letter.text and person.plan in letter.html, f"{who}: plan"
    assert letter.pixel.startswith(base), letter.images
    assert letter.link(target).startswith(base), letter.links
    assert letter.unsubscribe.startswith(base), message["List-Unsubscribe"]
    assert any("/unsubscribe" in link for link in letter.links), f"{who}: no link to unsubscribe in the body"
    assert address in letter.html and address in letter.text, f"{who}: postal address"
    assert "{{" not in letter.html + letter.text + str(message["Subject"]), f"{who}: raw Liquid"
    assert not message.defects, message.defects
