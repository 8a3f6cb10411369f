(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 21, BootOps: the life of a VM.  Each operation is one critical section of the
    VM's record, with the work on other objects inside; what changes in the record is a
    pure transition of [Life].  Verification is the exception that is not one step: it
    loads and hashes page by page, while the record stays locked.  Stands on BootAux. *)
From SeKVM.layers.MemManager Require Export Interface.
From SeKVM.layers.BootCore Require Export Spec.
From SeKVM.layers.BootAux Require Export Spec.
From SeKVM.machine Require Export BottomMmio.
From SeKVM.layers.BootOps Require Export Life.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition PAGE_HYP : Z := 18014398509483859.

Notation vms_natural p := (natural (@st_vms cell pmap pmap (gmap Z page)) set_vms p p).

(** * Parts of critical sections *)

(** Work on other objects, [o], while the record of [v] is locked as [c]. *)
Definition inside (v : Z) (c : cell vminfo) (o : option (res hstate)) (k : Z -> hstate -> option (res hstate))
  : option (res hstate) :=
  match o with
  | Some (Ok r s) => k r s
  | Some (Halt s) => denied_vm v c s
  | None => None
  end.

(** A change of the record alone. *)
Definition change_vm (f : vminfo -> option vminfo) (v : Z) (s : hstate) : option (res hstate) :=
  with_vm v s (fun c =>
    match f (c_val c) with Some x => publish_vm v (set_val x c) 0 s | None => denied_vm v c s end).

(** The saved context of vCPU [i] of [v] comes to this CPU, and goes. *)
Definition pulled (v i : Z) (s : hstate) : option hstate :=
  some y := st_ctxts s !! ctxt_id v i;
  rely negb (c_held y);
  Some (set_ctxts (<[ctxt_id v i := acquire_cell y]> (st_ctxts s)) s).
Definition pushed (v i : Z) (s : hstate) : option hstate :=
  some y := st_ctxts s !! ctxt_id v i;
  rely c_held y;
  Some (set_ctxts (<[ctxt_id v i := release_cell (cpu_id (st_cpu s)) y]> (st_ctxts s)) s).

(** It comes, is made one that never ran, and goes. *)
Definition renewed (v i : Z) (s : hstate) : option hstate :=
  some y := st_ctxts s !! ctxt_id v i;
  rely negb (c_held y);
  Some (set_ctxts (<[ctxt_id v i := release_cell (cpu_id (st_cpu s)) (set_val NEVER_RAN (acquire_cell y))]> (st_ctxts s)) s).

Definition is_vcpu (v i : Z) : bool := is_guest v && (i <? MAX_VCPU).

(** * Life *)

Definition search_load_info_spec : prim hstate :=
  p2 (Some U64) U32 U64 (fun v a s =>
    if is_guest v
    then with_vm v s (fun c => publish_vm v c (find_image (c_val c) a (seqZ 0 (load_next (c_val c))) 0) s)
    else ret 0 s).

Definition set_vcpu_active_spec : prim hstate :=
  p2 None U32 U32 (fun v i s =>
    if is_vcpu v i
    then with_vm v s (fun c =>
      match activate i (c_val c) with
      | Some x => some s := pulled v i s; publish_vm v (set_val x c) 0 s
      | None => denied_vm v c s
      end)
    else Some (Halt s)).

Definition set_vcpu_inactive_spec : prim hstate :=
  p2 None U32 U32 (fun v i s =>
    if is_vcpu v i
    then with_vm v s (fun c =>
      match deactivate i (c_val c) with
      | Some x => some s := pushed v i s; publish_vm v (set_val x c) 0 s
      | None => denied_vm v c s
      end)
    else Some (Halt s)).

(** The context of the new vCPU is a fresh one. *)
Definition register_vcpu_spec : prim hstate :=
  p2 None U32 U32 (fun v i s =>
    if is_vcpu v i
    then with_vm v s (fun c =>
      inside v c (get_shared_vcpu [v; i] s) (fun p s' =>
        match new_vcpu i p (c_val c) with
        | Some x => some s := renewed v i s'; publish_vm v (set_val x c) 0 s
        | None => denied_vm v c s
        end))
    else Some (Halt s)).

