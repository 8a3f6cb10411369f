(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 11, MmioSPTWalk: SMMU tables as maps, and what an access of a device through the
    table of its bank does.  From here on the tables of all
    context banks are one [pmap]: page number to entry, with the tables that exist and
    the tables left; the tree in memory is below.  The relation between the two is that
    of [pagetable].  Stands on MmioPTWalk. *)
From SeKVM.machine Require Export Rel Init.
From SeKVM.pagetable Require Export Geometry.
From SeKVM.layers.MmioPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Context bank [cb] of SMMU [ix] exists; its number; the number of the page of
    address [a] (bits 12 to 39) among the pages of all banks, 2^28 for each. *)
Definition is_bank (cb ix : Z) : bool := (ix <? 2) && (cb <? 8).
Definition bank (cb ix : Z) : Z := 8 * ix + cb.
Definition bank_page (b a : Z) : Z := b * 268435456 + (a / 4096) mod 268435456.
Definition SMMU_ADDR_LIMIT : Z := 1099511627776.

(** Translation as the SMMU does it: entries have the bits of stage-2 pages. *)
Definition smmu_translate (permission : Z) (p : pmap) (b a : Z) : option Z :=
  match leaves p !! bank_page b a with
  | Some (_, e) => if lets permission 3 e then Some (out_addr 3 e a) else None
  | None => None
  end.

Section MmioSPTWalk.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).

  Definition walk_smmu_pt_spec : prim St :=
    p3 (Some U64) U32 U32 U64 (fun cb ix a s =>
      rely c_held (st_spt s);
      rely is_bank cb ix;
      ret (entry (c_val (st_spt s)) (bank_page (bank cb ix) a)) s).

  Definition set_smmu_pt_spec : prim St :=
    p4 None U32 U32 U64 U64 (fun cb ix a e s =>
      rely c_held (st_spt s);
      rely is_bank cb ix;
      match pset smmu_geom 2 (bank_page (bank cb ix) a) e (c_val (st_spt s)) with
      | Updated p => ret 0 (set_outs (Smmu_flush ix cb a :: st_outs s) (set_spt (set_val p (st_spt s)) s))
      | Full p | Under_block p => Some (Halt (set_spt (set_val p (st_spt s)) s))
      end).

  Definition clear_smmu_pt_spec : prim St :=
    p2 None U32 U32 (fun cb ix s =>
      rely c_held (st_spt s);
      rely is_bank cb ix;
      ret 0 (set_outs (Smmu_flush ix cb ALL_ADDRESSES :: st_outs s)
               (set_spt (set_val (pclear smmu_geom (bank cb ix) (c_val (st_spt s))) (st_spt s)) s))).

  (** An access of a device of bank [cb] of SMMU [ix] to the word at [a] with register [r],
      where [f] loads or stores: 1 if it is made, 0 if it faults.  The tables are locked
      meanwhile. *)
  Definition dev_access (permission : Z) (f : Z -> reg -> St -> St) : prim St :=
    p4 (Some U32) U32 U32 U64 U32 (fun cb ix a r s =>
      if negb (is_bank cb ix) then Some (Halt s) else
      match (if (a <? SMMU_ADDR_LIMIT) && (a mod 8 =? 0) then user_reg r else None) with
      | None => ret 0 s
      | Some x =>
          rely negb (c_held (st_spt s));
          let c := acquire_cell (st_spt s) in
          let s' := set_spt (release_cell (cpu_id (st_cpu s)) c) s in
          match smmu_translate permission (c_val c) (bank cb ix) a with
          | Some pa => ret 1 (f pa x s')
          | None => ret 0 s'
          end
      end).
  Definition dev_load_ref_spec : prim St := dev_access PTE_READ load_word.
  Definition dev_store_ref_spec : prim St := dev_access PTE_WRITE store_word.

  (** Accesses pass through all layers above. *)
  Definition T_device : tbl St := [("dev_load_ref", dev_load_ref_spec); ("dev_store_ref", dev_store_ref_spec)].

  Definition T : tbl St :=
    ([("walk_smmu_pt", walk_smmu_pt_spec); ("set_smmu_pt", set_smmu_pt_spec);
      ("clear_smmu_pt", clear_smmu_pt_spec)] ++ T_device)%list.
End MmioSPTWalk.

(** The state with both kinds of tables as maps. *)
Notation mstate := (St cell pmap pmap (gmap Z s2page)).

(** The map and the tree in memory. *)
Definition RM (p : pmap) (x : sptab) : Prop := refines_pt smmu_geom p (spt_tree x).
Definition R : srel mstate nstate := R_spt RM.

(** What passes through the change of representation. *)
Definition Lkeep {M} : tbl (St cell pmap M (gmap Z s2page)) :=
  (NPTOps.Spec.T ++ (T_lock_vm ++ T_lock_core ++ T_lock_s2page ++ T_lock_spt ++ T_lock_smmu) ++ T_ctl ++ T_pages ++ T_rest
   ++ T_access)%list.
Definition L : tbl mstate := over T Lkeep.
