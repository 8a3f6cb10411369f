(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 29, CtxtSwitch: examples by computation.  The specification and the code run by the interpreter agree with
    written values: the CPU goes from the host to a VM and back, and each finds its registers; wrong requests of the host
    stop the machine.  Making a vCPU active gives its context to this CPU, inactive takes it. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.CtxtSwitch Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition off : prim state := p1 None U32 (fun v s => ret 0 s).
Definition hold (b : bool) : prim state := p2 None U32 U32 (fun v c s =>
  match st_ctxts s !! (8 * v + c) with
  | Some x => if Bool.eqb (c_held x) b then Some (Halt s)
              else ret 0 (set_ctxts (<[8 * v + c := mkcell (c_val x) b (c_log x) (c_script x)]> (st_ctxts s)) s)
  | None => Some (Halt s)
  end).
Definition enter : prim state := p0 None (fun s => ret 0 s).

(** CPU 2 runs the host, which asks for VM [v]; the vCPU is what it says next. *)
Definition start (v c : Z) : state :=
  set_ins {[ src_host_run v := [c] ]}
    (set_cpu (mkcpu 2 0 2 {[ ELR_EL2 := 0xAAAA; TTBR0_EL1 := 0xBBBB; Q3 := 0xCCCC; SPSR_EL2 := 9 ]})
      (set_ctxts {[ 2 := mkcell {[ X0 := v ]} false [] [];
                    25 := mkcell {[ PC := 0x81000; PSTATE := 5; TTBR0_EL1 := 0x1234; Q3 := 77 ]} false [] [] ]}
        (init (quiet 2)))).

Definition by_spec : stepper state := call (over (CtxtSwitch.Spec.T off (hold true) (hold false) enter) T_cpu).
Definition by_c : stepper state := by_code code (U off (hold true) (hold false) enter).

(** Observed: who runs, some registers of the CPU, who has the context of the vCPU. *)
Definition obs (s : state) : (Z * Z) * list Z * option bool :=
  ((cpu_vmid (st_cpu s), cpu_vcpuid (st_cpu s)),
   map (fun r => reg_get r (phys_regs s)) [ELR_EL2; SPSR_EL2; TTBR0_EL1; Q3; HCR_EL2; VTTBR_EL2],
   option_map c_held (st_ctxts s !! 25)).
Definition agree (v c : Z) (cs : list ident) (r : list Z * ended * ((Z * Z) * list Z * option bool)) : Prop :=
  let calls := map (fun f => (f, [])) cs in
  observe by_spec obs calls (start v c) = r /\ observe by_c obs calls (start v c) = r.

(** The VM's registers, and nothing of the host's. *)
Example to_vm : agree 3 1 ["save_host"; "restore_vm"]
  ([0; 0], Finished, ((3, 1), [0x81000; 5; 0x1234; 77; HCR_VM; pt_vttbr 3], Some true)).
Proof. split; vm_compute; reflexivity. Qed.
(** And back: the host's, with its own stage 2. *)
Example round_trip : agree 3 1 ["save_host"; "restore_vm"; "save_vm"; "restore_host"]
  ([0; 0; 0; 0], Finished, ((0, 2), [0xAAAA; 9; 0xBBBB; 0xCCCC; HCR_HOST; pt_vttbr 0], Some false)).
Proof. split; vm_compute; reflexivity. Qed.
(** No VM has number 0 or 16, no vCPU number 8; a vCPU that is not there cannot run. *)
Example wrong_requests : Forall (fun p => agree (fst p) (snd p) ["save_host"; "restore_vm"]
  ([0], Panicked, ((0, 2), [0xAAAA; 9; 0xBBBB; 0xCCCC; 0; 0], Some false))) [(0, 1); (16, 1); (3, 8); (3, 2)].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
(** The VM's context is out of reach once it was saved. *)
Example gone : agree 3 1 ["save_host"; "restore_vm"; "save_vm"; "save_vm"]
  ([0; 0; 0], Undefined, ((3, 1), [0x81000; 5; 0x1234; 77; HCR_VM; pt_vttbr 3], Some false)).
Proof. split; vm_compute; reflexivity. Qed.
