(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 7, NPTWalk: stage-2 tables as maps, and what an access of a VM or of the host
    through its table does.  From here on the table of a VM is a
    [pmap]: page number to level and entry, with the tables that exist and the tables
    left; the tree in memory is below.  The relation between the two is that of
    [pagetable], for each valid VM.  Stands on PTWalk. *)
From Coq Require Import Lia.
From SeKVM.machine Require Export Rel Init BottomMem.
From SeKVM.pagetable Require Export Geometry.
From SeKVM.layers.PTWalk Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The number of the page of [a] (bits 12 to 47); no address in particular. *)
Definition page_number (a : Z) : Z := (a / 4096) mod 68719476736.
Definition ALL_ADDRESSES : Z := 18446744073709551615.

(** What a table says of page [g]: the entry, zero if there is none, and the level of
    an entry that points to memory (0 if there is none, 2 for a block, 3 for a page). *)
Definition entry (p : pmap) (g : Z) : Z := match leaves p !! g with Some (_, e) => e | None => 0 end.
Definition level (p : pmap) (g : Z) : Z :=
  match leaves p !! g with Some (l, e) => if table_addr e =? 0 then 0 else if (l =? 2)%nat then 2 else 3 | None => 0 end.

Lemma level_range p g : 0 <= level p g <= 3.
Proof. unfold level. destruct (leaves p !! g) as [[l e]|]; [destruct (table_addr e =? 0), (l =? 2)%nat|]; split; discriminate. Qed.

(** * Translation as the hardware does it

    A block has the low bits 01, a page 11; bit 6 lets its user read and bit 7 write.  A
    block's address is aligned to its size. *)
Definition PTE_READ : Z := 64.
Definition PTE_WRITE : Z := 128.
Definition BLOCK_SIZE : Z := 2097152.
Definition leaf_size (l : nat) : Z := if (l =? 2)%nat then BLOCK_SIZE else PAGE.
Definition lets (permission : Z) (l : nat) (e : Z) : bool :=
  (Z.land e 3 =? if (l =? 2)%nat then 1 else 3) && negb (Z.land e permission =? 0).
Definition out_addr (l : nat) (e a : Z) : Z := table_addr e / leaf_size l * leaf_size l + a mod leaf_size l.
Definition translate (permission : Z) (p : pmap) (a : Z) : option Z :=
  match leaves p !! page_number a with
  | Some (l, e) => if lets permission l e then Some (out_addr l e a) else None
  | None => None
  end.

(** What is translated is a word of physical memory. *)
Lemma out_addr_word l e a : in_memory a = true -> in_memory (out_addr l e a) = true.
Proof.
  unfold in_memory, out_addr. intros I. apply andb_true_iff in I as [_ I]. apply Z.eqb_eq in I.
  pose proof (Z.mod_pos_bound (e / 4096) 68719476736 eq_refl) as B. unfold table_addr.
  set (t := (e / 4096) mod 68719476736) in *.
  assert (S : leaf_size l = 4096 \/ leaf_size l = 2097152) by (unfold leaf_size, BLOCK_SIZE, PAGE; destruct (l =? 2)%nat; auto).
  apply andb_true_iff. split; [apply Z.ltb_lt | apply Z.eqb_eq]; destruct S as [-> | ->]; clearbody t;
    Z.div_mod_to_equations; lia.
Qed.

Section NPTWalk.
  Context {M P : Type}.
  Notation St := (St cell pmap M P).

  Definition get_npt_level_spec : prim St :=
    p2 (Some U32) U32 U64 (fun vm a s =>
      some c := st_npts s !! vm;
      rely c_held c;
      rely is_vmid vm;
      ret (level (c_val c) (page_number a)) s).

  Definition walk_npt_spec : prim St :=
    p2 (Some U64) U32 U64 (fun vm a s =>
      some c := st_npts s !! vm;
      rely c_held c;
      rely is_vmid vm;
      ret (entry (c_val c) (page_number a)) s).

  (** The outcome of an update of VM [vm]'s table: the new table and an invalidation
      of [a], or a panic. *)
  Definition update (vm a : Z) (o : outcome pmap pmap) (s : St) : option (res St) :=
    some c := st_npts s !! vm;
    match o with
    | Updated p => ret 0 (set_outs (Tlb_flush vm a :: st_outs s) (set_npts (<[vm := set_val p c]> (st_npts s)) s))
    | Full p | Under_block p => Some (Halt (set_npts (<[vm := set_val p c]> (st_npts s)) s))
    end.

  Definition set_npt_spec : prim St :=
    p4 None U32 U64 U32 U64 (fun vm a lvl e s =>
      some c := st_npts s !! vm;
      rely c_held c;
      rely is_vmid vm;
      if lvl =? 2
      then if Z.land e 3 =? 3 then Some (Halt s)
           else update vm ALL_ADDRESSES (pset (npt_geom vm) 2 (page_number a) e (c_val c)) s
      else update vm a (pset (npt_geom vm) 3 (page_number a) e (c_val c)) s).

  (** An access of VM [vm]'s context to the word at [a] with register [r], where [f] loads
      or stores: 1 if it is made, 0 if it faults.  The table is locked meanwhile. *)
  Definition mem_access (permission : Z) (f : Z -> reg -> St -> St) : prim St :=
    p3 (Some U32) U32 U64 U32 (fun vm a r s =>
      if negb (is_vmid vm) then Some (Halt s) else
      match (if in_memory a then user_reg r else None) with
      | None => ret 0 s
      | Some x =>
          some c := st_npts s !! vm;
          rely negb (c_held c);
          let c := acquire_cell c in
          let s' := set_npts (<[vm := release_cell (cpu_id (st_cpu s)) c]> (st_npts s)) s in
          match translate permission (c_val c) a with
          | Some pa => ret 1 (f pa x s')
          | None => ret 0 s'
          end
      end).
  Definition mem_load_ref_spec : prim St := mem_access PTE_READ load_word.
  Definition mem_store_ref_spec : prim St := mem_access PTE_WRITE store_word.

  (** Accesses pass through all layers above. *)
  Definition T_access : tbl St := [("mem_load_ref", mem_load_ref_spec); ("mem_store_ref", mem_store_ref_spec)].

  Definition T : tbl St :=
    ([("get_npt_level", get_npt_level_spec); ("walk_npt", walk_npt_spec); ("set_npt", set_npt_spec)] ++ T_access)%list.
End NPTWalk.

(** The state with stage-2 tables as maps. *)
Notation nstate := (St cell pmap sptab (gmap Z s2page)).

(** The map of VM [vm] and the tree in memory. *)
Definition RN (vm : Z) (p : pmap) (x : npt) : Prop :=
  is_vmid vm = true -> refines_pt (npt_geom vm) p (npt_tree x).
Definition R : srel nstate state := R_npts RN.

(** What passes through the change of representation. *)
Definition Lkeep {N} : tbl (St cell N sptab (gmap Z s2page)) := (T_locks ++ T_ctl ++ T_smmu_ptmem ++ T_smmu_bump ++ T_pages ++ T_rest)%list.
Definition L : tbl nstate := over T Lkeep.
