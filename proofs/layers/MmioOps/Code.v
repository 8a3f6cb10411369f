(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_emulate_mmio : func :=
  mkfunc (Some U32) [("addr", U64); ("hsr", U32)] ["index"]
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "index") "is_smmu_range" [Evar "addr"])
    (Sseq (Sif
            (Ecmp Cne (Evar "index") (Econst 4294967295))
            (Scall None "handle_host_mmio" [Evar "addr"; Evar "index"; Evar "hsr"])
            Sskip)
    (Sseq (Scall None "release_lock_smmu" [])
    (Sreturn (Some (Evar "index"))))))).

Definition f_el2_free_smmu_pgd : func :=
  mkfunc None [("cbndx", U32); ("index", U32)] ["vmid"; "on"]
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "index") (Econst 2)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "vmid") "get_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"])
    (Sseq (Sif
            (Ecmp Cne (Evar "vmid") (Econst 4294967295))
            (Sseq (Scall (Some "on") "get_vm_poweron" [Evar "vmid"])
            (Sseq (Sif (Ecmp Cne (Evar "on") (Econst 0)) (Scall None "panic" []) Sskip)
            (Sseq (Scall None "init_spt" [Evar "cbndx"; Evar "index"])
            (Scall None "set_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"; Econst 4294967295]))))
            Sskip)
    (Scall None "release_lock_smmu" []))))).

Definition f_el2_alloc_smmu_pgd : func :=
  mkfunc None [("cbndx", U32); ("vmid", U32); ("index", U32)] ["smmus"; "banks"; "owner"]
    (Sseq (Scall (Some "smmus") "get_smmu_num" [])
    (Sseq (Sif
            (Elor
              (Elor
                (Elor
                  (Ecmp Cge (Evar "index") (Econst 2))
                  (Ecmp Cge (Evar "index") (Evar "smmus")))
                (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "banks") "get_smmu_num_context_banks" [Evar "index"])
    (Sseq (Sif (Ecmp Cge (Evar "cbndx") (Evar "banks")) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "owner") "get_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"])
    (Sseq (Sif
            (Ecmp Ceq (Evar "owner") (Econst 4294967295))
            (Sseq (Scall None "alloc_smmu" [Evar "vmid"; Evar "cbndx"; Evar "index"])
            (Scall None "set_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"; Evar "vmid"]))
            Sskip)
    (Scall None "release_lock_smmu" [])))))))).

Definition f_smmu_assign_page : func :=
  mkfunc None [("cbndx", U32); ("index", U32); ("pfn", U64); ("gfn", U64)] ["vmid"]
    (Sseq (Sif
            (Elor (Ecmp Cge (Evar "index") (Econst 2)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "vmid") "get_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"])
    (Sseq (Sif
            (Ecmp Cne (Evar "vmid") (Econst 4294967295))
            (Scall None "assign_smmu" [Evar "vmid"; Evar "pfn"; Evar "gfn"])
            Sskip)
    (Scall None "release_lock_smmu" []))))).

Definition f_smmu_map_page : func :=
  mkfunc None [("cbndx", U32); ("index", U32); ("iova", U64); ("pte", U64)] ["vmid"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "index") (Econst 2)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "iova") (Econst 1099511627776)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "vmid") "get_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"])
    (Sseq (Sif
            (Ecmp Cne (Evar "vmid") (Econst 4294967295))
            (Scall None "map_smmu"
              [Evar "vmid"; Evar "cbndx"; Evar "index"; Evar "iova"; Evar "pte"])
            Sskip)
    (Scall None "release_lock_smmu" []))))).

Definition f_el2_arm_lpae_clear : func :=
  mkfunc None [("iova", U64); ("cbndx", U32); ("index", U32)] ["vmid"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "index") (Econst 2)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "iova") (Econst 1099511627776)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Scall (Some "vmid") "get_smmu_cfg_vmid" [Evar "cbndx"; Evar "index"])
    (Sseq (Sif
            (Ecmp Cne (Evar "vmid") (Econst 4294967295))
            (Scall None "clear_smmu" [Evar "vmid"; Evar "cbndx"; Evar "index"; Evar "iova"])
            Sskip)
    (Scall None "release_lock_smmu" []))))).

Definition f_el2_arm_lpae_iova_to_phys : func :=
  mkfunc (Some U64) [("iova", U64); ("cbndx", U32); ("index", U32)] ["pte"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "index") (Econst 2)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "iova") (Econst 1099511627776)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "pte") "walk_spt" [Evar "cbndx"; Evar "index"; Evar "iova"])
    (Sreturn
      (Some
        (Ebin Oadd U64
          (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
          (Ebin Oand U64 (Evar "iova") (Econst 4095))))))).

Definition f_vm_has_bank : func :=
  mkfunc (Some U32) [("vmid", U32)] ["found"; "i"; "owner"]
    (Sseq (Sset "found" (Econst 0))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Scall None "acquire_lock_smmu" [])
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Ebin Omul U32 (Econst 2) (Econst 8)))
            (Sseq (Scall
                    (Some "owner")
                    "get_smmu_cfg_vmid"
                    [Ebin Omod U32 (Evar "i") (Econst 8); Ebin Odiv U32 (Evar "i") (Econst 8)])
            (Sseq (Sif (Ecmp Ceq (Evar "owner") (Evar "vmid")) (Sset "found" (Econst 1)) Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))
    (Sseq (Scall None "release_lock_smmu" [])
    (Sreturn (Some (Evar "found")))))))).

Definition code : module :=
  [("emulate_mmio", f_emulate_mmio);
   ("el2_free_smmu_pgd", f_el2_free_smmu_pgd);
   ("el2_alloc_smmu_pgd", f_el2_alloc_smmu_pgd);
   ("smmu_assign_page", f_smmu_assign_page);
   ("smmu_map_page", f_smmu_map_page);
   ("el2_arm_lpae_clear", f_el2_arm_lpae_clear);
   ("el2_arm_lpae_iova_to_phys", f_el2_arm_lpae_iova_to_phys);
   ("vm_has_bank", f_vm_has_bank)].