Definition register_kvm_spec : prim hstate :=
  p0 (Some U32) (fun s => and_then (gen_vmid_spec [] s) (fun v s =>
    with_vm v s (fun c =>
      inside v c (get_shared_kvm [v] s) (fun p s' =>
        match register p (c_val c) with
        | Some x => publish_vm v (set_val x c) v s'
        | None => denied_vm v c s
        end)))).

(** * Images *)

Definition set_boot_info_spec : prim hstate :=
  p3 (Some U32) U32 U64 U64 (fun v a size s =>
    if is_guest v
    then with_vm v s (fun c =>
      if vm_state (c_val c) =? READY
      then if fits a (pages size) (c_val c)
           then inside v c (alloc_remap_addr_spec [pages size] s) (fun r s =>
                  if r =? 0 then publish_vm v c INVALID s
                  else inside v c (get_image_digest [v] s) (fun d s =>
                         publish_vm v (set_val (add_image a size r d (c_val c)) c) (load_next (c_val c)) s))
           else publish_vm v c INVALID s
      else denied_vm v c s)
    else Some (Halt s)).

Definition remap_vm_image_spec : prim hstate :=
  p3 None U32 U64 U32 (fun v pfn i s =>
    if is_guest v && (pfn <? PFN_LIMIT)
    then with_vm v s (fun c =>
      if vm_state (c_val c) =? READY
      then match next_slot i (c_val c) with
           | Some a =>
               inside v c (map_s2pt_spec [COREVISOR; a; 3; Z.lor (pfn * 4096) PAGE_HYP] s) (fun _ =>
                 publish_vm v (set_val (add_page i (c_val c)) c) 0)
           | None => publish_vm v c 0 s
           end
      else denied_vm v c s)
    else Some (Halt s)).

(** The frame is the page [g] of VM [v], private. *)
Definition is_page_of (v g : Z) (q : option page) : bool :=
  match q with Some (Vm w (Shared k) (Some b)) => (w =? v) && (k =? 0) && (b =? g) | _ => false end.

(** Continue the hash [h] with page [g] as VM [v] sees it; the frame must be its private
    page [g]. *)
Definition hash_vm_page (v g h : Z) (s : hstate) : option (res hstate) :=
  and_then (walk_s2pt_spec [v; g * 4096] s) (fun e s =>
    with_frame (frame_of e) s (fun c q =>
      if is_page_of v g q
      then after (hash_page [frame_of e; h] s) c (fun h s => ret h (set_s2 (release_cell (cpu_id (st_cpu s)) c) s))
      else denied c s)).

(** The same for [n] pages from [g] on. *)
Fixpoint hash_vm_pages (v : Z) (n : nat) (g h : Z) (s : hstate) : option (res hstate) :=
  match n with
  | O => ret h s
  | Datatypes.S n => and_then (hash_vm_page v g h s) (fun h => hash_vm_pages v n (g + 1) h)
  end.

(** An image that is complete becomes the VM's memory, and must then have the digest that
    was recorded. *)
Definition load_image (v : Z) (x : vminfo) (i : Z) (s : hstate) : option (res hstate) :=
  if complete x i
  then and_then (unmap_and_load_vm_image_spec [v; img_addr x i; img_remap x i; img_pages x i] s) (fun _ s =>
         and_then (hash_vm_pages v (Z.to_nat (img_pages x i)) (img_addr x i / 4096) HASH_START s) (fun h s =>
           if h =? img_digest x i then ret 0 s else Some (Halt s)))
  else Some (Halt s).

Definition verify_and_load_images_spec : prim hstate :=
  p1 None U32 (fun v s =>
    if is_guest v
    then with_vm v s (fun c =>
      if vm_state (c_val c) =? READY
      then inside v c (iterate (load_image v (c_val c)) (load_next (c_val c)) s) (fun _ =>
             publish_vm v (set_val (verified (c_val c)) c) 0)
      else denied_vm v c s)
    else Some (Halt s)).

