(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 19, BootCore: examples by computation.  The specification and the code run by
    the interpreter agree with written values. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.BootCore Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition by_spec : stepper state := call (over T (@T_ctl cell npt sptab (gmap Z s2page))).
Definition by_c : stepper state := by_code code U.

(** Other CPUs leave the counters as [after], one by one. *)
Definition start (after : list core_data) : state :=
  set_core (free_cell core0 (map (fun y => [(1, y)]) after)) (init (quiet 0)).

Definition obs (s : state) : Z * Z * bool := (next_vmid (c_val (st_core s)), next_remap_ptr (c_val (st_core s)),
  c_held (st_core s)).
Definition agree (s : state) (cs : list (ident * list Z)) (v : list Z * ended * (Z * Z * bool)) : Prop :=
  observe by_spec obs cs s = v /\ observe by_c obs cs s = v.

(** The first number is 1; another CPU takes two numbers and a page between. *)
Example numbers :
  agree (start [core0; mkcore 4 33558528])
    [("gen_vmid", []); ("gen_vmid", []); ("alloc_remap_addr", [3]); ("alloc_remap_addr", [1])]
    ([1; 4; 33558528; 33570816], Finished, (5, 33574912, false)).
Proof. split; vm_compute; reflexivity. Qed.

(** Fifteen numbers, then the machine stops, the counters locked. *)
Example all_numbers :
  agree (start []) (repeat ("gen_vmid", []) 16) (seqZ 1 15, Panicked, (16, 33554432, true)).
Proof. split; vm_compute; reflexivity. Qed.

(** The host's number is never handed out, even from counters that cannot occur. *)
Example not_the_host : agree (start [mkcore 0 33554432]) [("gen_vmid", [])] ([], Panicked, (0, 33554432, true)).
Proof. split; vm_compute; reflexivity. Qed.

(** All 8192 pages can be handed out, the last one too; then none, and never no page nor
    more than there are, however large the request. *)
Example all_pages :
  agree (start [])
    [("alloc_remap_addr", [8191]); ("alloc_remap_addr", [2]); ("alloc_remap_addr", [1]); ("alloc_remap_addr", [1])]
    ([33554432; 0; 67104768; 0], Finished, (1, 67108864, false)).
Proof. split; vm_compute; reflexivity. Qed.
Example refused :
  Forall (fun n => agree (start []) [("alloc_remap_addr", [n])] ([0], Finished, (1, 33554432, false)))
    [0; 8193; 4503599627370496; 4503599627370497; 18446744073709551615].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** Counters that cannot occur hand out nothing outside KCore's addresses, nor parts of pages. *)
Example outside :
  Forall (fun p => agree (start [mkcore 1 p]) [("alloc_remap_addr", [1])] ([0], Finished, (1, p, false)))
    [0; 33550336; 33554433; 67112960; 18446744073709551615].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
