"""The page in a real browser: it shows, explains and moves lists, for all, and asks nobody else."""

import os

import pytest
from browser import Browser, find_browser
from service_site import HOSTILE, Site, codes, site_of

READY = "document.documentElement.dataset.ready === 'true'"
SHOWN = "[...document.querySelectorAll('#films .film')].map(each => each.dataset.id)"
LEVEL = "document.querySelector('#ladder [aria-current]').firstElementChild.textContent"
# Contrast of all text by WCAG 2, against the nearest background that is painted. Posters have
# gradients, which are tried at their lightest.
CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05); };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      if (at.classList.contains("poster"))
        return rgb(`oklch(.54 .12 ${getComputedStyle(at).getPropertyValue("--hue")})`);
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found[3] > 250) return found;
    }
    return [255, 255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), bad = [];
  let n = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement, style = getComputedStyle(node);
    if (!texts.currentNode.data.trim() || !node.checkVisibility() || style.opacity < 0.1) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(node.tagName)) continue;
    n += 1;
    const found = ratio(rgb(style.color), ground(node));
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (found < (large ? 3 : 4.5)) bad.push([texts.currentNode.data.trim(), found.toFixed(2)]);
  }
  return { n, bad };
})()"""
UNNAMED = """[...document.querySelectorAll("button, input, select, a, [role], dialog")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !(each.labels?.length || each.textContent.trim()
    || each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")))
  .map((each) => each.outerHTML)"""


@pytest.fixture(scope="module")
def browser():
    binary = find_browser()
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("There is no chromium, and in CI the page must be tested: install it.")
        pytest.skip("There is no chromium: the page is not tested (Debian: apt install chromium).")
    with Browser(binary) as running:
        yield running


@pytest.fixture(scope="module")
def page_site(small, tmp_path_factory, parts_with, users):
    with site_of(small, tmp_path_factory.mktemp("page"), parts_with, users=users) as running:
        yield running


@pytest.fixture
def page(browser, page_site: Site):
    """The page of user 10, drawn."""
    browser.problems.clear()
    browser.requested.clear()
    browser.window(1280, 900)
    browser.open(f"{page_site.url}/#10")
    browser.until(READY)
    yield browser
    assert browser.problems == []
    others = [each for each in browser.requested if not each.startswith(page_site.url)]
    assert [each for each in others if each != "about:blank"] == []


def test_it_shows_the_list_of_the_service(page, page_site: Site):
    assert page.run(SHOWN) == [i["item_id"] for i in page_site.recommend(10, k=12)["items"]]
    assert page.run("document.querySelector('#who-title').textContent") == "User 10"
    assert page.run(LEVEL) == "full"
    assert page.run("document.querySelectorAll('#rows .row').length") == 3
    assert page.run("document.querySelectorAll('#taste polygon').length") > 0


def test_titles_are_text_whatever_they_hold(page, page_site: Site):
    page.open(f"{page_site.url}/#stranger")
    page.until(f"{READY} && document.querySelectorAll('#films b').length > 0")
    titles = page.run("[...document.querySelectorAll('#films b')].map(each => each.textContent)")
    assert HOSTILE in titles  # the most liked film has this title
    assert page.run("document.querySelectorAll('#films img').length") == 0
    assert page.run("document.title") == "recsys: small"


def test_an_explanation_adds_up(page):
    page.run("document.querySelector('#films .poster').click()")
    page.until("document.querySelector('#film').open")
    assert "add up to the score exactly" in page.run("document.querySelector('#explain').innerText")
    numbers = "[...document.querySelectorAll('#terms {} td:last-child')].map(e => +e.textContent)"
    score = page.run(numbers.format("tfoot"))[0]
    assert sum(page.run(numbers.format("tbody"))) == pytest.approx(score, abs=2e-5)
    page.until("document.querySelectorAll('#similar .row').length === 2")
    page.press("Escape")
    assert page.run("document.querySelector('#film').open") is False


def test_a_part_that_is_switched_off_changes_list_and_level(page, page_site: Site):
    before = page.run(SHOWN)
    switch = "[...document.querySelectorAll('#switches label')].find(e => e.innerText === '{}')"
    page.run(switch.format("ranking") + ".click()")
    page.until(f"{LEVEL} === 'light'")
    expected = [i["item_id"] for i in page_site.recommend(10, k=12, off="ranking")["items"]]
    assert page.until(f"{LEVEL} === 'light' && {SHOWN}") == expected
    assert expected != before
    assert page.run("document.querySelectorAll('#films .move').length") > 0
    page.run(switch.format("all recall") + ".click()")
    page.until(f"{LEVEL} === 'stored'")
    page.run(switch.format("all recall") + ".click()")
    page.run(switch.format("ranking") + ".click()")
    page.until(f"{LEVEL} === 'full'")
    assert page.run(SHOWN) == before


def test_a_film_is_rated_with_the_keyboard_alone(page, page_site: Site):
    first = page.run(SHOWN)[0]
    page.run("document.querySelector('#films .poster').focus()")
    page.press("Enter")
    page.until("document.querySelector('#film').open")
    page.run("document.querySelector('#stars input').focus()")
    page.press("ArrowRight", "ArrowRight", "Enter")
    page.until("!document.querySelector('#film').open")
    page.until(f"!{SHOWN}.includes('{first}')")
    latest = page_site.get("/api/users/10")["latest"][0]
    assert (latest["item_id"], latest["rating"]) == (first, 3)
    page.until("!document.querySelector('#take-back').hidden")
    page.run("document.querySelector('#take-back').click()")
    page.until(f"{SHOWN}[0] === '{first}'")
    assert page_site.get("/api/users/10")["latest"][0]["item_id"] != first


def test_somebody_new_rates_and_gets_a_list(page, page_site: Site):
    page.run("document.querySelector('#newcomer').click()")
    page.until(f"{LEVEL} === 'popular'")
    assert page.run("document.querySelector('#notice').checkVisibility()")
    page.run("document.querySelector('#film-input').focus()")
    for letter in "film 12":
        page.press(letter)
    page.until("document.querySelectorAll('#film-options li').length > 0")
    page.press("ArrowDown", "Enter")
    page.until("document.querySelector('#film').open")
    page.run("document.querySelector('#stars input:nth-of-type(1)').focus()")
    page.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    page.until(f"{LEVEL} === 'light'")
    user = page.run("location.hash.slice(1)")
    assert codes(page_site.recommend(user, k=12)["items"]) == [int(i) for i in page.run(SHOWN)]


def test_a_user_is_chosen_from_the_keyboard(page):
    page.run("document.querySelector('#user-input').focus()")
    page.press("5", "0")
    page.until("document.querySelector('#user-options li')?.textContent.startsWith('50')")
    page.press("ArrowDown", "Enter")
    page.until("document.querySelector('#who-title').textContent === 'User 50'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_read_it(page, width, dark):
    page.window(width, 844, dark=dark, phone=width < 500)
    found = page.run(CONTRAST)
    assert found["n"] > 80
    assert found["bad"] == []
    page.run("document.querySelector('#films .poster').click()")
    page.until("document.querySelectorAll('#similar .row').length === 2")
    found = page.run(CONTRAST)
    assert found["bad"] == []
    assert page.run(UNNAMED) == []
    # Nothing sticks out to the side, which on a phone would let the page slip about.
    assert page.run("document.documentElement.scrollWidth") <= width


def test_the_test_of_contrast_sees_what_nobody_can_read(page):
    page.run("document.querySelector('#who-title').style.color = '#bbb'")
    assert page.run(CONTRAST)["bad"][0][0] == "User 10"


def test_the_focus_is_seen_and_goes_through_all_controls(page):
    page.run("document.body.focus()")
    seen = set()
    for _ in range(60):
        page.press("Tab")
        seen.add(page.run("document.activeElement.id || document.activeElement.className"))
        outline = page.run("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.run("document.activeElement.outerHTML")
    assert {"user-input", "surprise", "newcomer", "film-input", "poster"} <= seen


def test_the_page_of_the_api_lists_all_there_is(page, page_site: Site):
    page.open(f"{page_site.url}/docs")
    page.until("document.querySelectorAll('article').length > 0")
    paths = page_site.get("/openapi.json")["paths"]
    expected = sum(len(verbs) for verbs in paths.values())
    assert page.run("document.querySelectorAll('article').length") == expected
