(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 16, MemManager: who may use a frame.  One pure transition of the frame for
    each operation, and one step of the machine that locks the map of frames, does the
    table work that the transition asks for, and publishes.  Stands on PageManager and
    NPTOps, and on any two primitives [map_spt] and [unmap_spt] that leave the map of
    frames alone. *)
From SeKVM.layers.PageManager Require Export Spec.
From SeKVM.layers.NPTOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Transitions of one frame; [None] as a frame is one that is not tracked *)

(** What frames can be: an invariant, see [page_ok]. *)
Definition frame_ok (q : option page) : bool :=
  match q with
  | None | Some Core => true
  | Some (Host k) => (0 <=? k) && (k <? INVALID)
  | Some (Vm v u g) => is_guest v &&
      match u with Shared k => (0 <=? k) && (k <? INVALID) | Dma => true end &&
      match g with Some g => (0 <=? g) && (g <? INVALID64) | None => true end
  end.

(** May the host touch it: as a device ([Some true]), as memory, or not at all. *)
Definition host_use (q : option page) : option bool :=
  match q with
  | None => Some true
  | Some (Host _) => Some false
  | Some (Vm _ (Shared k) _) => if k =? 0 then None else Some false
  | Some (Vm _ Dma _) | Some Core => None
  end.

(** VM [v] gets it as its page [g]: the frame then, and whether the host must lose it
    first.  An unused frame of the host; or the VM's own, not bound elsewhere. *)
Definition claim (v g : Z) (q : option page) : option (bool * page) :=
  match q with
  | Some (Host k) => if k =? 0 then Some (true, Vm v (Shared 0) (Some g)) else None
  | Some (Vm w u b) =>
      if (w =? v) && match b with Some g' => g' =? g | None => true end
      then match u with Dma => Some (true, Vm w (Shared 0) (Some g)) | Shared k => Some (false, Vm w (Shared k) (Some g)) end
      else None
  | _ => None
  end.

(** The devices of VM [v] get it; what the VM has already stays as it is. *)
Definition reserve (v g : Z) (q : option page) : option (option page) :=
  match q with
  | Some (Host k) => if k =? 0 then Some (Some (Vm v Dma (Some g))) else None
  | Some (Vm w _ _) => if w =? v then Some None else None
  | _ => None
  end.

Definition reclaim (v : Z) (q : option page) : bool :=
  match q with Some (Vm w _ _) => w =? v | _ => false end.

(** One share more, and one less. *)
Definition share (v : Z) (q : option page) : option page :=
  match q with Some (Vm w (Shared k) b) => if (w =? v) && (k <? 100) then Some (Vm w (Shared (k + 1)) b) else None | _ => None end.
Definition unshare (v : Z) (q : option page) : option (bool * page) :=
  match q with
  | Some (Vm w (Shared k) b) => if (w =? v) && negb (k =? 0) then Some (k =? 1, Vm w (Shared (k - 1)) b) else None
  | _ => None
  end.

(** A device of [v] may use it at page [g]: a frame of the host, counted; or the VM's
    page [g]. *)
Definition device_use (v g : Z) (q : option page) : option (option page) :=
  match q with
  | Some (Host k) => if (v =? 0) && negb (k + 1 =? INVALID) then Some (Some (Host (k + 1))) else None
  | Some (Vm w _ (Some b)) => if (w =? v) && (b =? g) then Some None else None
  | _ => None
  end.
Definition device_unuse (q : option page) : option page :=
  match q with Some (Host k) => if k =? 0 then None else Some (Host (k - 1)) | _ => None end.

(** * Steps of the machine *)

Definition phys (e : Z) : Z := Z.land e 281474976706560.
Definition frame_of (e : Z) : Z := phys e / 4096.
Definition PAGE_S2 : Z := 4095.
Definition BLOCK_S2 : Z := 4093.
Definition PAGE_S2_DEVICE : Z := 18014398509483975.

Section MemManager.
  Context {M : Type}.
  Notation St := (St cell pmap M (gmap Z page)).
  Context (map_spt unmap_spt : prim St).

  (** Lock the map of frames and look at [pfn]: the locked map and the frame. *)
  Definition with_frame (pfn : Z) (s : St) (k : cell (gmap Z page) -> option page -> option (res St)) : option (res St) :=
    rely negb (c_held (st_s2 s));
    let c := acquire_cell (st_s2 s) in
    rely frame_ok (c_val c !! pfn);
    k c (c_val c !! pfn).

  (** The map with a new frame, and the release of the map. *)
  Definition put (pfn : Z) (q : page) (c : cell (gmap Z page)) : cell (gmap Z page) :=
    set_val (<[pfn := q]> (c_val c)) c.
  Definition publish (c : cell (gmap Z page)) (s : St) : option (res St) :=
    ret 0 (set_s2 (release_cell (cpu_id (st_cpu s)) c) s).

  (** Table work [o] in the critical section of [c]. *)
  Definition after (o : option (res St)) (c : cell (gmap Z page)) (k : Z -> St -> option (res St)) : option (res St) :=
    match o with
    | Some (Ok v s) => k v s
    | Some (Halt s) => Some (Halt (set_s2 c s))
    | None => None
    end.
  Definition denied (c : cell (gmap Z page)) (s : St) : option (res St) := Some (Halt (set_s2 c s)).

  Definition map_page_host_spec : prim St :=
    p1 None U64 (fun a s => with_frame (a / 4096) s (fun c q =>
      match host_use q with
      | Some dev =>
          after (map_s2pt_spec [0; a; 3; Z.lor (a / 4096 * 4096) (if dev then PAGE_S2_DEVICE else PAGE_S2)] s) c
            (fun _ => publish c)
      | None => denied c s
      end)).

  Definition clear_vm_page_spec : prim St :=
    p2 None U32 U64 (fun v pfn s => with_frame pfn s (fun c q =>
      if reclaim v q
      then after (clear_pfn_host_spec [pfn] s) c (fun _ s =>
             publish (put pfn (Host 0) c) (set_mem (scrub (cpu_id (st_cpu s)) pfn (st_mem s)) s))
      else publish c s)).

  Definition assign_pfn_to_vm_spec : prim St :=
    p3 None U32 U64 U64 (fun v g pfn s =>
      if is_guest v && negb (g =? INVALID64)
      then with_frame pfn s (fun c q =>
        match claim v g q with
        | Some (true, q') => after (clear_pfn_host_spec [pfn] s) c (fun _ => publish (put pfn q' c))
        | Some (false, q') => publish (put pfn q' c) s
        | None => denied c s
        end)
      else Some (Halt s)).

  (** A block must be one of the hardware: 512 aligned frames. *)
  Definition map_pfn_vm_spec : prim St :=
    p4 None U32 U64 U64 U32 (fun v a e lvl s =>
      if lvl =? 2
      then if frame_of e mod 512 =? 0 then map_s2pt_spec [v; a; 2; Z.lor (phys e) BLOCK_S2] s else Some (Halt s)
      else map_s2pt_spec [v; a; 3; Z.lor (phys e) PAGE_S2] s).

  Definition map_vm_io_spec : prim St :=
    p3 None U32 U64 U64 (fun v a pa s => with_frame (frame_of pa) s (fun c q =>
      match q with
      | None => after (map_s2pt_spec [v; a; 3; Z.lor (phys pa) PAGE_S2_DEVICE] s) c (fun _ => publish c)
      | Some _ => publish c s
      end)).

  Definition grant_vm_page_spec : prim St :=
    p2 None U32 U64 (fun v pfn s => with_frame pfn s (fun c q =>
      match share v q with Some q' => publish (put pfn q' c) s | None => publish c s end)).

  Definition revoke_vm_page_spec : prim St :=
    p2 None U32 U64 (fun v pfn s => with_frame pfn s (fun c q =>
      match unshare v q with
      | Some (true, q') => after (clear_pfn_host_spec [pfn] s) c (fun _ => publish (put pfn q' c))
      | Some (false, q') => publish (put pfn q' c) s
      | None => publish c s
      end)).

  Definition assign_pfn_to_smmu_spec : prim St :=
    p3 None U32 U64 U64 (fun v g pfn s =>
      if is_guest v && negb (g =? INVALID64)
      then with_frame pfn s (fun c q =>
        match reserve v g q with
        | Some (Some q') => after (clear_pfn_host_spec [pfn] s) c (fun _ => publish (put pfn q' c))
        | Some None => publish c s
        | None => denied c s
        end)
      else Some (Halt s)).

  (** Table work first, then the frame is counted. *)
  Definition update_smmu_page_spec : prim St := fun vs s =>
    match vs with
    | [v; b; i; a; e] =>
        rely in_range U32 v; rely in_range U32 b; rely in_range U32 i; rely in_range U64 a; rely in_range U64 e;
        if v <? 16
        then with_frame (frame_of e) s (fun c q =>
          match device_use v (a / 4096) q with
          | Some q' => after (map_spt [b; i; a; e] s) c (fun _ =>
              publish (match q' with Some q' => put (frame_of e) q' c | None => c end))
          | None => denied c s
          end)
        else Some (Halt s)
    | _ => None
    end.

  (** Which frame it is shows only in the table; frame 0 is never mapped. *)
  Definition unmap_smmu_page_spec : prim St :=
    p3 None U32 U32 U64 (fun b i a s =>
      rely negb (c_held (st_s2 s));
      let c := acquire_cell (st_s2 s) in
      after (unmap_spt [b; i; a] s) c (fun e s =>
        rely in_range U64 e;
        rely frame_ok (c_val c !! frame_of e);
        match device_unuse (c_val c !! frame_of e) with
        | Some q' => if frame_of e =? 0 then publish c s else publish (put (frame_of e) q' c) s
        | None => publish c s
        end)).

  Definition T : tbl St :=
    [("map_page_host", map_page_host_spec); ("clear_vm_page", clear_vm_page_spec);
     ("assign_pfn_to_vm", assign_pfn_to_vm_spec); ("map_pfn_vm", map_pfn_vm_spec);
     ("map_vm_io", map_vm_io_spec); ("grant_vm_page", grant_vm_page_spec);
     ("revoke_vm_page", revoke_vm_page_spec); ("assign_pfn_to_smmu", assign_pfn_to_smmu_spec);
     ("update_smmu_page", update_smmu_page_spec); ("unmap_smmu_page", unmap_smmu_page_spec)].

  (** What this layer's code uses. *)
  Definition U : tbl St :=
    (PageManager.Spec.T ++ T_scrub ++ T_lock_s2page ++ T_ctl ++ NPTOps.Spec.T ++ [("map_spt", map_spt); ("unmap_spt", unmap_spt)])%list.
End MemManager.
