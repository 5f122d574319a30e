"""The main job from end to end in a browser: from a CSV file of people to a measured campaign.

Told twice: on a wide screen with scripts, and on a phone without. Every step is a check; a step on which the rest
stands ends the story when it fails.
"""
import csv
import io
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

import wire
from browsing import Setting, Visitor, axe_violations, overflow
from mail_server import MailServer
from people import BROKEN, Person, as_csv, crowd
from portal_server import PortalServer
from report import Report, Stopped
from test_audience import Audience

PASSWORD = "correct horse battery staple"
ADDRESS = "Harbour Street 5, 20457 Hamburg, Germany"
RICH_HTML = (
    "<h1>Hello {{ contact.firstName | default: \"there\" }}</h1>"
    "<p>You are on the <strong>{{ contact.properties.plan }}</strong> plan. "
    "<a href=\"https://shop.example.com/spring?from=mail&amp;size=m\">See the spring things</a> or "
    "<a href=\"https://shop.example.com/account\">your account</a>.</p>"
)
TARGET = "https://shop.example.com/spring?from=mail&size=m"


@dataclass
class Outcome:
    """What a story left behind for the tests of pages."""

    setting: Setting
    state: dict | None = None
    #: Addresses with ids that the story made, by the name of what they show.
    paths: dict[str, str] = field(default_factory=dict)
    #: Pages that need no sign-in, with their tokens.
    public: dict[str, str] = field(default_factory=dict)
    finished: bool = False


def tell(browser: Browser, portal: PortalServer, mail: MailServer, report: Report, setting: Setting) -> Outcome:
    """Tells the story at one setting."""
    print(f"\nThe story at {setting.name}", flush=True)
    outcome = Outcome(setting)
    mail.clear()
    with Visitor(browser, portal.base, setting) as visitor:
        story = Story(visitor, portal, mail, report, outcome)
        try:
            story.tell()
            Audience(story).tell()
            outcome.finished = True
        except Stopped as stop:
            print(f"  ----  the story ends here: {stop}")
        outcome.state = visitor.context.storage_state()
    return outcome


