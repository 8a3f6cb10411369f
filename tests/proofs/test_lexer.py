# SPDX-License-Identifier: Apache-2.0
"""Sentences, comments and strings of Coq texts; what the scan of the sources finds in them."""

from __future__ import annotations

import pytest

from aetool.proofs.lexer import Unfinished, sentence_at, sentences
from aetool.proofs.summarize import Lines, count_lines
from aetool.proofs.vernacular import scan, scan_options


def texts(source: str) -> list[str]:
    return [sentence.text for sentence in sentences(source.encode())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("A. B.", ["A.", "B."]),
        ("A.b c.", ["A.b c."]),
        ('(* A. (* B. *) " *) " C. *) D.', ["D."]),
        ('Notation "x . y" := z. E.', ['Notation "" := z.', "E."]),
        ('F "a "" b. ". G.', ['F """".', "G."]),
        ("- idtac. { exact x. } ++ auto.", ["-", "idtac.", "{", "exact x.", "}", "++", "auto."]),
        ("2:{ auto. } [ x ] : { f. }", ["2:{", "auto.", "}", "[ x ] : {", "f.", "}"]),
        ("Proof with auto. intros...", ["Proof with auto.", "intros..."]),
        ("Notation f x .. y := (g x .. y).", ["Notation f x .. y := (g x .. y)."]),
        ("Lemma\n  x (* why *) :\n  é.", ["Lemma x : é."]),
        ("", []),
    ],
)
def test_sentences(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    ("source", "what", "line"),
    [("A.\n(* B", "comment", 2), ('A.\n\nB "c', "string", 3), ("A.\nB", "sentence", 2)],
)
def test_what_is_not_ended_is_named_with_its_line(source: str, what: str, line: int) -> None:
    with pytest.raises(Unfinished, match=f"line {line}: this {what} is not ended"):
        texts(source)


def test_the_sentence_around_a_byte_position_counts_bytes_not_characters() -> None:
    source = "Definition é := 1.\nLemma x : y.".encode()
    found = sentence_at(source, source.index(b"x"))
    assert found is not None
    assert source[found.start : found.end] == b"Lemma x : y."
    assert found.line == 2


def found(source: str) -> list[str]:
    return [finding.subject for finding in scan("F.v", source.encode()) if not finding.warning]


@pytest.mark.parametrize(
    ("source", "subject"),
    [
        ("Goal True.\nAdmitted.", "F.v:Admitted"),
        ("Goal True. Proof. auto; admit.", "F.v:admit"),
        ("Ltac t := try give_up.", "F.v:give_up"),
        ("Axiom a : x.", "F.v:Axiom:a"),
        ("#[local] Axiom a : x.", "F.v:Axiom:a"),
        ('#[local, deprecated(note="[")]\nAxiom a : x.', "F.v:Axiom:a"),
        ("Local Parameter (a b : nat).", "F.v:Parameter:a"),
        ("Time Axiom a : x.", "F.v:Axiom:a"),
        ("Timeout 5 Axiom a : x.", "F.v:Axiom:a"),
        ("(* in a *) Conjecture (* comment *) a : x.", "F.v:Conjecture:a"),
        ("Section S. Axiom a : x. End S.", "F.v:Axiom:a"),
        ("Section S. End S. Variable a : x.", "F.v:Variable:a"),
        ("Module M. Hypothesis a : x. End M.", "F.v:Hypothesis:a"),
        ("Module Type T. End T. Parameter a : x.", "F.v:Parameter:a"),
        ("Module Type T := S. Parameter a : x.", "F.v:Parameter:a"),
        ("Module Import M : T. Context (a : x).", "F.v:Context:a"),
        ("Declare Module M : T.", "F.v:Declare-Module"),
        ("Unset Guard Checking.", "F.v:Unset-Guard-Checking"),
        ("Local Unset  Positivity\n Checking.", "F.v:Unset-Positivity-Checking"),
        ("#[bypass_check(universes)] Definition x := 1.", "F.v:bypass_check"),
        ('Load "G".', "F.v:Load"),
        ('Declare ML Module "p".', "F.v:Declare-ML-Module"),
        ("Admit Obligations.", "F.v:Admit"),
        ("Primitive int := #int63_type.", "F.v:Primitive"),
        ("Definition x := 1. (* never ended", "F.v:unfinished"),
    ],
)
def test_each_forbidden_command_is_found(source: str, subject: str) -> None:
    assert subject in found(source)


@pytest.mark.parametrize(
    "source",
    [
        "(* Axiom a : x. Admitted. *)",
        'Definition s := "Axiom a : x. Admitted.".',
        "Section S. Variable a : x. Context {b : y}. Hypothesis c : z. End S.",
        "Module M. Section S. Variable a : x. End S. End M.",
        "Module Type T. Parameter a : x. Axiom b : y. Declare Module N : T. End T.",
        "Fail Axiom a : x.",
        "Lemma admitted_twice : readmit = admit_me.",
        "Set Guard Checking_me. Unset Printing Notations.",
        "Definition Parameter := 1. Notation Axiom := Parameter.",
        "Module F (X : T). Definition y := X.a. End F.",
    ],
)
def test_what_is_harmless_is_not_found(source: str) -> None:
    assert found(source) == []


def test_leftovers_are_warnings() -> None:
    warnings = list(scan("F.v", b"Print x. Time Definition y := 1. Check y."))
    assert [finding.subject for finding in warnings] == ["F.v:Print", "F.v:Time", "F.v:Check"]
    assert all(finding.warning for finding in warnings)


@pytest.mark.parametrize(
    "arguments",
    [["-type-in-type"], ["-impredicative-set"], ["-vok"], ["-unset", "Guard Checking"], ["-l", "file.v"]],
)
def test_options_that_weaken_the_check_are_found(arguments: list[str]) -> None:
    assert len(list(scan_options(arguments))) == 1


def test_harmless_options_are_not_found() -> None:
    assert list(scan_options(["-w", "+all", "-noinit", "-set", "Default Goal Selector=!"])) == []


def test_lines_of_specification_and_of_proof_are_told_apart() -> None:
    source = (
        b"(* a\n b *)\nDefinition x :=\n  1.\n\nLemma y : x = 1.\nProof.\n  reflexivity.\n\n  (* z *)\nQed.\n"
    )
    assert count_lines(source) == Lines(spec=3, proof=3)
