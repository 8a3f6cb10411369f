(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: examples by computation.  The specification and the code run by the
    interpreter agree with written values: a VM is registered, loaded, verified and runs;
    verification fails when one word is wrong; attacks are refused.  Runs that hash more than
    one page are checked here and not kept ([Succeed]): the independent checker has no virtual
    machine, and a page takes it seconds. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.BootOps Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Power-off is VMPower's. *)
Definition Power : tbl hstate := [("set_vm_poweroff", set_vm_poweroff_spec); ("get_vm_poweron", get_vm_poweron_spec)].
Definition by_spec : stepper hstate := call (T ++ Power)%list.
Definition by_c : stepper hstate := by_code code (U ++ Power)%list.

(** At start frames 0x40000 to 0x40003 are the host's, 0x40004 is KCore's, 0x40005 is used
    by a device of the host, the rest is not tracked.  Two frames hold an image; its owner
    has signed the digest [d].  There is one SMMU.  Other CPUs will do the [writes]. *)
Definition frames : gmap Z page :=
  list_to_map [(0x40000, Host 0); (0x40001, Host 0); (0x40002, Host 0); (0x40003, Host 0); (0x40004, Core); (0x40005, Host 1)].
Definition IMAGE : Z := 0x2ca819309ef0f1a1.
Definition start (d : Z) (writes : list (list (Z * (Z * Z)))) : hstate :=
  mkSt (free_cell core0 []) (free_cell frames []) (free_cell (pempty smmu_geom) []) (free_cell ∅ [])
    (table 17 (fun vm => free_cell (pempty (npt_geom vm)) [])) (table 17 (fun _ => free_cell vminfo0 []))
    (mkmem (list_to_map [(0x40001008, 99); (0x40003ff8, 7)]) [] writes) (mkcpu 0 0 0 ∅) (table 136 (fun _ => free_cell ∅ []))
    (mkboot [] [mksmmu 0x9010000 65536 0 8 12]) (list_to_map [(src_digest 1, [d; 5]); (src_kvm 1, [77])]) [].

(** Observed: the state of VM 1 and whether its record is locked; its number of images;
    two frames; the entries of VM 1 for the pages of the image. *)
Definition obs (s : hstate) : option (Z * bool * Z) * list (option page) * list Z :=
  ((some c := st_vms s !! 1; Some (vm_state (c_val c), c_held c, load_next (c_val c))),
   [c_val (st_s2 s) !! 0x40001; c_val (st_s2 s) !! 0x40003],
   match st_npts s !! 1 with Some c => [entry (c_val c) 0x80000; entry (c_val c) 0x80001] | None => [] end).
Definition agree (s : hstate) (cs : list (ident * list Z))
  (v : list Z * ended * (option (Z * bool * Z) * list (option page) * list Z)) : Prop :=
  observe by_spec obs cs s = v /\ observe by_c obs cs s = v.

(** Register a VM and a vCPU, record an image of one page or two, collect it. *)
Definition prepared : list (ident * list Z) :=
  [("register_kvm", []); ("register_vcpu", [1; 0]); ("set_boot_info", [1; 0x80000000; 4000]); ("remap_vm_image", [1; 0x40001; 0])].
Definition PAGE_IMAGE : Z := 0xf3e51085fae5354.
Definition prepared_two : list (ident * list Z) :=
  [("register_kvm", []); ("register_vcpu", [1; 0]); ("set_boot_info", [1; 0x80000000; 8000]);
   ("remap_vm_image", [1; 0x40001; 0]); ("remap_vm_image", [1; 0x40003; 0])].

(** The VM boots: its frames are its own, at its pages, and its vCPU runs; the entry point
    lies in the image. *)
Definition boot : list (ident * list Z) :=
  [("verify_and_load_images", [1]); ("search_load_info", [1; 0x80000000]); ("search_load_info", [1; 0x80000fa0]);
   ("set_vcpu_active", [1; 0]); ("set_vcpu_inactive", [1; 0]); ("set_vcpu_active", [1; 0])].
Example boots :
  observe by_spec obs (prepared ++ boot) (start PAGE_IMAGE [])
  = ([1; 0; 0; 0; 0; 0x2000000; 0; 0; 0; 0], Finished,
     (Some (VERIFIED, false, 1), [Some (Vm 1 (Shared 0) (Some 0x80000)); Some (Host 0)], [0x40001fff; 0])).
Proof. vm_compute. reflexivity. Qed.
Succeed Definition boots_by_c :
  observe by_c obs (prepared ++ boot) (start PAGE_IMAGE []) = observe by_spec obs (prepared ++ boot) (start PAGE_IMAGE [])
  := ltac:(vm_compute; reflexivity).

Definition boot_two : list (ident * list Z) :=
  [("verify_and_load_images", [1]); ("search_load_info", [1; 0x80001000]); ("search_load_info", [1; 0x80001f40])].
Succeed Definition boots_two :
  agree (start IMAGE []) (prepared_two ++ boot_two)
    ([1; 0; 0; 0; 0; 0; 0x2001000; 0], Finished,
     (Some (VERIFIED, false, 1), [Some (Vm 1 (Shared 0) (Some 0x80000)); Some (Vm 1 (Shared 0) (Some 0x80001))],
      [0x40001fff; 0x40003fff]))
  := ltac:(split; vm_compute; reflexivity).

(** The digest is that of the two frames in order, whole. *)
Succeed Definition image_digest :
  digest (frame_contents 0x40001 (st_mem (start 0 [])) ++ frame_contents 0x40003 (st_mem (start 0 [])))%list = IMAGE
  := ltac:(vm_compute; reflexivity).

(** Verification fails, with the machine stopped: another digest was signed; the host
    changes a word of a page that the VM has already. *)
Definition end_after (step : stepper hstate) (s : hstate) : ended :=
  snd (fst (observe step obs (prepared ++ [("verify_and_load_images", [1])]) s)).
Definition wrong_digest_start : hstate := start (PAGE_IMAGE + 1) [].
Definition late_write_start : hstate := start PAGE_IMAGE [[(1, (0x40001010, 1))]].
Example wrong_digest : end_after by_spec wrong_digest_start = Panicked.
Proof. vm_compute. reflexivity. Qed.
Example late_write : end_after by_spec late_write_start = Panicked.
Proof. vm_compute. reflexivity. Qed.
Succeed Definition both_by_c : end_after by_c wrong_digest_start = Panicked /\ end_after by_c late_write_start = Panicked
  := ltac:(split; vm_compute; reflexivity).

(** How each of the calls [cs] ends, by the specification and by the code, after [before]. *)
Definition end_of (step : stepper hstate) (c : ident * list Z) (s : hstate) : ended := snd (fst (observe step (fun _ =>
  tt) [c] s)).
Definition ends (before cs : list (ident * list Z)) : list (ended * ended) :=
  match run_calls by_spec before (start PAGE_IMAGE []) with
  | Some (Ok _ s) => map (fun c => (end_of by_spec c s, end_of by_c c s)) cs
  | _ => []
  end.
Definition all_stop (before cs : list (ident * list Z)) : Prop := ends before cs = map (fun _ => (Panicked, Panicked)) cs.

(** A page is KCore's, a device's, used by a device of the host, or missing. *)
Example wrong_frames :
  Forall (fun pfn => all_stop [("register_kvm", []); ("set_boot_info", [1; 0x80000000; 4096]); ("remap_vm_image", [1; pfn; 0])]
    [("verify_and_load_images", [1])]) [0x40004; 0x9010; 0x40005].
Proof. do 3 (apply List.Forall_cons; [vm_compute; reflexivity|]). apply List.Forall_nil. Qed.
Example incomplete :
  all_stop [("register_kvm", []); ("set_boot_info", [1; 0x80000000; 8192]); ("remap_vm_image", [1; 0x40001; 0])]
    [("verify_and_load_images", [1])].
Proof. vm_compute. reflexivity. Qed.

(** After verification everything that prepares a VM is refused; and after power-off too,
    devices included, and no vCPU starts. *)
Example frozen :
  all_stop (prepared ++ [("verify_and_load_images", [1])])
    [("register_vcpu", [1; 1]); ("set_boot_info", [1; 0x90000000; 4096]); ("remap_vm_image", [1; 0x40002; 0]);
     ("verify_and_load_images", [1]); ("map_io", [1; 0x5000; 0x9000000]); ("alloc_smmu", [1; 0; 0]);
     ("assign_smmu", [1; 0x40002; 7]); ("map_smmu", [1; 0; 0; 0x80000000; 0x40001747]); ("clear_smmu", [1; 0; 0; 0x80000000]);
     ("load_encrypted_vcpu", [1; 0]); ("load_decrypt_buf", [1; 0x40002000]); ("set_vcpu_active", [1; 1]);
     ("set_vcpu_inactive", [1; 0])].
Proof. vm_compute. reflexivity. Qed.
Example off :
  all_stop [("register_kvm", []); ("register_vcpu", [1; 0]); ("set_vm_poweroff", [1])]
    [("set_vcpu_active", [1; 0]); ("register_vcpu", [1; 1]); ("alloc_smmu", [1; 0; 0]); ("assign_smmu", [1; 0x40002; 7]);
     ("map_smmu", [1; 0; 0; 0x80000000; 0x40001747]); ("clear_smmu", [1; 0; 0; 0x80000000]); ("verify_and_load_images", [1])].
Proof. vm_compute. reflexivity. Qed.

(** Before verification no vCPU runs; there are eight; others than VMs are none, and banks
    that are not there are refused. *)
Example not_allowed :
  all_stop [("register_kvm", []); ("register_vcpu", [1; 0])]
    [("set_vcpu_active", [1; 0]); ("set_vcpu_inactive", [1; 0]); ("register_vcpu", [1; 0]); ("register_vcpu", [1; 8]);
     ("set_vcpu_active", [1; 8]); ("set_vcpu_inactive", [0; 0]); ("register_vcpu", [16; 0]); ("set_boot_info", [0; 0; 4096]);
     ("verify_and_load_images", [16]); ("remap_vm_image", [1; 68719476736; 0]); ("map_io", [0; 0; 0x9000000]);
     ("alloc_smmu", [16; 0; 0]); ("alloc_smmu", [0; 8; 0]); ("map_smmu", [0; 0; 2; 0; 0]); ("clear_smmu", [0; 8; 0; 0]);
     ("assign_smmu", [17; 0; 0]); ("map_io", [1; 0x80000000; 0x9010000]); ("map_io", [1; 0x80000000; 0x901ffff])].
Proof. vm_compute. reflexivity. Qed.

(** What is not recorded: no bytes; too many for KCore; not at a page; outside the address
    space; over another image, at its last page or around it.  Images side by side are.  A
    full table is an error result. *)
Example images :
  agree (start PAGE_IMAGE [])
    [("register_kvm", []); ("set_boot_info", [1; 0x80000000; 0]); ("set_boot_info", [1; 0x80000000; 33554433]);
     ("set_boot_info", [1; 0x80000001; 4096]); ("set_boot_info", [1; 0x1000000000000; 4096]);
     ("set_boot_info", [1; 0xfffffffff000; 4097]); ("set_boot_info", [1; 0x80000000; 18446744073709551615]);
     ("set_boot_info", [1; 0x80000000; 8192]); ("set_boot_info", [1; 0x80001000; 4096]);
     ("set_boot_info", [1; 0x7ffff000; 16384]); ("set_boot_info", [1; 0x80002000; 1]); ("set_boot_info", [1; 0x7ffff000; 4096]);
     ("set_boot_info", [1; 0xfffffffff000; 4096]); ("set_boot_info", [1; 0; 4096]); ("set_boot_info", [1; 0x1000; 4096])]
    ([1; INVALID; INVALID; INVALID; INVALID; INVALID; INVALID; 0; INVALID; INVALID; 1; 2; 3; 4; INVALID], Finished,
     (Some (READY, false, 5), [Some (Host 0); Some (Host 0)], [0; 0])).
Proof. split; vm_compute; reflexivity. Qed.

(** Devices' registers are mapped into a VM, up to the pages on both sides of an SMMU's; those of an SMMU are refused
    above. *)
Example registers :
  agree (start PAGE_IMAGE [])
    [("register_kvm", []); ("map_io", [1; 0x80000000; 0x900ffff]); ("map_io", [1; 0x80001000; 0x9020000])]
    ([1; 0; 0], Finished, (Some (READY, false, 0), [Some (Host 0); Some (Host 0)], [0x4000000900f7c7; 0x400000090207c7])).
Proof. split; vm_compute; reflexivity. Qed.
(** A VM's devices are set up while it is prepared; the host's always. *)
Example devices :
  agree (start PAGE_IMAGE [])
    [("register_kvm", []); ("alloc_smmu", [1; 0; 0]); ("assign_smmu", [1; 0x40001; 7]); ("map_smmu", [1; 0; 0; 0x7000;
      0x40001747]);
     ("clear_smmu", [1; 0; 0; 0x7000]); ("alloc_smmu", [0; 1; 0]); ("assign_smmu", [0; 0x40003; 7]);
     ("map_smmu", [0; 1; 0; 0x7000; 0x40003747])]
    ([1; 0; 0; 0; 0; 0; 0; 0], Finished, (Some (READY, false, 0), [Some (Vm 1 Dma (Some 7)); Some (Host 1)], [0; 0])).
Proof. split; vm_compute; reflexivity. Qed.

(** A sealed frame becomes the VM's, not bound; not one that a device of the host uses.
    Registers come from elsewhere, and the VM knows; sealed frames of the VM go to the
    host's frames, and to no others. *)
Example import :
  agree (start PAGE_IMAGE [])
    [("register_kvm", []); ("is_inc_exe", [1]); ("register_vcpu", [1; 0]); ("load_decrypt_buf", [1; 0x40001010]);
     ("load_encrypted_vcpu", [1; 0]); ("is_inc_exe", [1]); ("save_encrypted_vcpu", [1; 0]);
     ("save_encrypt_buf", [1; 0x40001000; 0x40003fff])]
    ([1; 0; 0; 0; 0; 1; 0; 0], Finished, (Some (READY, false, 0), [Some (Vm 1 (Shared 0) None); Some (Host 0)], [0; 0])).
Proof. split; vm_compute; reflexivity. Qed.
Example not_imported :
  all_stop [("register_kvm", []); ("load_decrypt_buf", [1; 0x40001000])]
    [("load_decrypt_buf", [1; 0x40001000]); ("load_decrypt_buf", [1; 0x40004000]); ("load_decrypt_buf", [1; 0x40005000]);
     ("load_decrypt_buf", [1; 0x9000000]); ("load_encrypted_vcpu", [1; 0]); ("save_encrypted_vcpu", [1; 0]);
     ("save_encrypt_buf", [1; 0x40002000; 0x40003000]); ("save_encrypt_buf", [1; 0x40001000; 0x40004000]);
     ("save_encrypt_buf", [2; 0x40001000; 0x40003000]); ("save_encrypt_buf", [1; 0x40001000; 0x40001000]);
     ("save_encrypt_buf", [0; 0x40002000; 0x40003000])].
Proof. vm_compute. reflexivity. Qed.

(** What went sealed to the host is in the ledger, and is what the host's frame holds: here
    with no key, so that the words show. *)
Example ledger :
  match run_calls by_spec [("register_kvm", []); ("load_decrypt_buf", [1; 0x40001000]); ("save_encrypt_buf", [1; 0x40001000;
    0x40003000])]
          (start PAGE_IMAGE []) with
  | Some (Ok _ s) => match st_outs s with Flow 1 0 ws :: Flow 0 1 _ :: _ =>
      word (m_words (st_mem s)) 0x40003008 = 99 /\ nth 1 ws 0 = 99 /\ ws = frame_contents 0x40003 (st_mem s) | _ => False end
  | _ => False
  end.
Proof. vm_compute. repeat split. Qed.
