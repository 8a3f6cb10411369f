(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 22, MmioRaw: examples by computation.  The specification and the code run by the
    interpreter agree with written values. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioRaw Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** CPU 2 runs the host, whose register X3 holds a word. *)
Definition start : state :=
  set_ctxts {[ 2 := free_cell {[ X3 := 0x1234567890 ]} []; 1 := free_cell {[ X3 := 7 ]} [] ]} (init (quiet 2)).

Definition by_spec : stepper state := call (over T U).
Definition by_c : stepper state := by_code code U.
Definition agree (cs : list (ident * list Z)) (v : list Z * ended * unit) : Prop :=
  observe by_spec (fun _ => tt) cs start = v /\ observe by_c (fun _ => tt) cs start = v.

(** The register that the syndrome names; one that was never written; the zero register. *)
Example data :
  agree [("host_get_mmio_data", [0x30040]); ("host_get_mmio_data", [0x40040]); ("host_get_mmio_data", [0x1f0040])]
    ([0x1234567890; 0; 0], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** Entries: read and write, normal memory; then a request to move the frame, to make
    neighbours one with it (bit 52), and to make it a table or nothing: only the memory
    type and the access get in.  The frame is that of the address each time. *)
Example entries :
  agree [("smmu_init_pte", [0xfc; 0x40001000]); ("smmu_init_pte", [0xfffffffffffff0c0; 0x40001fff]);
         ("smmu_init_pte", [0x10000; 0x40001000]); ("smmu_init_pte", [0; 0xffff000040001000])]
    ([0x400017ff; 0x400000400017c3; 0x40001703; 0x40001703], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** What goes wrong if the attributes are put at bit 16, in the frame: a frame without that
    bit becomes another. *)
Example attributes_in_the_frame : phys (Z.lor (Z.lor 0x40001000 0xc0) 65536) <> phys 0x40001000.
Proof. vm_compute. discriminate. Qed.

(** The first and the last word of the bank half, and one in bank 5. *)
Example banks :
  agree [("smmu_get_cbndx", [0x8000]); ("smmu_get_cbndx", [0xfffc]); ("smmu_get_cbndx", [0xd020])]
    ([0; 7; 5], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** The context of the host on another CPU is not ours: undefined. *)
Example other_cpu :
  let s := set_cpu (mkcpu 2 HOSTVISOR 1 ∅) start in
  observe by_spec (fun _ => tt) [("host_get_mmio_data", [0x30040])] s = ([], Undefined, tt) /\
  observe by_c (fun _ => tt) [("host_get_mmio_data", [0x30040])] s = ([], Undefined, tt).
Proof. split; vm_compute; reflexivity. Qed.
