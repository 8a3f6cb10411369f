(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from NPTWalk.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_npt_level : func :=
  mkfunc (Some U32) [("vmid", U32); ("addr", U64)] ["vttbr"; "pgd"; "pud"; "pmd"; "pte"; "level"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sset "level" (Econst 0))
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
            (Sseq (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"])
            (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 0))
              (Sset "level" (Econst 3))
              Sskip))
            (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560)) (Econst 0))
              (Sset "level" (Econst 2))
              Sskip))
    (Sreturn (Some (Evar "level"))))))))).

Definition f_walk_npt : func :=
  mkfunc (Some U64) [("vmid", U32); ("addr", U64)] ["vttbr"; "pgd"; "pud"; "pmd"; "pte"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sset "pte" (Evar "pmd"))
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
            (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"])
            Sskip)
    (Sreturn (Some (Evar "pte"))))))))).

Definition f_set_npt : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("level", U32); ("pte", U64)] ["vttbr"; "pgd"; "pud"; "pmd"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Evar "level") (Econst 2))
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 1])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 1])
    (Sif
      (Ecmp Ceq (Evar "level") (Econst 2))
      (Sseq (Scall None "set_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Evar "pte"])
      (Scall None "tlb_flush" [Evar "vmid"; Econst 18446744073709551615]))
      (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 1])
      (Sseq (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
              (Scall None "panic" [])
              Sskip)
      (Sseq (Scall None "set_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"; Evar "pte"])
      (Scall None "tlb_flush" [Evar "vmid"; Evar "addr"]))))))))).

Definition code : module :=
  [("get_npt_level", f_get_npt_level);
   ("walk_npt", f_walk_npt);
   ("set_npt", f_set_npt)].
