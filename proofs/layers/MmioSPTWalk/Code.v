(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioSPTWalk.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_walk_smmu_pt : func :=
  mkfunc (Some U64) [("cbndx", U32); ("index", U32); ("addr", U64)] ["ttbr"; "pgd"; "pmd"; "pte"]
    (Sseq (Scall (Some "ttbr") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
    (Sseq (Scall (Some "pgd") "walk_smmu_pgd" [Evar "ttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_smmu_pmd" [Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pte") "walk_smmu_pte" [Evar "pmd"; Evar "addr"])
    (Sreturn (Some (Evar "pte"))))))).

Definition f_set_smmu_pt : func :=
  mkfunc None [("cbndx", U32); ("index", U32); ("addr", U64); ("pte", U64)] ["ttbr"; "pgd"; "pmd"]
    (Sseq (Scall (Some "ttbr") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
    (Sseq (Scall (Some "pgd") "walk_smmu_pgd" [Evar "ttbr"; Evar "addr"; Econst 1])
    (Sseq (Scall (Some "pmd") "walk_smmu_pmd" [Evar "pgd"; Evar "addr"; Econst 1])
    (Sseq (Scall None "set_smmu_pte" [Evar "pmd"; Evar "addr"; Evar "pte"])
    (Scall None "smmu_tlb_flush" [Evar "cbndx"; Evar "index"; Evar "addr"]))))).

Definition f_clear_smmu_pt : func :=
  mkfunc None [("cbndx", U32); ("index", U32)] ["ttbr"]
    (Sseq (Scall (Some "ttbr") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
    (Sseq (Scall None "clear_smmu_pgd" [Evar "ttbr"])
    (Scall None "smmu_tlb_flush" [Evar "cbndx"; Evar "index"; Econst 18446744073709551615]))).

Definition code : module :=
  [("walk_smmu_pt", f_walk_smmu_pt);
   ("set_smmu_pt", f_set_smmu_pt);
   ("clear_smmu_pt", f_clear_smmu_pt)].
