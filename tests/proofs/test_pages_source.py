# SPDX-License-Identifier: Apache-2.0
"""Taking source files apart: prose, sentences, tokens, and the names that a sentence defines."""

from __future__ import annotations

from pathlib import Path

import pytest

from aetool.proofs.lexer import Unfinished
from aetool.proofs.pages_markup import anchors, c_tokens, coq_tokens, defined_names
from aetool.proofs.pages_source import Block, Code, Filler, Prose, c_prose, coq_prose, fragments

TEXT = b"""\
(* SPDX-License-Identifier: Apache-2.0 *)
(** What [f x] is. *)
Definition f (x : nat) := (* a (* nested *) remark. *) x + 1.

(** * Proofs

    By cases:
    - zero;
    - [S n], with [[a; b]].  *)
Lemma g : forall n, n = n /\\ True. (* plain *)
Proof. split. 2:{ exact I. } [ x ] : { idtac. } - reflexivity. Qed.
"""


def codes(data: bytes) -> list[Code]:
    return [part for part in fragments(data) if isinstance(part, Code)]


def test_sentences_prose_and_comments() -> None:
    """Sentences keep inner comments; a selector with a brace is a sentence; the licence is dropped."""
    assert [part.text for part in codes(TEXT)] == [
        "Definition f (x : nat) := (* a (* nested *) remark. *) x + 1.",
        "Lemma g : forall n, n = n /\\ True.",
        "Proof.", "split.", "2:{", "exact I.", "}", "[ x ] : {", "idtac.", "}", "-", "reflexivity.", "Qed.",
    ]  # fmt: skip
    assert [part.line for part in codes(TEXT)][:2] == [3, 10]
    prose = [part for part in fragments(TEXT) if isinstance(part, Prose)]
    assert prose[0].blocks == (Block("paragraph", 0, ((False, "What "), (True, "f x"), (False, " is."))),)
    assert not any("SPDX" in part.text for part in fragments(TEXT) if isinstance(part, Filler))
    assert any("(* plain *)" in part.text for part in fragments(TEXT) if isinstance(part, Filler))


def test_nothing_is_lost(project: Path) -> None:
    """The pieces of every file of the tree, put together, are the file without prose and licence."""
    for path in sorted((project / "proofs").rglob("*.v")):
        data = path.read_bytes()
        together = "".join(part.text for part in fragments(data) if not isinstance(part, Prose))
        kept = "".join(together.split())
        whole = "".join(data.decode().split())
        position = 0
        for character in kept:
            position = whole.find(character, position) + 1
            assert position, path
        assert len(codes(data)) > 0


def test_prose_blocks() -> None:
    """Headings have levels, list items stand alone, brackets nest, an open bracket is a plain sign."""
    blocks = list(coq_prose("* Proofs\n\n By cases:\n - zero;\n - [S n], with [[a; b]].\n\n an open [ sign"))
    assert [(block.kind, block.level, block.text) for block in blocks] == [
        ("heading", 1, "Proofs"),
        ("paragraph", 0, "By cases:"),
        ("item", 0, "zero;"),
        ("item", 0, "S n, with [a; b]."),
        ("paragraph", 0, "an open [ sign"),
    ]
    assert blocks[3].pieces[2] == (True, "[a; b]")


def test_c_prose_is_the_opening_comment_without_the_licence() -> None:
    """The licence line is skipped, the stars are taken off, paragraphs are kept; none is no error."""
    text = "/* SPDX-License-Identifier: Apache-2.0 */\n/*\n * Layer 5.\n *\n * Two\n * lines.\n */\nint x;\n"
    assert [block.text for block in c_prose(text)] == ["Layer 5.", "Two lines."]
    assert c_prose("int x;\n") == []


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        (b"Definition f := 1.", ["f"]),
        (b"#[export] Instance i : C := {}.", ["i"]),
        (b"Local Lemma l' : True.", ["l'"]),
        (b"Inductive t := A | B (n : nat) | C.", ["t", "A", "B", "C"]),
        (b"Record r := mk { one : nat; two : nat }.", ["r", "mk", "one", "two"]),
        (b"Ltac go := idtac.", ["go"]),
        (b"Proof.", []),
        (b'Notation "a ++ b" := (f a b).', []),
        (b"apply Definition.", []),
    ],
)
def test_defined_names(sentence: bytes, names: list[str]) -> None:
    """A declaration gives its own name, and those of constructors and fields."""
    assert defined_names(codes(sentence)[0]) == names


def test_anchors_are_the_first_definition() -> None:
    """A name that is defined twice is found at its first place."""
    assert anchors(codes(b"Definition a := 1. Definition b := a. Module M. Definition a := 2. End M.")) == {
        "a": 0,
        "b": 1,
    }


def test_tokens_keep_the_text_and_mark_it() -> None:
    """Tokens put together are the text; comments, strings, numbers, keywords and links are told apart."""
    text = 'Definition x\' := (* "a" *) f "b ""c""" 12 M.g.'
    tokens = coq_tokens(text, lambda word: {"f": "u", "M.g": "v"}.get(word, ""))
    assert "".join(token.text for token in tokens) == text
    marked = {(token.text, token.kind, token.link) for token in tokens if token.kind or token.link}
    assert marked == {
        ("Definition", "keyword", ""),
        ('(* "a" *)', "comment", ""),
        ("f", "", "u"),
        ('"b ""c"""', "string", ""),
        ("12", "number", ""),
        ("M.g", "", "v"),
    }
    source = "#define A 1\nu32 f(u32 a) /* x */\n{ return g(a); }\n"
    found = c_tokens(source, lambda word: "there" if word == "g" else "")
    assert "".join(token.text for token in found) == source
    assert [token.kind for token in found if token.text.startswith("#define")] == ["directive"]
    assert [token.link for token in found if token.text == "g"] == ["there"]


def test_a_file_that_is_not_ended() -> None:
    """An open comment or sentence is an error that says where it starts."""
    with pytest.raises(Unfinished, match="line 2"):
        fragments(b"Check 1.\nCheck 2")
