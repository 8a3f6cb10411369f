(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 12, MmioSPTOps: operations on SMMU tables, each one atomic step.  An
    operation checks its arguments, acquires the lock of the tables (what other CPUs did
    before is replayed), works on the map, and releases the lock, which publishes the map.
    After a panic the lock stays as it is: the machine has stopped.  Stands on MmioSPTWalk. *)
From SeKVM.layers.MmioSPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section MmioSPTOps.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).

  (** The tables [c] are published. *)
  Definition publish_spt (c : cell pmap) (s : St) : St := set_spt (release_cell (cpu_id (st_cpu s)) c) s.

  (** The outcome of an update of the tables, locked as [c], for bank [cb] of SMMU [ix];
      [v] is returned. *)
  Definition publish_spt_update (cb ix a v : Z) (o : outcome pmap pmap) (c : cell pmap) (s : St) : option (res St) :=
    match o with
    | Updated p => ret v (set_outs (Smmu_flush ix cb a :: st_outs s) (publish_spt (set_val p c) s))
    | Full p | Under_block p => Some (Halt (set_spt (set_val p c) s))
    end.

  Definition init_spt_spec : prim St :=
    p2 None U32 U32 (fun cb ix s =>
      if negb (is_bank cb ix) then Some (Halt s) else
      rely negb (c_held (st_spt s));
      let c := acquire_cell (st_spt s) in
      publish_spt_update cb ix ALL_ADDRESSES 0 (Updated (pclear smmu_geom (bank cb ix) (c_val c))) c s).

  (** Beyond 40 bits there is nothing. *)
  Definition walk_spt_spec : prim St :=
    p3 (Some U64) U32 U32 U64 (fun cb ix a s =>
      if negb (is_bank cb ix) then Some (Halt s) else
      if SMMU_ADDR_LIMIT <=? a then ret 0 s else
      rely negb (c_held (st_spt s));
      let c := acquire_cell (st_spt s) in
      ret (entry (c_val c) (bank_page (bank cb ix) a)) (publish_spt c s)).

  Definition map_spt_spec : prim St :=
    p4 None U32 U32 U64 U64 (fun cb ix a e s =>
      if negb (is_bank cb ix && (a <? SMMU_ADDR_LIMIT)) then Some (Halt s) else
      rely negb (c_held (st_spt s));
      let c := acquire_cell (st_spt s) in
      publish_spt_update cb ix a 0 (pset smmu_geom 2 (bank_page (bank cb ix) a) e (c_val c)) c s).

  (** Entries are words of 64 bits: the tables in memory have no others. *)
  Definition unmap_spt_spec : prim St :=
    p3 (Some U64) U32 U32 U64 (fun cb ix a s =>
      if negb (is_bank cb ix) then Some (Halt s) else
      if SMMU_ADDR_LIMIT <=? a then ret 0 s else
      rely negb (c_held (st_spt s));
      let c := acquire_cell (st_spt s) in
      let e := entry (c_val c) (bank_page (bank cb ix) a) in
      rely in_range U64 e;
      if e =? 0 then ret 0 (publish_spt c s)
      else publish_spt_update cb ix a e (pset smmu_geom 2 (bank_page (bank cb ix) a) 0 (c_val c)) c s).

  Definition T : tbl St :=
    [("init_spt", init_spt_spec); ("walk_spt", walk_spt_spec); ("map_spt", map_spt_spec);
     ("unmap_spt", unmap_spt_spec)].
End MmioSPTOps.

(** The lock of SMMU tables and the operations under it end here. *)
Definition L : tbl mstate :=
  over T (hide ["acquire_lock_spt"; "release_lock_spt"; "walk_smmu_pt"; "set_smmu_pt"; "clear_smmu_pt"] MmioSPTWalk.Spec.L).
