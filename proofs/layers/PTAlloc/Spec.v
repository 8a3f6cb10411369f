(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 5, PTAlloc: bump allocation of table pages from three pools for each VM.
    Specifications of the three allocators, and the layer's interface: that of Locks
    with the allocators in the place of the bump pointers.  Stands on Locks. *)
From SeKVM.layers.Locks Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section PTAlloc.
  Context {M P : Type}.

  (** The next page of the pool [lo, hi), or a panic when the pool is used up.
      Defined while the caller holds the table's lock. *)
  Definition alloc (next : npt -> Z) (set_next : Z -> npt -> npt) (lo hi : Z -> Z) : prim (St cell npt M P) :=
    p1 (Some U64) U32 (fun vm s =>
      some c := st_npts s !! vm;
      rely c_held c;
      rely is_vmid vm;
      rely (lo vm <=? next (c_val c)) && (next (c_val c) <=? hi vm);
      if next (c_val c) + PAGE <=? hi vm
      then ret (next (c_val c))
               (set_npts (<[vm := set_val (set_next (next (c_val c) + PAGE) (c_val c)) c]> (st_npts s)) s)
      else Some (Halt s)).

  Definition alloc_pgd_page_spec := alloc pgd_next set_pgd_next pgd_start pud_start.
  Definition alloc_pud_page_spec := alloc pud_next set_pud_next pud_start pmd_start.
  Definition alloc_pmd_page_spec := alloc pmd_next set_pmd_next pmd_start pool_end.

  Definition T : tbl (St cell npt M P) :=
    [("alloc_pgd_page", alloc_pgd_page_spec);
     ("alloc_pud_page", alloc_pud_page_spec);
     ("alloc_pmd_page", alloc_pmd_page_spec)].
End PTAlloc.

(** The bump pointers end here. *)
Definition L : tbl state :=
  over T (hide ["get_pgd_next"; "set_pgd_next"; "get_pud_next"; "set_pud_next"; "get_pmd_next"; "set_pmd_next"] Locks.Spec.L).
