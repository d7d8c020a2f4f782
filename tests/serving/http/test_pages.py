"""The page in a real Chromium, behind a stand-in for an API Gateway: a stage before the path, a key, refusals of its own."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from serving.settings import Settings
from tests.support.browser import CHROMIUM, chromium
from tests.support.fakes import THRESHOLDS, ListTelemetry, colour_app, picture

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

KEY = "the-key-of-the-gateway"
REFUSED = '{"title":"Forbidden","code":"INVALID_API_KEY","request_id":"0f1e"}'  # as deploy/gateway.yml has it written


class Gateway:
    """What stands before the app: it strips the stage /dev and refuses what a real one refuses, in its own words."""

    def __init__(self) -> None:
        self.telemetry = ListTelemetry()
        self.app = colour_app(Settings(api_key_needed=True), telemetry=self.telemetry)
        self.judging = colour_app(Settings(api_key_needed=True), THRESHOLDS, telemetry=self.telemetry)
        self.refusal: Response | None = None

    def __call__(self, environ, start_response):
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/dev") or "/"
        answer = self.app
        if environ["PATH_INFO"].startswith("/v1/"):
            answer = self.refusal or answer
            if environ.get("HTTP_X_API_KEY") != KEY:
                answer = Response(REFUSED, 403, content_type="application/problem+json")
        return answer(environ, start_response)


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with chromium() as tab:
        yield tab


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def page(tab: Page, gateway: Gateway) -> Iterator[Page]:
    """The page, freshly opened at the stage's bare address."""
    server = make_server("127.0.0.1", 0, gateway, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    tab.goto(f"http://127.0.0.1:{server.port}/dev")
    yield tab
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def photo(tmp_path) -> Path:
    (tmp_path / "photo.jpg").write_bytes(picture("red"))
    return tmp_path / "photo.jpg"


def text(page: Page, id: str) -> str:
    return page.locator(f"#{id}").inner_text()


def enter_key(page: Page, key: str = KEY) -> None:
    page.evaluate(f"document.getElementById('key').value = {key!r}")


def reach(page: Page, state: str) -> None:
    """Wait until the page is in this state."""
    expect(page.locator("main")).to_have_attribute("data-state", state, timeout=30_000)


def test_a_chosen_picture_is_named_with_bars(page, photo):
    enter_key(page)
    page.set_input_files("#file", photo)
    reach(page, "result")
    assert text(page, "outcome") == "Red"
    assert text(page, "labels").split("\n")[0] == "red"
    page.wait_for_function("parseFloat(document.querySelector('.fill').style.width) > 95")
    assert "colours, version 3 · 64 × 48 JPEG" in text(page, "facts")


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_a_picture_may_be_pasted_or_dropped(page, event):
    enter_key(page)
    numbers = list(picture("blue"))
    page.evaluate(
        f"""{{
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array({numbers})], "photo.jpg", {{ type: "image/jpeg" }}));
          const options = {{ bubbles: true, clipboardData: data, dataTransfer: data }};
          document.body.dispatchEvent("{event}" === "paste" ? new ClipboardEvent("paste", options) : new DragEvent("drop", options));
        }}"""
    )
    reach(page, "result")
    assert text(page, "outcome") == "Blue"


def test_a_picture_that_cannot_be_used_is_explained_in_words(page, tmp_path):
    enter_key(page)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(picture("red")[:300])
    page.set_input_files("#file", broken)
    reach(page, "error")
    assert text(page, "problem-title") == "This picture cannot be used"
    assert "cannot be decoded" in text(page, "problem-detail")
    assert text(page, "problem-code").startswith("corrupt_image · request ")
    assert page.evaluate("document.getElementById('again').hidden")


def test_a_refused_key_is_asked_for_and_the_picture_sent_again(page, photo):
    enter_key(page, "wrong")
    page.set_input_files("#file", photo)
    reach(page, "error")
    assert text(page, "problem-title") == "The API key was not accepted"
    assert page.evaluate("document.activeElement.id") == "key"
    enter_key(page)
    page.keyboard.press("Enter")
    reach(page, "result")


@pytest.mark.parametrize(
    ("status", "title", "passes"), [(429, "Too many at once", True), (504, "Too slow", True), (413, "Too large", False)]
)
def test_what_a_gateway_refuses_in_its_own_words_is_explained_too(page, gateway, photo, status, title, passes):
    enter_key(page)
    gateway.refusal = Response('{"message":null}', status, content_type="application/json")
    page.set_input_files("#file", photo)
    reach(page, "error")
    assert text(page, "problem-title") == title
    assert page.evaluate("document.getElementById('again').hidden") is not passes


def test_what_passes_may_be_tried_again(page, gateway, photo):
    enter_key(page)
    gateway.refusal = Response("{}", 503, content_type="application/json")
    page.set_input_files("#file", photo)
    reach(page, "error")
    gateway.refusal = None
    page.evaluate("document.getElementById('again').click()")
    reach(page, "result")


def test_a_service_out_of_reach_is_explained(page, photo):
    enter_key(page)
    page.evaluate("void (window.fetch = () => Promise.reject(new TypeError('Failed to fetch')))")
    page.set_input_files("#file", photo)
    reach(page, "error")
    assert text(page, "problem-title") == "No connection"


def test_a_picture_too_large_for_the_gateway_is_scaled_down_first(page, gateway, tmp_path):
    enter_key(page)
    large = tmp_path / "large.bmp"
    large.write_bytes(picture("red", (3000, 1500), "BMP"))  # 13 MB
    page.set_input_files("#file", large)
    reach(page, "result")
    assert "2048 × 1024 JPEG" in text(page, "facts")
    assert gateway.telemetry.lines[-1]["bytes"] < 4e6


def test_the_key_lives_in_memory_only(page, photo):
    enter_key(page)
    page.set_input_files("#file", photo)
    reach(page, "result")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie].join()") == "0,0,"
    page.reload()
    reach(page, "idle")
    assert page.evaluate("document.getElementById('key').value") == ""


