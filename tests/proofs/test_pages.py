# SPDX-License-Identifier: Apache-2.0
"""The pages of a tree: links, goals, what is told, what is done again after a change, and a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from threading import Event
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from aetool.cli.proofs_pages import pages as command
from aetool.core.errors import Interrupted, ProofError
from aetool.proofs import pages_trace
from aetool.proofs.build import Options, build, prepare
from aetool.proofs.clight import regenerate
from aetool.proofs.coqtop import Coqtop
from aetool.proofs.plan import Request

MANIFEST = """\
root: SeKVM
parts:
  - {name: lib, kind: library, title: the calculus, folder: lib}
layers:
  - {number: 1, name: Toy, group: Test, functions: [half]}
  - {number: 2, name: Later, group: Test, functions: [none]}
"""
THEOREMS = """\
theorems:
  - name: SeKVM.layers.Toy.Refine.Toy_refines
    claim: Halving <never> rounds up.
    prose: Whatever number is given, twice the result is not more than the number.
    statement: sha256:0000000000000000000000000000000000000000000000000000000000000000
    witnesses: [SeKVM.layers.Toy.Spec.half_spec]
"""
PRIMS = "typedef unsigned int u32;\ntypedef unsigned long long u64;\nu32 half(u32 x);\n"
SOURCE = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1, Toy: halves a number & keeps <nothing>.
 */
#include "../prims.h"

u32 half(u32 x)
{
	return x / 2U;
}
"""
SPEC = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(** What [half x] is; <script>alert(1)</script> is only text. *)
From Coq Require Import String.
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition half_spec (x : Z) : Z := x / 2.
Inductive colour := Red | Green.
Definition hostile : string := "<script>alert(2)</script>&amp;".
Check "<b>".
"""
REFINE = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(** The theorem. *)
From Coq Require Import ZArith Lia.
From SeKVM.layers.Toy Require Import Spec.
Local Open Scope Z_scope.

(** * It does not round up *)
Lemma two : Red = Red /\\ 2 * 1 = 2.
Proof.
  split.
  - reflexivity.
  - reflexivity.
Qed.

Theorem Toy_refines x : 2 * half_spec x <= x.
Proof.
  unfold half_spec.
  Z.div_mod_to_equations. lia.
Qed.
"""


