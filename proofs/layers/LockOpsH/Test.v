(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 3, LockOpsH: examples by computation.  One step of this layer against the
    polling of the layer below under the corresponding script. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import LockInit.
From SeKVM.layers.LockOpsH Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition free_hview {X} (x : X) (s : list (list (Z * X))) : hview X := mkhview x false false [] s.
Definition free_qview {X} (x : X) (s : list (list (lock_event X))) : qview X := mkqview x false [] [] s.

Definition by_spec : stepper (St hview npt sptab (gmap Z s2page)) := call LockOpsH.Spec.L.
Definition by_c : stepper (St qview npt sptab (gmap Z s2page)) := by_code code LockOpsQ.Spec.L.

Definition holder3 (s : St hview npt sptab (gmap Z s2page)) : option (bool * list Z * Z) :=
  some v := st_npts s !! 3; Some (h_held v, map fst (h_log v), pgd_next (h_val v)).
Definition queue3 (s : St qview npt sptab (gmap Z s2page)) : option (list Z * list Z * Z) :=
  some v := st_npts s !! 3; Some (q_queue v, map fst (q_log v), pgd_next (q_val v)).

Definition table (n : Z) : npt := mknpt n (pud_start 3) (pmd_start 3) ∅.
Definition crowd : list (list (lock_event npt)) :=
  [[Take 2; Take 1]; [Take 4]; [Pass 1 (table 1)]; []; [Pass 2 (table 2)]; [Pass 4 (table 4)]].
(** The same for layer 3: before our first turn CPUs 1 and 2, before our second CPU 4. *)
Definition sections : list (list (Z * npt)) := [[(2, table 2); (1, table 1)]; [(4, table 4)]].

(** The two scripts correspond; so the premises of the relation can be met. *)
Example corresponding : waits 0 [] crowd sections.
Proof.
  eapply waits_step; [vm_compute; reflexivity|].
  eapply waits_step; [vm_compute; reflexivity|]. now constructor.
Qed.

Example two_turns :
  let cs := [("wait_hlock", [8]); ("pass_hlock", [8]); ("wait_hlock", [8])] in
  observe by_spec holder3 cs (init_view (@free_hview) (quiet 0) (on_npt3 sections))
    = ([0; 0; 0], Finished, Some (true, [4; 2; 1], 4)) /\
  observe by_c queue3 cs (init_view (@free_qview) (quiet 0) (on_npt3 crowd))
    = ([0; 0; 0], Finished, Some ([0], [4; 2; 1], 4)).
Proof. split; vm_compute; reflexivity. Qed.

(** Taking a lock twice, or passing it on without holding it, is undefined. *)
Example twice :
  observe by_spec holder3 [("wait_hlock", [8]); ("wait_hlock", [8])] (init_view (@free_hview) (quiet 0) no_events)
    = ([0], Undefined, Some (true, [], pgd_start 3)).
Proof. vm_compute. reflexivity. Qed.

Example not_held :
  call LockOpsH.Spec.L "pass_hlock" [8] (init_view (@free_hview) (quiet 0) no_events) = None.
Proof. vm_compute. reflexivity. Qed.
