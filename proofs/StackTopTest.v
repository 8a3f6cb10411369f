(* SPDX-License-Identifier: Apache-2.0 *)
(** Scenarios of the whole stack by computation, from the initial state: the linked program of all layers on the
    bottom machine, whose ticket counters wrap around on the way, and the specifications of layers 31 and 34 agree
    with written values.  Runs that hash a page are checked here and not kept ([Succeed]): the independent checker has
    no virtual machine.  Rests on [StackTop]. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Tickets LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.PageManager Require Import Spec Refine.
From SeKVM.layers.FaultHandler Require Import Interface.
From SeKVM.layers.TrapHandler Require Import Interface.
From SeKVM Require Import StackFrames StackTop.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * The world *)

(** Registers of a device and of an SMMU, and eight frames of memory from 0x40000 on. *)
Definition firmware : list memblock :=
  [mkmemblock 0x9000000 0x1000 0 INVALID64; mkmemblock 0x9010000 0x10000 0 INVALID64;
   mkmemblock 0x40000000 0x8000 1 0].

(** Frame 0x40001 holds an image whose owner has signed the digest [IMAGE].  The host lets vCPU 0 of VM 1 start at
    0x80000000.  At address 0 it keeps the number of the VM, and from 64 on the registers x0, x1, ... of its calls. *)
Definition IMAGE : Z := 0xf3e51085fae5354.
Definition host_calls : list (list Z) :=
  [[HVC_REGISTER_KVM]; [HVC_REGISTER_VCPU; 1; 0]; [HVC_SMMU_ALLOC_PGD; 1; 1; 0];
   [HVC_SET_BOOT_INFO; 1; 0x80000000; 4000];
   [HVC_REMAP_VM_IMAGE; 1; 0x40001; 0]; [HVC_VERIFY_VM_IMAGE; 1]].
Definition place (call i : nat) : Z := 64 * (Z.of_nat call + 1) + 8 * Z.of_nat i.
Definition registers (call : nat * list Z) : list (Z * Z) := imap (fun i x => (place (fst call) i, x)) (snd call).
Definition w : world :=
  mkworld 2 (mkboot firmware [mksmmu 0x9010000 65536 0 8 12])
    (list_to_map ([(0, 1); (0x40001008, 99)] ++ flat_map registers (imap pair host_calls)))
    [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) []
    (list_to_map [(src_digest 1, [IMAGE]); (src_host_run 1, [0]); (src_host_vcpu 1 0, [0x80000000; 5])]).
Definition low : St tview npt sptab (gmap Z s2page) := init0 4294967290 w no_events.
Definition high : hstate := init_frames (fun _ => []) [] [] w.

(** The theorems about the stack speak of these states. *)
Example start_related : rel R_frames high low.
Proof.
  apply (frames_boot 4294967290 w 0 no_events);
    [lia | reflexivity | constructor; reflexivity | reflexivity | intros vm _ | |]; apply Forall2_nil_2.
Qed.

(** Observed: the state of VM 1; who runs, where, and register X0; whose bank 1 of SMMU 0 is; what was shown. *)
Definition observed : Type := option Z * (Z * Z * Z * Z) * Z * list out_event.
Definition obs {F} {V : View F} {N M P} (s : St F N M P) : observed :=
  (option_map (fun c => vm_state (value c)) (st_vms s !! 1),
   (cpu_vmid (st_cpu s), cpu_vcpuid (st_cpu s), reg_word ELR_EL2 (phys_regs s), reg_word X0 (phys_regs s)),
   bank_owner (value (st_smmu s)) 1,
   List.filter (fun e => match e with Flow _ _ _ => true | _ => false end) (st_outs s)).
Definition agree (cs : list (ident * list Z)) (v : list Z * ended * observed) : Prop :=
  observe (call FaultHandler.Interface.L) obs cs high = v /\ observe (by_code top_program L0) obs cs low = v.

(** * A VM boots and runs *)

(** A VM and a vCPU, a bank for its devices, an image of one page; then verification. *)
Definition prepare : list (ident * list Z) :=
  [("register_kvm", []); ("register_vcpu", [1; 0]); ("el2_alloc_smmu_pgd", [1; 1; 0]);
   ("set_boot_info", [1; 0x80000000; 4000]); ("remap_vm_image", [1; 0x40001; 0])].
