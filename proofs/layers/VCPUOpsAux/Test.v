(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 27, VCPUOpsAux: examples by computation.  The specification and the code run by the interpreter agree with
    written values: how a vCPU starts, what the host may set, and what it is shown.  The operations below are small ones
    that say what was asked of them. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.VCPUOpsAux Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** An image at 0x80000; power-off and mappings leave a trace. *)
Definition load_at : prim state :=
  p2 (Some U64) U32 U64 (fun _ a s => ret (if (0x80000 <=? a) && (a <? 0x90000) then a else 0) s).
Definition off : prim state := p1 None U32 (fun v s => ret 0 (set_outs (Flow v v [] :: st_outs s) s)).
Definition map_at : prim state :=
  p4 None U32 U64 U64 U32 (fun v a e l s => ret 0 (set_outs (Flow 0 v [a; e; l] :: st_outs s) s)).

(** This CPU has the context [m] of vCPU 1 of VM 3, and the host gave [ins]. *)
Definition start (m : regfile) (ins : list Z) : state :=
  set_ins {[ src_host_vcpu 3 1 := ins ]} (set_ctxts {[ 25 := mkcell m true [] [] ]} (init (quiet 0))).

Definition by_spec : stepper state := call (over (VCPUOpsAux.Spec.T load_at off map_at) T_ctxt).
Definition by_c : stepper state := by_code code (U load_at off map_at).

(** Observed: some registers by number, and what the host was shown. *)
Definition obs (rs : list Z) (s : state) : list Z * list out_event :=
  (match get_ctxt 3 1 s with Some m => map (fun i => numbered i m) rs | None => [] end, st_outs s).
Definition agree (m : regfile) (ins rs : list Z) (cs : list (ident * list Z))
    (v : list Z * ended * (list Z * list out_event)) : Prop :=
  observe by_spec (obs rs) cs (start m ins) = v /\ observe by_c (obs rs) cs (start m ins) = v.

Definition used : regfile :=
  {[ X0 := 7; X1 := 8; X2 := 9; X3 := 10; X5 := 0x5ec2e7; PC := 0x81000; PSTATE := 5; VBAR_EL1 := 0x90000 ]}.
Definition shows (l : list (Z * Z)) : list out_event := map (fun p => Flow 3 0 [1; fst p; snd p]) l.

