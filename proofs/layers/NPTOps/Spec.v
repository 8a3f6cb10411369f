(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: operations on stage-2 tables, each one atomic step.  An operation
    checks its arguments, acquires the table's lock (what other CPUs did before is
    replayed), works on the map, and releases the lock, which publishes the map.  After a
    panic the lock stays as it is: the machine has stopped.  Stands on NPTWalk. *)
From SeKVM.layers.NPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition PAGE_GUEST : Z := 144115188075855872.
Definition ADDR_LIMIT : Z := 281474976710656.
Definition PFN_LIMIT : Z := 68719476736.

Section NPTOps.
  Context {M P : Type}.
  Notation St := (St cell pmap M P).

  Definition put_table (vm : Z) (c : cell pmap) (s : St) : St := set_npts (<[vm := c]> (st_npts s)) s.
  Definition published (c : cell pmap) (s : St) : cell pmap := release_cell (cpu_id (st_cpu s)) c.

  (** Look address [a] of VM [vm] up; beyond 48 bits there is nothing. *)
  Definition locked_look (f : pmap -> Z -> Z) (vm a : Z) (s : St) : option (res St) :=
    if negb (is_vmid vm) then Some (Halt s) else
    if ADDR_LIMIT <=? a then ret 0 s else
    some c := st_npts s !! vm;
    rely negb (c_held c);
    let c := acquire_cell c in
    ret (f (c_val c) (page_number a)) (put_table vm (published c s) s).

  Definition get_level_s2pt_spec : prim St := p2 (Some U32) U32 U64 (locked_look level).
  Definition walk_s2pt_spec : prim St := p2 (Some U64) U32 U64 (locked_look entry).

  (** The outcome of an update of VM [vm]'s table, locked as [c]. *)
  Definition publish_update (vm a : Z) (o : outcome pmap pmap) (c : cell pmap) (s : St) : option (res St) :=
    match o with
    | Updated p => ret 0 (set_outs (Tlb_flush vm a :: st_outs s) (put_table vm (published (set_val p c) s) s))
    | Full p | Under_block p => Some (Halt (put_table vm (set_val p c) s))
    end.

  Definition map_s2pt_spec : prim St :=
    p4 None U32 U64 U32 U64 (fun vm a lvl e s =>
      if negb (is_vmid vm && (a <? ADDR_LIMIT) && ((lvl =? 2) || (lvl =? 3))) then Some (Halt s) else
      some c := st_npts s !! vm;
      rely negb (c_held c);
      let c := acquire_cell c in
      if lvl =? 2
      then if Z.land e 3 =? 3 then Some (Halt (put_table vm c s))
           else publish_update vm ALL_ADDRESSES (pset (npt_geom vm) 2 (page_number a) e (c_val c)) c s
      else publish_update vm a (pset (npt_geom vm) 3 (page_number a) e (c_val c)) c s).

  (** The host loses frame [pfn], if it maps it. *)
  Definition clear_pfn_host_spec : prim St :=
    p1 None U64 (fun pfn s =>
      if PFN_LIMIT <=? pfn then Some (Halt s) else
      some c := st_npts s !! HOSTVISOR;
      rely negb (c_held c);
      let c := acquire_cell c in
      let a := pfn * PAGE in
      if level (c_val c) (page_number a) =? 0
      then ret 0 (put_table HOSTVISOR (published c s) s)
      else publish_update HOSTVISOR a
             (pset (npt_geom HOSTVISOR) 3 (page_number a) PAGE_GUEST (c_val c)) c s).

  Definition T : tbl St :=
    [("get_level_s2pt", get_level_s2pt_spec); ("walk_s2pt", walk_s2pt_spec);
     ("map_s2pt", map_s2pt_spec); ("clear_pfn_host", clear_pfn_host_spec)].
End NPTOps.

(** The lock of stage-2 tables and the operations under it end here. *)
Definition L : tbl nstate :=
  over T (hide ["acquire_lock_pt"; "release_lock_pt"; "get_npt_level"; "walk_npt"; "set_npt"] NPTWalk.Spec.L).
