"""Walk through the control room as a person does; run in an environment with Playwright.

Arguments: the browser, the address, an API key, a folder for screenshots, the gateway's process.
Prints a line a step, and ends with 1 where something was not as expected.
"""

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM, URL, KEY, SHOTS, PROCESS = (
    sys.argv[1],
    sys.argv[2],
    sys.argv[3],
    Path(sys.argv[4]),
    int(sys.argv[5]),
)
CUT_MS = 3_000
STOP_MS = 1_000
wrong: list[str] = []


def check(what: str, is_so: object, came: object = "") -> None:
    """Print a step."""
    print(f"{'ok  ' if is_so else 'FAIL'} {what} {came}")
    if not is_so:
        wrong.append(what)


def api(path: str) -> Any:
    """Return what the API answers."""
    asked = urllib.request.Request(f"{URL}{path}", headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return json.load(answer)


def enter(browser: Browser, width: int, theme: str, said: list[str]) -> Page:
    """Log in, in a window of its own."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.on("console", lambda each: said.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda each: said.append(str(each)))
    page.goto(URL)
    page.fill("input[name=key]", KEY)
    page.press("input[name=key]", "Enter")
    page.wait_for_selector("#stop")
    return page


def look(browser: Browser) -> None:
    """Take a picture at each width in each theme; nothing may stick out or shut anybody out."""
    for theme in ("light", "dark"):
        for width in (1440, 390):
            said: list[str] = []
            page = enter(browser, width, theme, said)
            page.wait_for_timeout(1_500)
            page.screenshot(path=SHOTS / f"{theme}-{width}-first.png")
            page.click("#quality button[type=submit]")
            page.click("#pnl button[type=submit]")
            page.wait_for_selector("#quality th >> text=MAX_ORDER_SIZE")
            page.wait_for_selector("#pnl td")
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=SHOTS / f"{theme}-{width}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found = Axe().run(page).response["violations"]
            name = f"{theme}, {width} pixels:"
            check(f"{name} nothing sticks out", not wide)
            check(f"{name} axe finds nothing", not found, [each["id"] for each in found])
            check(f"{name} the console is empty", not said, said)
            page.context.close()


def act(page: Page, name: str, reason: str = "") -> None:
    """Press a button, confirm."""
    page.click(f"[data-act={name}]")
    if reason:
        page.fill("input[name=reason]", reason)
    page.click("#ask-yes")


def figures(page: Page) -> None:
    """Compare what stands there with the API."""
    text = page.inner_text("#now")
    status = api("/v1/status")
    check("the state is the API's", status["state"] in page.inner_text("#state"))
    for each in api("/v1/positions")["items"]:
        check("a position is there", f"{each['quantity']} {each['side']}" in text)
    for each in api("/v1/orders")["items"]:
        check(
            "an order is there", f"{each['size']} {each['side']} at {each['limit_price']}" in text
        )
    check("its record is the head", f"Record {status['journal']['sequence']}" in text)


def past(page: Page) -> None:
    """Search for a request, have it explained, and go back."""
    page.fill("#requests input[name=text]", "stage-2")
    page.click("#requests button[type=submit]")
    page.wait_for_selector("#requests [data-explain=stage-1]", state="detached")
    page.click("#requests [data-explain=stage-2]")
    page.wait_for_selector("#drawer .life")
    said, denials = page.inner_text("#drawer"), api("/v1/executions/stage-2")["denials"]
    check("every denial is explained", all(f"{each['code']}\tdeny" in said for each in denials))
    found = Axe().run(page).response["violations"]
    check("axe finds nothing in the drawer", not found, [each["id"] for each in found])
    page.screenshot(path=SHOTS / "explained.png")
    page.keyboard.press("Escape")
    check("the keyboard closes the drawer", not page.is_visible("#drawer"))
    page.select_option("#pnl select", "market")
    page.click("#pnl button[type=submit]")
    row = api("/v1/pnl?by=market")["rows"][0]
    page.wait_for_selector(f"#pnl >> text={row['name']}")
    act(page, "COMPARE")
    page.wait_for_selector("#said >> text=Compared: 0 open breaks.")


def main() -> int:
    """Do everything once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        look(browser)
        said: list[str] = []
        page = enter(browser, 1440, "light", said)
        figures(page)
        past(page)
        act(page, "CANCEL")
        page.wait_for_selector("#orders >> text=None")
        check("a cancel is done", not api("/v1/orders")["items"])
        begun = time.monotonic()
        act(page, "ENABLE", "drill")
        while api("/v1/status")["state"] != "HALTED":
            assert time.monotonic() - begun < 10, "not halted"
        after_ms = (time.monotonic() - begun) * 1_000
        check("one press and one confirmation halt", after_ms < STOP_MS, f"{after_ms:.0f} ms")
        page.wait_for_selector('#state[data-state="HALTED"]')
        check("who halted is named", api("/v1/kill-switch")["halts"][0]["reason"] == "drill")
        page.screenshot(path=SHOTS / "halted.png")
        page.click("[data-act=DISABLE]")
        page.click("#ask-yes")
        check("to resume a reason is needed", page.is_visible("#ask"))
        page.click("#ask-no")
        check("and nothing happened", api("/v1/status")["state"] == "HALTED")
        act(page, "DISABLE", "it was a drill")
        page.wait_for_selector('#state[data-state="ACTIVE"]')
        act(page, "REDUCE", "closing")
        page.wait_for_selector('#state[data-state="REDUCING"]')
        act(page, "FLATTEN", "closing")
        page.wait_for_selector("#positions >> text=None")
        check("what was held is closed", not api("/v1/positions")["items"])
        os.kill(PROCESS, signal.SIGSTOP)
        begun = time.monotonic()
        page.wait_for_selector("#cut:visible", timeout=10_000)
        cut_ms = (time.monotonic() - begun) * 1_000
        check("cut off, it says so", cut_ms < CUT_MS, f"{cut_ms:.0f} ms")
        is_seen = "e => e.getBoundingClientRect().bottom > 0"
        check("also where somebody has scrolled down", page.locator("#cut").evaluate(is_seen))
        check("and greys what stands", page.evaluate("document.body.classList.contains('cut')"))
        page.screenshot(path=SHOTS / "cut.png")
        os.kill(PROCESS, signal.SIGCONT)
        page.wait_for_selector("#cut", state="hidden")
        page.click("#logout")
        page.wait_for_selector("input[name=key]")
        check("nothing was said on the console", not [each for each in said if "ERR_" not in each])
        browser.close()
    print(f"{len(wrong)} of these failed" if wrong else "All as expected")
    return 1 if wrong else 0


sys.exit(main())
