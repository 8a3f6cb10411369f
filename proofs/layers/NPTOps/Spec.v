(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 8, NPTOps: operations on stage-2 tables, each one atomic step.  An operation
    checks its arguments, acquires the table's lock (what other CPUs did before is
    replayed), works on the map, and releases the lock, which publishes the map.  What a
    VM's table maps is not mapped otherwise later.  After a panic the lock stays as it is:
    the machine has stopped.  Stands on NPTWalk. *)
From SeKVM.layers.NPTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition PAGE_GUEST : Z := 144115188075855872.
Definition ADDR_LIMIT : Z := 281474976710656.
Definition PFN_LIMIT : Z := 68719476736.

(** The context of a VM: neither the host's nor KCore's. *)
Definition is_guest (v : Z) : bool := (0 <? v) && (v <? 16).

(** * What may be mapped *)

(** The first page of the block of page [g]; the pages that an entry of level [lvl] at page
    [g] covers; its level in the table. *)
Definition block_start (g : Z) : Z := g - g mod 512.
Definition map_start (lvl g : Z) : Z := if lvl =? 2 then block_start g else g.
Definition map_size (lvl : Z) : Z := if lvl =? 2 then 512 else 1.
Definition map_level (lvl : Z) : nat := if lvl =? 2 then 2%nat else 3%nat.

(** An entry of its level, and a block that the hardware has: from an aligned address on. *)
Definition can_map (lvl e : Z) : bool :=
  if lvl =? 2 then (Z.land e 3 =? 1) && (table_addr e mod BLOCK_SIZE =? 0) else (lvl =? 3) && (Z.land e 3 =? 3).

(** Page [g + i] is free, or has the entry [e] already, or is the [i]-th page of the block [e]
    with an entry of its own. *)
Definition fits_at (g e : Z) (p : pmap) (i : Z) : bool :=
  let d := entry p (g + i) in (d =? 0) || (d =? e) || (d =? Z.lor (Z.lor e 3) (i * 4096)).
Definition fits (lvl g e : Z) (p : pmap) : bool := forallb (fits_at (map_start lvl g) e p) (seqZ 0 (map_size lvl)).

(** What is looked at are words, as in every table that is one of memory ([Safe]). *)
Definition words_at (lvl g : Z) (p : pmap) : bool :=
  forallb (fun i => in_range U64 (entry p (map_start lvl g + i))) (seqZ 0 (map_size lvl)).

(** * The operations *)

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

  (** Make [e] the entry of address [a]; in a VM's table no page changes its frame. *)
  Definition map_s2pt_spec : prim St :=
    p4 None U32 U64 U32 U64 (fun vm a lvl e s =>
      if negb (is_vmid vm && (a <? ADDR_LIMIT) && can_map lvl e) then Some (Halt s) else
      some c := st_npts s !! vm;
      rely negb (c_held c);
      let c := acquire_cell c in
      rely negb (is_guest vm) || words_at lvl (page_number a) (c_val c);
      if is_guest vm && negb (fits lvl (page_number a) e (c_val c)) then Some (Halt (put_table vm c s)) else
      publish_update vm (if lvl =? 2 then ALL_ADDRESSES else a)
        (pset (npt_geom vm) (map_level lvl) (page_number a) e (c_val c)) c s).

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
