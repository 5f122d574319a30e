"""Chromium as a visitor: a screen, a colour scheme, with or without scripts, and a record of what went wrong."""
import re
from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

AXE_SOURCE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Setting:
    """How a page is looked at."""

    width: int
    height: int
    dark: bool = False
    scripts: bool = True

    @property
    def name(self) -> str:
        colours = "dark" if self.dark else "light"
        return f"{self.width} px, {colours}, {'scripts' if self.scripts else 'no scripts'}"


WIDE = Setting(1440, 900)
NARROW = Setting(390, 844, scripts=False)
SETTINGS = [WIDE, NARROW, Setting(1440, 900, dark=True, scripts=False), Setting(390, 844, dark=True)]


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, in a box that has no user namespaces."""
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])


class Visitor:
    """A browser profile with one page, which remembers errors of the console and requests to other hosts."""

    def __init__(self, browser: Browser, base: str, setting: Setting, state: dict | None = None):
        self.base = base
        self.setting = setting
        self.context: BrowserContext = browser.new_context(
            base_url=base, viewport={"width": setting.width, "height": setting.height},
            color_scheme="dark" if setting.dark else "light", java_script_enabled=setting.scripts,
            storage_state=state, reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Berlin",
        )
        self.context.set_default_timeout(10_000)
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        self.page.on("request", self._request)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()

    def _console(self, message: ConsoleMessage) -> None:
        # A status of 4xx is told in the console too; those are wanted where a form is refused.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:", "about:")):
            self.troubles.append(f"request to another host: {request.url}")

    def take_troubles(self) -> list[str]:
        """What went wrong since the last question."""
        troubles, self.troubles = self.troubles, []
        return troubles


def axe_violations(visitor: "Visitor") -> list[str]:
    """Runs axe-core in the page: rule, explanation and the first places. Where scripts are off it cannot run."""
    page = visitor.page
    if not visitor.setting.scripts:
        return []
    page.evaluate(AXE_SOURCE)
    page.evaluate("options => { axe.run(document, options).then(found => { window.axeFound = found; }); }", AXE_OPTIONS)
    page.wait_for_function("() => window.axeFound", timeout=30_000)
    found = page.evaluate("() => window.axeFound")
    lines: list[str] = []
    for violation in found["violations"]:
        places = [f"{node['target']}: {node['html'][:160]}" for node in violation["nodes"][:3]]
        detail = violation["nodes"][0].get("failureSummary", "").replace("\n", " ")[:240]
        lines.append(f"axe {violation['id']}: {violation['help']} — {'; '.join(places)} {detail}")
    return lines


def overflow(page: Page) -> list[str]:
    """Elements that make the page wider than the screen."""
    return page.evaluate(
        """() => {
            const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
            if (wide <= 0) return [];
            const inScroller = element => {
                for (let node = element.parentElement; node && node !== document.body; node = node.parentElement) {
                    if (getComputedStyle(node).overflowX !== 'visible') return true;
                }
                return false;
            };
            const culprits = [...document.body.querySelectorAll('*')].filter(element => {
                const box = element.getBoundingClientRect();
                return box.width > 0 && box.right > innerWidth + 1 && !inScroller(element);
            });
            return [`${wide} px wider than the screen: ` + culprits.slice(-3)
                .map(element => element.tagName.toLowerCase() + '.' + element.className).join(', ')];
        }""")


def shown_ids(page: Page) -> list[str]:
    """Raw identifiers that a person can read on the page."""
    text = page.evaluate("() => document.body.innerText")
    return [f"raw id in the text: {found}" for found in UUID.findall(text)[:3]]
