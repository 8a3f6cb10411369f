(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioSPTOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_init_spt : func :=
  mkfunc None [("cbndx", U32); ("index", U32)] []
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_spt" [])
    (Sseq (Scall None "clear_smmu_pt" [Evar "cbndx"; Evar "index"])
    (Scall None "release_lock_spt" [])))).

Definition f_walk_spt : func :=
  mkfunc (Some U64) [("cbndx", U32); ("index", U32); ("addr", U64)] ["pte"]
    (Sseq (Sset "pte" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "addr") (Econst 1099511627776))
            (Sseq (Scall None "acquire_lock_spt" [])
            (Sseq (Scall (Some "pte") "walk_smmu_pt" [Evar "cbndx"; Evar "index"; Evar "addr"])
            (Scall None "release_lock_spt" [])))
            Sskip)
    (Sreturn (Some (Evar "pte")))))).

Definition f_map_spt : func :=
  mkfunc None [("cbndx", U32); ("index", U32); ("addr", U64); ("pte", U64)] []
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
              (Ecmp Cge (Evar "addr") (Econst 1099511627776)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_spt" [])
    (Sseq (Scall None "set_smmu_pt" [Evar "cbndx"; Evar "index"; Evar "addr"; Evar "pte"])
    (Scall None "release_lock_spt" [])))).

Definition f_unmap_spt : func :=
  mkfunc (Some U64) [("cbndx", U32); ("index", U32); ("addr", U64)] ["pte"]
    (Sseq (Sset "pte" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "cbndx") (Econst 8)) (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "addr") (Econst 1099511627776))
            (Sseq (Scall None "acquire_lock_spt" [])
            (Sseq (Scall (Some "pte") "walk_smmu_pt" [Evar "cbndx"; Evar "index"; Evar "addr"])
            (Sseq (Sif
                    (Ecmp Cne (Evar "pte") (Econst 0))
                    (Scall None "set_smmu_pt"
                      [Evar "cbndx"; Evar "index"; Evar "addr"; Econst 0])
                    Sskip)
            (Scall None "release_lock_spt" []))))
            Sskip)
    (Sreturn (Some (Evar "pte")))))).

Definition code : module :=
  [("init_spt", f_init_spt);
   ("walk_spt", f_walk_spt);
   ("map_spt", f_map_spt);
   ("unmap_spt", f_unmap_spt)].