class Story:
    def __init__(self, visitor: Visitor, portal: PortalServer, mail: MailServer, report: Report, outcome: Outcome):
        self.visitor, self.portal, self.mail, self.report, self.outcome = visitor, portal, mail, report, outcome
        self.page: Page = visitor.page
        self.setting = visitor.setting
        self.prefix = "s" if self.setting.scripts else "n"
        self.people: list[Person] = crowd(self.prefix, mail.domain, 240)
        self.messages: dict[str, wire.Letter] = {}

    def check(self, sentence: str, needed: bool = False):
        return self.report.check(f"{sentence} [{self.setting.name}]", self.page, needed)

    def tell(self) -> None:
        self.register()
        self.set_up_workspace()
        self.import_people()
        self.look_at_people()
        self.undo_an_import()
        self.set_up_sender()
        self.write_campaign()
        self.review_and_send()
        self.read_mailbox()
        self.engage()
        self.read_report()
        self.send_again()

    # Small helpers

    def go(self, path: str) -> None:
        # A page that reloads itself, as running campaigns do without scripts, can take the answer of the next with it.
        answer = self.page.goto(path) or self.page.goto(path)
        assert answer is not None and answer.status == 200, f"{path} answers {answer and answer.status}"
        self.sane()

    def sane(self) -> None:
        """What must hold for every page the story comes by."""
        troubles = self.visitor.take_troubles()
        assert not troubles, "\n".join(troubles)
        assert not overflow(self.page), "\n".join(overflow(self.page))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, label: str, value: str) -> None:
        self.page.locator("main").get_by_label(label, exact=True).fill(value)

    def see(self, text: str, seconds: float = 10) -> None:
        expect(self.page.locator("main")).to_contain_text(text, timeout=seconds * 1000)

    def accessible(self, name: str) -> None:
        if not self.setting.scripts:
            return
        with self.check(f"axe finds no violation: {name}"):
            found = axe_violations(self.visitor)
            assert not found, "\n".join(found)

    def await_text(self, pattern: str, seconds: float = 60) -> str:
        """Waits until the page says it: by itself with scripts, by the page's own refresh without them."""
        deadline = time.monotonic() + seconds
        expression = re.compile(pattern)
        while True:
            text = self.page.locator("main").inner_text()
            found = expression.search(text)
            if found:
                return found.group(0)
            assert time.monotonic() < deadline, f"no “{pattern}” within {seconds} s; the page says:\n{text}"
            self.page.wait_for_timeout(250)

    def campaign_path(self) -> str:
        found = re.match(r"/campaigns/[0-9a-f-]{36}", urlsplit(self.page.url).path)
        assert found, f"this is not a campaign's page: {self.page.url}"
        return found.group(0)

    # Chapters

    def register(self) -> None:
        with self.check("a visitor registers and lands in a workspace", needed=True):
            self.go("/register")
            self.fill("Your name", "Ana Núñez")
            self.fill("E-mail address", f"ana-{self.prefix}@example.org")
            self.fill("Password", PASSWORD)
            self.fill("Workspace name", "Spring & Sons")
            self.press("Create workspace")
            expect(self.page).not_to_have_url(re.compile("/register"))
            self.sane()
        with self.check("a wrong password is refused with the address kept, and the right one signs in", needed=True):
            self.go("/profile")
            if self.setting.scripts:
                self.page.get_by_role("button", name="Account of Ana Núñez").click()
                self.press("Sign out")
            else:
                self.page.context.clear_cookies()
            self.go("/login")
            self.fill("E-mail address", f"ana-{self.prefix}@example.org")
            self.fill("Password", "wrong horse battery staple")
            self.press("Sign in")
            expect(self.page.get_by_role("alert")).to_be_visible()
            assert self.page.get_by_label("E-mail address").input_value() == f"ana-{self.prefix}@example.org"
            self.fill("Password", PASSWORD)
            self.press("Sign in")
            expect(self.page).not_to_have_url(re.compile("/login"))
            self.sane()

    def set_up_workspace(self) -> None:
        with self.check("workspace settings keep a postal address", needed=True):
            self.go("/settings")
            self.fill("Postal address", ADDRESS)
            self.page.get_by_label("Time zone").select_option("Europe/Berlin")
            self.press("Save changes")
            self.go("/settings")
            assert self.page.get_by_label("Postal address").input_value() == ADDRESS

    def upload(self, name: str, data: bytes) -> None:
        self.go("/contacts/import")
        self.page.get_by_label("CSV file").set_input_files([{"name": name, "mimeType": "text/csv", "buffer": data}])
        self.press("Upload and continue")
        expect(self.page.get_by_role("heading", name="What is in the columns?")).to_be_visible()
        self.sane()

    def start_import(self) -> None:
        self.page.get_by_role("button", name=re.compile("^Import about")).click()
        self.await_text(r"(?i)created")
        self.await_text(r"Download all as CSV|Undo import|Undone|Done")

    def import_people(self) -> None:
        with self.check("a CSV file is uploaded and its columns are guessed", needed=True):
            self.upload("people.csv", as_csv(self.people, BROKEN))
            guessed = {name: self.page.get_by_label(f"What {name} becomes").input_value()
                       for name in ("First name", "Last name", "E-mail")}
            assert guessed == {"First name": "firstName", "Last name": "lastName", "E-mail": "email"}, guessed
        self.accessible("columns of an import")
        with self.check("without a reason for writing, the import is not started and the form says so"):
            self.page.get_by_role("button", name=re.compile("^Import about")).click()
            expect(self.page.get_by_role("alert")).to_contain_text("Say why you may write")
        with self.check("the import runs and tells what became of each row", needed=True):
            self.fill("Or on a new list called (optional)", "Spring list")
            self.fill("Tags for everybody (optional)", "fair")
            self.page.get_by_label("They agreed to get e-mails from us").check()
            self.start_import()
            self.outcome.paths["import"] = urlsplit(self.page.url).path
            self.await_text(r"\b240\b")
            rows = self.page.locator("tbody tr")
            expect(rows).to_have_count(len(BROKEN))
            self.sane()
        with self.check("the failed rows come as a CSV file with row number and reason"):
            with self.page.expect_download() as download:
                self.page.get_by_role("link", name="Download all as CSV").click()
            text = download.value.path().read_text("utf-8-sig")
            rows = list(csv.reader(io.StringIO(text)))
            assert len(rows) == 1 + len(BROKEN), rows
            assert any("two words@example.com" in cell for row in rows for cell in row), rows

    def look_at_people(self) -> None:
        with self.check("the list of contacts finds people by name and by part of the address"):
            self.go("/contacts?q=Papadop")
            expect(self.page.get_by_role("table")).to_contain_text("Papadopoulou")
            self.go(f"/contacts?q={self.people[30].email[:5]}")
            expect(self.page.get_by_role("table")).to_contain_text(self.people[30].email)
        with self.check("a contact's page shows who it is, where it came from and its lists", needed=True):
            self.go(f"/contacts?q={self.people[9].email}")
            name = f"{self.people[9].first} {self.people[9].last}"
            self.page.get_by_role("table").get_by_role("link", name=name).click()
            self.see(self.people[9].email)
            self.see("Spring list")
            self.outcome.paths["contact"] = urlsplit(self.page.url).path
            self.sane()
        with self.check("the list knows its people", needed=True):
            self.go("/lists")
            self.page.get_by_role("link", name="Spring list").click()
            self.see("240")
            self.outcome.paths["list"] = urlsplit(self.page.url).path

    def undo_an_import(self) -> None:
        with self.check("a second small import is undone and its people are gone"):
            strays = crowd(f"{self.prefix}stray", self.mail.domain, 9)
            self.upload("strays.csv", as_csv(strays))
            self.page.get_by_label("They agreed to get e-mails from us").check()
            self.start_import()
            self.page.get_by_role("link", name="Undo import").click()
            self.page.locator("[data-confirm-body]").get_by_role("button").first.click()
            self.await_text("Undone: 9 ")
            self.go(f"/contacts?q={self.prefix}stray")
            assert "stray00" not in self.page.locator("main").inner_text()

    def set_up_sender(self) -> None:
        with self.check("SMTP settings are saved", needed=True):
            self.go("/settings/email")
            self.page.get_by_label("Mail server (SMTP)").check()
            self.fill("From name (optional)", "Spring & Sons")
            self.fill("From address", "hello@shop.example.com")
            self.fill("Server", "127.0.0.1")
            self.fill("Port", str(self.mail.port))
            self.page.get_by_label("Encryption").select_option("none")
            self.press("Save settings")
            self.sane()
            self.go("/settings/email")
            assert self.page.get_by_label("Port", exact=True).input_value() == str(self.mail.port)
        with self.check("a test message shows the real server's answer, good and bad", needed=True):
            before = self.mail.count()
            self.fill("To", f"tester@{self.mail.domain}")
            self.press("Send test")
            self.see("Result of the test")
            self.page.get_by_text("What was said").click()
            self.see("Message accepted for delivery")
            self.mail.wait_for(before + 1)
            self.go("/settings/email")
            self.fill("To", "somebody@elsewhere.example")
            self.press("Send test")
            self.page.get_by_text("What was said").click()
            self.see("Invalid recipient")
        self.accessible("the answer of a mail server")

    def write_campaign(self) -> None:
        with self.check("a personalised campaign is written and kept", needed=True):
            self.go("/campaigns/new")
            self.fill("Name", "Spring letter")
            self.page.get_by_label(re.compile("^Spring list")).first.check()
            self.fill("Subject", "{{ contact.firstName }}, spring is here")
            self.fill("Preview text (optional)", "New things for the garden")
            self.write_body()
            self.press("Save")
            self.sane()
            self.outcome.paths["campaign"] = self.campaign_path()
        with self.check("the preview shows the e-mail as a chosen contact gets it"):
            self.go(f"{self.outcome.paths['campaign']}/edit")
            first = self.choose_reader()
            frame = self.page.frame_locator(".preview-stage iframe:visible")
            expect(frame.locator("body")).to_contain_text(f"Hello {first}")
            expect(frame.locator("body")).to_contain_text("plan")
            self.sane()
        self.accessible("the editor of a campaign")

    def choose_reader(self) -> str:
        """Finds somebody by address for the preview; answers their first name."""
        select = self.page.locator("#previewContact")
        label = select.locator("option").filter(has_text="@").last.text_content().strip()
        address = label.split(" ")[-1]
        self.page.locator("#previewContact-search").fill(address)
        if self.setting.scripts:
            self.page.get_by_role("option").filter(has_text=address).first.click()
        else:
            self.press("Find")
            select.select_option(label=label)
            self.press("Refresh preview")
        return label.split(" ")[0].rstrip(",")

    def write_body(self) -> None:
        if not self.setting.scripts:
            self.page.locator("#body").fill(RICH_HTML)
            return
        area = self.page.get_by_role("textbox", name="Text", exact=True)
        area.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.get_by_label("Style of the paragraph").select_option("h1")
        expect(area).to_be_focused()
        self.page.keyboard.type("Hello ")
        self.page.get_by_label("Insert a personal field").select_option(label="First name")
        # Choosing a field leads back into the text; only then do keys belong to it.
        expect(area).to_be_focused()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Enter")
        self.page.get_by_label("Style of the paragraph").select_option("p")
        expect(area).to_be_focused()
        self.page.keyboard.type("You are on the {{ contact.properties.plan }} plan. Have a ")
        self.page.get_by_role("button", name="Bold", exact=True).click()
        self.page.keyboard.type("good")
        self.page.get_by_role("button", name="Bold", exact=True).click()
        self.page.keyboard.type(" spring.")
        for text, address in (("See the spring things", TARGET), ("Your account", "https://shop.example.com/account")):
            self.page.get_by_role("button", name="Button", exact=True).click()
            self.page.get_by_label("Address", exact=True).fill(address)
            self.page.get_by_label("Text of the button").fill(text)
            self.press("Insert button")
        written = self.page.locator("#body").input_value()
        assert "<h1>" in written and "contact.firstName" in written and TARGET.replace("&", "&amp;") in written, written

    def review_and_send(self) -> None:
        with self.check("the review counts the people and checks the e-mail", needed=True):
            self.go(f"{self.outcome.paths['campaign']}/review")
            self.see("240 people will get it")
            self.see("Your postal address is at the end")
            self.sane()
        self.accessible("the review of a campaign")
        with self.check("the campaign is sent and its page follows to the end", needed=True):
            self.page.get_by_role("button", name=re.compile("^Send now to 240")).click()
            self.await_text(r"(?i)\bsent\b", 20)
            self.mail.wait_for(240 + self.tests_delivered(), seconds=120)
            if self.page.get_by_role("main").locator(".live").count():
                self.page.wait_for_timeout(3500)
            text = self.await_text(r"240", 30)
            assert text

    def tests_delivered(self) -> int:
        return 1

    def read_mailbox(self) -> None:
        with self.check("the mailbox holds exactly one message for each person", needed=True):
            time.sleep(1)
            letters = [wire.Letter(message) for message in self.mail.messages()]
            campaign = [letter for letter in letters if letter.recipient.startswith(self.prefix)]
            recipients = sorted(letter.recipient for letter in campaign)
            assert recipients == sorted(person.email for person in self.people), (
                f"{len(recipients)} messages, {len(set(recipients))} different people")
            self.messages = {letter.recipient: letter for letter in campaign}
        with self.check("every message is complete: headers, both bodies, person, links, address, pixel"):
            for person in self.people:
                wire.examine(self.messages[person.email], person, self.portal.api_base, TARGET, ADDRESS)

    def engage(self) -> None:
        # Whoever opens within two seconds is taken for a machine.
        time.sleep(3)
        opener, clicker, leaver, one_click = (self.messages[self.people[n].email] for n in (10, 11, 12, 13))
        with self.check("the pixel is a GIF and the link leads to its target, but not when forged"):
            for letter in (opener, clicker):
                answer = wire.fetch(letter.pixel)
                assert answer.status == 200 and answer.body[:3] == b"GIF", (answer.status, answer.body[:20])
            answer = wire.fetch(clicker.link(TARGET))
            assert answer.status in (302, 303, 307), answer.status
            assert answer.headers["Location"] == TARGET, answer.headers["Location"]
            forged = clicker.link(TARGET).replace("shop.example.com", "evil.example.com")
            answer = wire.fetch(forged)
            assert "evil" not in (answer.headers.get("Location") or ""), dict(answer.headers)
            assert answer.status >= 400, answer.status
        with self.check("the unsubscribe page only asks; its button unsubscribes", needed=True):
            self.outcome.public["unsubscribe"] = leaver.unsubscribe
            with Visitor(self.page.context.browser, self.portal.api_base, self.setting) as guest:
                answer = guest.page.goto(leaver.unsubscribe)
                assert answer.status == 200, answer.status
                violations = axe_violations(guest)
                assert not violations, "\n".join(violations)
                guest.page.locator("main").get_by_role("button").first.click()
                expect(guest.page.locator("main")).to_contain_text(re.compile("unsubscribed|no more", re.IGNORECASE))
                assert not guest.take_troubles()
        with self.check("a mail program unsubscribes with one POST (RFC 8058)", needed=True):
            answer = wire.fetch(one_click.unsubscribe, data=b"List-Unsubscribe=One-Click")
            assert 200 <= answer.status < 300, answer.status

    def read_report(self) -> None:
        with self.check("the report counts opened, clicked and unsubscribed"):
            deadline = time.monotonic() + 30
            while True:
                self.go(f"{self.outcome.paths['campaign']}/report")
                text = self.page.locator("main").inner_text()
                if re.search(r"(?is)unsubscribed\s+2\b", text) or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            for label, count in (("Clicked", 1), ("Unsubscribed", 2)):
                assert re.search(rf"(?is){label}\s+{count}\b", text), f"{label} is not {count}:\n{text[:1500]}"
            assert re.search(r"(?is)Opened\s+2\b", text), text[:1500]
            assert "shop.example.com/spring" in text, "the top links lack the clicked one"
        self.accessible("the report of a campaign")
        with self.check("the message log shows each person's state"):
            self.go(f"{self.outcome.paths['campaign']}/messages?q={self.people[11].email}")
            self.see(self.people[11].email)
            self.page.get_by_role("link", name=re.compile("^Details")).first.click()
            self.outcome.paths["message"] = urlsplit(self.page.url).path
            self.see("Clicked")

    def send_again(self) -> None:
        with self.check("a second campaign leaves out who unsubscribed and says why", needed=True):
            self.mail.clear()
            self.go("/campaigns/new")
            self.fill("Name", "Second letter")
            self.page.get_by_label(re.compile("^Spring list")).first.check()
            self.fill("Subject", "One more thing")
            self.write_body()
            self.press("Save and review")
            self.see("238 people will get it")
            self.see("Unsubscribed")
            self.page.get_by_role("button", name=re.compile("^Send now to 238")).click()
            self.mail.wait_for(238, seconds=120)
            time.sleep(1)
            recipients = {wire.Letter(message).recipient for message in self.mail.messages()}
            left_out = {self.people[12].email, self.people[13].email}
            assert recipients == {person.email for person in self.people} - left_out
            self.outcome.paths["second campaign"] = self.campaign_path()
        with self.check("the message log of the second campaign says why"):
            self.go(f"{self.outcome.paths['second campaign']}/messages?q={self.people[12].email}")
            self.see(self.people[12].email)
            expect(self.page.locator("main")).to_contain_text(re.compile("unsubscribed", re.IGNORECASE))
