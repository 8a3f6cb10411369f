(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 28, VCPUOps: examples by computation.  The specification and the code run by the interpreter agree with written
    values: what the host is shown for each reason and class, and what it may change before the vCPU goes on.  Powering off
    and mappings leave a trace. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.VCPUOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** An image at 0x80000; [enc] says whether the VM's image is encrypted. *)
Definition load_at : prim state :=
  p2 (Some U64) U32 U64 (fun _ a s => ret (if (0x80000 <=? a) && (a <? 0x90000) then a else 0) s).
Definition off : prim state := p1 None U32 (fun v s => ret 0 (set_outs (Flow v v [] :: st_outs s) s)).
Definition map_at : prim state :=
  p4 None U32 U64 U64 U32 (fun v a e l s => ret 0 (set_outs (Flow 0 v [a; e; l] :: st_outs s) s)).
Definition encrypted (enc : Z) : prim state := p1 (Some U32) U32 (fun _ s => ret enc s).

(** vCPU 1 of VM 3 runs on this CPU, with the context [m]. *)
Definition start (m : regfile) : state :=
  set_cpu (mkcpu 0 3 1 ∅) (set_ctxts {[ 25 := mkcell m true [] [] ]} (init (quiet 0))).

Definition by_spec (enc : Z) : stepper state := call (VCPUOps.Spec.T load_at off map_at (encrypted enc)).
Definition by_c (enc : Z) : stepper state := by_code code (U load_at off map_at (encrypted enc)).

(** Observed: what is dirty, and what the host was shown. *)
Definition obs (s : state) : Z * list out_event :=
  (match get_ctxt 3 1 s with Some m => reg_word DIRTY m | None => 0 end, st_outs s).
Definition agree (m : regfile) (v : list Z * ended * (Z * list out_event)) : Prop :=
  observe (by_spec 0) obs [("save_shadow_kvm_regs", [])] (start m) = v /\
  observe (by_c 0) obs [("save_shadow_kvm_regs", [])] (start m) = v.

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

(** * A vCPU goes on: some registers by number (45 is what is dirty), what the host gave that is left, and what was mapped. *)
Definition obs_on (rs : list Z) (s : state) : list Z * list Z * list out_event :=
  (match get_ctxt 3 1 s with Some m => map (fun i => numbered i m) rs | None => [] end,
   default [] (st_ins s !! src_host_vcpu 3 1), st_outs s).
Definition goes_on (enc : Z) (m : regfile) (ins rs : list Z) (v : list Z * ended * (list Z * list Z * list out_event)) : Prop :=
  let s := set_ins {[ src_host_vcpu 3 1 := ins ]} (start m) in
  observe (by_spec enc) (obs_on rs) [("restore_shadow_kvm_regs", [])] s = v /\
  observe (by_c enc) (obs_on rs) [("restore_shadow_kvm_regs", [])] s = v.
Definition used : regfile :=
  {[ X0 := 7; X1 := 8; X2 := 9; X5 := 0x5ec2e7; PC := 0x81000; PSTATE := 5; VBAR_EL1 := 0x90000; FAR_EL2 := 0x123 ]}.

(** The first run: the host chooses the start inside the image; a start outside it stops the machine. *)
Example first_start : goes_on 0 (<[DIRTY := FIRST_RUN]> used) [0x80000; 0x3C5; 9] [0; 5; 32; 33; 45; 47; 48]
    ([0], Finished, ([0; 0; 0x80000; 0x3C5; 0; 0x80000001; 0], [9], [])).
Proof. split; vm_compute; reflexivity. Qed.
Example first_outside :
  goes_on 0 (<[DIRTY := FIRST_RUN]> used) [0xA0000; 0x3C5] [5; 32] ([], Panicked, ([0x5ec2e7; 0x81000], [0x3C5], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** An encrypted image came with its registers: the host chooses none. *)
Example first_encrypted : goes_on 1 (<[DIRTY := FIRST_RUN]> used) [0x80000; 0x3C5] [0; 5; 32; 33; 45]
    ([0], Finished, ([7; 0x5ec2e7; 0x81000; 5; 0], [0x80000; 0x3C5], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** After a trap the host sets the dirty registers and no others. *)
Example dirty_registers : goes_on 0 (<[EC := TRAP]> (<[DIRTY := 5]> used)) [100; 200; 0; 0; 300] [0; 1; 2; 5; 32; 41; 45]
    ([0], Finished, ([100; 8; 200; 0x5ec2e7; 0x81000; 0; 0], [300], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** After an interrupt it sets none. *)
Example not_a_trap : goes_on 0 (<[EC := 31]> (<[DIRTY := 5]> used)) [0; 0; 100] [0; 1; 2; 5; 32; 41; 45]
    ([0], Finished, ([7; 8; 9; 0x5ec2e7; 0x81000; 0; 0], [100], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** The instruction was served: the next one is 4 bytes on, whatever the host wants. *)
Example pc_step : goes_on 0 (<[EC := TRAP]> (<[DIRTY := DIRTY_PC]> used)) [0; 0; 100] [0; 5; 32; 41; 45]
    ([0], Finished, ([7; 0x5ec2e7; 0x81004; 0; 0], [100], [])).
Proof. split; vm_compute; reflexivity. Qed.
Example pc_wraps : goes_on 0 (<[EC := TRAP]> (<[DIRTY := DIRTY_PC]> (<[PC := 0xFFFFFFFFFFFFFFFC]> used))) [0; 0] [32]
    ([0], Finished, ([0], [], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** An injected exception takes the place of the step. *)
Example injected : goes_on 0 (<[EC := TRAP]> (<[DIRTY := DIRTY_PC]> used)) [1; 0; 100] [32; 33; 35; 36; 45]
    ([0], Finished, ([0x90200; 0x3C5; 0x81000; 5; 0], [100], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** The host's page is mapped for an address of the guest, never for page 0 or beyond 48 bits. *)
Example maps : goes_on 0 used [0; 0x5000; 0x40001000; 2; 7] [32; 45]
    ([0], Finished, ([0x81000; 0], [7], [Flow 0 3 [0x5000; 0x40001000; 2]])).
Proof. split; vm_compute; reflexivity. Qed.
Example maps_nothing : Forall (fun a => goes_on 0 used [0; a; 0x40001000; 2] [32]
    ([0], Finished, ([0x81000], [0x40001000; 2], []))) [0; 4095; 281474976710656].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
