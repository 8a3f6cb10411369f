(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from PageIndex.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_s2_page_index : func :=
  mkfunc (Some U64) [("addr", U64)] ["block"; "index"; "base"]
    (Sseq (Scall (Some "block") "mem_region_search" [Evar "addr"])
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sif
            (Ecmp Cne (Evar "block") (Econst 4294967295))
            (Sseq (Scall (Some "index") "get_mem_region_index" [Evar "block"])
            (Sif
              (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
              (Sseq (Scall (Some "base") "get_mem_region_base" [Evar "block"])
              (Sset "index"
                (Ebin Oadd U64
                  (Evar "index")
                  (Ebin Odiv U64 (Ebin Osub U64 (Evar "addr") (Evar "base")) (Econst 4096)))))
              Sskip))
            Sskip)
    (Sreturn (Some (Evar "index")))))).

Definition code : module :=
  [("get_s2_page_index", f_get_s2_page_index)].
