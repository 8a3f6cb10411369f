(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 33, TrapHandlerRaw: examples by computation.  The specification and the code run by the interpreter
    agree with written values: the host calls, faults and lets a vCPU run; the vCPU traps, goes on or gives way to
    the host, whatever the reason.  The switch is CtxtSwitch's; life cycle, faults and operations are stood in
    for, and [sets] is a step of whoever runs: it sets a register. *)
From SeKVM.lib Require Import Calls Hide.
From SeKVM.machine Require Import Init.
From SeKVM.layers.TrapHandlerRaw Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Section Stand_ins.
  Context {N M P : Type}.
  Notation St := (St cell N M P).
  Definition op (f : ident) : prim St := fun vs s =>
    ret (if String.eqb f "register_kvm" then 7 else 0) (set_outs (Flow 0 0 vs :: st_outs s) s).
  Definition pvops : prim St := p0 (Some U32) (fun s => some m := cur_ctxt s;
    ret (if reg_word X0 m =? 11 then 0 else 1) s).
  Definition fault : prim St := p0 None (fun s =>
    ret 0 (set_outs (Flow 0 0 [reg_word HPFAR_EL2 (phys_regs s)] :: st_outs s) s)).
  Definition off : prim St := p1 None U32 (fun v s => ret 0 s).
  Definition hold (b : bool) : prim St := p2 None U32 U32 (fun v c s =>
    match st_ctxts s !! (8 * v + c) with
    | Some x => if Bool.eqb (c_held x) b then Some (Halt s)
                else ret 0 (set_ctxts (<[8 * v + c := mkcell (c_val x) b (c_log x) (c_script x)]> (st_ctxts s)) s)
    | None => Some (Halt s)
    end).
  Definition enter : prim St := p0 None (fun s => ret 0 s).
  Definition sets : prim St := p2 None U32 U64 (fun i x s => ret 0 (put_regs (put_numbered i x (phys_regs s)) s)).

  Definition save : prim St := save_vm_spec off (hold false).
  Definition run : prim St := restore_vm_spec (hold true) enter.
End Stand_ins.

Definition Under : tbl state := (U op pvops fault save run ++ [("sets", sets)])%list.
Lemma Under_keeps : keeps (U op pvops fault save run) Under.
Proof. repeat constructor. Qed.
Definition by_spec : stepper state := call (over (TrapHandlerRaw.Spec.T op pvops fault save run) Under).
Definition by_c : stepper state := by_code code Under.

(** CPU 2 runs the host; vCPU 1 of VM 3 is ready, with a secret. *)
Definition start : state :=
  set_ins {[ src_host_run 3 := [1; 1] ]}
    (set_cpu (mkcpu 2 0 2 {[ ELR_EL2 := 0xAAAA; X1 := 3; X19 := 0xBBBB; Q3 := 0xCCCC; HPFAR_EL2 := 0x400 ]})
      (set_ctxts {[ 2 := mkcell ∅ false [] []; 25 := mkcell {[ PC := 0x81000; X0 := 5; X19 :=
      0x5ec2e7 ]} false [] [] ]}
        (init (quiet 2)))).
Definition traps (reason esr : Z) : list (ident * list Z) :=
  [("sets", [44; reason]); ("sets", [72; esr]); ("vm_exit_handler_raw", [])].
Definition enters : list (ident * list Z) := [("sets", [0; 3]); ("host_vcpu_run_handler_raw", [])].

(** Observed: who runs, registers of the CPU, the ledger, who has the context of the vCPU. *)
Definition obs (s : state) : (Z * Z) * list Z * list out_event * option bool :=
  ((cpu_vmid (st_cpu s), cpu_vcpuid (st_cpu s)), map (fun r => reg_get r (phys_regs s)) [X0; X19; ELR_EL2; Q3;
  VTTBR_EL2],
   st_outs s, option_map c_held (st_ctxts s !! 25)).
Definition agree (cs : list (ident * list Z)) (e : ended) (v : (Z * Z) * list Z * list out_event * option bool) :
  Prop :=
  let f step := let '(_, e, o) := observe step obs cs start in (e, o) in f by_spec = (e, v) /\ f by_c = (e, v).

