(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: what the host asks of KCore about memory.  Each operation is a
    sequence of atomic steps of the layers below, with the other CPUs in between; a range
    that leaves the address space is refused before the first step.  Stands on MemoryOps
    and on any six primitives on VMs and their devices. *)
From SeKVM.layers.MemoryOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section MemHandler.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (get_vm_poweron vm_has_bank map_io smmu_init_pte smmu_assign_page smmu_map_page : prim St).

  Definition clear_vm_stage2_range_spec : prim St :=
    p3 None U32 U64 U64 (fun v a n s =>
      and_then (get_vm_poweron [v] s) (fun on s =>
        if on =? 0
        then and_then (vm_has_bank [v] s) (fun banks s =>
               if banks =? 0 then clear_vm_range_spec [v; a / 4096; n / 4096] s else ret 0 s)
        else ret 0 s)).

  Definition el2_arm_lpae_map_spec : prim St := fun vs s =>
    match vs with
    | [a; pa; prot; cb; ix] =>
        rely in_range U64 a; rely in_range U64 pa; rely in_range U64 prot; rely in_range U32 cb; rely in_range U32 ix;
        chk None (and_then (smmu_init_pte [prot; pa] s) (fun e s =>
          and_then (smmu_assign_page [cb; ix; pa / 4096; a / 4096] s) (fun _ s => smmu_map_page [cb; ix; a; e] s)))
    | _ => None
    end.

  Definition kvm_phys_addr_ioremap_spec : prim St :=
    p4 None U32 U64 U64 U64 (fun v gpa pa n s =>
      if (gpa / 4096 + pages_of n <=? PFN_LIMIT) && (pa / 4096 + pages_of n <=? PFN_LIMIT)
      then iterate (fun i => map_io [v; (gpa / 4096 + i) * 4096; (pa / 4096 + i) * 4096]) (pages_of n) s
      else Some (Halt s)).

  Definition T : tbl St :=
    [("clear_vm_stage2_range", clear_vm_stage2_range_spec); ("el2_arm_lpae_map", el2_arm_lpae_map_spec);
     ("kvm_phys_addr_ioremap", kvm_phys_addr_ioremap_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("get_vm_poweron", get_vm_poweron); ("vm_has_bank", vm_has_bank); ("clear_vm_range", clear_vm_range_spec); ("smmu_init_pte", smmu_init_pte);
     ("smmu_assign_page", smmu_assign_page); ("smmu_map_page", smmu_map_page); ("map_io", map_io); ("panic", panic)].
End MemHandler.

(** What ends here. *)
Definition hidden : list string :=
  ["clear_vm_range"; "get_vm_poweron"; "map_io"; "smmu_assign_page"; "smmu_init_pte"; "smmu_map_page"; "vm_has_bank"].
