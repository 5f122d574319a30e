"""Whoever leaves a page whose long work is done at that very moment is not called back to it."""
from playwright.sync_api import Browser, Route

from browsing import WIDE, Visitor
from portal_server import PortalServer
from report import Report

WORK = "/work-under-way"


def leave_when_done(browser: Browser, portal: PortalServer, report: Report) -> None:
    with Visitor(browser, portal.base, WIDE) as visitor:
        page = visitor.page
        with report.check("leaving a page whose work is done meanwhile leads to the next one", page):
            page.goto("/login")
            waiting: list[Route] = []
            page.route(f"**{WORK}", lambda route: waiting.append(route))

            def answer_late(route: Route) -> None:
                waiting[0].fulfill(content_type="text/event-stream", body="event: done\ndata: now\n\n")
                page.wait_for_timeout(500)
                route.continue_()

            page.route("**/register", answer_late)
            with page.expect_request(f"**{WORK}"):
                page.evaluate(
                    """async (source) => {
                        const part = document.createElement("div");
                        part.dataset.liveSrc = source;
                        document.body.append(part);
                        await import(new URL("./live.js", document.querySelector("script[type=module]").src));
                    }""",
                    WORK,
                )
            page.goto("/register")
            assert page.url.endswith("/register"), page.url
