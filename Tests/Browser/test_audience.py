"""The audience in a browser, in the workspace that a story has filled: properties and companies from a file, a segment in
plain choices, why somebody is in it, a campaign to it, two contacts made one and two again, export and erasure.
"""
from __future__ import annotations

import csv
import datetime
import io
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect

import wire
from people import Person

if TYPE_CHECKING:
    from test_story import Story

#: Companies by turns; the segment of the story takes the first two.
COMPANIES = ["Harbour Bikes", "Lantern Foods", "Quiet Mills"]
#: Who opens the first campaign here, besides those of the story; nobody of them clicks.
OPENERS = range(20, 44)


def company(number: int) -> str:
    return COMPANIES[number % 3]


def birthday(number: int) -> datetime.date:
    """Every second one has it in this month."""
    today = datetime.date.today()
    month = today.month if number % 2 == 0 else today.month % 12 + 1
    return datetime.date(1970 + number % 30, month, 1 + number % 28)


class Audience:
    """The chapters about who is who and who matches."""

    def __init__(self, story: Story):
        self.story = story
        self.page = story.page
        self.people: list[Person] = story.people
        self.outcome = story.outcome
        self.name = f"Birthday fans {story.prefix}"
        self.expected: list[Person] = []

    def tell(self) -> None:
        self.import_properties()
        self.open_more()
        self.build_segment()
        self.look_at_segment()
        self.send_to_segment()
        self.merge_and_undo()
        self.export_and_erase()

    def check(self, sentence: str, needed: bool = False):
        return self.story.check(sentence, needed)

    # Chapters

    def file(self) -> bytes:
        output = io.StringIO()
        writer = csv.writer(output)
        writer.writerow(["E-mail", "Birthday", "Employer"])
        for number, person in enumerate(self.people):
            writer.writerow([person.email, birthday(number).isoformat(), company(number)])
        return output.getvalue().encode()

    def import_properties(self) -> None:
        with self.check("a file with a new property and companies updates the people", needed=True):
            self.story.upload("more.csv", self.file())
            guessed = [self.page.get_by_label(label).locator("option:checked").text_content() for label in (
                "What Birthday becomes", "What the new property for Birthday holds", "What Employer becomes")]
            assert guessed == ["New property", "Date", "Company’s name"], guessed
            self.page.get_by_label("They agreed to get e-mails from us").check()
            self.story.start_import()
            self.story.await_text(r"240")
        with self.check("the contact's page shows property and company", needed=True):
            self.story.go(self.outcome.paths["contact"])
            self.story.see(company(9))
            self.story.see("Birthday")
        with self.check("the company's page knows its people", needed=True):
            self.page.locator("main").get_by_role("link", name=company(9)).first.click()
            self.outcome.paths["company"] = urlsplit(self.page.url).path
            self.story.see("80")
            self.story.sane()
        self.story.accessible("a company")

    def open_more(self) -> None:
        for number in OPENERS:
            wire.fetch(self.story.messages[self.people[number].email].pixel)
        opened = {10, *OPENERS}
        self.expected = [
            person for number, person in enumerate(self.people)
            if number in opened and company(number) in COMPANIES[:2] and person.plan != "free"
            and birthday(number).month == datetime.date.today().month
        ]

    def choose(self, number: int, about: str, choices: dict[str, str]) -> None:
        """Fills one condition: what it is about, then its controls by their labels."""
        self.select(number, "About", about)
        for label, value in choices.items():
            control = self.control(number, label)
            if control.evaluate("element => element.tagName") == "SELECT":
                self.select(number, label, value)
            else:
                control.fill(value)

    def control(self, number: int, label: str):
        return self.page.locator("fieldset.rule").nth(number).get_by_label(label, exact=True)

    def select(self, number: int, label: str, choice: str) -> None:
        """What was chosen brings its own controls: by itself with scripts, by a button without."""
        control = self.control(number, label)
        if not self.story.setting.scripts:
            control.select_option(label=choice)
            self.refresh()
        elif control.get_attribute("data-refresh") is None:
            control.select_option(label=choice)
        else:
            self.page.evaluate("() => { document.querySelector('[data-builder-rows] > *').dataset.old = 'yes'; }")
            control.select_option(label=choice)
            expect(self.page.locator("[data-builder-rows] > [data-old]")).to_have_count(0)

    def refresh(self) -> None:
        if not self.story.setting.scripts:
            self.story.press("Update conditions and preview")

    def add(self) -> None:
        count = self.page.locator("fieldset.rule").count()
        self.page.get_by_role("button", name="Add condition").last.click()
        expect(self.page.locator("fieldset.rule")).to_have_count(count + 1)

    def build_segment(self) -> None:
        with self.check("a segment is built from five plain choices, with a count on the way", needed=True):
            self.story.go("/segments/new")
            self.story.fill("Name", self.name)
            self.choose(0, "Opened an e-mail", {"When": "in the last", "Days": "30"})
            self.add()
            self.choose(1, "Clicked a link", {"How often": "never"})
            self.add()
            self.choose(2, "Company", {"Comparison": "is one of", "Companies": "\n".join(COMPANIES[:2])})
            self.add()
            self.choose(3, "Plan", {"Comparison": "is not", "Value": "free"})
            self.add()
            self.choose(4, "Birthday", {"Comparison": "falls in the month"})
            self.refresh()
            expect(self.page.locator(".preview-count")).to_contain_text(str(len(self.expected)))
            self.story.sane()
        self.story.accessible("the builder of segments")
        with self.check("the builder says why somebody is in it"):
            self.page.get_by_label("Is somebody in it, and why?").fill(self.expected[0].email)
            self.refresh()
            held = self.page.locator(".why-row[data-holds]")
            expect(held.filter(has_text="pened")).to_have_count(1)
            # The five conditions and the line that they all stand under.
            expect(held).to_have_count(6)
        with self.check("the segment is kept and finds its people", needed=True):
            self.story.press("Create segment")
            self.outcome.paths["segment"] = urlsplit(self.page.url).path
            deadline = time.monotonic() + 20
            while f"{len(self.expected)} p" not in self.page.locator("main").inner_text():
                assert time.monotonic() < deadline, self.page.locator("main").inner_text()
                time.sleep(0.3)
                self.story.go(self.outcome.paths["segment"])

    def look_at_segment(self) -> None:
        self.story.accessible("a segment")
        with self.check("somebody who opens now is in the segment within moments", needed=True):
            number = next(number for number in range(60, 240)
                          if company(number) in COMPANIES[:2] and self.people[number].plan != "free"
                          and birthday(number).month == datetime.date.today().month)
            wire.fetch(self.story.messages[self.people[number].email].pixel)
            self.expected.append(self.people[number])
            time.sleep(2)
            self.story.go(self.outcome.paths["segment"])
            self.story.see(f"{len(self.expected)} people")
        with self.check("the page of a contact names the segment"):
            self.story.go(f"/contacts?q={self.expected[0].email}")
            self.page.get_by_role("table").get_by_role("link").first.click()
            self.story.see(self.name)

    def send_to_segment(self) -> None:
        with self.check("a campaign goes to the segment, to its people alone", needed=True):
            self.story.mail.clear()
            self.story.go("/campaigns/new")
            self.story.fill("Name", "Happy birthday")
            self.page.get_by_label(re.compile(f"^{self.name}")).first.check()
            self.story.fill("Subject", "Happy birthday")
            self.story.write_body()
            self.story.press("Save and review")
            self.page.get_by_role("button", name=re.compile(f"^Send now to {len(self.expected)}")).click()
            self.story.mail.wait_for(len(self.expected), seconds=60)
            time.sleep(1)
            recipients = {wire.Letter(message).recipient for message in self.story.mail.messages()}
            assert recipients == {person.email for person in self.expected}, recipients

    def new_contact(self, first: str, email: str, phone: str) -> str:
        self.story.go("/contacts/new")
        self.page.locator("main").get_by_label(re.compile("^First name")).fill(first)
        self.page.locator("main").get_by_label(re.compile("^Last name")).fill("Twin")
        self.page.locator("main").get_by_label(re.compile("^E-mail")).first.fill(email)
        self.page.locator("main").get_by_label(re.compile("^Phone")).first.fill(phone)
        self.page.locator("main").get_by_role("button", name=re.compile("^(Save|Add|Create)")).first.click()
        path = urlsplit(self.page.url).path
        assert re.fullmatch(r"/contacts/[0-9a-f-]{36}", path), self.page.url
        return path

    def merge_and_undo(self) -> None:
        prefix = self.story.prefix
        phone = "+49 30 901820" if prefix == "s" else "+49 30 901821"
        with self.check("two contacts with one phone number are found as duplicates", needed=True):
            first = self.new_contact("Ana", f"ana.{prefix}@twins.example", phone)
            second = self.new_contact("Anna", f"anna.{prefix}@twins.example", phone)
            self.story.go("/contacts/duplicates")
            self.story.press("Look for duplicates")
            deadline = time.monotonic() + 20
            while "Anna Twin" not in self.page.locator("main").inner_text():
                assert time.monotonic() < deadline, self.page.locator("main").inner_text()
                time.sleep(0.3)
                self.story.go("/contacts/duplicates")
            self.outcome.paths["twin"] = first
        self.story.accessible("duplicates")
        with self.check("they are merged side by side, and the old address leads to the one contact", needed=True):
            row = self.page.locator("tr, li").filter(has_text="Anna Twin").first
            row.get_by_role("link", name=re.compile("Compare|Merge|side by side", re.IGNORECASE)).first.click()
            self.story.sane()
            self.story.accessible("two contacts side by side")
            self.story.press("Merge contacts")
            merge = self.page.url
            ends = set()
            for path in (first, second):
                self.page.goto(path)
                ends.add(urlsplit(self.page.url).path)
            assert len(ends) == 1, ends
            self.page.goto(merge)
        with self.check("the merge is taken back, and both are there again"):
            if not self.page.get_by_role("button", name="Take the merge back").count():
                self.page.get_by_role("link", name=re.compile("merge", re.IGNORECASE)).first.click()
            self.story.press("Take the merge back")
            for path in (first, second):
                self.story.go(path)
                assert urlsplit(self.page.url).path == path, self.page.url

    def export_and_erase(self) -> None:
        with self.check("a person's data comes as a file"):
            self.story.go(self.outcome.paths["twin"])
            self.page.get_by_role("link", name="Personal data: file or erasure").click()
            self.outcome.paths["personal data"] = urlsplit(self.page.url).path
            self.story.press("Make a file")
            deadline = time.monotonic() + 20
            while not self.page.get_by_role("link", name="Download").count():
                assert time.monotonic() < deadline, self.page.locator("main").inner_text()
                time.sleep(0.3)
                self.story.go(self.outcome.paths["personal data"])
            with self.page.expect_download() as download:
                self.page.get_by_role("link", name="Download").first.click()
            assert download.value.path().read_bytes()[:2] == b"PK"
        self.story.accessible("the personal data of a contact")
        with self.check("a person is erased after seeing what goes and what stays"):
            self.story.go(self.outcome.paths["personal data"])
            self.page.get_by_role("link", name="See what would go").click()
            self.story.sane()
            reason = self.page.locator("main").get_by_label(re.compile("^(Reason|Why)"))
            if reason.count():
                reason.first.fill("Asked by mail")
            self.page.get_by_label("I know that this cannot be undone").check()
            self.page.locator("main").get_by_role("button", name="Erase for good").click()
            deadline = time.monotonic() + 20
            while self.page.context.request.get(self.outcome.paths["twin"]).status != 404:
                assert time.monotonic() < deadline, "the erased person still has a page"
                time.sleep(0.3)
