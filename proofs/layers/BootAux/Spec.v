(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: an image becomes memory of a VM, page by page.  The frame under
    each slot of KCore's window, and no other, is given to the VM at the page of the
    image that it holds.  Stands on MemoryOps and on the look-up of NPTOps. *)
From SeKVM.layers.MemoryOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section BootAux.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).

  (** The frame that KCore maps at page [slot] becomes page [g] of VM [v]; an empty slot, or
      a page that has a frame already, is a panic. *)
  Definition load_page (v g slot : Z) (s : St) : option (res St) :=
    and_then (walk_s2pt_spec [COREVISOR; slot * 4096] s) (fun e s =>
      if frame_of e =? 0 then Some (Halt s)
      else and_then (walk_s2pt_spec [v; g * 4096] s) (fun d s =>
        if d =? 0 then prot_and_map_vm_s2pt_spec [v; g * 4096; e; 3] s else Some (Halt s))).

  Definition unmap_and_load_vm_image_spec : prim St :=
    p4 None U32 U64 U64 U64 (fun v target remap n s =>
      if is_guest v && (target mod 4096 =? 0) && (remap mod 4096 =? 0) &&
         (target / 4096 + n <=? PFN_LIMIT) && (remap / 4096 + n <=? PFN_LIMIT)
      then iterate (fun i => load_page v (target / 4096 + i) (remap / 4096 + i)) n s
      else Some (Halt s)).

  Definition T : tbl St := [("unmap_and_load_vm_image", unmap_and_load_vm_image_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("prot_and_map_vm_s2pt", prot_and_map_vm_s2pt_spec); ("walk_s2pt", walk_s2pt_spec); ("panic", panic)].
End BootAux.

(** What ends here: from now on a VM gets memory only together with its mapping. *)
Definition hidden : list string := ["assign_pfn_to_vm"].
