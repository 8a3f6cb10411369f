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

Definition f_dev_load_ref : func :=
  mkfunc (Some U32) [("cbndx", U32); ("index", U32); ("addr", U64); ("reg", U32)] ["ttbr"; "pgd"; "pmd"; "pte"; "done"]
    (Sseq (Sset "done" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Elor
              (Elor
                (Ecmp Cge (Evar "addr") (Econst 1099511627776))
                (Ecmp Cne (Ebin Omod U64 (Evar "addr") (Econst 8)) (Econst 0)))
              (Ecmp Cge (Evar "reg") (Econst 31)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall (Some "ttbr") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
    (Sseq (Scall None "acquire_lock_spt" [])
    (Sseq (Scall (Some "pgd") "walk_smmu_pgd" [Evar "ttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_smmu_pmd" [Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pte") "walk_smmu_pte" [Evar "pmd"; Evar "addr"])
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 64)) (Econst 0)))
            (Sseq (Scall None "phys_load"
                    [(Ebin Oadd U64
                       (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                       (Ebin Omod U64 (Evar "addr") (Econst 4096)));
                     (Evar "reg")])
            (Sset "done" (Econst 1)))
            Sskip)
    (Sseq (Scall None "release_lock_spt" [])
    (Sreturn (Some (Evar "done"))))))))))))).

Definition f_dev_store_ref : func :=
  mkfunc (Some U32) [("cbndx", U32); ("index", U32); ("addr", U64); ("reg", U32)] ["ttbr"; "pgd"; "pmd"; "pte"; "done"]
    (Sseq (Sset "done" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Elor
              (Elor
                (Ecmp Cge (Evar "addr") (Econst 1099511627776))
                (Ecmp Cne (Ebin Omod U64 (Evar "addr") (Econst 8)) (Econst 0)))
              (Ecmp Cge (Evar "reg") (Econst 31)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall (Some "ttbr") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
    (Sseq (Scall None "acquire_lock_spt" [])
    (Sseq (Scall (Some "pgd") "walk_smmu_pgd" [Evar "ttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_smmu_pmd" [Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pte") "walk_smmu_pte" [Evar "pmd"; Evar "addr"])
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 128)) (Econst 0)))
            (Sseq (Scall None "phys_store"
                    [(Ebin Oadd U64
                       (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                       (Ebin Omod U64 (Evar "addr") (Econst 4096)));
                     (Evar "reg")])
            (Sset "done" (Econst 1)))
            Sskip)
    (Sseq (Scall None "release_lock_spt" [])
    (Sreturn (Some (Evar "done"))))))))))))).

Definition code : module :=
  [("walk_smmu_pt", f_walk_smmu_pt);
   ("set_smmu_pt", f_set_smmu_pt);
   ("clear_smmu_pt", f_clear_smmu_pt);
   ("dev_load_ref", f_dev_load_ref);
   ("dev_store_ref", f_dev_store_ref)].
