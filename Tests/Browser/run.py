"""Tests the portal in Chromium: the whole story of a campaign through a real SMTP server, then every page.

    .venv/bin/python Tests/Browser/run.py [story] [pages] [--pictures FOLDER]

Ends with the line "N passed, N failed" and a non-zero status when something failed.
"""
import argparse
import signal
import sys
import time

from playwright.sync_api import sync_playwright

import test_leaving
import test_pages
import test_story
import test_words
from browsing import NARROW, WIDE, launch
from mail_server import MailServer
from portal_server import PortalServer
from report import Report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="story, pages, words (story and pages, with words, when left out)")
    parser.add_argument("--pictures", help="keep a picture of every page in this folder")
    arguments = parser.parse_args()
    parts = arguments.parts or ["story", "pages"]
    report = Report()
    # Being told to stop ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    with MailServer() as mail, PortalServer() as portal, sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            stories = [
                test_story.tell(browser, portal, mail, report, setting)
                for setting in (WIDE, NARROW)
                if "story" in parts or (setting is WIDE and "pages" in parts)
            ]
            if "pages" in parts:
                test_pages.visit_all(browser, portal, report, stories[0], arguments.pictures)
                test_leaving.leave_when_done(browser, portal, report)
            if "pages" in parts or "words" in parts:
                test_words.read_long_words(browser, portal, report)
        finally:
            browser.close()
        with report.check("the portal logged no error of its own"):
            problems = portal.problems()
            assert not problems, "\n".join(problems[:5])
    print(f"\n{time.monotonic() - started:.0f} s")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
