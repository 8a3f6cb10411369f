(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: examples by computation.  The specification and the code run
    by the interpreter agree with written values: how frames change hands, what the
    host may touch, and attacks that are refused. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemManager Require Import Code Interface.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** At start: frames 0x40000 to 0x40003 are the host's, 0x40004 is KCore's, the rest
    is not tracked; memory holds a word in frame 0x40001. *)
Definition start : hstate :=
  set_s2 (free_cell (list_to_map [(0x40000, Host 0); (0x40001, Host 0); (0x40002, Host 0); (0x40003, Host 0); (0x40004, Core)]) [])
    (set_mem (mkmem {[ 0x40001008 := 99 ]} [] []) (init_all_maps (fun _ => []) [] (quiet 0))).

Definition by_spec : stepper hstate := call MemManager.Interface.L.
Definition by_c : stepper hstate := by_code code PageManager.Spec.L.

(** Observed: frame 0x40001, whether the map is locked, the word in memory. *)
Definition obs (s : hstate) : option page * bool * Z :=
  (c_val (st_s2 s) !! 0x40001, c_held (st_s2 s), word (m_words (st_mem s)) 0x40001008).
Definition agree (cs : list (ident * list Z)) (v : list Z * ended * (option page * bool * Z)) : Prop :=
  observe by_spec obs cs start = v /\ observe by_c obs cs start = v.

Definition host_sees (pfn : Z) : ident * list Z := ("get_level_s2pt", [0; pfn * 4096]).

(** The host touches its frame and sees it; VM 3 gets it and the host loses it; the VM
    shares it twice and takes it back twice; only then the host loses it again.  In the
    end the frame goes back to the host, and what the VM wrote is gone. *)
