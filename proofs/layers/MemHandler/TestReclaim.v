(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: a VM with a device is taken apart, by computation, with the operations of VMPower, BootOps
    and MmioOps as they are. Its memory is not taken back while it has a bank; without this condition its device
    writes to a frame of the host. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemHandler Require Import Code Interface.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What the code uses, and what else the host calls. *)
Definition Under : tbl hstate :=
  (U ++ VMPower.Spec.T ++ BootOps.Spec.T ++ MmioOps.Interface.T ++ MemoryOps.Interface.L)%list.
Definition by_spec : stepper hstate := call (T ++ Under)%list.
Definition by_c : stepper hstate := by_code code Under.

(** Frame 0x40001 is the host's; there is one SMMU; X0 is 7. *)
Definition start : hstate :=
  set_cpu (mkcpu 0 HOSTVISOR 0 {[ X0 := 7 ]})
    (set_boot (mkboot [] [mksmmu 0x9010000 65536 0 8 12])
      (set_s2 (free_cell {[ 0x40001 := Host 0 ]} []) (init_all_maps (fun _ => []) [] (quiet 0)))).
(** Observed: the frame, the owner of bank 1, and the word that the device stores. *)
Definition obs (s : hstate) : option page * Z * Z :=
  (c_val (st_s2 s) !! 0x40001, bank_owner (c_val (st_smmu s)) 1, word (m_words (st_mem s)) 0x40001008).
Definition agree (cs : list (ident * list Z)) (v : list Z * ended * (option page * Z * Z)) : Prop :=
  observe by_spec obs cs start = v /\ observe by_c obs cs start = v.

(** VM 1 gets a bank and a page for its device, and is switched off. *)
Definition off : list (ident * list Z) :=
  [("register_kvm", []); ("el2_alloc_smmu_pgd", [1; 1; 0]); ("el2_arm_lpae_map", [0x7000; 0x40001000; 0xc0; 1; 0]);
   ("set_vm_poweroff", [1])].
Definition reclaim : ident * list Z := ("clear_vm_stage2_range", [1; 0x40001000; 4096]).
Definition write : ident * list Z := ("dev_store_ref", [1; 0; 0x7008; 0]).

(** The device still writes, to the VM's frame: it is not taken back. *)
Example not_with_a_bank :
  agree (off ++ [reclaim; write]) ([1; 0; 0; 0; 0; 1], Finished, (Some (Vm 1 Dma (Some 7)), 1, 7)).
Proof. split; vm_compute; reflexivity. Qed.

(** The bank is freed; then the frame goes back, and the device reaches nothing. *)
Example without_a_bank :
  agree (off ++ [("el2_free_smmu_pgd", [1; 0]); reclaim; write])
    ([1; 0; 0; 0; 0; 0; 0], Finished, (Some (Host 0), INVALID, 0)).
Proof. split; vm_compute; reflexivity. Qed.

(** No bank is given to a VM that is off, so what was asked once stays true. *)
Example no_new_bank :
  agree (off ++ [("el2_free_smmu_pgd", [1; 0]); ("el2_alloc_smmu_pgd", [1; 1; 0])])
    ([1; 0; 0; 0; 0], Panicked, (Some (Vm 1 Dma (Some 7)), INVALID, 0)).
Proof. split; vm_compute; reflexivity. Qed.

(** Without the condition: the frame is the host's again, and the device of the VM writes to it. *)
Example device_writes_to_the_host :
  observe by_spec obs (off ++ [("clear_vm_range", [1; 0x40001; 1]); write]) start
    = ([1; 0; 0; 0; 0; 1], Finished, (Some (Host 0), 1, 7)).
Proof. vm_compute. reflexivity. Qed.