Definition boot : list (ident * list Z) := (prepare ++ [("verify_and_load_images", [1])])%list.
Example prepared : agree prepare ([1; 0; 0; 0; 0], Finished, (Some READY, (0, 2, 0, 0), 1, [])).
Proof. split; vm_compute; reflexivity. Qed.
Succeed Definition boots : agree boot ([1; 0; 0; 0; 0; 0], Finished, (Some VERIFIED, (0, 2, 0, 0), 1, []))
  := ltac:(split; vm_compute; reflexivity).

(** The host faults at address 0, loads the number of the VM from there, and asks KCore to run it: the vCPU is at its
    start, in the image, and nothing of the host's is left in X0. *)
Definition enter : list (ident * list Z) :=
  [("handle_host_stage2_fault", []); ("mem_load_ref", [0; 0; 0]); ("host_to_core", []); ("save_host", []);
   ("restore_vm", []); ("core_to_vm", [])].
Succeed Definition runs :
  agree (boot ++ enter)
    ([1; 0; 0; 0; 0; 0; 0; 1; 0; 0; 0; 0], Finished, (Some VERIFIED, (1, 0, 0x80000000, 0), 1, []))
  := ltac:(split; vm_compute; reflexivity).

(** The VM loads a word of its page.  Then it is interrupted: the host goes on with its own registers, and was shown
    only that it was an interrupt. *)
Definition leave : list (ident * list Z) :=
  [("vm_to_core", []); ("exit_populate_fault", []); ("save_vm", []); ("restore_host", []); ("core_to_host", [])].
Succeed Definition loads :
  agree (boot ++ enter ++ [("mem_load_ref", [1; 0x80000008; 0])])
    ([1; 0; 0; 0; 0; 0; 0; 1; 0; 0; 0; 0; 1], Finished, (Some VERIFIED, (1, 0, 0x80000000, 99), 1, []))
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition returns :
  agree (boot ++ enter ++ [("mem_load_ref", [1; 0x80000008; 0])] ++ leave)
    ([1; 0; 0; 0; 0; 0; 0; 1; 0; 0; 0; 0; 1; 0; 0; 0; 0; 0], Finished,
     (Some VERIFIED, (0, 2, 0, 1), 1, [Flow 1 HOSTVISOR [0; 44; 0]]))
  := ltac:(split; vm_compute; reflexivity).

(** The VM's memory is not the host's any more: its table does not lead there, and no device of the host is given it.
    While the VM is on, its bank and its memory stay. *)
Succeed Definition private :
  agree (boot ++ [("mem_load_ref", [0; 0x40001008; 0]); ("clear_vm_stage2_range", [1; 0x40001000; 4096]);
                  ("el2_alloc_smmu_pgd", [2; 0; 0]); ("el2_arm_lpae_map", [0x7000; 0x40001000; 0xc0; 2; 0])])
    ([1; 0; 0; 0; 0; 0; 0; 0; 0], Panicked, (Some VERIFIED, (0, 2, 0, 0), 1, [])) /\
  agree (boot ++ [("el2_free_smmu_pgd", [1; 0])])
    ([1; 0; 0; 0; 0; 0], Panicked, (Some VERIFIED, (0, 2, 0, 0), 1, []))
  := ltac:(split; split; vm_compute; reflexivity).

(** The host's word in the image differs from what was signed: it has changed it by its own table, which it had until
    KCore took the frame. *)
Definition changed : list (ident * list Z) :=
  (prepare ++ [("mem_store_ref", [0; 0x40001010; 0]); ("verify_and_load_images", [1])])%list.
Succeed Definition late_store :
  let faulted {F} {V : View F} {N M P} (s : St F N M P) :=
    set_cpu (mkcpu 2 HOSTVISOR 2 {[ HPFAR_EL2 := 0x400010; X0 := 7 ]}) s in
  let cs := (("handle_host_stage2_fault", []) :: changed)%list in
  observe (call FaultHandler.Interface.L) obs cs (faulted high)
    = ([0; 1; 0; 0; 0; 0; 1], Panicked, (Some READY, (0, 2, 0, 7), 1, [])) /\
  observe (by_code top_program L0) obs cs (faulted low)
    = ([0; 1; 0; 0; 0; 0; 1], Panicked, (Some READY, (0, 2, 0, 7), 1, []))
  := ltac:(split; vm_compute; reflexivity).

(** A device of the VM, set up before verification, reaches its page; one of another bank does not. *)
Example devices :
  agree [("register_kvm", []); ("el2_alloc_smmu_pgd", [1; 1; 0]);
         ("el2_arm_lpae_map", [0x7000; 0x40001000; 0xc0; 1; 0]); ("el2_arm_lpae_iova_to_phys", [0x7123; 1; 0]);
         ("dev_load_ref", [1; 0; 0x7008; 0]); ("dev_load_ref", [2; 0; 0x7008; 0])]
    ([1; 0; 0; 0x40001123; 1; 0], Finished, (Some READY, (0, 2, 0, 99), 1, [])).
Proof. split; vm_compute; reflexivity. Qed.

(** * The machine as software sees it *)

(** The host's first access faults, and then is done; of devices nobody has a bank. *)
Example first_access :
  let cs := [("mem_load", [0; 0]); ("host_npt_handler", []); ("mem_load", [0; 0]); ("dev_load", [0; 0; 1; 0])] in
  let result := ([0; 0; 1; 0], Finished, (Some UNUSED, (0, 2, 0, 1), INVALID, [])) in
  observe (call top) obs cs high = result /\ observe (by_code top_program L0) obs cs low = result.
Proof. split; vm_compute; reflexivity. Qed.

(** The host loads the registers of its calls from its memory and makes them, one after the other; then it asks for
    the VM to be run.  Its first access faults. *)
Definition make (call : nat * list Z) : list (ident * list Z) :=
  (imap (fun i _ => ("mem_load", [place (fst call) i; Z.of_nat i])) (snd call) ++ [("host_hvc_handler", [])])%list.
Definition host_program : list (ident * list Z) :=
  ([("mem_load", [0; 0]); ("host_npt_handler", [])] ++ flat_map make (imap pair host_calls) ++
   [("mem_load", [0; 0]); ("host_vcpu_run_handler", [])])%list.
(** The VM loads a word of its page, tries the host's memory, and is interrupted. *)
Definition vm_program : list (ident * list Z) :=
  [("mem_load", [0x80000008; 0]); ("mem_load", [0x40002000; 1]); ("vm_exit_handler", [])].
Definition ends_with (cs : list (ident * list Z)) (e : ended) (v : observed) : Prop :=
  let last x := (snd (fst x), snd x) in
  last (observe (call top) obs cs high) = (e, v) /\
  last (observe (by_code top_program L0) obs cs low) = (e, v).
Succeed Definition host_boots : ends_with host_program Finished (Some VERIFIED, (1, 0, 0x80000000, 0), 1, [])
  := ltac:(split; vm_compute; reflexivity).
Succeed Definition vm_runs :
  ends_with (host_program ++ vm_program) Finished (Some VERIFIED, (0, 2, 0, 1), 1, [Flow 1 HOSTVISOR [0; 44; 0]])
  := ltac:(split; vm_compute; reflexivity).

(** * The interface *)

(** What the dispatchers of traps stand on, and nothing else: no lock, record, table, or register of a device. *)
Example interface_31 : names FaultHandler.Interface.L =
  ["handle_host_stage2_fault"; "core_handle_pvops"; "clear_vm_stage2_range"; "el2_arm_lpae_map";
   "kvm_phys_addr_ioremap"; "save_host"; "restore_host"; "save_vm"; "restore_vm"; "el2_free_smmu_pgd";
   "el2_alloc_smmu_pgd"; "el2_arm_lpae_clear"; "el2_arm_lpae_iova_to_phys"; "register_vcpu"; "register_kvm";
   "set_boot_info"; "remap_vm_image"; "verify_and_load_images"; "save_encrypted_vcpu"; "load_encrypted_vcpu";
   "save_encrypt_buf"; "load_decrypt_buf"; "panic"; "get_cur_vmid"; "get_cur_vcpuid"; "core_handle_sys64";
   "timer_set_cntvoff"; "host_to_core"; "vm_to_core"; "core_to_host"; "core_to_vm"; "exit_populate_fault";
   "get_shadow_ctxt"; "set_shadow_ctxt"; "mem_load_ref"; "mem_store_ref"; "dev_load_ref"; "dev_store_ref"].
Proof. vm_compute. reflexivity. Qed.

(** What software outside of KCore can do. *)
Example interface_34 : names top =
  ["host_hvc_handler"; "host_npt_handler"; "host_vcpu_run_handler"; "vm_exit_handler"; "mem_load"; "mem_store";
   "dev_load"; "dev_store"].
Proof. reflexivity. Qed.