(** The host calls: the answer is in x0, all else is as it was. *)
Example host_calls : agree [("sets", [0; 25]); ("host_hvc_handler_raw", [])] Finished
  ((0, 2), [0; 0xBBBB; 0xAAAA; 0xCCCC; 0], [Flow 0 0 [3; 0]], Some false).
Proof. split; vm_compute; reflexivity. Qed.
Example host_call_answered : agree [("sets", [0; 24]); ("host_hvc_handler_raw", [])] Finished
  ((0, 2), [7; 0xBBBB; 0xAAAA; 0xCCCC; 0], [Flow 0 0 []], Some false).
Proof. split; vm_compute; reflexivity. Qed.
Example host_call_refused : agree [("sets", [0; 999]); ("host_hvc_handler_raw", [])] Finished
  ((0, 2), [REFUSED; 0xBBBB; 0xAAAA; 0xCCCC; 0], [], Some false).
Proof. split; vm_compute; reflexivity. Qed.
Example host_faults : agree [("host_npt_handler_raw", [])] Finished
  ((0, 2), [0; 0xBBBB; 0xAAAA; 0xCCCC; 0], [Flow 0 0 [0x400]], Some false).
Proof. split; vm_compute; reflexivity. Qed.

(** The VM runs with its own registers. *)
Example vm_runs : agree enters Finished ((3, 1), [5; 0x5ec2e7; 0x81000; 0; pt_vttbr 3], [], Some true).
Proof. split; vm_compute; reflexivity. Qed.
(** It traps and goes on: an access to a system register is skipped, a call is served. *)
Example skipped : agree (enters ++ traps 2 0x60000000) Finished
  ((3, 1), [5; 0x5ec2e7; 0x81004; 0; pt_vttbr 3], [], Some true).
Proof. split; vm_compute; reflexivity. Qed.
Example vm_call_served : agree (enters ++ [("sets", [0; 11])] ++ traps 2 0x58000000) Finished
  ((3, 1), [11; 0x5ec2e7; 0x81000; 0; pt_vttbr 3], [], Some true).
Proof. split; vm_compute; reflexivity. Qed.
(** It gives way: the host has its registers again, and is shown what the reason allows. *)
Definition host_again (shows : list (Z * Z)) : (Z * Z) * list Z * list out_event * option bool :=
  ((0, 2), [3; 0xBBBB; 0xAAAA; 0xCCCC; pt_vttbr 0], map (fun p => Flow 3 0 [1; fst p; snd p]) shows, Some false).
Example interrupted : agree (enters ++ traps 31 0) Finished (host_again [(44, 31)]).
Proof. split; vm_compute; reflexivity. Qed.
Example vm_call_for_the_host : agree (enters ++ traps 2 0x58000000) Finished (host_again [(0, 5); (72, 0x58000000);
  (44, 2)]).
Proof. split; vm_compute; reflexivity. Qed.
Example waits : agree (enters ++ traps 2 0x4000000) Finished (host_again [(72, 0x4000000); (44, 2)]).
Proof. split; vm_compute; reflexivity. Qed.
(** Neither an unknown class nor an unknown reason stops the machine. *)
Example unknown : agree (enters ++ traps 2 0xfc000000) Finished (host_again [(72, 0xfc000000); (44, 2)]) /\
  agree (enters ++ traps 99 0) Finished (host_again [(44, 99)]).
Proof. repeat split; vm_compute; reflexivity. Qed.
(** The vCPU runs again and is where it was. *)
Example again : agree (enters ++ traps 31 0 ++ enters) Finished
  ((3, 1), [5; 0x5ec2e7; 0x81000; 0; pt_vttbr 3], [Flow 3 0 [1; 44; 31]], Some true).
Proof. split; vm_compute; reflexivity. Qed.
(** The host asks for a VM that there is not. *)
Example wrong_vm : agree [("sets", [0; 16]); ("host_vcpu_run_handler_raw", [])] Panicked
  ((0, 2), [16; 0xBBBB; 0xAAAA; 0xCCCC; 0], [], Some false).
Proof. split; vm_compute; reflexivity. Qed.

Example hidden_above :
  Forall (fun f => Lang.assoc f (over (TrapHandlerRaw.Spec.T op pvops fault save run) (hide hidden Under)) =
    None) hidden.
Proof. repeat constructor. Qed.
