"""A real Chromium, the machine's own, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OFFLINE = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update")


@contextmanager
def chromium() -> Iterator[Page]:
    """Open a page of a fresh browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield browser.new_page()
        browser.close()
