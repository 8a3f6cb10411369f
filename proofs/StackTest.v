(* SPDX-License-Identifier: Apache-2.0 *)
(** Scenarios of the whole stack by computation: the linked program on the bottom
    machine.  Two other CPUs contend for the lock of a table while its pages are
    allocated; and the premises of [Stack.top_safe] hold of that very world. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.PTAlloc Require Import Safe.
From SeKVM Require Import Stack.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The table of VM 3 after CPU 1, and then CPU 2, allocated a page each. *)
Definition after (k : Z) : npt := mknpt (pgd_start 3 + 4096 * k) (pud_start 3) (pmd_start 3) ∅.

(** CPU 1 holds the lock before us, CPU 2 queues before us and CPU 4 after us; when
    CPU 4's turn has come it allocates a page too. *)
Definition contention : scripts lock_event :=
  on_npt3 [[Take 2; Take 1]; [Take 4]; [Pass 1 (after 1)]; []; [Pass 2 (after 2)];
           [Pass 4 (after 4)]; []].

Definition next_page (s : St tview npt sptab (gmap Z s2page)) : option (Z * Z * list Z) :=
  some t := st_npts s !! 3; Some (pgd_next (t_val t), t_now t, map fst (t_log t)).

Definition two_rounds : list (ident * list Z) :=
  [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3]); ("release_lock_pt", [3]);
   ("acquire_lock_pt", [3]); ("alloc_pgd_page", [3]); ("release_lock_pt", [3])].

(** Pages 0, 1 go to CPUs 1, 2, page 2 to us, page 3 to CPU 4, page 4 to us; the counters
    start just below their wrap-around. *)
Example contended :
  observe (by_code program L0) next_page two_rounds (init0 4294967294 (quiet 0) contention)
  = ([0; pgd_start 3 + 4096 * 2; 0; 0; pgd_start 3 + 4096 * 4; 0], Finished,
     Some (pgd_start 3 + 4096 * 5, 3, [0; 4; 0; 2; 1])).
Proof. vm_compute. reflexivity. Qed.

Example contention_is_fair : fair_scripts 0 1 contention.
Proof.
  constructor; try reflexivity. intros vm. unfold contention, on_npt3. cbn [sc_npts].
  destruct (vm =? 3); [|reflexivity].
  repeat (cbn; do 2 eexists; split; [reflexivity|]). reflexivity.
Qed.

(** What the others do at layer 4: the counterpart of the bottom script. *)
Example contention_above :
  w_npts (world_of (quiet 0) contention) 3 = [[(2, after 2); (1, after 1)]; [(4, after 4)]].
Proof. vm_compute. reflexivity. Qed.

Lemma after_ok k : 0 <= k <= 256 -> npt_ok 3 (after k).
Proof.
  intros K. unfold npt_ok, bump_ok, after, pgd_start, pud_start, pmd_start, pool_end, pool_start, PAGE.
  cbn [pgd_next pud_next pmd_next]. repeat split; Z.div_mod_to_equations; lia.
Qed.

Example contention_keeps_invariant : world_ok (world_of (quiet 0) contention).
Proof.
  intros vm V. destruct (Z.eq_dec vm 3) as [->|N].
  - rewrite contention_above.
    assert (O : forall c k : Z, 0 <= k <= 256 -> npt_ok 3 (snd (c, after k))) by (intros c k; apply after_ok).
    constructor; [|constructor; [|constructor]].
    + constructor; [apply (O 2 2); lia | constructor; [apply (O 1 1); lia | constructor]].
    + constructor; [apply (O 4 4); lia | constructor].
  - unfold world_of, contention, on_npt3. cbn [w_npts sc_npts].
    destruct (Z.eqb_spec vm 3) as [E|_]; [contradiction | constructor].
Qed.

Example two_rounds_polite : polite ∅ two_rounds.
Proof.
  apply polite_acquire; [lia | set_solver |]. apply polite_alloc; [lia | set_solver | cbn; auto |].
  apply polite_release; [lia | set_solver |]. apply polite_acquire; [lia | set_solver |].
  apply polite_alloc; [lia | set_solver | cbn; auto |]. apply polite_release; [lia | set_solver |].
  constructor.
Qed.

(** A panic in the linked program: the pool of the second level is empty. *)
Example exhausted :
  observe (by_code program L0) next_page [("acquire_lock_pt", [3]); ("alloc_pgd_page", [3])]
    (init0 0 (quiet 0) (on_npt3 [[Pass 1 (after 256); Take 1]; []]))
  = ([0], Panicked, Some (pud_start 3, 1, [1])).
Proof. vm_compute. reflexivity. Qed.
