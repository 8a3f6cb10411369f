(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 31, FaultHandler: examples by computation.  The specification and the code run
    by the interpreter agree with written values: faults of the host on memory, on
    devices and on what is not its own; and a VM that shares, takes back, or asks for
    what is not its own either.  Emulation is stood in for by one window of registers. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemoryOps Require Import Interface.
From SeKVM.layers.FaultHandler Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition window : prim hstate := p2 (Some U32) U64 U32 (fun a hsr s => ret (if a =? 0x9000000 then 0 else INVALID) s).
Definition Under : tbl hstate := ([("emulate_mmio", window)] ++ MemoryOps.Interface.L ++ T_ctxt)%list.

(** This is an underlay of the layer's theorem. *)
Lemma Under_keeps : keeps (U window) Under.
Proof. repeat constructor. Qed.

(** A CPU on which [v] runs, with registers [m] of its own, and [c] in the context of VM 3;
    frame 0x40001 is the host's, 0x40005 is VM 3's page 5, 0x40006 its page 6 and shared,
    0x40008 is KCore's.  VM 3 has mapped its pages. *)
Definition start (v : Z) (m c : list (reg * Z)) : hstate :=
  set_s2 (free_cell (list_to_map [(0x40001, Host 0); (0x40005, Vm 3 (Shared 0) (Some 5)); (0x40006, Vm 3 (Shared 1) (Some 6));
                                  (0x40008, Core)]) [])
    (set_cpu (mkcpu 0 v 0 (list_to_map m)) (set_ctxts {[ 24 := mkcell (list_to_map c) true [] [] ]}
      (init_all_maps (fun _ => []) [] (quiet 0)))).
Definition mapped : list (ident * list Z) := [("map_s2pt", [3; 0x5000; 3; 0x40005fff]); ("map_s2pt", [3; 0x6000; 3; 0x40006fff])].

Definition by_spec : stepper hstate := call (over (T window) (hide hidden Under)).
Definition by_c : stepper hstate := by_code code Under.
Definition obs (s : hstate) : list (option page) := map (fun p => c_val (st_s2 s) !! p) [0x40005; 0x40006].
Definition agree (s : hstate) (cs : list (ident * list Z)) (v : list Z * ended * list (option page)) : Prop :=
  observe by_spec obs cs s = v /\ observe by_c obs cs s = v.
Notation priv g := (Some (Vm 3 (Shared 0) (Some g))).
Notation shared k g := (Some (Vm 3 (Shared k) (Some g))).

(** The host gets its own memory, what a VM shares, and devices; emulated registers are not
    mapped.  Bits of HPFAR_EL2 outside the address do not matter. *)
Definition host_fault (hpfar : Z) : hstate := start 0 [(HPFAR_EL2, hpfar); (ESR_EL2, 0x93800007)] [].
Definition fault_then (a : Z) : list (ident * list Z) := [("handle_host_stage2_fault", []); ("walk_s2pt", [0; a])].
Example faults :
  agree (host_fault 0x400010) (fault_then 0x40001000) ([0; 0x40001fff], Finished, [priv 5; shared 1 6]) /\
  agree (host_fault 0xff0000000040006f) (fault_then 0x40006000) ([0; 0x40006fff], Finished, [priv 5; shared 1 6]) /\
  agree (host_fault 0x90010) (fault_then 0x9001000) ([0; 0x400000090017c7], Finished, [priv 5; shared 1 6]) /\
  agree (host_fault 0x90000) (fault_then 0x9000000) ([0; 0], Finished, [priv 5; shared 1 6]).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Private memory of a VM, and KCore's, are not the host's to touch. *)
Example faults_refused :
  Forall (fun x => agree (host_fault x) (fault_then 0) ([], Panicked, [priv 5; shared 1 6])) [0x400050; 0x400080].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** The VM that runs shares two pages, takes them back, or asks for something else. *)
Definition asks (what a n : Z) : hstate := start 3 [] [(X0, what); (X2, a); (X3, n)].
Definition ask : list (ident * list Z) := (mapped ++ [("core_handle_pvops", [])])%list.
Example sharing : agree (asks 11 0x5000 0x2000) ask ([0; 0; 0], Finished, [shared 1 5; shared 2 6]).
Proof. split; vm_compute; reflexivity. Qed.
Example taking_back : agree (asks 12 0x5000 0x2000) ask ([0; 0; 0], Finished, [priv 5; priv 6]).
Proof. split; vm_compute; reflexivity. Qed.
Example for_the_host :
  Forall (fun what => agree (asks what 0x5000 0x2000) ask ([0; 0; 1], Finished, [priv 5; shared 1 6])) [0; 10; 13; 0x10000000b].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** A range that leaves the address space shares nothing. *)
Example sharing_refused :
  Forall (fun x => agree (asks 11 (fst x) (snd x)) ask ([0; 0; 0], Finished, [priv 5; shared 1 6]))
    [(0x5000, 0xffffffffffffffff); (0xffffffffffffffff, 0x2000); (0x1000000005000, 0x2000)].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Neither the host nor KCore is a VM. *)
Example no_vm :
  Forall (fun v => agree (start v [] []) [("core_handle_pvops", [])] ([], Panicked, [priv 5; shared 1 6])) [0; 16].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Undefined: the context of the VM is not this CPU's.  While the VM runs here, it is. *)
Example other_context :
  agree (set_ctxts {[ 24 := mkcell ∅ false [] [] ]} (asks 11 0x5000 0x2000)) ask ([0; 0], Undefined, [priv 5; shared 1 6]).
Proof. split; vm_compute; reflexivity. Qed.

Example hidden_above : Forall (fun f => by_spec f [0] (host_fault 0) = None) hidden.
Proof. repeat constructor. Qed.
