(* SPDX-License-Identifier: Apache-2.0 *)
(** Scenarios of the whole stack by computation: the linked program of layers 1 to 12 on the
    bottom machine, whose ticket counters wrap around on the way.  Other CPUs contend for the
    locks of tables while they are used; and the premises of [StackSafe.top_safe] hold
    of that very world. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.pagetable Require Import Leaves.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.MmioSPTWalk Require Import Spec.
From SeKVM Require Import Stack StackSmmu StackSafe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The world *)

(** Before us, CPU 3 maps page 5 of bank 1 of SMMU 0: the tables that it leaves, and what
    they mean. *)
Definition page_of_3 : Z := bank_page (bank 1 0) 0x5000.
Definition tree_of_3 : tree :=
  match tset smmu_geom 2 page_of_3 0x8000747 (spt_tree spt0) with Updated u | Full u | Under_block u => u end.
Definition left_by_3 : sptab := mkspt (next tree_of_3 1) (next tree_of_3 2) (words tree_of_3).
Definition map_of_3 : pmap :=
  match pset smmu_geom 2 page_of_3 0x8000747 (pempty smmu_geom) with Updated p | Full p | Under_block p => p end.

(** CPU 1 holds the lock of VM 3's table before us, CPU 2 queues before us and CPU 4
    after us; none of them changes the still empty table.  CPU 3 holds the lock of the SMMU
    tables before us, CPU 5 queues after us and leaves the tables as they were. *)
Definition contention : scripts lock_event :=
  mkscripts [] [] [[Take 3]; []; [Pass 3 left_by_3]; [Take 5]; []; [Pass 5 left_by_3]] []
    (fun vm => if vm =? 3
       then [[Take 2; Take 1]; [Take 4]; [Pass 1 (npt0 3)]; []; [Pass 2 (npt0 3)]; [Pass 4 (npt0 3)]; []] else [])
    (fun _ => []).

(** Tickets drawn and served, releases so far by CPU, and invalidations. *)
Definition tickets {X} (t : tview X) : Z * Z * list Z := (t_next t, t_now t, map fst (t_log t)).
Definition lock3 (s : St tview npt sptab (gmap Z s2page)) : option (Z * Z * list Z) * list out_event :=
  (some t := st_npts s !! 3; Some (tickets t), st_outs s).
Definition lock_of_smmus (s : St tview npt sptab (gmap Z s2page)) : Z * Z * list Z * list out_event :=
  (tickets (st_spt s), st_outs s).

Definition by_program : stepper (St tview npt sptab (gmap Z s2page)) := by_code smmu_program L0.

(** * Stage 2 *)

(** Our turn comes after CPUs 1 and 2, our second after CPU 4; every operation takes the
    lock once. *)
Example contended :
  observe by_program lock3
    [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000]);
     ("get_level_s2pt", [3; 0x5fff]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000])]
    (init0 4294967294 (quiet 0) contention)
  = ([0; 0; 0x8000747; 3; 0; 0x8000747], Finished,
     (Some (7, 7, [0; 0; 0; 0; 0; 4; 0; 2; 1]), [Tlb_flush 3 0x5000; Tlb_flush 3 0x5000])).
Proof. vm_compute. reflexivity. Qed.

(** Wrong arguments stop the machine before a lock is taken: a level, an address, a table. *)
Example wrong_arguments :
  observe by_program lock3 [("walk_s2pt", [3; 0x1000000000000]); ("map_s2pt", [3; 0x5000; 1; 0x8000747])] (init0 0 (quiet 0) no_events)
    = ([0], Panicked, (Some (0, 0, []), [])) /\
  observe by_program lock3 [("map_s2pt", [3; 0x1000000000000; 3; 0x8000747])] (init0 0 (quiet 0) no_events)
    = ([], Panicked, (Some (0, 0, []), [])) /\
  observe by_program lock3 [("walk_s2pt", [17; 0])] (init0 0 (quiet 0) no_events)
    = ([], Panicked, (Some (0, 0, []), [])).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** A second frame for a page of a VM is refused by a panic, which stops with the lock held. *)
