"""Names, titles and addresses that are one unbroken word: no page may become wider than the screen."""
import json
import re

from playwright.sync_api import Browser, Page

from browsing import NARROW, SETTINGS, WIDE, Visitor, overflow
from portal_server import PortalServer
from report import Report
from test_story import PASSWORD


def word(length: int) -> str:
    """A word of the given length without a place to break."""
    return ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 20)[:length]


EMAIL = "w" * 60 + "@" + ".".join(["x" * 60] * 3) + ".example"


class API:
    """A workspace in which everything is called by one long word."""

    def __init__(self, visitor: Visitor):
        self.request = visitor.context.request
        person = {"email": "words@example.org", "password": PASSWORD, "name": word(100), "workspaceName": word(100)}
        answer = self.request.post("/v1/auth/register", data=person)
        assert answer.status == 201, answer.text()
        self.token = answer.json()["token"]

    def post(self, path: str, body: dict) -> dict:
        answer = self.request.post(path, data=json.dumps(body), headers={
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        assert answer.status in (200, 201), f"{path}: {answer.status} {answer.text()}"
        return answer.json()


def fill(api: API) -> list[str]:
    """Makes the long-winded things; returns the pages that show them."""
    people = [
        api.post("/v1/contacts", {
            "email": EMAIL, "firstName": word(200), "lastName": word(200), "tags": [word(60), "x" * 60],
            "properties": {"note": word(900)}})["id"],
        api.post("/v1/contacts", {"email": "short@example.org", "firstName": "Bo"})["id"],
    ]
    group = api.post("/v1/lists", {"name": word(100), "description": word(900)})["id"]
    api.post(f"/v1/lists/{group}/members", {"contactIds": people})
    campaign = api.post("/v1/campaigns", {
        "name": word(200), "type": "one_time", "audience": {"listIds": [group]},
        "steps": [{"type": "email", "subject": word(900), "previewText": word(400),
                   "html": f"<p>{word(2000)} <a href=\"https://example.com/{'y' * 900}\">{word(300)}</a></p>"}]})["id"]
    return [
        "/", "/contacts", f"/contacts?q={EMAIL[:40]}", f"/contacts/{people[0]}", f"/contacts/{people[0]}/edit",
        "/lists", f"/lists/{group}", f"/lists/{group}/edit", f"/lists/{group}/delete", "/campaigns",
        f"/campaigns/{campaign}", f"/campaigns/{campaign}/edit", f"/campaigns/{campaign}/review", "/settings",
        "/settings/audit", "/settings/members", "/profile",
    ]


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address", exact=True).fill("words@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"^(?!.*/login)"))


def read_long_words(browser: Browser, portal: PortalServer, report: Report) -> None:
    """Visits every page of that workspace at all widths."""
    print("\nlong words", flush=True)
    with Visitor(browser, portal.base, WIDE) as visitor:
        paths = fill(API(visitor))
        sign_in(visitor.page)
        state = visitor.context.storage_state()
    for setting in [setting for setting in SETTINGS if setting in (WIDE, NARROW) or setting.width < 400]:
        with Visitor(browser, portal.base, setting, state) as visitor:
            for path in paths:
                name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", path.split("?")[0])
                with report.check(f"{name} breaks long words: {setting.name}", visitor.page):
                    answer = visitor.page.goto(path, wait_until="load")
                    assert answer is not None and answer.status == 200, answer and answer.status
                    problems = overflow(visitor.page)
                    assert not problems, "\n".join(problems)
