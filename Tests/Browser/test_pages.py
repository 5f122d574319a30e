"""Visits every page of the route table, in an empty and in a lived-in workspace, at all settings.

A page is fine when it answers 200, the console is silent (which covers the content security policy), nothing overflows
a phone, axe-core finds nothing, no raw id is shown, and every link on it leads somewhere.
"""
import multiprocessing
import os
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, expect, sync_playwright

from browsing import SETTINGS, WIDE, Setting, Visitor, axe_violations, launch, overflow, shown_ids
from portal_server import PortalServer, Route
from report import Report
from test_story import PASSWORD, Outcome

#: The budget of a first visit to a list page: HTML, style and scripts as they travel.
LIST_PAGE_BYTES = 60 * 1024
LIST_PAGES = ["/contacts", "/companies", "/lists", "/segments", "/campaigns", "/contacts/imports", "/suppressions",
              "/outbox"]
#: Streams that never end, e-mails for frames (sandboxed: no script runs in them, axe neither), the way out of a
#: session.
NOT_PAGES = re.compile(
    r"/live$|/preview$|^/outbox/.*/html$|^/assets/|^/logout$|^/metrics$|^/healthz$|^/readyz$")
#: Which of the story's things stands in for `{id}`.
KINDS = [("/contacts/imports/{id}", "import"), ("/contacts/bulk/{id}", "bulk"), ("/contacts/{id}", "contact"),
         ("/lists/{id}", "list"), ("/campaigns/{id}", "campaign"), ("/sends/{id}", "send"),
         ("/messages/{id}", "message"), ("/companies/{id}", "company"), ("/segments/{id}", "segment"),
         ("/outbox/{id}", "outbox"), ("/settings/members/{id}", "member")]
#: A proof names records exactly.
PROOF = re.compile(r"/evidence$")
#: Pages that only make sense in a state that the story leaves again: they may answer "not found" or lead elsewhere.
PASSING = re.compile(r"/(restore|undo|cancel|delete|remove|review|edit)$")


