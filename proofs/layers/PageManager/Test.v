(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 15, PageManager: examples by computation.  The specification on the map of
    frames, the code over PageIndex on the raw table, and the code of layers 13 to 15
    over MmioSPTOps agree with written values; changes that nobody may make are
    refused; each condition on the firmware's map is needed. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemRegion Require Code.
From SeKVM.layers.PageIndex Require Code.
From SeKVM.layers.PageManager Require Import Code Spec Slots Refine.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Registers, not tracked, and 8 and 4 frames of memory with slots 0 to 11. *)
Definition blocks : list memblock :=
  [mkmemblock 0x9000000 0x1000 0 INVALID64; mkmemblock 0x40000000 0x8000 1 0; mkmemblock 0x80000000 0x4000 1 8].
Definition machine (l : list memblock) (tables : script (gmap Z s2page)) : world :=
  mkworld 0 (mkboot l []) ∅ [] tables [] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Example blocks_ok : firmware_ok blocks = true.
Proof. reflexivity. Qed.

Definition by_spec : stepper hstate := call PageManager.Spec.L.
Definition by_c : stepper mstate := by_code code PageIndex.Spec.L.
Definition by_stack : stepper mstate :=
  by_code (code ++ PageIndex.Code.code ++ MemRegion.Code.code)%list MmioSPTOps.Spec.L.

(** From a world and the maps of frames that other CPUs leave in it. *)
Definition agree (w : world) (pages : script (gmap Z page)) (cs : list (ident * list Z)) (v : list Z * ended * bool) : Prop :=
  observe by_spec (fun s => c_held (st_s2 s)) cs (init_frames (fun _ => []) [] pages w) = v /\
  observe by_c (fun s => c_held (st_s2 s)) cs (init_all_maps (fun _ => []) [] w) = v /\
  observe by_stack (fun s => c_held (st_s2 s)) cs (init_all_maps (fun _ => []) [] w) = v.

Definition frame_info (pfn : Z) : list (ident * list Z) :=
  [("get_pfn_owner", [pfn]); ("get_pfn_count", [pfn]); ("get_pfn_map", [pfn])].
Definition lock : ident * list Z := ("acquire_lock_s2page", []).
Definition unlock : ident * list Z := ("release_lock_s2page", []).

(** A frame goes from the host to VM 3, is bound, shared, reserved for devices, and
    given back; its neighbour does not change. *)
Example life :
  agree (machine blocks []) []
    ([lock] ++ frame_info 0x40001 ++
     [("set_pfn_owner", [0x40001; 3]); ("set_pfn_map", [0x40001; 77]); ("set_pfn_count", [0x40001; 2])] ++
     frame_info 0x40001 ++ frame_info 0x40002 ++ [("set_pfn_count", [0x40001; INVALID])] ++ frame_info 0x40001 ++
     [("set_pfn_owner", [0x40001; 0])] ++ frame_info 0x40001 ++ [unlock])%list
    ([0; 0; 0; INVALID64; 0; 0; 0; 3; 2; 77; 0; 0; INVALID64; 0; 3; INVALID; 77; 0; 0; 0; INVALID64; 0], Finished, false).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** A device's frame, a frame outside memory, and numbers too big for an address, one of
    which would wrap around to frame 0x40001: all read as not tracked and do not change. *)
Example not_tracked :
  agree (machine blocks []) []
    ([lock; ("set_pfn_owner", [0x9000; 3]); ("set_pfn_count", [0x9000; 1]); ("set_pfn_map", [0x9000; 1])] ++
     frame_info 0x9000 ++ frame_info 0x50000 ++ [("set_pfn_owner", [2 ^ 52 + 0x40001; 3])] ++ frame_info (2 ^ 52 + 0x40001) ++
     frame_info 0x40001)%list
    ([0; 0; 0; 0; INVALID; INVALID; INVALID64; INVALID; INVALID; INVALID64; 0; INVALID; INVALID; INVALID64; 0; 0; INVALID64],
     Finished, true).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Another CPU made frame 0x40003 KCore's own and gave frame 0x80000 to VM 2. *)
Definition others : world := machine blocks [[(1, <[3 := mks2page 16 0 INVALID64]> (<[8 := mks2page 2 1 5]> ∅))]].
Definition others_pages : script (gmap Z page) :=
  [[(1, <[0x40003 := Core]> (<[0x80000 := Vm 2 (Shared 1) (Some 5)]> (decode_table blocks ∅)))]].

Example seen :
  agree others others_pages ([lock] ++ frame_info 0x40003 ++ frame_info 0x80000)%list ([0; 16; 0; INVALID64; 2; 1; 5], Finished, true).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** KCore's frame cannot be given away, counted or bound; nor can anything be given to
    KCore or to no VM; nor a host's frame be bound or reserved. *)
Definition refused (c : ident * list Z) : Prop := agree others others_pages [lock; c] ([0], Panicked, true).
Example attacks :
  Forall refused [("set_pfn_owner", [0x40003; 3]); ("set_pfn_owner", [0x40003; 0]); ("set_pfn_count", [0x40003; 1]);
    ("set_pfn_map", [0x40003; 1]); ("set_pfn_owner", [0x40001; 16]); ("set_pfn_owner", [0x9000; 17]);
    ("set_pfn_map", [0x40001; 1]); ("set_pfn_count", [0x40001; INVALID])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.

(** Without the lock: undefined. *)
Example no_lock : agree (machine blocks []) [] [("get_pfn_owner", [0x40001])] ([], Undefined, false).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Why blocks need slots of their own: with overlapping slots the code changes two
    frames at once. *)
Definition overlapping : list memblock := [mkmemblock 0x40000000 0x8000 1 0; mkmemblock 0x80000000 0x4000 1 7].
Example overlap_refused : firmware_ok overlapping = false.
Proof. reflexivity. Qed.
Example overlap_changes_two :
  observe by_c (fun _ => tt)
    [lock; ("set_pfn_owner", [0x40007; 3]); ("get_pfn_owner", [0x80000])] (init_all_maps (fun _ => []) [] (machine overlapping [])) = ([0; 0; 3], Finished, tt).
Proof. vm_compute. reflexivity. Qed.

(** Slots are hidden above this layer. *)
Example hidden :
  Forall (fun f => call PageManager.Spec.L f [0] (init_frames (fun _ => []) [] [] (machine blocks [])) = None)
    ["get_s2_page_index"; "get_s2_page_vmid"; "get_s2_page_count"; "get_s2_page_gfn"].
Proof. repeat constructor. Qed.
