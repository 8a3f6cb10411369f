(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: examples by computation.  The specification and the code run by the interpreter agree with written
    values: what the host is shown for each reason and class.  Powering off leaves a trace. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.VCPUOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition nop1 : prim state := p2 (Some U64) U32 U64 (fun _ _ s => ret 0 s).
Definition nop4 : prim state := p4 None U32 U64 U64 U32 (fun _ _ _ _ s => ret 0 s).
Definition off : prim state := p1 None U32 (fun v s => ret 0 (set_outs (Flow v v [] :: st_outs s) s)).

(** vCPU 1 of VM 3 runs on this CPU, with the context [m]. *)
Definition start (m : regfile) : state :=
  set_cpu (mkcpu 0 3 1 ∅) (set_ctxts {[ 25 := mkcell m true [] [] ]} (init (quiet 0))).

Definition by_spec : stepper state := call (VCPUOps.Spec.T off).
Definition by_c : stepper state := by_code code (U nop1 off nop4).

(** Observed: what is dirty, and what the host was shown. *)
Definition obs (s : state) : Z * list out_event :=
  (match get_ctxt 3 1 s with Some m => reg_word DIRTY m | None => 0 end, st_outs s).
Definition agree (m : regfile) (v : list Z * ended * (Z * list out_event)) : Prop :=
  observe by_spec obs [("save_shadow_kvm_regs", [])] (start m) = v /\
  observe by_c obs [("save_shadow_kvm_regs", [])] (start m) = v.

Definition trap (class : Z) (m : regfile) : regfile := <[EC := TRAP]> (<[ESR_EL2 := class * 67108864]> m).
Definition secret : regfile := {[ X0 := 7; X1 := 8; X2 := 9; X3 := 10; X19 := 0x5ec2e7; HPFAR_EL2 := 0x400000 ]}.
Definition shows (l : list (Z * Z)) : list out_event := map (fun p => Flow 3 0 [1; fst p; snd p]) l.
Definition esr (class : Z) : Z := class * 67108864.

Example interrupt : agree (<[EC := 31]> secret) ([0], Finished, (0, shows [(44, 31)])).
Proof. split; vm_compute; reflexivity. Qed.
Example waits : agree (trap 1 secret) ([0], Finished, (4294967296, shows [(72, esr 1); (44, 2)])).
Proof. split; vm_compute; reflexivity. Qed.
(** A class that nobody serves, and a reason that does not exist, do not stop the machine. *)
Example unknown_class : agree (trap 13 secret) ([0], Finished, (0, shows [(72, esr 13); (44, 2)])).
Proof. split; vm_compute; reflexivity. Qed.
Example unknown_reason : agree (<[EC := 99]> secret) ([0], Finished, (0, shows [(44, 99)])).
Proof. split; vm_compute; reflexivity. Qed.
Example calls : Forall (fun class => agree (trap class (<[X0 := 0xC4000003]> secret))
    ([0], Finished, (1, shows [(3, 10); (2, 9); (1, 8); (0, 0xC4000003); (72, esr class); (44, 2)]))) [18; 22].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
Example power_off : agree (trap 22 (<[X0 := 0x84000008]> secret))
    ([0], Finished, (1, (Flow 3 3 [] :: shows [(0, 0x84000008); (72, esr 22); (44, 2)])%list)).
Proof. split; vm_compute; reflexivity. Qed.
(** A fault in memory shows the page only. *)
Example faults : Forall (fun class => agree (trap class secret)
    ([0], Finished, (0, shows [(42, 0x400000); (72, esr class); (44, 2)]))) [32; 36].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
(** A device store shows the register that the hardware names. *)
Example device_store : agree (<[EC := 2]> (<[ESR_EL2 := 0x93930040]> (<[HPFAR_EL2 := 0x90000]> secret)))
    ([0], Finished, (4294967296, shows [(19, 0x5ec2e7); (41, 0); (42, 0x90000); (72, 0x93930040); (44, 2)])).
Proof. split; vm_compute; reflexivity. Qed.
