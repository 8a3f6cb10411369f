(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: page metadata as a map from frame numbers to a variant.
    From here on nothing is known of slots, of counts that mean something else, nor of
    the firmware's map; a frame that is not tracked (a device) is absent from the map
    and never changes.  Stands on PageIndex. *)
From SeKVM.machine Require Export Rel.
From SeKVM.layers.PageIndex Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** What a VM's frame is used for: shared with the host so many times (0: private), or
    reserved for the VM's devices. *)
Inductive use := Shared (k : Z) | Dma.

(** A tracked frame: the host's, with the number of its uses by devices; a VM's, with
    the guest frame that it is, if bound; or KCore's own. *)
Inductive page :=
| Host (k : Z)
| Vm (v : Z) (u : use) (g : option Z)
| Core.

(** How the accessors report a frame; [None]: not tracked. *)
Definition owner_of (q : option page) : Z :=
  match q with None => INVALID | Some (Host _) => HOSTVISOR | Some (Vm v _ _) => v | Some Core => COREVISOR end.
Definition count_of (q : option page) : Z :=
  match q with
  | None => INVALID | Some (Host k) => k | Some (Vm _ (Shared k) _) => k | Some (Vm _ Dma _) => INVALID | Some Core => 0
  end.
Definition map_of (q : option page) : Z :=
  match q with Some (Vm _ _ (Some g)) => g | _ => INVALID64 end.

(** Changes of one frame; [None]: nobody may do that. *)
Definition give (v : Z) (q : page) : option page :=
  match q with Core => None | _ => Some (if v =? HOSTVISOR then Host 0 else Vm v (Shared 0) None) end.
Definition recount (c : Z) (q : page) : option page :=
  match q with
  | Host _ => if c =? INVALID then None else Some (Host c)
  | Vm v _ g => Some (Vm v (if c =? INVALID then Dma else Shared c) g)
  | Core => None
  end.
Definition rebind (g : Z) (q : page) : option page :=
  match q with Vm v u _ => Some (Vm v u (if g =? INVALID64 then None else Some g)) | _ => None end.

Section PageManager.
  Context {N M : Type}.
  Notation St := (St cell N M (gmap Z page)).

  Definition frame (s : St) (pfn : Z) : option page := c_val (st_s2 s) !! pfn.
  Definition put_frame (pfn : Z) (q : page) (s : St) : St :=
    set_s2 (set_val (<[pfn := q]> (c_val (st_s2 s))) (st_s2 s)) s.

  Definition frame_get (t : ty) (f : option page -> Z) : prim St :=
    p1 (Some t) U64 (fun pfn s => rely c_held (st_s2 s); ret (f (frame s pfn)) s).

  Definition change (pfn : Z) (f : page -> option page) (s : St) : option (res St) :=
    match frame s pfn with
    | None => ret 0 s
    | Some q => match f q with Some q' => ret 0 (put_frame pfn q' s) | None => Some (Halt s) end
    end.

  Definition get_pfn_owner_spec : prim St := frame_get U32 owner_of.
  Definition get_pfn_count_spec : prim St := frame_get U32 count_of.
  Definition get_pfn_map_spec : prim St := frame_get U64 map_of.
  Definition set_pfn_owner_spec : prim St :=
    p2 None U64 U32 (fun pfn v s =>
      rely c_held (st_s2 s); if v <? COREVISOR then change pfn (give v) s else Some (Halt s)).
  Definition set_pfn_count_spec : prim St :=
    p2 None U64 U32 (fun pfn c s => rely c_held (st_s2 s); change pfn (recount c) s).
  Definition set_pfn_map_spec : prim St :=
    p2 None U64 U64 (fun pfn g s => rely c_held (st_s2 s); change pfn (rebind g) s).

  Definition T : tbl St :=
    [("get_pfn_owner", get_pfn_owner_spec); ("set_pfn_owner", set_pfn_owner_spec);
     ("get_pfn_count", get_pfn_count_spec); ("set_pfn_count", set_pfn_count_spec);
     ("get_pfn_map", get_pfn_map_spec); ("set_pfn_map", set_pfn_map_spec)].
End PageManager.

(** * The relation *)

(** The entry of the ownership table that stands for a frame, and which frames can
    occur. *)
Definition encode (q : page) : s2page := mks2page (owner_of (Some q)) (count_of (Some q)) (map_of (Some q)).
Definition page_ok (q : page) : Prop :=
  match q with
  | Host k => 0 <= k < INVALID
  | Vm v u g =>
      0 < v < COREVISOR /\
      match u with Shared k => 0 <= k < INVALID | Dma => True end /\
      match g with Some g => 0 <= g < INVALID64 | None => True end
  | Core => True
  end.

(** Tracked blocks have slots of their own: no two frames have the same. *)
Definition slots_apart (b c : memblock) : bool :=
  (mb_index b =? INVALID64) || (mb_index c =? INVALID64) ||
  (mb_index b + mb_size b / 4096 <=? mb_index c) || (mb_index c + mb_size c / 4096 <=? mb_index b).
Fixpoint all_apart (l : list memblock) : bool :=
  match l with [] => true | b :: l => forallb (slots_apart b) l && all_apart l end.
Definition firmware_ok (l : list memblock) : bool := map_ok l && all_apart l.

(** The slot of a frame; frames of 48-bit addresses only. *)
Definition frame_slot (l : list memblock) (pfn : Z) : option Z :=
  if (0 <=? pfn) && (pfn <? 68719476736) then slot l (pfn * 4096) else None.

(** The map of frames and the ownership table, by the firmware's map [l]. *)
Definition RP (l : list memblock) (p : gmap Z page) (m : gmap Z s2page) : Prop :=
  forall pfn, match frame_slot l pfn with
              | None => p !! pfn = None
              | Some i => exists q, p !! pfn = Some q /\ page_ok q /\ raw_page m i = encode q
              end.

(** The two states have the same well-formed firmware's map, and tables related by it. *)
Definition R {N M} : srel (St cell N M (gmap Z page)) (St cell N M (gmap Z s2page)) :=
  let r := fun s t => firmware_ok (boot_mem (st_boot s)) = true /\ rel (R_s2 (RP (boot_mem (st_boot s)))) s t in
  mksrel r r.

(** The state with tables and frames as maps: that of all layers above. *)
Notation hstate := (St cell pmap pmap (gmap Z page)).

(** What this layer's code uses. *)
Definition U {N M} : tbl (St cell N M (gmap Z s2page)) := over PageIndex.Spec.T (T_s2raw ++ T_ctl)%list.

(** What passes through the change of representation: the raw table and slots do not. *)
Definition Lkeep {P} : tbl (St cell pmap pmap P) :=
  (MmioSPTOps.Spec.T ++ NPTOps.Spec.T ++ (T_lock_vm ++ T_lock_core ++ T_lock_s2page ++ T_lock_smmu) ++ T_scrub ++ T_ctl
   ++ T_rest ++ T_access ++ T_device)%list.
Definition L : tbl hstate := over T Lkeep.
