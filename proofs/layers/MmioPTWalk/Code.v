(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioPTWalk.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_walk_smmu_pgd : func :=
  mkfunc (Some U64) [("ttbr", U64); ("addr", U64); ("alloc", U32)] ["p"; "pgd"; "page"]
    (Sseq (Sset "p"
            (Ebin Oadd U64
              (Ebin Oand U64 (Evar "ttbr") (Econst 281474976706560))
              (Ebin Omul U64
                (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 30)) (Econst 1023))
                (Econst 8))))
    (Sseq (Scall (Some "pgd") "smmu_pt_load" [Evar "p"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "pgd") (Econst 0)) (Ecmp Ceq (Evar "alloc") (Econst 1)))
            (Sseq (Scall (Some "page") "alloc_smmu_pgd_page" [])
            (Sseq (Sset "pgd" (Ebin Oor U64 (Evar "page") (Econst 3)))
            (Scall None "smmu_pt_store" [Evar "p"; Evar "pgd"])))
            Sskip)
    (Sreturn (Some (Evar "pgd")))))).

Definition f_walk_smmu_pmd : func :=
  mkfunc (Some U64) [("pgd", U64); ("addr", U64); ("alloc", U32)] ["p"; "pmd"; "page"]
    (Sseq (Sif (Ecmp Ceq (Evar "pgd") (Econst 0)) (Sreturn (Some (Econst 0))) Sskip)
    (Sseq (Sset "p"
            (Ebin Oor U64
              (Ebin Oand U64 (Evar "pgd") (Econst 281474976706560))
              (Ebin Omul U64
                (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 21)) (Econst 511))
                (Econst 8))))
    (Sseq (Scall (Some "pmd") "smmu_pt_load" [Evar "p"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "pmd") (Econst 0)) (Ecmp Ceq (Evar "alloc") (Econst 1)))
            (Sseq (Scall (Some "page") "alloc_smmu_pmd_page" [])
            (Sseq (Sset "pmd" (Ebin Oor U64 (Evar "page") (Econst 3)))
            (Scall None "smmu_pt_store" [Evar "p"; Evar "pmd"])))
            Sskip)
    (Sreturn (Some (Evar "pmd"))))))).

Definition f_walk_smmu_pte : func :=
  mkfunc (Some U64) [("pmd", U64); ("addr", U64)] ["pte"]
    (Sseq (Sif (Ecmp Ceq (Evar "pmd") (Econst 0)) (Sreturn (Some (Econst 0))) Sskip)
    (Sseq (Scall
            (Some "pte")
            "smmu_pt_load"
            [(Ebin Oor U64
               (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560))
               (Ebin Omul U64
                 (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 12)) (Econst 511))
                 (Econst 8)))])
    (Sreturn (Some (Evar "pte"))))).

Definition f_set_smmu_pte : func :=
  mkfunc None [("pmd", U64); ("addr", U64); ("pte", U64)] []
    (Scall None "smmu_pt_store"
      [(Ebin Oor U64
         (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560))
         (Ebin Omul U64
           (Ebin Oand U64 (Ebin Oshr U64 (Evar "addr") (Econst 12)) (Econst 511))
           (Econst 8)));
       (Evar "pte")]).

Definition f_clear_smmu_pgd : func :=
  mkfunc None [("ttbr", U64)] ["p"; "left"]
    (Sseq (Sset "p" (Ebin Oand U64 (Evar "ttbr") (Econst 281474976706560)))
    (Sseq (Sset "left" (Econst 1024))
    (Swhile
      (Ecmp Cne (Evar "left") (Econst 0))
      (Sseq (Scall None "smmu_pt_store" [Evar "p"; Econst 0])
      (Sseq (Sset "p" (Ebin Oadd U64 (Evar "p") (Econst 8)))
      (Sset "left" (Ebin Osub U64 (Evar "left") (Econst 1)))))))).

Definition code : module :=
  [("walk_smmu_pgd", f_walk_smmu_pgd);
   ("walk_smmu_pmd", f_walk_smmu_pmd);
   ("walk_smmu_pte", f_walk_smmu_pte);
   ("set_smmu_pte", f_set_smmu_pte);
   ("clear_smmu_pgd", f_clear_smmu_pgd)].
