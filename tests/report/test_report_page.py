# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: what a reader sees, with scripts and without, by screen and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import recorded_runs as recorded
from playwright.sync_api import Browser, Page, expect, sync_playwright

from aetool.report.write import render

pytestmark = pytest.mark.e2e

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, references: Path) -> str:
    tree = recorded.proofs(recorded.layer(5, "PTAlloc"), recorded.layer(6, "PTWalk", "failed"))
    failed = {"redis-native-0-quick-3": "no rate for <b>GET</b>"}
    run = recorded.make_run(tmp_path_factory.mktemp("page") / "run", failed=failed, proofs=tree)
    return render(run, references).page.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url == address or complaints.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert complaints == []


def column(page: Page, table: str, number: int) -> list[str]:
    return page.locator(f"#table-{table} tbody tr > :nth-child({number})").all_inner_texts()


def test_the_summary_on_top_says_what_was_checked_and_what_was_not(page: Page) -> None:
    summary = page.locator(".facts")
    expect(summary).to_contain_text("1 of 34")
    expect(summary).to_contain_text("failed: PTWalk")
    expect(summary).to_contain_text("15 of 16")
    expect(page.locator(".subtitle")).to_contain_text("lab netns, emulated")


def test_all_34_layers_are_rows_and_those_not_built_say_so(page: Page) -> None:
    statuses = column(page, "layers", 4)
    assert len(statuses) == 34
    assert statuses.count("passed") == 1
    assert statuses.count("failed") == 1
    assert statuses.count("not in the tree") == 32


def test_each_claim_has_its_verdict(page: Page) -> None:
    verdicts = column(page, "claims", 3)
    assert verdicts[:8] == [*["not reproduced"] * 6, "reproduced", "reproduced"]
    assert set(verdicts[8:]) == {"not run"}
    expect(page.locator("#claims")).to_contain_text("NOT VERIFIED: remembered")


def test_what_did_not_run_is_listed_with_its_reason_as_text(page: Page) -> None:
    row = page.locator("#table-not-run tr", has_text="redis-native-0-quick-3")
    expect(row).to_contain_text("failed: no rate for <b>GET</b>")


def test_plots_are_drawn_inside_the_page_with_their_marks(page: Page) -> None:
    plots = page.locator("figure svg")
    assert plots.count() == 3
    for plot in plots.all():
        box = plot.bounding_box()
        assert box is not None and box["width"] > 400 and box["height"] > 60
    values = page.locator("#figure-hackbench-quick-values svg")
    expect(values).to_contain_text("time (s), lower is better")
    assert values.locator("use").count() >= 12
    assert page.get_by_role("img", name=re.compile("hackbench.*95 % interval")).count() == 2


def test_a_click_on_a_heading_sorts_by_number_and_another_turns_it_round(page: Page) -> None:
    heading = page.locator("#table-layers thead th").nth(1)
    heading.get_by_role("button").click()
    assert column(page, "layers", 2) == [str(n) for n in range(1, 35)]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert column(page, "layers", 2) == [str(n) for n in range(34, 0, -1)]
    assert heading.get_attribute("aria-sort") == "descending"


def test_sorting_works_from_the_keyboard_and_puts_cells_without_a_number_last(page: Page) -> None:
    page.locator("#table-layers thead th").nth(4).get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert column(page, "layers", 5)[:3] == ["5.0", "5.0", "–"]
    page.keyboard.press("Enter")
    assert column(page, "layers", 5)[:3] == ["5.0", "5.0", "–"]


def test_every_table_has_a_caption_and_headings_with_scope(page: Page) -> None:
    for table in page.locator("table").all():
        assert table.locator("caption").text_content()
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.locator("tbody th:not([scope=row])").count() == 0


def test_without_scripts_everything_is_readable(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#table-layers tbody tr")).to_have_count(34)
    expect(page.locator("figure svg")).to_have_count(3)
    expect(page.locator("#table-hackbench-quick")).to_contain_text("11.2317 s on m400")
    expect(page.locator("button")).to_have_count(0)
    page.locator("summary", has_text="every value").first.click()
    expect(page.locator("#table-hackbench-quick-values")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_paper_in_both_schemes(browser: Browser, address: str, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address)
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 5
    assert min(ratios.values()) >= 4.5, ratios
    page.close()


# relative luminance and contrast as WCAG 2 defines them
CONTRAST = """() => {
  const channel = (c) => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const light = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).map(Number).map(channel);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const paper = light(getComputedStyle(document.documentElement).backgroundColor);
  const found = {};
  const kinds = ["p", "a", "td", "td.good", "td.bad", "td.warn", "td.quiet", ".note", "figure text"];
  for (const selector of kinds) {
    const element = document.querySelector(selector);
    const style = getComputedStyle(element);
    const ink = light(selector === "figure text" ? style.fill : style.color);
    found[selector] = (Math.max(paper, ink) + .05) / (Math.min(paper, ink) + .05);
  }
  return found;
}"""


def test_nothing_is_cut_off_on_a_narrow_screen_or_on_paper(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(media="print")
    expect(page.locator("nav")).to_be_hidden()
    # A4 within margins of 14 mm, at 96 dots an inch
    page.set_viewport_size({"width": 688, "height": 1000})
    wide = page.evaluate(
        "[...document.querySelectorAll('table')].filter(t => t.scrollWidth > 688 && t.checkVisibility())"
        ".map(t => t.id + ' ' + t.scrollWidth)"
    )
    assert wide == []
    assert len(page.pdf(format="A4")) > 20_000
    page.close()
