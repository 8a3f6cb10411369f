(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 25, MmioOpsAux: examples by computation.  The specification, the code over
    MmioCore, and the code of layers 22 to 25 agree with written values, on a machine with
    as many SMMUs as there may be. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioRaw Require Code.
From SeKVM.layers.MmioCoreAux Require Code Test.
From SeKVM.layers.MmioCore Require Code Test.
From SeKVM.layers.MmioOpsAux Require Import Code Spec.
Import MmioCoreAux.Test.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition smmus : list smmu_dev := [mksmmu 0x10000000 65536 0 8 12; mksmmu 0x10010000 65536 0 8 12].
Example smmus_are_ok : smmus_ok smmus = true.
Proof. reflexivity. Qed.

(** The host trapped at 0x80010, at an address whose place in its page is [far]. *)
Definition trapped (far : Z) : state :=
  set_cpu (mkcpu 2 HOSTVISOR 2 {[ FAR_EL2 := far; ELR_EL2 := 0x80010 ]}) (set_boot (mkboot [] smmus) start).

Definition by_spec : stepper state := call (over T U).
Definition by_c : stepper state := by_code code U.
Definition by_stack : stepper state :=
  by_code (code ++ MmioCore.Code.code ++ MmioCoreAux.Code.code ++ MmioRaw.Code.code)%list (MmioCore.Test.below ++ U)%list.
Definition agree {A} (far : Z) (obs : state -> A) (cs : list (ident * list Z)) (v : list Z * ended * A) : Prop :=
  observe by_spec obs cs (trapped far) = v /\ observe by_c obs cs (trapped far) = v /\ observe by_stack obs cs (trapped far) = v.

(** The first and last byte of both frames, and their neighbours. *)
Example ranges :
  agree 0 (fun _ => tt)
    (map (fun a => ("is_smmu_range", [a])) [0xfffffff; 0x10000000; 0x1000ffff; 0x10010000; 0x1001ffff; 0x10020000; 2 ^ 64 - 1])
    ([INVALID; 0; 0; 1; 1; INVALID; INVALID], Finished, tt).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Syndromes: valid, four or eight bytes, store or load, register [rd]. *)
Definition store4 (rd : Z) : Z := 0x1800040 + 65536 * rd.
Definition store8 (rd : Z) : Z := 0x1c00040 + 65536 * rd.
Definition load4 (rd : Z) : Z := 0x1800000 + 65536 * rd.

(** What the devices saw, and where the host goes on. *)
Definition obs (s : state) : list out_event * Z := (st_outs s, reg_get ELR_EL2 (cpu_regs (st_cpu s))).

(** The place in the page comes from the CPU; the host goes on after the store. *)
Example stored :
  agree 0xffff000012345020 obs [("handle_host_mmio", [0x1001d000; 1; store8 10])]
    ([0], Finished, ([Mmio_write 0x1001d020 8 0x2a000], 0x80014)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.
Example loaded :
  agree 0x48 X5_X6 [("handle_host_mmio", [0x10000000; 0; load4 5])] ([0], Finished, Some (0x11223344, 4)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** A syndrome that says nothing, a part of a register, and what the policy refuses: a
    panic, and the host does not go on. *)
Example refused :
  Forall (fun c => agree 0 obs [c] ([], Panicked, ([], 0x80010)))
    [("handle_host_mmio", [0x10000000; 0; 0x800040]); ("handle_host_mmio", [0x10000000; 0; 0x1000040]);
     ("handle_host_mmio", [0x10000000; 0; 0x1400000]); ("handle_host_mmio", [0x10001000; 0; store4 6])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