Example refused :
  observe by_program lock3
    [("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("map_s2pt", [3; 0x5000; 3; 0x9000747])]
    (init0 0 (quiet 0) no_events)
  = ([0], Panicked, (Some (2, 1, [0]), [Tlb_flush 3 0x5000])).
Proof. vm_compute. reflexivity. Qed.

(** VM 3 stores to its page and the host loads the word back, through a block that leads to
    the same memory; what it may not write stays; and nobody reaches what is not mapped. *)
Definition x3_is (w : Z) (s : St tview npt sptab (gmap Z s2page)) : St tview npt sptab (gmap Z s2page) :=
  set_cpu (set_reg X3 w (st_cpu s)) s.

Example accesses :
  observe by_program (fun s => (reg_get X0 (cpu_regs (st_cpu s)), map_to_list (m_words (st_mem s)), fst (lock3 s)))
    [("map_s2pt", [3; 0x5000; 3; 0x402057ff]); ("map_s2pt", [0; 0x200000; 2; 0x4020077d]); ("mem_store_ref", [3; 0x5ff8; 3]);
     ("mem_load_ref", [0; 0x205ff8; 0]); ("mem_store_ref", [0; 0x205ff8; 4]); ("mem_load_ref", [3; 0x6000; 0]);
     ("mem_load_ref", [17; 0; 0])]
    (x3_is 77 (init0 0 (quiet 0) no_events))
  = ([0; 0; 1; 1; 0; 0], Panicked, (77, [(0x40205ff8, 77)], Some (3, 3, [0; 0; 0]))).
Proof. vm_compute. reflexivity. Qed.

(** * SMMU *)

(** A device of bank 1 loads what a VM stored; a device of another bank faults. *)
Example device_accesses :
  observe by_program (fun s => (reg_get X0 (cpu_regs (st_cpu s)), tickets (st_spt s)))
    [("map_s2pt", [3; 0x5000; 3; 0x402057ff]); ("mem_store_ref", [3; 0x5ff8; 3]); ("map_spt", [1; 0; 0x9000; 0x4020577f]);
     ("dev_load_ref", [2; 0; 0x9ff8; 1]); ("dev_load_ref", [1; 0; 0x9ff8; 0]); ("dev_store_ref", [1; 0; 0x9ff8; 1])]
    (x3_is 77 (init0 0 (quiet 0) no_events))
  = ([0; 1; 0; 0; 1; 0], Finished, (77, (4, 4, [0; 0; 0; 0]))).
Proof. vm_compute. reflexivity. Qed.

(** After CPU 3's we find its page; ours is apart from it, and from the other banks. *)
Example smmu_contended :
  observe by_program lock_of_smmus
    [("walk_spt", [1; 0; 0x5fff]); ("map_spt", [1; 0; 0x6000; 0x9000747]); ("walk_spt", [1; 0; 0x5000]);
     ("walk_spt", [1; 0; 0x6000]); ("walk_spt", [1; 1; 0x6000]); ("map_spt", [1; 0; 0x6000; 0xa000747]);
     ("walk_spt", [1; 0; 0x6000]); ("unmap_spt", [1; 0; 0x6000]); ("walk_spt", [1; 0; 0x6000])]
    (init0 4294967294 (quiet 0) contention)
  = ([0x8000747; 0; 0x8000747; 0x9000747; 0; 0; 0xa000747; 0xa000747; 0], Finished,
     (9, 9, [0; 0; 0; 0; 0; 0; 0; 0; 5; 0; 3], [Smmu_flush 0 1 0x6000; Smmu_flush 0 1 0x6000; Smmu_flush 0 1 0x6000])).
Proof. vm_compute. reflexivity. Qed.

(** A bank starts empty; the other keeps its page. *)
Example bank_restarted :
  observe by_program lock_of_smmus
    [("map_spt", [7; 1; 0x5000; 0x8000747]); ("map_spt", [6; 1; 0x5000; 0x9000747]); ("init_spt", [7; 1]);
     ("walk_spt", [7; 1; 0x5000]); ("walk_spt", [6; 1; 0x5000]); ("unmap_spt", [7; 1; 0x5000])]
    (init0 0 (quiet 0) no_events)
  = ([0; 0; 0; 0; 0x9000747; 0], Finished,
     (6, 6, [0; 0; 0; 0; 0; 0],
      [Smmu_flush 1 7 18446744073709551615; Smmu_flush 1 6 0x5000; Smmu_flush 1 7 0x5000])).
Proof. vm_compute. reflexivity. Qed.

(** CPU 3 leaves one table of the second level and none of the third: a new page that needs
    one is a panic, with the lock held; walking and unmapping need none. *)
Definition used_up : scripts lock_event :=
  mkscripts [] [] [[Take 3]; [Pass 3 (mkspt (SMMU_PMD_START - 4096) SMMU_POOL_END ∅)]] [] (fun _ => []) (fun _ => []).

Example smmu_pool_empty :
  observe by_program lock_of_smmus
    [("walk_spt", [0; 0; 0x5000]); ("unmap_spt", [0; 0; 0x5000]); ("map_spt", [0; 0; 0x5000; 0x8000747])]
    (init0 0 (quiet 0) used_up)
  = ([0; 0], Panicked, (4, 3, [0; 0; 3], [])).
Proof. vm_compute. reflexivity. Qed.

(** * The premises of [top_safe] can be met *)

Example contention_is_fair : fair_scripts 0 1 contention.
Proof.
  constructor; try reflexivity.
  - repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
  - intros vm. unfold contention. cbn [sc_npts].
    destruct (vm =? 3); [|reflexivity].
    repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
Qed.

(** What the others do at layer 4: the counterparts of the bottom scripts. *)
Example contention_above :
  w_npts (world_of (quiet 0) contention) 3 = [[(2, npt0 3); (1, npt0 3)]; [(4, npt0 3)]] /\
  w_spt (world_of (quiet 0) contention) = [[(3, left_by_3)]; [(5, left_by_3)]].
Proof. split; reflexivity. Qed.

(** ... and what it means. *)
Definition empty_maps (vm : Z) : list (list (Z * pmap)) :=
  let e := pempty (npt_geom 3) in if vm =? 3 then [[(2, e); (1, e)]; [(4, e)]] else [].
Definition maps_of_3 : list (list (Z * pmap)) := [[(3, map_of_3)]; [(5, map_of_3)]].

Lemma empty_event c : event_rel (NPTWalk.Spec.RN 3) (c, pempty (npt_geom 3)) (c, npt0 3).
Proof. split; [reflexivity|]. intros V. exact (npt0_refines 3 V). Qed.

Lemma event_of_3 c : event_rel RM (c, map_of_3) (c, left_by_3).
Proof.
  split; [reflexivity|]. unfold RM, left_by_3, spt_tree. cbn [snd spt_words].
  apply (refines_next_ext _ _ _ (next tree_of_3)).
  { intros [|[|[|l]]] L; [reflexivity | reflexivity | cbn in L; lia | cbn in L; lia]. }
  assert (X : outcome_rel (refines_pt smmu_geom) (refines_pt smmu_geom)
      (pset smmu_geom 2 page_of_3 0x8000747 (pempty smmu_geom)) (tset smmu_geom 2 page_of_3 0x8000747 (spt_tree spt0))).
  { apply (set_refines smmu_geom smmu_geom_ok); [split; reflexivity || discriminate | split; reflexivity || discriminate
      | exact spt0_refines | cbn; lia | reflexivity | cbn; lia]. }
  unfold map_of_3, tree_of_3.
  destruct (pset smmu_geom 2 page_of_3 0x8000747 (pempty smmu_geom)) as [p|p|p],
    (tset smmu_geom 2 page_of_3 0x8000747 (spt_tree spt0)) as [t|t|t]; cbn [outcome_rel] in X; try tauto;
    destruct t; exact X.
Qed.

Example contention_means : maps_of (world_of (quiet 0) contention) empty_maps maps_of_3.
Proof.
  destruct contention_above as [E F]. split.
  - intros vm V. destruct (Z.eq_dec vm 3) as [->|N].
    + rewrite E. unfold empty_maps. rewrite Z.eqb_refl. cbv zeta. repeat first [apply Forall2_nil_2 | apply empty_event | apply Forall2_cons_2].
    + unfold empty_maps, world_of, contention. cbn [w_npts sc_npts]. apply Z.eqb_neq in N. rewrite N. constructor.
  - rewrite F. unfold maps_of_3. repeat first [apply Forall2_nil_2 | apply event_of_3 | apply Forall2_cons_2].
Qed.

Example calls_allowed : exists h,
  orderly ∅
    [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("clear_pfn_host", [7]);
     ("map_s2pt", [99; 0xffffffffffffffff; 5; 0]); ("init_spt", [1; 0]); ("map_spt", [1; 0; 0x5000; 0x9000747]);
     ("unmap_spt", [9; 7; 0xffffffffffffffff]); ("mem_load_ref", [99; 7; 99]); ("dev_store_ref", [9; 9; 7; 99]);
     ("acquire_lock_s2page", []); ("walk_spt", [1; 0; 0x5000]);
     ("release_lock_s2page", [])] h.
Proof.
  eexists.
  do 4 (eapply orderly_call; [apply on_stage2; constructor; reflexivity|]).
  do 3 (eapply orderly_call; [apply on_smmu; constructor; reflexivity|]).
  eapply orderly_call; [apply by_context; constructor; reflexivity|].
  eapply orderly_call; [apply by_device; constructor; reflexivity|].
  eapply orderly_call; [apply (take _ "acquire_lock_s2page" "release_lock_s2page" lock_s2page); [cbn; auto | set_solver]|].
  eapply orderly_call; [apply on_smmu; constructor; reflexivity|].
  eapply orderly_call; [apply (give _ "acquire_lock_s2page" "release_lock_s2page" lock_s2page); [cbn; auto | set_solver]|].
  apply orderly_nil.
Qed.
