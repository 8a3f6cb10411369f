(* SPDX-License-Identifier: Apache-2.0 *)
(** Scenarios of the whole stack by computation: the linked program on the bottom
    machine, whose ticket counters wrap around on the way.  Other CPUs contend for the
    lock of a table while it is used; and the premises of [StackSafe.top_safe] hold
    of that very world. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.NPTWalk Require Import Spec.
From SeKVM Require Import Stack StackSafe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** CPU 1 holds the lock of VM 3's table before us, CPU 2 queues before us and CPU 4
    after us; none of them changes the still empty table. *)
Definition contention : scripts lock_event :=
  on_npt3 [[Take 2; Take 1]; [Take 4]; [Pass 1 (npt0 3)]; []; [Pass 2 (npt0 3)]; [Pass 4 (npt0 3)]; []].

(** Tickets drawn and served, releases so far by CPU, and invalidations. *)
Definition lock3 (s : St tview npt sptab (gmap Z s2page)) : option (Z * Z * list Z) * list out_event :=
  (some t := st_npts s !! 3; Some (t_next t, t_now t, map fst (t_log t)), st_outs s).

Definition by_program : stepper (St tview npt sptab (gmap Z s2page)) := by_code program L0.

(** Our turn comes after CPUs 1 and 2, our second after CPU 4; every operation takes the
    lock once. *)
Example contended :
  observe by_program lock3
    [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("walk_s2pt", [3; 0x5000]);
     ("get_level_s2pt", [3; 0x5fff]); ("map_s2pt", [3; 0x5000; 3; 0]); ("walk_s2pt", [3; 0x5000])]
    (init0 4294967294 (quiet 0) contention)
  = ([0; 0; 0x8000747; 3; 0; 0], Finished,
     (Some (7, 7, [0; 0; 0; 0; 0; 4; 0; 2; 1]), [Tlb_flush 3 0x5000; Tlb_flush 3 0x5000])).
Proof. vm_compute. reflexivity. Qed.

(** Mapping a page below a block is refused by a panic, which stops with the lock held. *)
Example refused :
  observe by_program lock3
    [("map_s2pt", [3; 0x200000; 2; 0x40000745]); ("map_s2pt", [3; 0x205000; 3; 0x8000747])]
    (init0 0 (quiet 0) no_events)
  = ([0], Panicked, (Some (2, 1, [0]), [Tlb_flush 3 18446744073709551615])).
Proof. vm_compute. reflexivity. Qed.

(** * The premises of [top_safe] can be met *)

Example contention_is_fair : fair_scripts 0 1 contention.
Proof.
  constructor; try reflexivity. intros vm. unfold contention, on_npt3. cbn [sc_npts].
  destruct (vm =? 3); [|reflexivity].
  repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
Qed.

(** What the others do at layer 4: the counterpart of the bottom script. *)
Example contention_above :
  w_npts (world_of (quiet 0) contention) 3 = [[(2, npt0 3); (1, npt0 3)]; [(4, npt0 3)]].
Proof. vm_compute. reflexivity. Qed.

(** ... and what it means. *)
Definition empty_maps (vm : Z) : list (list (Z * pmap)) :=
  let e := pempty (npt_geom 3) in if vm =? 3 then [[(2, e); (1, e)]; [(4, e)]] else [].

Lemma empty_event c : event_rel (RN 3) (c, pempty (npt_geom 3)) (c, npt0 3).
Proof. split; [reflexivity|]. intros V. exact (npt0_refines 3 V). Qed.

Example contention_means : maps_of (world_of (quiet 0) contention) empty_maps.
Proof.
  intros vm V. destruct (Z.eq_dec vm 3) as [->|N].
  - rewrite contention_above. unfold empty_maps. rewrite Z.eqb_refl. cbv zeta. split.
    + constructor; [|constructor; [|constructor]].
      * constructor; [apply empty_event | constructor; [apply empty_event | constructor]].
      * constructor; [apply empty_event | constructor].
    + constructor; [|constructor; [|constructor]].
      * constructor; [apply (pempty_ok (npt_geom 3)) | constructor; [apply (pempty_ok (npt_geom 3)) | constructor]].
      * constructor; [apply (pempty_ok (npt_geom 3)) | constructor].
  - unfold empty_maps, world_of, contention, on_npt3. cbn [w_npts sc_npts]. apply Z.eqb_neq in N. rewrite N.
    split; constructor.
Qed.

Example calls_allowed :
  Forall stage2_call [("walk_s2pt", [3; 0x5000]); ("map_s2pt", [3; 0x5000; 3; 0x8000747]); ("clear_pfn_host", [7])].
Proof. repeat (constructor; [constructor; (reflexivity || lia)|]). constructor. Qed.
