"""The report in a browser: scripts run without an error, filter and sort; nothing is too wide."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from test_reporting import PAIR_FILE

from qrun_equiv.pair import load_file
from qrun_equiv.reporting import open_page, report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


FRAME = """<!DOCTYPE html><title>frame</title>
<script>addEventListener("message", (e) => { document.title = e.data; });</script>
<iframe src="%s" width="%d" height="844"></iframe>"""


def browse(page, width=1440):
    """The document after its scripts ran, and what the console said."""
    if width < 500:  # narrower than Chromium's windows: the frame has the title of the page in it
        frame = page.with_suffix(f".{width}.html")
        frame.write_text(FRAME % (page.name, width))
        page = frame
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--window-size={width},900", "--virtual-time-budget=2000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout, [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "pairs.py").write_text(PAIR_FILE)
    pairs = load_file(folder / "pairs.py")[:2]
    return report([(pair, pair.verify()) for pair in pairs], folder).parent


def scripted(folder, name, script):
    """A copy of a page that runs a script of ours at its end."""
    path = (folder / name).with_suffix(".test.html")
    told = f"{script}; if (parent !== window) parent.postMessage(document.title, '*')"
    text = (folder / name).read_text().replace("</body>", f"<script>{told}</script></body>")
    path.write_text(text)
    return path


def test_the_console_is_heard(folder):
    page = scripted(folder, "index.html", "undefined_name()")
    assert any("undefined_name" in line for line in browse(page)[1])


@pytest.mark.parametrize("name", ["index.html", "pairs/off.html"])
def test_no_console_error_and_nothing_wider_than_the_window(folder, name):
    wide = (
        "document.title = innerWidth +"
        "(document.documentElement.scrollWidth <= innerWidth ? ' fits' : ' is too narrow')"
    )
    for width in (1440, 390):
        document, complaints = browse(scripted(folder, name, wide), width)
        assert complaints == []
        assert f"<title>{width} fits</title>" in document


def test_the_filter_and_the_chips_hide_rows(folder):
    count = "document.title = document.querySelector('.shown').textContent;"
    typed = (
        "const box = document.querySelector('.filter input'); box.value = 'ONLY qiskit';"
        "box.dispatchEvent(new Event('input'));"
    )
    assert "<title>1 of 2 shown</title>" in browse(scripted(folder, "index.html", typed + count))[0]
    pressed = "document.querySelector('button[data-status=refuted]').click();"
    assert (
        "<title>0 of 2 shown</title>" in browse(scripted(folder, "index.html", pressed + count))[0]
    )


def test_a_column_sorts_up_and_down(folder):
    script = (
        "const name = () => document.querySelector('.index tbody .name').dataset.value;"
        "const head = document.querySelector('.index th button'); head.click();"
        "const up = name(); head.click(); document.title = up + '/' + name();"
    )
    document, _ = browse(scripted(folder, "index.html", script))
    assert "<title>off/only qiskit</title>" in document


def test_the_theme_can_be_chosen(folder):
    script = (
        "const root = document.documentElement;"
        "addEventListener('load', () => { document.querySelector('button.theme').click();"
        "const one = root.dataset.theme; document.querySelector('button.theme').click();"
        "document.title = one + '/' + root.dataset.theme; });"
    )
    document, _ = browse(scripted(folder, "pairs/off.html", script))
    assert "<title>dark/light</title>" in document


def test_a_page_is_opened_by_its_address(folder, monkeypatch):
    seen = []
    monkeypatch.setattr("webbrowser.open", lambda address: seen.append(address) or True)
    assert open_page(folder / "index.html")
    assert seen == [(folder / "index.html").as_uri()]


def test_paper_is_white_whatever_the_screen_is(folder):
    """In print no rule for dark screens holds: not the system's, not the reader's choice."""
    script = (
        "const rules = [...document.styleSheets[0].cssRules];"
        "const media = rules.filter((r) => r.media).map((r) => r.media.mediaText);"
        "const dark = media.filter((m) => m.includes('dark'));"
        "const print = rules.find((r) => r.media && r.media.mediaText === 'print');"
        "document.documentElement.dataset.theme = 'dark';"
        "const paper = () => getComputedStyle(document.documentElement).backgroundColor;"
        "const screen = paper();"
        "print.media.mediaText = 'screen';"
        "document.title = [dark.length, dark.every((m) => m.startsWith('screen')), screen,"
        "paper()].join('; ');"
    )
    document, complaints = browse(scripted(folder, "index.html", script))
    assert complaints == []
    assert "<title>1; true; rgb(20, 24, 28); rgb(255, 255, 255)</title>" in document
