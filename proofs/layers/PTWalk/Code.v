(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from PTWalk.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_walk_pgd : func :=
  mkfunc (Some U64) [("vmid", U32); ("vttbr", U64); ("addr", U64); ("alloc", U32)] ["p"; "pgd"; "page"]
    (Sseq (Sset "p"
            (Ebin Oor U64
              (Ebin Oand U64 (Evar "vttbr") (Econst 281474976706560))
              (Ebin Omul U64
                (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 39)) (Econst 511))
                (Econst 8))))
    (Sseq (Scall (Some "pgd") "pt_load" [Evar "vmid"; Evar "p"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "pgd") (Econst 0)) (Ecmp Ceq (Evar "alloc") (Econst 1)))
            (Sseq (Scall (Some "page") "alloc_pgd_page" [Evar "vmid"])
            (Sseq (Sset "pgd" (Ebin Oor U64 (Evar "page") (Econst 3)))
            (Scall None "pt_store" [Evar "vmid"; Evar "p"; Evar "pgd"])))
            Sskip)
    (Sreturn (Some (Evar "pgd")))))).

Definition f_walk_pud : func :=
  mkfunc (Some U64) [("vmid", U32); ("pgd", U64); ("addr", U64); ("alloc", U32)] ["p"; "pud"; "page"]
    (Sseq (Sif (Ecmp Ceq (Evar "pgd") (Econst 0)) (Sreturn (Some (Econst 0))) Sskip)
    (Sseq (Sset "p"
            (Ebin Oor U64
              (Ebin Oand U64 (Evar "pgd") (Econst 281474976706560))
              (Ebin Omul U64
                (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 30)) (Econst 511))
                (Econst 8))))
    (Sseq (Scall (Some "pud") "pt_load" [Evar "vmid"; Evar "p"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "pud") (Econst 0)) (Ecmp Ceq (Evar "alloc") (Econst 1)))
            (Sseq (Scall (Some "page") "alloc_pud_page" [Evar "vmid"])
            (Sseq (Sset "pud" (Ebin Oor U64 (Evar "page") (Econst 3)))
            (Scall None "pt_store" [Evar "vmid"; Evar "p"; Evar "pud"])))
            Sskip)
    (Sreturn (Some (Evar "pud"))))))).

Definition f_walk_pmd : func :=
  mkfunc (Some U64) [("vmid", U32); ("pud", U64); ("addr", U64); ("alloc", U32)] ["p"; "pmd"; "page"]
    (Sseq (Sif (Ecmp Ceq (Evar "pud") (Econst 0)) (Sreturn (Some (Econst 0))) Sskip)
    (Sseq (Sset "p"
            (Ebin Oor U64
              (Ebin Oand U64 (Evar "pud") (Econst 281474976706560))
              (Ebin Omul U64
                (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 21)) (Econst 511))
                (Econst 8))))
    (Sseq (Scall (Some "pmd") "pt_load" [Evar "vmid"; Evar "p"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "pmd") (Econst 0)) (Ecmp Ceq (Evar "alloc") (Econst 1)))
            (Sseq (Scall (Some "page") "alloc_pmd_page" [Evar "vmid"])
            (Sseq (Sset "pmd" (Ebin Oor U64 (Evar "page") (Econst 3)))
            (Scall None "pt_store" [Evar "vmid"; Evar "p"; Evar "pmd"])))
            Sskip)
    (Sreturn (Some (Evar "pmd"))))))).

Definition f_walk_pte : func :=
  mkfunc (Some U64) [("vmid", U32); ("pmd", U64); ("addr", U64)] ["pte"]
    (Sseq (Sif (Ecmp Ceq (Evar "pmd") (Econst 0)) (Sreturn (Some (Econst 0))) Sskip)
    (Sseq (Scall
            (Some "pte")
            "pt_load"
            [(Evar "vmid");
             (Ebin Oor U64
               (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560))
               (Ebin Omul U64
                 (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 12)) (Econst 511))
                 (Econst 8)))])
    (Sreturn (Some (Evar "pte"))))).

Definition f_set_pmd : func :=
  mkfunc None [("vmid", U32); ("pud", U64); ("addr", U64); ("pmd", U64)] []
    (Scall None "pt_store"
      [(Evar "vmid");
       (Ebin Oor U64
         (Ebin Oand U64 (Evar "pud") (Econst 281474976706560))
         (Ebin Omul U64
           (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 21)) (Econst 511))
           (Econst 8)));
       (Evar "pmd")]).

Definition f_set_pte : func :=
  mkfunc None [("vmid", U32); ("pmd", U64); ("addr", U64); ("pte", U64)] []
    (Scall None "pt_store"
      [(Evar "vmid");
       (Ebin Oor U64
         (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560))
         (Ebin Omul U64
           (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 12)) (Econst 511))
           (Econst 8)));
       (Evar "pte")]).

Definition code : module :=
  [("walk_pgd", f_walk_pgd);
   ("walk_pud", f_walk_pud);
   ("walk_pmd", f_walk_pmd);
   ("walk_pte", f_walk_pte);
   ("set_pmd", f_set_pmd);
   ("set_pte", f_set_pte)].
