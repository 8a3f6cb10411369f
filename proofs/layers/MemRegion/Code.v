(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MemRegion.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_mem_region_search : func :=
  mkfunc (Some U32) [("addr", U64)] ["n"; "found"; "i"; "base"; "size"]
    (Sseq (Scall (Some "n") "get_mem_region_cnt" [])
    (Sseq (Sset "found" (Econst 4294967295))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_mem_region_base" [Evar "i"])
            (Sseq (Scall (Some "size") "get_mem_region_size" [Evar "i"])
            (Sseq (Sif
                    (Eland
                      (Ecmp Cle (Evar "base") (Evar "addr"))
                      (Ecmp Clt (Evar "addr") (Ebin Oadd U64 (Evar "base") (Evar "size"))))
                    (Sset "found" (Evar "i"))
                    Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1)))))))
    (Sreturn (Some (Evar "found"))))))).

Definition code : module :=
  [("mem_region_search", f_mem_region_search)].
