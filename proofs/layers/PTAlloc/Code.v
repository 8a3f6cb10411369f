(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from PTAlloc.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_alloc_pgd_page : func :=
  mkfunc (Some U64) [("vmid", U32)] ["next"]
    (Sseq (Scall (Some "next") "get_pgd_next" [Evar "vmid"])
    (Sseq (Sif
            (Ecmp Cle
              (Ebin Oadd U64 (Evar "next") (Econst 4096))
              (Ebin Oadd U64
                (Ebin Oadd U64 (Econst 65536) (Ebin Omul U64 (Econst 33554432) (Evar "vmid")))
                (Econst 1052672)))
            (Scall None "set_pgd_next" [Evar "vmid"; Ebin Oadd U64 (Evar "next") (Econst 4096)])
            (Scall None "panic" []))
    (Sreturn (Some (Evar "next"))))).

Definition f_alloc_pud_page : func :=
  mkfunc (Some U64) [("vmid", U32)] ["next"]
    (Sseq (Scall (Some "next") "get_pud_next" [Evar "vmid"])
    (Sseq (Sif
            (Ecmp Cle
              (Ebin Oadd U64 (Evar "next") (Econst 4096))
              (Ebin Oadd U64
                (Ebin Oadd U64 (Econst 65536) (Ebin Omul U64 (Econst 33554432) (Evar "vmid")))
                (Econst 9441280)))
            (Scall None "set_pud_next" [Evar "vmid"; Ebin Oadd U64 (Evar "next") (Econst 4096)])
            (Scall None "panic" []))
    (Sreturn (Some (Evar "next"))))).

Definition f_alloc_pmd_page : func :=
  mkfunc (Some U64) [("vmid", U32)] ["next"]
    (Sseq (Scall (Some "next") "get_pmd_next" [Evar "vmid"])
    (Sseq (Sif
            (Ecmp Cle
              (Ebin Oadd U64 (Evar "next") (Econst 4096))
              (Ebin Oadd U64
                (Ebin Oadd U64 (Econst 65536) (Ebin Omul U64 (Econst 33554432) (Evar "vmid")))
                (Econst 33554432)))
            (Scall None "set_pmd_next" [Evar "vmid"; Ebin Oadd U64 (Evar "next") (Econst 4096)])
            (Scall None "panic" []))
    (Sreturn (Some (Evar "next"))))).

Definition code : module :=
  [("alloc_pgd_page", f_alloc_pgd_page);
   ("alloc_pud_page", f_alloc_pud_page);
   ("alloc_pmd_page", f_alloc_pmd_page)].