(** A vCPU starts in its image, with empty registers, at EL1. *)
Example starts :
  agree used [0x80000; 0x3C5] [0; 5; 32; 33] [("reset_gp_regs", [3; 1])] ([0], Finished, ([0; 0; 0x80000; 0x3C5], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** The host asks for a state of EL2: refused. *)
Example never_at_el2 :
  agree used [0x80000; 0x3C9] [32; 33] [("reset_gp_regs", [3; 1])] ([0], Finished, ([0x80000; 0x3C5], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** It asks for a start outside the image: the machine stops. *)
Example outside_image : agree used [0xA0000] [32] [("reset_gp_regs", [3; 1])] ([], Panicked, ([0x81000], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** System registers get reset values, in the context's places and no others. *)
Example system_registers :
  agree used [] [0; 46; 47; 48; 49; 50; 70; 72] [("reset_sys_regs", [3; 1])]
    ([0], Finished, ([7; 0; 0x80000001; 0; 0xC50078; 0; 0; 0], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** Each dirty register gets a value of its own, in order; the others keep theirs. *)
Example dirty :
  agree (<[DIRTY := 5]> used) [100; 200; 300] [0; 1; 2; 5] [("sync_dirty_to_shadow", [3; 1]); ("get_int_pc", [3; 1])]
    ([0; 300], Finished, ([100; 8; 200; 0x5ec2e7], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** Bits that are no registers set nothing. *)
Example no_register :
  agree (<[DIRTY := 2147483648 + 4294967296]> used) [100] [0; 5; 32] [("sync_dirty_to_shadow", [3; 1])]
    ([0], Finished, ([7; 0x5ec2e7; 0x81000], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** What calls of the firmware show. *)
Definition hvc (f : Z) : regfile := <[X0 := f]> used.
Example cpu_on : agree (hvc 0xC4000003) [] [45] [("prep_hvc", [3; 1])]
    ([0], Finished, ([1], shows [(3, 10); (2, 9); (1, 8); (0, 0xC4000003)])).
Proof. split; vm_compute; reflexivity. Qed.
Example affinity : Forall (fun f => agree (hvc f) [] [45] [("prep_hvc", [3; 1])]
    ([0], Finished, ([1], shows [(2, 9); (1, 8); (0, f)]))) [0x84000004; 0xC4000004].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
Example power_off : agree (hvc 0x84000008) [] [45] [("prep_hvc", [3; 1])]
    ([0], Finished, ([1], (Flow 3 3 [] :: shows [(0, 0x84000008)])%list)).
Proof. split; vm_compute; reflexivity. Qed.
(** An unknown number shows itself and nothing else. *)
Example other_call : agree (hvc 0x40000004) [] [45] [("prep_hvc", [3; 1])] ([0], Finished, ([1], shows [(0, 0x40000004)])).
Proof. split; vm_compute; reflexivity. Qed.

(** What aborts show: memory only its page; a store to a device the value; a load nothing but where; a syndrome that is
    not valid names no register. *)
Definition abort (esr hpfar : Z) : regfile :=
  <[ESR_EL2 := esr]> (<[HPFAR_EL2 := hpfar]> (<[FAR_EL2 := 0xFFFF000012345678]> used)).
Example memory :
  agree (abort 0x93850040 0x400000) [] [45] [("prep_abort", [3; 1])] ([0], Finished, ([0], shows [(42, 0x400000)])).
Proof. split; vm_compute; reflexivity. Qed.
Example device_store : agree (abort 0x93850040 0x90000) [] [45] [("prep_abort", [3; 1])]
    ([0], Finished, ([4294967296], shows [(5, 0x5ec2e7); (41, 0x678); (42, 0x90000)])).
Proof. split; vm_compute; reflexivity. Qed.
Example device_load : agree (abort 0x93850000 0x90000) [] [45] [("prep_abort", [3; 1])]
    ([0], Finished, ([4294967296 + 32], shows [(41, 0x678); (42, 0x90000)])).
Proof. split; vm_compute; reflexivity. Qed.
Example not_valid : agree (abort 0x92850040 0x90000) [] [45] [("prep_abort", [3; 1])]
    ([0], Finished, ([4294967296], shows [(41, 0x678); (42, 0x90000)])).
Proof. split; vm_compute; reflexivity. Qed.

(** An exception goes to the VM's own vector; all that it must come back to is kept. *)
Example exception : agree used [] [32; 33; 35; 36; 55] [("update_exception_gp_regs", [3; 1])]
    ([0], Finished, ([0x90200; 0x3C5; 0x81000; 5; 0], [])).
Proof. split; vm_compute; reflexivity. Qed.

Example waits : agree used [] [45] [("prep_wfx", [3; 1])] ([0], Finished, ([4294967296], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** The host's page for a fault: a block only when it says so. *)
Example faults : agree used [0x40001000; 2; 0x40002000; 7] []
    [("post_handle_shadow_s2pt_fault", [3; 1; 0x5000]); ("post_handle_shadow_s2pt_fault", [3; 1; 0x6000])]
    ([0; 0], Finished, ([], [Flow 0 3 [0x6000; 0x40002000; 3]; Flow 0 3 [0x5000; 0x40001000; 2]])).
Proof. split; vm_compute; reflexivity. Qed.

(** Another vCPU's context is not this CPU's: undefined. *)
Example race : agree used [] [] [("prep_wfx", [3; 2])] ([], Undefined, ([], [])).
Proof. split; vm_compute; reflexivity. Qed.