@pytest.fixture
def checkout(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the real language and one small layer; the working directory is in it."""
    folder = tmp_path / "proofs" / "layers" / "Toy"
    for path in (
        folder,
        tmp_path / "proofs" / "lib",
        *(tmp_path / n for n in ("benchmarks", "reports", "cloudlab")),
    ):
        path.mkdir(parents=True)
    shutil.copy(project / "proofs/lib/Lang.v", tmp_path / "proofs/lib")
    (tmp_path / "proofs/tree.yaml").write_text(MANIFEST)
    (tmp_path / "proofs/theorems.yaml").write_text(THEOREMS)
    (tmp_path / "proofs/layers/prims.h").write_text(PRIMS)
    for name, text in (("Toy.c", SOURCE), ("Spec.v", SPEC), ("Refine.v", REFINE)):
        (folder / name).write_text(text)
    regenerate(folder / "Toy.c", folder / "Code.v")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AETOOL_STORE", str(tmp_path / "store"))
    return tmp_path


def run(expect: int = 0) -> str:
    done = CliRunner().invoke(command, ["-o", "out", "-j", "2"])
    assert (done.exit_code == 0) == (expect == 0), done.exception
    return done.stdout


class Links(HTMLParser):
    """Collects what a page defines and refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.hrefs.append(value or "")


def page(checkout: Path, name: str) -> str:
    return (checkout / "out" / name).read_text()


SPEC_PAGE = "SeKVM.layers.Toy.Spec.html"
REFINE_PAGE = "SeKVM.layers.Toy.Refine.html"


def test_every_link_leads_somewhere_and_nothing_comes_from_outside(checkout: Path) -> None:
    """Each href is a page that exists, with the anchor that it names; ids are unique; no scripts."""
    run()
    read = {path.name: Links(path.read_text()) for path in (checkout / "out").glob("*.html")}
    assert set(read) == {
        "index.html", "SeKVM.lib.Lang.html", SPEC_PAGE, REFINE_PAGE, "SeKVM.layers.Toy.Code.html",
        "layers.Toy.Toy.c.html", "layers.prims.h.html",
    }  # fmt: skip
    for name, links in read.items():
        assert len(links.ids) == len(set(links.ids)), name
        assert not {"script", "iframe", "object", "img"} & set(links.tags)
        for href in links.hrefs:
            target, _, anchor = href.partition("#")
            if href in ("style.css", "data:,"):
                continue
            assert ":" not in href, href
            assert not anchor or unquote(anchor) in read[unquote(target) or name].ids, (name, href)
    refine = read[REFINE_PAGE].hrefs
    assert f"{SPEC_PAGE}#half_spec" in refine
    assert f"{SPEC_PAGE}#Red" in refine
    assert SPEC_PAGE in refine  # the Require line
    assert "SeKVM.lib.Lang.html" in read[SPEC_PAGE].hrefs
    assert "layers.Toy.Toy.c.html#half" in read["index.html"].hrefs


def test_goals_and_messages_are_shown_and_text_stays_text(checkout: Path) -> None:
    """Goals stand after their sentences, messages too, and what looks like markup is escaped."""
    run()
    refine, spec = page(checkout, REFINE_PAGE), page(checkout, SPEC_PAGE)
    after_split = refine.index(">split.<")
    assert refine.index('<span class="conclusion">Red = Red</span>', after_split) > after_split
    assert "1 outside the focus" in refine
    assert '<span class="hypothesis">x : Z</span>' in refine
    assert "<h2>It does not round up</h2>" in refine
    assert '<span class="message notice">&#34;&lt;b&gt;&#34;' in spec
    assert "<script" not in spec
    assert "&lt;script&gt;alert(2)&lt;/script&gt;&amp;amp;" in spec


def test_the_index_tells_claims_layers_and_what_is_missing(checkout: Path) -> None:
    """The index has the theorem map, each layer's own words, its functions, and the layers not yet there."""
    run()
    index = page(checkout, "index.html")
    assert "Halving &lt;never&gt; rounds up." in index
    assert f'<a href="{REFINE_PAGE}#Toy_refines">' in index
    assert "halves a number &amp; keeps &lt;nothing&gt;." in index
    assert f'<a href="{SPEC_PAGE}#half_spec">spec</a>' in index
    assert '<span class="bad">missing</span>' in index  # no code proof of half
    assert "2. Later" in index
    assert index.index("The theorem.") > index.index("1. Toy")


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that go through Coq."""
    files: list[str] = []

    class Watched(Coqtop):
        def __init__(self, options: list[str], *, file: Path, cwd: Path) -> None:
            files.append(file.name)
            super().__init__(options, file=file, cwd=cwd)

    monkeypatch.setattr(pages_trace, "Coqtop", Watched)
    return files


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_what_changed_goes_through_coq_again(checkout: Path, traced: list[str]) -> None:
    """Nothing; one file after a change of a proof; its dependents after one of a definition."""
    layer = checkout / "proofs/layers/Toy"
    run()
    assert sorted(traced) == ["Code.v", "Lang.v", "Refine.v", "Spec.v"]
    traced.clear()
    assert "0 files written" in run()
    assert traced == []
    change(layer / "Refine.v", "unfold half_spec.", "cbv [half_spec].")
    assert "1 files written" in run()
    assert traced == ["Refine.v"]
    traced.clear()
    change(layer / "Spec.v", "Red | Green", "Red | Green | Blue")
    run()
    assert sorted(traced) == ["Refine.v", "Spec.v"]
    traced.clear()
    (checkout / "proofs/.aetool/pages/SeKVM.layers.Toy.Spec.json").write_text('{"key": 1')
    assert "0 files written" in run()
    assert traced == ["Spec.v"]


def test_pages_of_files_that_are_gone_are_removed(checkout: Path) -> None:
    """A removed file's page goes; a file that somebody else put into the folder stays."""
    run()
    (checkout / "out/notes.html").write_text("mine")
    (checkout / "proofs/layers/Toy/Refine.v").unlink()
    run()
    assert not (checkout / "out" / REFINE_PAGE).exists()
    assert page(checkout, "notes.html") == "mine"
    assert "not in the tree" in page(checkout, "index.html")


def test_a_file_that_does_not_check_has_a_page_without_goals(checkout: Path) -> None:
    """The command fails, the other pages are there, and the broken file's page says that it is broken."""
    change(checkout / "proofs/layers/Toy/Refine.v", "split.\n", "spit.\n")
    done = CliRunner().invoke(command, ["-o", "out", "-j", "1"])
    assert isinstance(done.exception, ProofError)
    refine = page(checkout, REFINE_PAGE)
    assert "does not check at present" in refine
    assert "Toy_refines" in refine
    assert "conclusion" not in refine
    assert "1 of them do not check at present" in page(checkout, "index.html")
    assert "<code>" in page(checkout, SPEC_PAGE)


def test_the_same_tree_gives_the_same_bytes(checkout: Path) -> None:
    """Pages made anew, with no stored traces, do not differ."""
    run()
    first = {path.name: path.read_bytes() for path in (checkout / "out").iterdir()}
    shutil.rmtree(checkout / "out")
    shutil.rmtree(checkout / "proofs/.aetool/pages")
    run()
    assert first == {path.name: path.read_bytes() for path in (checkout / "out").iterdir()}


def test_an_interrupted_run_stops_at_the_next_sentence_and_keeps_nothing(checkout: Path) -> None:
    """With the stop sign up no sentence is run, no trace is stored, and a later run does the work."""
    proofs = checkout / "proofs"
    assert build(proofs).passed
    stop = Event()
    stop.set()
    with prepare(proofs, Request(), Options()) as prepared:
        inputs = prepared.inputs("lib/Lang.v")
        with pytest.raises(Interrupted):
            pages_trace.trace_of(prepared.project, "lib/Lang.v", inputs, stop)
        assert not (proofs / ".aetool/pages").exists()
        stop.clear()
        assert pages_trace.trace_of(prepared.project, "lib/Lang.v", inputs, stop).shown


CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


@pytest.fixture
def browser() -> Iterator[object]:
    """A headless Chromium of the system."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.mark.e2e
def test_in_a_browser_without_scripts(checkout: Path, browser: object) -> None:
    """With scripts off, goals open by click and by keyboard, and nothing is loaded from outside."""
    run()
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 800})  # type: ignore[attr-defined]
    tab = context.new_page()
    requested: list[str] = []
    tab.on("request", lambda request: requested.append(request.url))
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((checkout / "out/index.html").as_uri())
    assert tab.title() == "The proofs of SeKVM"
    tab.get_by_role("link", name="SeKVM.layers.Toy.Refine.Toy_refines").click()
    tab.wait_for_url("**/*Refine.html#Toy_refines")
    tab.wait_for_load_state("load")
    label = tab.locator("label.sentence", has_text="split.")
    state = label.locator("xpath=following-sibling::span[@class='state']")
    assert not state.is_visible()
    label.click()
    assert state.is_visible()
    assert "Red = Red" in state.inner_text()
    label.click()
    assert not state.is_visible()
    box = label.locator("xpath=preceding-sibling::input")
    box.focus()
    tab.keyboard.press("Space")
    assert state.is_visible()
    assert tab.locator(".state:visible").count() == 1
    tab.get_by_label("Show all goals").check()
    assert tab.locator(".state:visible").count() > 5
    # no sideways scrolling, on a telephone either
    tab.set_viewport_size({"width": 360, "height": 700})
    assert tab.locator("body").bounding_box()["width"] <= 360
    tab.locator("a", has_text="half_spec").first.click()
    tab.wait_for_url("**/*Spec.html#half_spec")
    assert all(url.startswith("file://") or url.startswith("data:") for url in requested)
    assert problems == []
    context.close()
