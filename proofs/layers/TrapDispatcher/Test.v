(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 32, TrapDispatcher: examples by computation.  The specification and the code run by the interpreter agree
    with written values: every call of the table, every condition at its edge, what no call is, and every class of
    trap of a VM. The operations are stood in for by entries of the ledger. *)
From SeKVM.lib Require Import Calls Hide.
From SeKVM.machine Require Import Init.
From SeKVM.layers.TrapDispatcher Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** An operation notes its number and arguments; one with a result answers 77; verification of VM 9 panics. *)
Definition op (f : ident) : prim state := fun vs s =>
  match find (fun h => String.eqb (handler h) f) calls with
  | Some h =>
      if (number h =? HVC_VERIFY_VM_IMAGE) && (hd 0 vs =? 9) then Some (Halt s)
      else ret (if has_result h then 77 else 0) (set_outs (Flow 0 0 (number h :: vs) :: st_outs s) s)
  | None => None
  end.
(** A VM's call with 11 in x0 is for KCore. *)
Definition pvops : prim state := p0 (Some U32) (fun s =>
  some m := cur_ctxt s; ret (if reg_word X0 m =? 11 then 0 else 1) (set_outs (Flow 3 0 [] :: st_outs s) s)).

Definition Under : tbl state := U op pvops.
Lemma Under_keeps : keeps (U op pvops) Under.
Proof. repeat constructor. Qed.

Definition by_spec : stepper state := call (over (TrapDispatcher.Spec.T op pvops) Under).
Definition by_c : stepper state := by_code code Under.

(** * Calls of the host *)

(** CPU 2 runs the host, with these words in x0, x1, ... of its context. *)
Definition host (xs : list Z) : state :=
  set_cpu (mkcpu 2 0 2 ∅)
    (set_ctxts {[ 2 := mkcell (list_to_map (combine x_regs xs)) false [] [] ]} (init (quiet 2))).
Definition obs (s : state) : list Z * list out_event :=
  (match cur_ctxt s with Some m => map (fun r => reg_word r m) [X0; X1; X2; X3; X4; X5] | None => [] end, st_outs s).
Definition result : Type := list Z * ended * (list Z * list out_event).
Definition end_of (step : stepper state) (xs : list Z) : result := observe step obs [("host_hvc_dispatcher", [])]
  (host xs).
(** Each of these calls, by specification and by code, ends as [f] says. *)
Definition calling (l : list (list Z)) (f : list Z -> result) : Prop :=
  map (end_of by_spec) l = map f l /\ map (end_of by_c) l = map f l.

(** The registers with a word at [i]. *)
Definition at_reg (i : nat) (z : Z) (xs : list Z) : list Z := (firstn i xs ++ z :: skipn (i + 1) xs)%list.
Definition ones (h : hypercall) : list Z := [number h; 1; 1; 1; 1; 1].
Definition served (h : hypercall) (xs : list Z) : result :=
  let answer := if has_result h then 77 else 0 in
  ([0], Finished, (at_reg 0 answer xs, [Flow 0 0 (firstn (S (List.length (parameters h))) xs)])).
Definition refused (xs : list Z) : result := ([0], Finished, (at_reg 0 REFUSED xs, [])).

(** Every call, with its smallest arguments but for zeros. *)
Example every_call : Forall (fun h => calling [ones h] (served h)) calls.
Proof. unfold calls. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** The last word that a condition allows is served, the next is refused; a sum does not wrap around. *)
Definition inside (xs : list Z) (c : condition) : list Z :=
  match c with Atleast i z => at_reg i z xs | Below i z => at_reg i (z - 1) xs | Fit i j z => at_reg i (z - 1) xs end.
Definition outside (xs : list Z) (c : condition) : list (list Z) :=
  match c with
  | Atleast i z => [at_reg i (z - 1) xs]
  | Below i z => [at_reg i z xs; at_reg i (z + 4294967296) xs; at_reg i 18446744073709551615 xs]
  | Fit i j z => [at_reg i z xs; at_reg j z xs; at_reg i 18446744073709551615 xs; at_reg j 18446744073709551615 xs]
  end.
Example edges_inside : Forall (fun h => calling (map (inside (ones h)) (conditions h)) (served h)) calls.
Proof. unfold calls. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.
Example edges_outside : Forall (fun h => calling (flat_map (outside (ones h)) (conditions h)) refused) calls.
Proof. unfold calls. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Numbers that no call has: a VM's calls, the next one, and those that agree with a call's in the low half. *)
Example no_call : calling (map (fun n => [n; 1; 1; 1; 1; 1]) [0; 11; 12; 30; 4294967309;
  18446744073709551615]) refused.
Proof. split; vm_compute; reflexivity. Qed.

(** A handler's panic is one. *)
Example panics : calling [[HVC_VERIFY_VM_IMAGE; 9; 0; 0; 0; 0]] (fun xs => ([], Panicked, (xs, []))).
Proof. split; vm_compute; reflexivity. Qed.

(** Undefined: the context of another CPU is loaded. *)
Example other_cpu :
  observe by_c obs [("host_hvc_dispatcher", [])] (set_cpu (mkcpu 2 0 3 ∅) (host [24])) = ([], Undefined, ([], [])).
Proof. vm_compute. reflexivity. Qed.

(** * Traps of a VM *)

(** vCPU 1 of VM 3 trapped with this class and x0. *)
Definition trap (class x0 : Z) : state :=
  set_cpu (mkcpu 2 3 1 {[ ELR_EL2 := 0x1000 ]})
    (set_ctxts {[ 25 := mkcell {[ ESR_EL2 := class * 67108864 + 0x2000000; X0 :=
    x0 ]} true [] [] ]} (init (quiet 2))).
Definition obs_trap (s : state) : Z * list out_event := (reg_get ELR_EL2 (phys_regs s), st_outs s).
Definition trapping (x0 : Z) (l : list Z) (v : list Z * ended * (Z * list out_event)) : Prop :=
  let run (step : stepper state) class := observe step obs_trap [("vm_exit_dispatcher", [3; 1])] (trap class x0) in
  map (run by_spec) l = map (fun _ => v) l /\ map (run by_c) l = map (fun _ => v) l.

Example system_register : trapping 0 [24] ([0], Finished, (0x1004, [])).
Proof. split; vm_compute; reflexivity. Qed.
Example calls_of_a_vm : trapping 11 [22] ([0], Finished, (0x1000, [Flow 3 0 []])) /\
  trapping 0x84000008 [22] ([1], Finished, (0x1000, [Flow 3 0 []])).
Proof. repeat split; vm_compute; reflexivity. Qed.
(** Every other class, served by somebody or not, is the host's; nothing changes here. *)
Example all_classes :
  trapping 11 (List.filter (fun z => negb ((z =? 22) || (z =? 24))) (seqZ 0 64)) ([1], Finished, (0x1000, [])).
Proof. split; vm_compute; reflexivity. Qed.

(** What the dispatchers are made of is hidden above this layer. *)
Example hidden_above : Forall (fun f => Lang.assoc f (over (TrapDispatcher.Spec.T op pvops) (hide hidden Under)) =
  None) hidden.
Proof. repeat constructor. Qed.