(** * Devices *)

(** [o] is done while the devices of [v] may be configured. *)
Definition configuring (v : Z) (o : hstate -> option (res hstate)) (s : hstate) : option (res hstate) :=
  with_vm v s (fun c =>
    if may_configure v (c_val c)
    then inside v c (o s) (fun _ => publish_vm v c 0)
    else denied_vm v c s).

Definition bank_named (b i : Z) : bool := (b <? 8) && (i <? 2).

Definition alloc_smmu_spec : prim hstate :=
  p3 None U32 U32 U32 (fun v b i s =>
    if (v <? COREVISOR) && bank_named b i then configuring v (init_spt_spec [b; i]) s else Some (Halt s)).

Definition assign_smmu_spec : prim hstate :=
  p3 None U32 U64 U64 (fun v pfn g s =>
    if v <? COREVISOR
    then if v =? HOSTVISOR then ret 0 s else configuring v (assign_pfn_to_smmu_spec [v; g; pfn]) s
    else Some (Halt s)).

Definition map_smmu_spec : prim hstate := fun vs s =>
  match vs with
  | [v; b; i; a; e] =>
      rely in_range U32 v; rely in_range U32 b; rely in_range U32 i; rely in_range U64 a; rely in_range U64 e;
      if (v <? COREVISOR) && bank_named b i
      then configuring v (update_smmu_page_spec map_spt_spec [v; b; i; a; e]) s else Some (Halt s)
  | _ => None
  end.

Definition clear_smmu_spec : prim hstate :=
  p4 None U32 U32 U32 U64 (fun v b i a s =>
    if (v <? COREVISOR) && bank_named b i
    then configuring v (unmap_smmu_page_spec unmap_spt_spec [b; i; a]) s else Some (Halt s)).

(** What the firmware says of the SMMUs fits the C types; it never changes ([Firmware]). *)
Definition smmu_typed (d : smmu_dev) : bool := in_range U64 (smmu_base d) && in_range U64 (smmu_size d).
Definition smmus_typed (l : list smmu_dev) : bool := in_range U32 (Z.of_nat (length l)) && forallb smmu_typed l.

(** The page at [p] has a register of an SMMU. *)
Definition meets_smmu (p : Z) (d : smmu_dev) : bool :=
  (smmu_base d <? p + 4096) && ((p <? smmu_base d) || (p - smmu_base d <? smmu_size d)).

Definition map_io_spec : prim hstate :=
  p3 None U32 U64 U64 (fun v a pa s =>
    rely smmus_typed (boot_smmus (st_boot s));
    if is_guest v && negb (existsb (meets_smmu (phys pa)) (boot_smmus (st_boot s)))
    then with_vm v s (fun c =>
      if vm_state (c_val c) =? READY
      then inside v c (map_vm_io_spec [v; a; pa] s) (fun _ => publish_vm v c 0)
      else denied_vm v c s)
    else Some (Halt s)).

(** * Going on from a saved state *)

Definition is_inc_exe_spec : prim hstate :=
  p1 (Some U32) U32 (fun v s =>
    if is_guest v then with_vm v s (fun c => publish_vm v c (vm_inc_exe (c_val c)) s) else ret 0 s).

Definition save_encrypted_vcpu_spec : prim hstate :=
  p2 None U32 U32 (fun v i s =>
    if is_vcpu v i
    then with_vm v s (fun c =>
      if vcpu_at (c_val c) i =? READY
      then some s := pulled v i s;
           inside v c (and_then (encrypt_regs gp_regs [v; i] s) (fun _ => encrypt_regs sys_regs [v; i])) (fun _ s =>
             some s := pushed v i s; publish_vm v c 0 s)
      else denied_vm v c s)
    else Some (Halt s)).

