(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 26, MmioOps: the SMMUs as the layers above see them.  Each operation is one step
    of the machine: lock the owners of context banks, do what the owner of the bank may
    do, publish.  A bank is free, or has an owner: the host or a VM.  Stands on
    MmioOpsAux and on any five primitives on VMs and their devices that leave the owners
    of banks alone; [Refine] takes those of BootOps and VMPower. *)
From SeKVM.layers.MmioOpsAux Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** An owner: nobody, the host or a VM.  An invariant, see [Safe]. *)
Definition owner_ok (w : Z) : bool := (w =? INVALID) || (0 <=? w) && (w <? 16).

(** One of the sixteen banks is that of [v]. *)
Definition has_bank (v : Z) (m : gmap Z Z) : bool := existsb (fun b => bank_owner m b =? v) (seqZ 0 16).

(** SMMUs translate 40 bits. *)
Definition SMMU_IOVA_LIMIT : Z := 1099511627776.

Section MmioOps.
  Context {N P : Type}.
  Notation St := (St cell N pmap P).
  Context (get_vm_poweron alloc_smmu assign_smmu map_smmu clear_smmu : prim St).

  (** * The critical section *)

  (** The owners [c] are published. *)
  Definition publish_owners (v : Z) (c : cell (gmap Z Z)) (s : St) : option (res St) :=
    ret v (set_smmu (release_cell (cpu_id (st_cpu s)) c) s).
  Definition set_owner (cb ix w : Z) (c : cell (gmap Z Z)) : cell (gmap Z Z) :=
    set_val (<[bank_number cb ix := w]> (c_val c)) c.

  (** Lock the owners and look at the one of bank [cb] of SMMU [ix]; a bank that is not
      there is a panic. *)
  Definition with_owner (cb ix : Z) (s : St) (k : cell (gmap Z Z) -> Z -> option (res St)) : option (res St) :=
    if is_bank cb ix then
      rely negb (c_held (st_smmu s));
      let c := acquire_cell (st_smmu s) in
      let w := bank_owner (c_val c) (bank_number cb ix) in
      rely owner_ok w;
      k c w
    else Some (Halt s).

  (** Work [o] on other objects in the critical section of [c]. *)
  Definition during (o : option (res St)) (c : cell (gmap Z Z)) (k : Z -> St -> option (res St)) : option (res St) :=
    match o with
    | Some (Ok v s) => k v s
    | Some (Halt s) => Some (Halt (set_smmu c s))
    | None => None
    end.

  (** * The operations *)

  Definition emulate_mmio_spec : prim St :=
    p2 (Some U32) U64 U32 (fun a hsr s =>
      rely smmus_ok (boot_smmus (st_boot s));
      rely negb (c_held (st_smmu s));
      let c := acquire_cell (st_smmu s) in
      let ix := smmu_at a (boot_smmus (st_boot s)) in
      if ix =? INVALID then publish_owners ix c s
      else match handle_host_mmio_spec [a; ix; hsr] (set_smmu c s) with
           | Some (Ok _ s) => publish_owners ix c s
           | r => r
           end).

  (** Free again only when the VM is off, and with empty tables. *)
  Definition el2_free_smmu_pgd_spec : prim St :=
    p2 None U32 U32 (fun cb ix s => with_owner cb ix s (fun c w =>
      if w =? INVALID then publish_owners 0 c s
      else during (get_vm_poweron [w] s) c (fun on s =>
             rely in_range U32 on;
             if on =? 0
             then during (init_spt_spec [cb; ix] s) c (fun _ => publish_owners 0 (set_owner cb ix INVALID c))
             else Some (Halt (set_smmu c s))))).

  (** A bank that the firmware has told of, for the host or a VM; a busy one stays. *)
  Definition may_alloc (cb v ix : Z) (l : list smmu_dev) : bool :=
    is_bank cb ix && (v <? 16) && match l !! Z.to_nat ix with Some d => cb <? smmu_banks d | None => false end.

  Definition el2_alloc_smmu_pgd_spec : prim St :=
    p3 None U32 U32 U32 (fun cb v ix s =>
      rely smmus_ok (boot_smmus (st_boot s));
      if may_alloc cb v ix (boot_smmus (st_boot s))
      then with_owner cb ix s (fun c w =>
             if w =? INVALID
             then during (alloc_smmu [v; cb; ix] s) c (fun _ => publish_owners 0 (set_owner cb ix v c))
             else publish_owners 0 c s)
      else Some (Halt s)).

  (** What the owner of the bank asks for; nothing, if it is free. *)
  Definition by_owner (cb ix : Z) (s : St) (o : Z -> option (res St)) : option (res St) :=
    with_owner cb ix s (fun c w =>
      if w =? INVALID then publish_owners 0 c s else during (o w) c (fun _ => publish_owners 0 c)).

  Definition smmu_assign_page_spec : prim St :=
    p4 None U32 U32 U64 U64 (fun cb ix pfn g s => by_owner cb ix s (fun w => assign_smmu [w; pfn; g] s)).
  Definition smmu_map_page_spec : prim St :=
    p4 None U32 U32 U64 U64 (fun cb ix a e s =>
      if a <? SMMU_IOVA_LIMIT then by_owner cb ix s (fun w => map_smmu [w; cb; ix; a; e] s) else Some (Halt s)).
  Definition el2_arm_lpae_clear_spec : prim St :=
    p3 None U64 U32 U32 (fun a cb ix s =>
      if a <? SMMU_IOVA_LIMIT then by_owner cb ix s (fun w => clear_smmu [w; cb; ix; a] s) else Some (Halt s)).

  (** Where an address of the bank leads: its frame, and the place in it. *)
  Definition el2_arm_lpae_iova_to_phys_spec : prim St :=
    p3 (Some U64) U64 U32 U32 (fun a cb ix s =>
      if (a <? SMMU_IOVA_LIMIT) && is_bank cb ix
      then match walk_spt_spec [cb; ix; a] s with
           | Some (Ok e s) => ret (phys e + a mod 4096) s
           | r => r
           end
      else Some (Halt s)).

  (** Whether [v] has a bank. *)
  Definition vm_has_bank_spec : prim St :=
    p1 (Some U32) U32 (fun v s =>
      rely negb (c_held (st_smmu s));
      let c := acquire_cell (st_smmu s) in
      rely forallb (fun b => owner_ok (bank_owner (c_val c) b)) (seqZ 0 16);
      publish_owners (if has_bank v (c_val c) then 1 else 0) c s).

  Definition T : tbl St :=
    [("emulate_mmio", emulate_mmio_spec); ("el2_free_smmu_pgd", el2_free_smmu_pgd_spec);
     ("el2_alloc_smmu_pgd", el2_alloc_smmu_pgd_spec); ("smmu_assign_page", smmu_assign_page_spec);
     ("smmu_map_page", smmu_map_page_spec); ("el2_arm_lpae_clear", el2_arm_lpae_clear_spec);
     ("el2_arm_lpae_iova_to_phys", el2_arm_lpae_iova_to_phys_spec); ("vm_has_bank", vm_has_bank_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (MmioOpsAux.Spec.T ++ T_lock_smmu ++ T_smmu_owner ++
     [("get_smmu_num", get_smmu_num); ("get_smmu_num_context_banks", smmu_get U32 smmu_banks);
      ("init_spt", init_spt_spec); ("walk_spt", walk_spt_spec); ("get_vm_poweron", get_vm_poweron);
      ("alloc_smmu", alloc_smmu); ("assign_smmu", assign_smmu); ("map_smmu", map_smmu); ("clear_smmu", clear_smmu);
      ("panic", panic)])%list.
End MmioOps.

(** What ends here. *)
Definition hidden : list ident :=
  ["is_smmu_range"; "handle_host_mmio"; "acquire_lock_smmu"; "release_lock_smmu"; "get_smmu_cfg_vmid";
   "set_smmu_cfg_vmid"; "get_smmu_num"; "get_smmu_num_context_banks"; "init_spt"; "walk_spt"; "alloc_smmu"; "assign_smmu";
   "map_smmu"; "clear_smmu"].
