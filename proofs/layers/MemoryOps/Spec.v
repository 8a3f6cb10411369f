(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 17, MemoryOps: operations on ranges of pages.  Each is a sequence of atomic
    steps of MemManager, with the other CPUs acting between any two; a range that leaves
    the address space is refused before the first step.  Stands on MemManager and on the
    look-up of NPTOps. *)
From SeKVM.lib Require Export Loop.
From SeKVM.layers.MemManager Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** How many pages hold [n] bytes. *)
Definition pages_of (n : Z) : Z := n / 4096 + (if n mod 4096 =? 0 then 0 else 1).

(** The frame that entry [e] gives page [g]; blocks have another kind of entry than pages. *)
Definition is_page_entry (e : Z) : bool := Z.land e 3 =? 3.
Definition frame_at (g e : Z) : Z := if is_page_entry e then frame_of e else frame_of e + g mod 512.

Section MemoryOps.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).

  Definition clear_vm_range_spec : prim St :=
    p3 None U32 U64 U64 (fun v pfn n s =>
      if pfn + n <=? PFN_LIMIT
      then iterate (fun i => clear_vm_page_spec [v; pfn + i]) n s
      else ret 0 s).

  (** Frames [pfn], ... become pages [g], ... of VM [v]. *)
  Definition assign_range (v g pfn : Z) : Z -> St -> option (res St) :=
    iterate (fun i => assign_pfn_to_vm_spec [v; g + i; pfn + i]).

  Definition prot_and_map_vm_s2pt_spec : prim St :=
    p4 None U32 U64 U64 U32 (fun v a e lvl s =>
      if a / 4096 <? PFN_LIMIT
      then if lvl =? 2
           then if frame_of e mod 512 =? 0
                then and_then (assign_range v (block_start (a / 4096)) (frame_of e) 512 s)
                       (fun _ => map_pfn_vm_spec [v; a; e; lvl])
                else Some (Halt s)
           else and_then (assign_pfn_to_vm_spec [v; a / 4096; frame_of e] s)
                  (fun _ => map_pfn_vm_spec [v; a; e; lvl])
      else Some (Halt s)).

  (** One page of a VM shared or taken back, by [f], if it is mapped. *)
  Definition with_mapped (f : prim St) (v g : Z) (s : St) : option (res St) :=
    and_then (walk_s2pt_spec [v; g * 4096] s) (fun e s =>
      if frame_of e =? 0 then ret 0 s else f [v; frame_at g e] s).

  Definition with_range (f : prim St) : prim St :=
    p3 None U32 U64 U64 (fun v a n s =>
      if is_guest v && (a / 4096 + pages_of n <=? PFN_LIMIT)
      then iterate (fun i => with_mapped f v (a / 4096 + i)) (pages_of n) s
      else ret 0 s).

  Definition grant_stage2_sg_gpa_spec : prim St := with_range grant_vm_page_spec.
  Definition revoke_stage2_sg_gpa_spec : prim St := with_range revoke_vm_page_spec.

  Definition T : tbl St :=
    [("clear_vm_range", clear_vm_range_spec); ("prot_and_map_vm_s2pt", prot_and_map_vm_s2pt_spec);
     ("grant_stage2_sg_gpa", grant_stage2_sg_gpa_spec); ("revoke_stage2_sg_gpa", revoke_stage2_sg_gpa_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    [("clear_vm_page", clear_vm_page_spec); ("assign_pfn_to_vm", assign_pfn_to_vm_spec);
     ("map_pfn_vm", map_pfn_vm_spec); ("grant_vm_page", grant_vm_page_spec); ("revoke_vm_page", revoke_vm_page_spec);
     ("walk_s2pt", walk_s2pt_spec); ("panic", panic)].
End MemoryOps.

(** What ends here: steps on one page. *)
Definition hidden : list string :=
  ["clear_vm_page"; "map_pfn_vm"; "grant_vm_page"; "revoke_vm_page"; "get_level_s2pt"].
