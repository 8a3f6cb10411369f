(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 13, MemRegion: examples by computation.  On concrete maps the specification,
    the code run by the interpreter and a written value agree; and each condition on
    the map is needed. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemRegion Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The initial state of a machine with the blocks [l]. *)
Definition machine (l : list memblock) : mstate :=
  init_all_maps (fun _ => []) [] (mkworld 0 (mkboot l []) ∅ [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅).

Definition agree (l : list memblock) (cs : list (ident * list Z)) (v : list Z * ended * unit) : Prop :=
  observe (call MemRegion.Spec.L) (fun _ => tt) cs (machine l) = v /\
  observe (by_code code MmioSPTOps.Spec.L) (fun _ => tt) cs (machine l) = v.

Definition search_for (a : Z) : ident * list Z := ("mem_region_search", [a]).

(** A page of registers that is not tracked, and two blocks of memory. *)
Definition blocks : list memblock :=
  [mkmemblock 0x9000000 0x1000 0 INVALID64; mkmemblock 0x40000000 0x8000 1 0; mkmemblock 0x80000000 0x4000 1 8].

(** First and last byte of blocks, one beside them, and an address beyond 48 bits. *)
Example success :
  agree blocks
    (map search_for [0x9000000; 0x9000fff; 0x9001000; 0x3fffffff; 0x40000000; 0x40007fff; 0x40008000; 0x80003fff; 2 ^ 63])
    ([0; 0; 4294967295; 4294967295; 1; 1; 4294967295; 2; 4294967295], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** Blocks that overlap: the last one counts. *)
Example overlap :
  agree (blocks ++ [mkmemblock 0x40004000 0x8000 1 12])%list (map search_for [0x40003fff; 0x40004000])
    ([1; 3], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

Example no_blocks : agree [] [search_for 0] ([4294967295], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

(** A full map of 32 blocks is well-formed; one more is not. *)
Example full_map :
  agree (repeat (mkmemblock 0x40000000 0x8000 1 0) 32) [search_for 0x40000000] ([31], Finished, tt).
Proof. split; vm_compute; reflexivity. Qed.

Example map_too_long :
  call MemRegion.Spec.L "mem_region_search" [0] (machine (repeat (mkmemblock 0x40000000 0x8000 1 0) 33)) = None.
Proof. vm_compute. reflexivity. Qed.

(** Why a block must end below 2^48: this one's end wraps around to 0 and the code does
    not find an address inside it. *)
Definition wrapping : list memblock := [mkmemblock (2 ^ 64 - 4096) 4096 1 0].
Example wrapping_not_found :
  map_ok wrapping = false /\
  observe (by_code code MmioSPTOps.Spec.L) (fun _ => tt) [search_for (2 ^ 64 - 1)] (machine wrapping) = ([4294967295], Finished, tt) /\
  search (2 ^ 64 - 1) wrapping 0 INVALID = 0.
Proof. repeat split; vm_compute; reflexivity. Qed.

(** Size and number of blocks are hidden above this layer. *)
Example hidden : call MemRegion.Spec.L "get_mem_region_cnt" [] (machine blocks) = None.
Proof. reflexivity. Qed.
