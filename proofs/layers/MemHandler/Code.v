(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MemHandler.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_clear_vm_stage2_range : func :=
  mkfunc None [("vmid", U32); ("start", U64); ("size", U64)] ["on"; "banks"]
    (Sseq (Scall (Some "on") "get_vm_poweron" [Evar "vmid"])
    (Sif
      (Ecmp Ceq (Evar "on") (Econst 0))
      (Sseq (Scall (Some "banks") "vm_has_bank" [Evar "vmid"])
      (Sif
        (Ecmp Ceq (Evar "banks") (Econst 0))
        (Scall None "clear_vm_range"
          [(Evar "vmid");
           (Ebin Odiv U64 (Evar "start") (Econst 4096));
           (Ebin Odiv U64 (Evar "size") (Econst 4096))])
        Sskip))
      Sskip)).

Definition f_el2_arm_lpae_map : func :=
  mkfunc None [("iova", U64); ("paddr", U64); ("prot", U64); ("cbndx", U32); ("index", U32)] ["pte"]
    (Sseq (Scall (Some "pte") "smmu_init_pte" [Evar "prot"; Evar "paddr"])
    (Sseq (Scall None "smmu_assign_page"
            [(Evar "cbndx");
             (Evar "index");
             (Ebin Odiv U64 (Evar "paddr") (Econst 4096));
             (Ebin Odiv U64 (Evar "iova") (Econst 4096))])
    (Scall None "smmu_map_page" [Evar "cbndx"; Evar "index"; Evar "iova"; Evar "pte"]))).

Definition f_kvm_phys_addr_ioremap : func :=
  mkfunc None [("vmid", U32); ("gpa", U64); ("pa", U64); ("size", U64)] ["gfn"; "pfn"; "num"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "gpa") (Econst 4096)))
    (Sseq (Sset "pfn" (Ebin Odiv U64 (Evar "pa") (Econst 4096)))
    (Sseq (Sset "num" (Ebin Odiv U64 (Evar "size") (Econst 4096)))
    (Sseq (Sif
            (Ecmp Cne (Ebin Omod U64 (Evar "size") (Econst 4096)) (Econst 0))
            (Sset "num" (Ebin Oadd U64 (Evar "num") (Econst 1)))
            Sskip)
    (Sif
      (Eland
        (Ecmp Cle (Ebin Oadd U64 (Evar "gfn") (Evar "num")) (Econst 68719476736))
        (Ecmp Cle (Ebin Oadd U64 (Evar "pfn") (Evar "num")) (Econst 68719476736)))
      (Sseq (Sset "i" (Econst 0))
      (Swhile
        (Ecmp Clt (Evar "i") (Evar "num"))
        (Sseq (Scall None "map_io"
                [(Evar "vmid");
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096));
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "pfn") (Evar "i")) (Econst 4096))])
        (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))
      (Scall None "panic" [])))))).

Definition code : module :=
  [("clear_vm_stage2_range", f_clear_vm_stage2_range);
   ("el2_arm_lpae_map", f_el2_arm_lpae_map);
   ("kvm_phys_addr_ioremap", f_kvm_phys_addr_ioremap)].