def visit_all(browser: Browser, portal: PortalServer, report: Report, story: Outcome, pictures: str | None) -> None:
    """Visits everything; `story` lends its workspace."""
    routes = [route for route in portal.routes() if route.method == "GET" and not NOT_PAGES.search(route.path)
              and not route.path.startswith("/v1/")]
    signed_out = sorted({route.path for route in routes if route.access == "anyone" and "{" not in route.path})
    members = sorted({path for route in routes if route.access != "anyone" for path in concrete(route, story)})
    plain = [path for path in members if not re.search(r"[0-9a-f]{8}-", path)]
    print(f"\n{len(members) + len(signed_out)} pages", flush=True)
    empty = newcomer(browser, portal)
    folder = Path(pictures) if pictures else None
    legs = [Leg("signed out", signed_out, None), Leg("empty workspace", plain, empty)]
    if story.state is not None:
        legs.append(Leg("lived-in workspace", members, story.state))
    tour = Tour(browser, portal.base, report, folder)
    # A browser waits for its page and a page for its portal: several at once use the machine better.
    workers = min(len(SETTINGS), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for walked, links in pool.map(walk, *zip(*[(portal.base, setting, legs, folder) for setting in SETTINGS])):
            report.take(walked)
            tour.links |= links
    for path, url in story.public.items():
        tour.visit_public(path, url)
    for path in LIST_PAGES:
        if path in members:
            tour.weigh(path, story.state or empty)
    tour.follow_links(story.state or empty)


@dataclass(frozen=True)
class Leg:
    """Pages as somebody sees them."""

    whose: str
    paths: list[str]
    #: The visitor's cookies; None for somebody who is not signed in.
    state: dict | None


def walk(base: str, setting: Setting, legs: list[Leg], folder: Path | None) -> tuple[Report, dict[str, str]]:
    """Visits all pages at one setting, in a process and a browser of its own."""
    report = Report()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        tour = Tour(browser, base, report, folder)
        for leg in legs:
            tour.visit(leg, setting)
        browser.close()
    return report, tour.links


def concrete(route: Route, story: Outcome) -> list[str]:
    """The addresses of a route: itself, or with the ids of the story."""
    if "{" not in route.path:
        return [route.path]
    for prefix, kind in KINDS:
        if route.path.startswith(prefix) and kind in story.paths:
            path = story.paths[kind] + route.path[len(prefix):]
            return [path] if "{" not in path else []
    return []


def newcomer(browser: Browser, portal: PortalServer) -> dict:
    """Registers somebody with nothing in the workspace."""
    with Visitor(browser, portal.base, WIDE) as visitor:
        page = visitor.page
        page.goto("/register")
        for label, value in (("Your name", "Ben Empty"), ("E-mail address", "ben@example.org"),
                             ("Password", PASSWORD), ("Workspace name", "Nothing yet")):
            page.get_by_label(label, exact=True).fill(value)
        page.get_by_role("button", name="Create workspace").click()
        expect(page).not_to_have_url(re.compile("/register"))
        return visitor.context.storage_state()


class Tour:
    def __init__(self, browser: Browser, base: str, report: Report, folder: Path | None):
        self.browser, self.base, self.report, self.folder = browser, base, report, folder
        self.links: dict[str, str] = {}

    def visit(self, leg: Leg, setting: Setting) -> None:
        with Visitor(self.browser, self.base, setting, leg.state) as visitor:
            for path in leg.paths:
                name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", path)
                with self.report.check(f"{name} is fine: {leg.whose}, {setting.name}", visitor.page):
                    self._look(visitor, path, leg.whose)

    def _look(self, visitor: Visitor, path: str, whose: str) -> None:
        page = visitor.page
        visitor.take_troubles()
        answer = visitor.context.request.get(path)
        if answer.status == 404 and PASSING.search(path):
            return
        assert answer.status == 200, f"status {answer.status}"
        if "text/html" not in answer.headers.get("content-type", ""):
            return
        page.goto(path, wait_until="load")
        self._picture(visitor, path, whose)
        problems = visitor.take_troubles() + overflow(page) + axe_violations(visitor)
        if not PROOF.search(path):
            problems += shown_ids(page)
        for href in page.evaluate("() => [...document.querySelectorAll('a[href]')].map(link => link.href)"):
            address = href.split("#")[0]
            if address.startswith(self.base) and visitor.setting == WIDE and whose == "lived-in workspace":
                self.links.setdefault(address, path)
        assert not problems, "\n".join(problems)

    def _picture(self, visitor: Visitor, path: str, whose: str) -> None:
        if self.folder is None:
            return
        setting = visitor.setting
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", path).strip("/").replace("/", "_") or "home"
        folder = self.folder / f"{setting.width}-{'dark' if setting.dark else 'light'}"
        folder.mkdir(parents=True, exist_ok=True)
        visitor.page.screenshot(path=str(folder / f"{whose.split(' ')[0]}-{name}.png"))

    def visit_public(self, name: str, url: str) -> None:
        for setting in SETTINGS:
            parts = urlsplit(url)
            with Visitor(self.browser, f"{parts.scheme}://{parts.netloc}", setting) as visitor:
                with self.report.check(f"the page {name} is fine: {setting.name}", visitor.page):
                    answer = visitor.page.goto(url)
                    assert answer is not None and answer.status == 200, answer and answer.status
                    self._picture(visitor, name, "public")
                    page = visitor.page
                    problems = visitor.take_troubles() + overflow(page) + shown_ids(page) + axe_violations(visitor)
                    assert not problems, "\n".join(problems)

    def weigh(self, path: str, state: dict) -> None:
        with self.report.check(f"a first visit to {path} weighs at most {LIST_PAGE_BYTES // 1024} KB"):
            with Visitor(self.browser, self.base, WIDE, state) as visitor:
                weights: list[int] = []
                session = visitor.context.new_cdp_session(visitor.page)
                session.send("Network.enable")
                session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
                visitor.page.goto(path, wait_until="networkidle")
                total = int(sum(weights))
                print(f"        {path}: {total / 1024:.1f} KB in {len(weights)} answers")
                assert 0 < total <= LIST_PAGE_BYTES, f"{total} bytes"

    def follow_links(self, state: dict) -> None:
        print(f"\n{len(self.links)} links", flush=True)
        with Visitor(self.browser, self.base, WIDE, state) as visitor:
            with self.report.check("every link leads somewhere"):
                dead: list[str] = []
                for address, page in self.links.items():
                    if NOT_PAGES.search(urlsplit(address).path):
                        continue
                    answer = visitor.context.request.get(urljoin(self.base, address))
                    if answer.status >= 400:
                        dead.append(f"{address} on {page}: {answer.status}")
                assert not dead, "\n".join(dead)