Definition load_encrypted_vcpu_spec : prim hstate :=
  p2 None U32 U32 (fun v i s =>
    if is_vcpu v i
    then with_vm v s (fun c =>
      match import_vcpu i (c_val c) with
      | Some x =>
          some s := pulled v i s;
          inside v c (and_then (decrypt_regs gp_regs [v; i] s) (fun _ => decrypt_regs sys_regs [v; i])) (fun _ s =>
            some s := pushed v i s; publish_vm v (set_val x c) 0 s)
      | None => denied_vm v c s
      end)
    else Some (Halt s)).

Definition save_encrypt_buf_spec : prim hstate :=
  p3 None U32 U64 U64 (fun v from to s =>
    if is_guest v
    then rely negb (c_held (st_s2 s));
         let c := acquire_cell (st_s2 s) in
         let q := c_val c !! (from / 4096) in
         let q' := c_val c !! (to / 4096) in
         rely frame_ok q && frame_ok q';
         if (owner_of q =? v) && (owner_of q' =? HOSTVISOR)
         then after (encrypt_mem_buf [v; from / 4096; to / 4096] s) c (fun _ => publish c)
         else denied c s
    else Some (Halt s)).

(** A frame of the host that no device uses becomes the VM's, not bound yet. *)
Definition import_frame (v : Z) (q : option page) : option page :=
  match q with Some (Host k) => if k =? 0 then Some (Vm v (Shared 0) None) else None | _ => None end.

Definition load_decrypt_buf_spec : prim hstate :=
  p2 None U32 U64 (fun v a s =>
    if is_guest v
    then with_vm v s (fun c =>
      if vm_state (c_val c) =? READY
      then inside v c
             (with_frame (a / 4096) s (fun d q =>
                match import_frame v q with
                | Some q' => after (and_then (clear_pfn_host_spec [a / 4096] s) (fun _ => decrypt_mem_buf [v; a / 4096])) d
                               (fun _ => publish (put (a / 4096) q' d))
                | None => denied d s
                end))
             (fun _ => publish_vm v c 0)
      else denied_vm v c s)
    else Some (Halt s)).

Definition T : tbl hstate :=
  [("search_load_info", search_load_info_spec); ("set_vcpu_active", set_vcpu_active_spec);
   ("set_vcpu_inactive", set_vcpu_inactive_spec); ("register_vcpu", register_vcpu_spec);
   ("register_kvm", register_kvm_spec); ("set_boot_info", set_boot_info_spec);
   ("remap_vm_image", remap_vm_image_spec); ("verify_and_load_images", verify_and_load_images_spec);
   ("alloc_smmu", alloc_smmu_spec); ("assign_smmu", assign_smmu_spec); ("map_smmu", map_smmu_spec);
   ("clear_smmu", clear_smmu_spec); ("map_io", map_io_spec); ("is_inc_exe", is_inc_exe_spec);
   ("save_encrypted_vcpu", save_encrypted_vcpu_spec); ("load_encrypted_vcpu", load_encrypted_vcpu_spec);
   ("save_encrypt_buf", save_encrypt_buf_spec); ("load_decrypt_buf", load_decrypt_buf_spec)].

(** What this layer's code uses. *)
Definition U : tbl hstate :=
  (T_lock_vm ++ T_lock_s2page ++ [("panic", panic)] ++ T_vm ++ T_smmu_conf ++ BootCore.Spec.T ++ BootAux.Spec.T
   ++ [("walk_s2pt", walk_s2pt_spec); ("map_s2pt", map_s2pt_spec); ("clear_pfn_host", clear_pfn_host_spec);
       ("get_pfn_owner", get_pfn_owner_spec); ("set_pfn_owner", set_pfn_owner_spec);
       ("get_pfn_count", get_pfn_count_spec); ("get_pfn_map", get_pfn_map_spec);
       ("init_spt", init_spt_spec); ("map_vm_io", map_vm_io_spec);
       ("assign_pfn_to_smmu", assign_pfn_to_smmu_spec); ("update_smmu_page", update_smmu_page_spec map_spt_spec);
       ("unmap_smmu_page", unmap_smmu_page_spec unmap_spt_spec)])%list.