Example life :
  agree
    [("map_page_host", [0x40001000]); host_sees 0x40001; ("assign_pfn_to_vm", [3; 7; 0x40001]); host_sees 0x40001;
     ("grant_vm_page", [3; 0x40001]); ("map_page_host", [0x40001000]); host_sees 0x40001; ("grant_vm_page", [3; 0x40001]);
     ("revoke_vm_page", [3; 0x40001]); host_sees 0x40001; ("revoke_vm_page", [3; 0x40001]); host_sees 0x40001]
    ([0; 3; 0; 0; 0; 0; 3; 0; 0; 3; 0; 0], Finished, (Some (Vm 3 (Shared 0) (Some 7)), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

Example given_back :
  agree [("assign_pfn_to_vm", [3; 7; 0x40001]); ("clear_vm_page", [2; 0x40001]); ("clear_vm_page", [3; 0x40001]);
         ("map_page_host", [0x40001000])]
    ([0; 0; 0; 0], Finished, (Some (Host 0), false, 0)).
Proof. split; vm_compute; reflexivity. Qed.

(** A frame reserved for devices is not the host's to touch, before and after the VM
    binds it. *)
Example reserved :
  agree [("map_page_host", [0x40001000]); ("assign_pfn_to_smmu", [3; 7; 0x40001]); host_sees 0x40001;
         ("grant_vm_page", [3; 0x40001]); ("revoke_vm_page", [3; 0x40001]); ("map_page_host", [0x40001000])]
    ([0; 0; 0; 0; 0], Panicked, (Some (Vm 3 Dma (Some 7)), true, 99)).
Proof. split; vm_compute; reflexivity. Qed.

Example reserved_then_bound :
  agree [("assign_pfn_to_smmu", [3; 7; 0x40001]); ("assign_pfn_to_vm", [3; 7; 0x40001]); ("map_page_host", [0x40001000])]
    ([0; 0], Panicked, (Some (Vm 3 (Shared 0) (Some 7)), true, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** A device of the host uses a frame: it cannot become a VM's until it is unmapped. *)
Example device_of_host :
  agree [("update_smmu_page", [0; 1; 0; 0x8000; 0x40001747]); ("unmap_smmu_page", [1; 0; 0x9000]);
         ("assign_pfn_to_vm", [3; 7; 0x40001])]
    ([0; 0], Panicked, (Some (Host 1), true, 99)).
Proof. split; vm_compute; reflexivity. Qed.

Example device_unmapped :
  agree [("update_smmu_page", [0; 1; 0; 0x8000; 0x40001747]); ("unmap_smmu_page", [1; 0; 0x8000]);
         ("assign_pfn_to_vm", [3; 7; 0x40001]); ("update_smmu_page", [3; 1; 0; 0x7000; 0x40001747])]
    ([0; 0; 0; 0], Finished, (Some (Vm 3 (Shared 0) (Some 7)), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** A VM's devices' own registers are mapped, memory is not. *)
Example registers :
  agree [("map_vm_io", [3; 0x5000; 0x9000000]); ("get_level_s2pt", [3; 0x5000]);
         ("map_vm_io", [3; 0x6000; 0x40001000]); ("get_level_s2pt", [3; 0x6000])]
    ([0; 3; 0; 0], Finished, (Some (Host 0), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** Refused after frame 0x40001 became page 7 of VM 3: the host touches it; another VM
    or another page of the VM gets it; another VM's devices, the host's, or the VM's at
    another page use it; it is reserved for another VM. *)
Definition refused (c : ident * list Z) : Prop :=
  agree [("assign_pfn_to_vm", [3; 7; 0x40001]); c] ([0], Panicked, (Some (Vm 3 (Shared 0) (Some 7)), true, 99)).
Example attacks :
  Forall refused
    [("map_page_host", [0x40001000]); ("assign_pfn_to_vm", [2; 7; 0x40001]); ("assign_pfn_to_vm", [3; 8; 0x40001]);
     ("update_smmu_page", [2; 1; 0; 0x7000; 0x40001747]); ("update_smmu_page", [0; 1; 0; 0x7000; 0x40001747]);
     ("update_smmu_page", [3; 1; 0; 0x8000; 0x40001747]); ("assign_pfn_to_smmu", [2; 7; 0x40001])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** KCore's frame is nobody's, and neither a device's frame nor any frame can be given
    to the host or KCore as if to a VM. *)
Definition refused_at_once (b : bool) (c : ident * list Z) : Prop := agree [c] ([], Panicked, (Some (Host 0), b, 99)).
Example attacks_on_kcore :
  Forall (refused_at_once true)
    [("map_page_host", [0x40004000]); ("assign_pfn_to_vm", [3; 7; 0x40004]); ("assign_pfn_to_smmu", [3; 7; 0x40004]);
     ("update_smmu_page", [0; 1; 0; 0x7000; 0x40004747]); ("assign_pfn_to_vm", [3; 7; 0x9000])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
Example no_vm :
  Forall (refused_at_once false)
    [("assign_pfn_to_vm", [0; 7; 0x40001]); ("assign_pfn_to_vm", [16; 7; 0x40001]); ("assign_pfn_to_smmu", [0; 7; 0x40001]);
     ("update_smmu_page", [16; 1; 0; 0x7000; 0x40001747]); ("map_pfn_vm", [3; 0x200000; 0x40001747; 2])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** Sharing what is not one's own, or taking back what is not shared, changes nothing. *)
Example ignored :
  agree [("grant_vm_page", [0; 0x40001]); ("revoke_vm_page", [0; 0x40001]); ("grant_vm_page", [16; 0x40004]);
         ("assign_pfn_to_vm", [3; 7; 0x40001]); ("grant_vm_page", [2; 0x40001]); ("revoke_vm_page", [3; 0x40001])]
    ([0; 0; 0; 0; 0; 0], Finished, (Some (Vm 3 (Shared 0) (Some 7)), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** Shares saturate at 100. *)
Example saturated :
  agree (("assign_pfn_to_vm", [3; 7; 0x40001]) :: repeat ("grant_vm_page", [3; 0x40001]) 102)
    (repeat 0 103, Finished, (Some (Vm 3 (Shared 100) (Some 7)), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** Aligned blocks are mapped. *)
Example block :
  agree [("map_pfn_vm", [3; 0x200000; 0x40000747; 2]); ("get_level_s2pt", [3; 0x2ff000]); ("walk_s2pt", [3; 0x200000])]
    ([0; 2; 0x40000ffd], Finished, (Some (Host 0), false, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** The map's lock must not be held on entry: undefined. *)
Example locked_entry :
  agree [("acquire_lock_s2page", []); ("grant_vm_page", [3; 0x40001])] ([0], Undefined, (Some (Host 0), true, 99)).
Proof. split; vm_compute; reflexivity. Qed.

(** Scrubbing, changes of SMMU tables and words of memory are hidden above this layer. *)
Example hidden_names : Forall (fun f => Lang.assoc f MemManager.Interface.L = None) hidden.
Proof. repeat constructor. Qed.