@pytest.mark.parametrize(
    ("colour", "outcome", "hint", "bars"),
    [
        ("red", "Red", "", 3),
        ("yellow", "Perhaps green", "Let a person look", 3),
        ("white", "Nothing it was taught", "would be a guess", 0),
    ],
)
def test_the_page_says_whether_an_answer_may_be_relied_on(page, gateway, tmp_path, colour, outcome, hint, bars):
    gateway.app = gateway.judging
    enter_key(page)
    (tmp_path / "photo.jpg").write_bytes(picture(colour))
    page.set_input_files("#file", tmp_path / "photo.jpg")
    reach(page, "result")
    assert text(page, "outcome") == outcome
    assert hint in text(page, "hint")
    assert page.locator("#labels li").count() == bars
    assert page.locator("#where").is_visible() == bool(bars)


OPACITY = """(x) => {
  const canvas = document.getElementById("heat");
  return canvas.getContext("2d").getImageData(canvas.width * x, canvas.height / 2, 1, 1).data[3];
}"""


def test_a_veil_over_the_picture_is_clear_where_the_label_comes_from(page, tmp_path):
    half = Image.new("RGB", (200, 100), "black")
    half.paste("red", (0, 0, 100, 100))
    half.save(tmp_path / "half.png")
    enter_key(page)
    page.set_input_files("#file", tmp_path / "half.png")
    reach(page, "result")
    assert not page.locator("#heat").is_visible()
    page.click("#where")
    assert page.get_attribute("#where", "aria-pressed") == "true"
    assert page.locator("#heat").bounding_box() == page.locator("#preview").bounding_box()
    assert page.evaluate("[heat.width, heat.height]") == [512, 256]
    assert page.evaluate(OPACITY, 0.1) < 10
    assert page.evaluate(OPACITY, 0.9) > 190
    page.click("#where")
    assert not page.locator("#heat").is_visible()


def test_the_keyboard_reaches_everything_in_order(page):
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["docs", "key", "choose", "SUMMARY"]


def test_a_screen_reader_hears_every_control_and_the_answer(page, photo):
    enter_key(page)
    page.set_input_files("#file", photo)
    reach(page, "result")
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    heard = {
        (node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in nodes if not node["ignored"]
    }
    assert {
        ("textbox", "API key"),
        ("button", "Choose another"),
        ("link", "API"),
        ("image", "The picture you chose"),
    } <= heard
    assert ("StaticText", "red") in heard
    assert {"status", "heading", "list", "listitem", "main", "banner"} <= {role for role, _ in heard}
    assert not [role for role, name in heard if role in ("button", "link", "textbox") and not name]


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
@pytest.mark.parametrize("address", ["", "/docs"])
def test_nothing_is_wider_than_the_screen(page, address, width):
    phone = width < 500
    device = page.context.browser.new_context(
        viewport={"width": width, "height": 900}, has_touch=phone, is_mobile=phone
    )
    with device:
        screen = device.new_page()
        screen.goto(page.url + address)
        assert screen.evaluate("document.documentElement.scrollWidth") <= width
        offers_camera = screen.evaluate("document.getElementById('photograph')?.offsetParent != null")
        assert offers_camera == (phone and not address)


def test_nothing_is_fetched_from_elsewhere(page, photo):
    page.evaluate(
        "window.refused = []; document.addEventListener('securitypolicyviolation', (e) => refused.push(e.blockedURI))"
    )
    enter_key(page)
    page.set_input_files("#file", photo)
    reach(page, "result")
    own = page.evaluate("location.origin")
    fetched = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in fetched if not name.startswith((own, "blob:", "data:"))] == []
    assert page.evaluate("refused") == []


def test_several_pictures_give_several_answers(page, gateway, tmp_path):
    enter_key(page)
    colours = ("red", "green", "blue")
    for colour in colours:
        (tmp_path / f"{colour}.jpg").write_bytes(picture(colour))
    page.set_input_files("#file", [tmp_path / f"{colour}.jpg" for colour in colours])
    tiles = page.locator("#several button")
    expect(tiles).to_have_text(list(colours))
    expect(page.locator("#outcome")).to_have_text("red")  # the first is shown again when all have answers
    tiles.nth(2).click()
    assert text(page, "outcome") == "Blue"
    assert len(gateway.telemetry.lines) - 1 == 3, (
        "the page and a request a picture: what was answered is not asked again"
    )


def test_what_is_no_picture_among_several_is_not_passed_over(page, tmp_path):
    enter_key(page)
    (tmp_path / "red.jpg").write_bytes(picture("red"))
    (tmp_path / "notes.txt").write_text("roses are red")
    page.set_input_files("#file", [tmp_path / "red.jpg", tmp_path / "notes.txt"])
    tiles = page.locator("#several button")
    expect(tiles).to_have_text(["red", "no answer"])
    tiles.nth(1).click()
    assert text(page, "problem-title") == "Not a picture it can read"
