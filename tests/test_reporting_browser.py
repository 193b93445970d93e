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


def browse(page, width=1440):
    """The document after its scripts ran, and what the console said."""
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
    text = (folder / name).read_text().replace("</body>", f"<script>{script}</script></body>")
    path.write_text(text)
    return path


def test_the_console_is_heard(folder):
    page = scripted(folder, "index.html", "undefined_name()")
    assert any("undefined_name" in line for line in browse(page)[1])


@pytest.mark.parametrize("name", ["index.html", "pairs/off.html"])
def test_no_console_error_and_nothing_wider_than_the_window(folder, name):
    wide = "document.title = document.documentElement.scrollWidth <= innerWidth ? 'fits' : 'wide'"
    for width in (1440, 390):
        document, complaints = browse(scripted(folder, name, wide), width)
        assert complaints == []
        assert "<title>fits</title>" in document


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
