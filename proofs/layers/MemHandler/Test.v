(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 30, MemHandler: examples by computation.  The specification and the code run by
    the interpreter agree with written values.  The layers between are stood in for: VM 3
    is being booted until [off], and owns the one device; it has no bank.  [TestReclaim] has
    the layers between as they are. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemoryOps Require Import Interface.
From SeKVM.layers.MemHandler Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** VM 3 is off, or not; its device's pages and registers; entries keep the address. *)
Section Stand_ins.
  Context (off : bool).
  Definition poweron : prim hstate := p1 (Some U32) U32 (fun v s => ret (if (v =? 3) && off then 0 else 1) s).
  Definition io : prim hstate :=
    p3 None U32 U64 U64 (fun v a pa s => if (v =? 3) && negb off then map_vm_io_spec [v; a; pa] s else Some (Halt s)).
  Definition init_pte : prim hstate := p2 (Some U64) U64 U64 (fun prot a s => ret (Z.lor (phys a) (Z.land prot 4095)) s).
  Definition assign_page : prim hstate := p4 None U32 U32 U64 U64 (fun _ _ pfn g s => assign_pfn_to_smmu_spec [3; g; pfn] s).
  Definition map_page : prim hstate :=
    p4 None U32 U32 U64 U64 (fun cb ix a e s => update_smmu_page_spec map_spt_spec [3; cb; ix; a; e] s).
  Definition banks : prim hstate := p1 (Some U32) U32 (fun _ s => ret 0 s).
  Definition Under : tbl hstate :=
    ([("get_vm_poweron", poweron); ("vm_has_bank", banks); ("map_io", io); ("smmu_init_pte", init_pte); ("smmu_assign_page", assign_page);
      ("smmu_map_page", map_page)] ++ MemoryOps.Interface.L)%list.

  (** These are an underlay of the layer's theorem. *)
  Lemma Under_keeps : keeps (U poweron banks io init_pte assign_page map_page) Under.
  Proof. repeat constructor. Qed.

  Definition by_spec : stepper hstate := call (over (T poweron banks io init_pte assign_page map_page) (hide hidden Under)).
  Definition by_c : stepper hstate := by_code code Under.
End Stand_ins.

(** Frames 0x40000 to 0x40003 are the host's, 0x40005 and 0x40006 are VM 3's. *)
Definition start : hstate :=
  set_s2 (free_cell (list_to_map [(0x40000, Host 0); (0x40001, Host 0); (0x40002, Host 0); (0x40003, Host 0);
                                  (0x40005, Vm 3 (Shared 0) (Some 5)); (0x40006, Vm 3 (Shared 1) (Some 6))]) [])
    (init_all_maps (fun _ => []) [] (quiet 0)).
Definition obs (ps : list Z) (s : hstate) : list (option page) := map (fun p => c_val (st_s2 s) !! p) ps.
Definition agree (off : bool) (cs : list (ident * list Z)) (ps : list Z) (v : list Z * ended * list (option page)) : Prop :=
  observe (by_spec off) (obs ps) cs start = v /\ observe (by_c off) (obs ps) cs start = v.

(** Memory of a VM is taken back if the VM is off, and only then; whole pages only. *)
Example taken_back :
  agree true [("clear_vm_stage2_range", [3; 0x40000fff; 0x5fff])] [0x40005; 0x40006]
    ([0], Finished, [Some (Vm 3 (Shared 0) (Some 5)); Some (Vm 3 (Shared 1) (Some 6))]) /\
  agree true [("clear_vm_stage2_range", [3; 0x40000000; 0x6000])] [0x40005; 0x40006]
    ([0], Finished, [Some (Host 0); Some (Vm 3 (Shared 1) (Some 6))]).
Proof. repeat split; vm_compute; reflexivity. Qed.
Example not_while_on :
  agree false [("clear_vm_stage2_range", [3; 0x40000000; 0x10000])] [0x40005; 0x40006]
    ([0], Finished, [Some (Vm 3 (Shared 0) (Some 5)); Some (Vm 3 (Shared 1) (Some 6))]).
Proof. split; vm_compute; reflexivity. Qed.
Example range_wraps :
  agree true [("clear_vm_stage2_range", [3; 0x40000000; 0xffffffffffffffff]);
              ("clear_vm_stage2_range", [3; 0xffffffffffffffff; 0x1000])]
    [0x40005; 0x40006] ([0; 0], Finished, [Some (Vm 3 (Shared 0) (Some 5)); Some (Vm 3 (Shared 1) (Some 6))]).
Proof. split; vm_compute; reflexivity. Qed.

(** A page of a device: reserved for the VM, then mapped; not a frame of another use. *)
Example device_page :
  agree false [("el2_arm_lpae_map", [0x7000; 0x40001000; 0x740; 1; 0])] [0x40001; 0x40002]
    ([0], Finished, [Some (Vm 3 Dma (Some 7)); Some (Host 0)]).
Proof. split; vm_compute; reflexivity. Qed.
Example device_page_elsewhere :
  agree false [("el2_arm_lpae_map", [0x7000; 0x40001000; 0x740; 1; 0]); ("el2_arm_lpae_map", [0x8000; 0x40001000; 0x740; 1; 0])]
    [0x40001] ([0], Panicked, [Some (Vm 3 Dma (Some 7))]).
Proof. split; vm_compute; reflexivity. Qed.

(** Registers of a device, three pages and a bit; what is memory is not mapped. *)
Example registers :
  agree false [("kvm_phys_addr_ioremap", [3; 0x10000; 0x9000000; 0x3001]); ("walk_s2pt", [3; 0x10000]);
               ("walk_s2pt", [3; 0x13000]);
               ("walk_s2pt", [3; 0x14000]); ("kvm_phys_addr_ioremap", [3; 0x20000; 0x40001000; 0x1000]);
               ("walk_s2pt", [3; 0x20000])]
    [0x40001] ([0; 0x400000090007c7; 0x400000090037c7; 0; 0; 0], Finished, [Some (Host 0)]).
Proof. split; vm_compute; reflexivity. Qed.

(** Refused: another VM, a VM that runs no longer, ranges that leave the address space. *)
Example registers_refused :
  Forall (fun x => agree (fst x) [("kvm_phys_addr_ioremap", snd x)] [] ([], Panicked, []))
    [(false, [2; 0x10000; 0x9000000; 0x1000]); (true, [3; 0x10000; 0x9000000; 0x1000]);
     (false, [3; 0xffffffff0000; 0x9000000; 0x11000]); (false, [3; 0x10000; 0xffffffff0000; 0x11000]);
     (false, [3; 0x10000; 0x9000000; 0xffffffffffffffff]); (false, [3; 0xffffffffffffffff; 0x9000000; 0x1000])].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** What the operations are made of is hidden above this layer. *)
Example hidden_above :
  Forall (fun f => by_spec false f [0] start = None) hidden.
Proof. repeat constructor. Qed.
