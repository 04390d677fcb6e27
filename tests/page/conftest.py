"""Chromium, and the service with the default model for it to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from serve.process import serving

CHROMIUM = Path("/usr/bin/chromium")

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with serving() as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Tests may run as root in a container, where Chromium's sandbox does not start.
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--no-proxy-server"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, service: str) -> Iterator[Open]:
    """Opens the page; what the browser complains of fails the test."""
    contexts, complaints = [], []

    def visit(url: str = service, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                message.type == "error"
                # Chromium reports every status above 399 there, and requests that a test cuts off.
                and "Failed to load resource" not in message.text
                and complaints.append(message.text)
            ),
        )
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
