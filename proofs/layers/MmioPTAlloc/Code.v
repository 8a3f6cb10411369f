(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioPTAlloc.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_alloc_smmu_pgd_page : func :=
  mkfunc (Some U64) [] ["next"]
    (Sseq (Scall (Some "next") "get_smmu_pgd_next" [])
    (Sseq (Sif
            (Ecmp Cle (Ebin Oadd U64 (Evar "next") (Econst 4096)) (Econst 2162688))
            (Scall None "set_smmu_pgd_next" [Ebin Oadd U64 (Evar "next") (Econst 4096)])
            (Scall None "panic" []))
    (Sreturn (Some (Evar "next"))))).

Definition f_alloc_smmu_pmd_page : func :=
  mkfunc (Some U64) [] ["next"]
    (Sseq (Scall (Some "next") "get_smmu_pmd_next" [])
    (Sseq (Sif
            (Ecmp Cle (Ebin Oadd U64 (Evar "next") (Econst 4096)) (Econst 3211264))
            (Scall None "set_smmu_pmd_next" [Ebin Oadd U64 (Evar "next") (Econst 4096)])
            (Scall None "panic" []))
    (Sreturn (Some (Evar "next"))))).

Definition code : module :=
  [("alloc_smmu_pgd_page", f_alloc_smmu_pgd_page);
   ("alloc_smmu_pmd_page", f_alloc_smmu_pmd_page)].
