(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 24, MmioCore: examples by computation.  The specification, the code over
    MmioCoreAux, and the code of layers 22 to 24 agree with written values. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioRaw Require Code.
From SeKVM.layers.MmioCoreAux Require Code Test.
From SeKVM.layers.MmioCore Require Import Code Spec.
Import MmioCoreAux.Test.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition below : tbl state := (MmioRaw.Spec.U ++ MmioCoreAux.Spec.U ++ MmioCore.Spec.U)%list.
Definition by_spec : stepper state := call (over T U).
Definition by_c : stepper state := by_code code U.
Definition by_stack : stepper state :=
  by_code (code ++ MmioCoreAux.Code.code ++ MmioRaw.Code.code)%list below.
Definition agree {A} (obs : state -> A) (cs : list (ident * list Z)) (v : list Z * ended * A) : Prop :=
  observe by_spec obs cs start = v /\ observe by_c obs cs start = v /\ observe by_stack obs cs start = v.

(** SMMU 0 has its frame at 0x10000000, SMMU 1 at 0x10010000. *)
Definition write (rd off len ix : Z) : ident * list Z :=
  ("handle_smmu_write", [store rd; 0x10000000 + 65536 * ix + off; len; ix]).

(** The host configures: sCR0, sCR2, attributes of VM 3's bank, a fault register. *)
Example driver :
  agree st_outs [write 0 0 4 0; write 7 8 4 0; write 4 0x1000 4 0; write 10 0x48 4 0]
    ([0; 0; 0; 0], Finished,
     [Mmio_write 0x10000048 4 0x12345678; Mmio_write 0x10001000 4 3; Mmio_write 0x10000008 4 0;
      Mmio_write 0x10000000 4 0x200400]).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Whatever the host wants, the table base of bank 5 of SMMU 1 is KCore's, whole or in
    halves, and so are the way tables are read and that translation is on. *)
Example replaced :
  agree st_outs [write 10 0xd020 8 1; write 10 0xd020 4 1; write 10 0xd024 4 1; write 1 0xd030 4 1; write 1 0xd000 4 1]
    ([0; 0; 0; 0; 0], Finished,
     [Mmio_write 0x1001d000 4 0x61; Mmio_write 0x1001d030 4 0x80023558; Mmio_write 0x1001d024 4 0;
      Mmio_write 0x1001d020 4 0x2a000; Mmio_write 0x1001d020 8 0x2a000]).
Proof. split; [|split]; vm_compute; reflexivity. Qed.

(** Refused: bypass; another VMID, at the first bank too; a free bank; streams; places
    between; eight bytes over a limited register; parts of registers; registers across
    the halves and out of the frame. *)
Example attacks :
  Forall (fun c => agree st_outs [c] ([], Panicked, []))
    [write 1 0 4 0; write 6 0x1000 4 0; write 4 0x1008 4 0; write 0 0x800 4 0; write 0 0xc00 4 0; write 4 0x1020 4 0;
     write 4 0x17fc 4 0; write 0 0 8 0; write 7 8 8 0; write 4 0x1000 8 0; write 0 0x8000 8 0; write 0 0x8030 8 0;
     write 0 0x8034 4 0; write 0 0x10 2 0; write 0 0x10 1 0; write 0 0x802 4 0; write 0 0x801c 8 0; write 0 0xfffc 8 0;
     write 0 0x7ffc 8 0].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** Every register may be read, whole. *)
Example reads :
  agree X5_X6 [("handle_smmu_read", [5 * 65536; 0x10000800; 4]); ("handle_smmu_read", [6 * 65536; 0x10008020; 8])]
    ([0; 0], Finished, Some (0x11223344, 0x55)).
Proof. split; [|split]; vm_compute; reflexivity. Qed.
Example no_reads :
  Forall (fun c => agree st_outs [c] ([], Panicked, []))
    [("handle_smmu_read", [0; 0x10000002; 4]); ("handle_smmu_read", [0; 0x1000fffc; 8]);
     ("handle_smmu_read", [0; 0x10000000; 1])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
