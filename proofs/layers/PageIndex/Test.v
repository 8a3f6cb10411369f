(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 14, PageIndex: examples by computation.  The specification, the code over
    MemRegion, and the code of both layers over MmioSPTOps agree with written values. *)
From SeKVM.lib Require Import Calls.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.MemRegion Require Code.
From SeKVM.layers.PageIndex Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition machine (l : list memblock) : mstate :=
  init_all_maps (fun _ => []) [] (mkworld 0 (mkboot l []) ∅ [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅).

Definition agree (l : list memblock) (addrs : list Z) (v : list Z * ended * unit) : Prop :=
  let cs := map (fun a => ("get_s2_page_index", [a])) addrs in
  observe (call PageIndex.Spec.L) (fun _ => tt) cs (machine l) = v /\
  observe (by_code code MemRegion.Spec.L) (fun _ => tt) cs (machine l) = v /\
  observe (by_code (code ++ MemRegion.Code.code)%list MmioSPTOps.Spec.L) (fun _ => tt) cs (machine l) = v.

Definition blocks : list memblock :=
  [mkmemblock 0x9000000 0x1000 0 INVALID64; mkmemblock 0x40000000 0x8000 1 0; mkmemblock 0x80000000 0x4000 1 8].

(** Pages of memory have slots in order, bytes of a page the same; registers and
    addresses outside have none. *)
Example success :
  agree blocks [0x40000000; 0x40000fff; 0x40007fff; 0x80000000; 0x80003001; 0x9000000; 0; 0x40008000; 2 ^ 64 - 1]
    ([0; 0; 7; 8; 11; INVALID64; INVALID64; INVALID64; INVALID64], Finished, tt).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** A later block that is not tracked takes its addresses out of an earlier one. *)
Example carved_out :
  agree (blocks ++ [mkmemblock 0x40004000 0x1000 0 INVALID64])%list [0x40003000; 0x40004000; 0x40005000]
    ([3; INVALID64; 5], Finished, tt).
Proof. repeat split; vm_compute; reflexivity. Qed.

(** A map whose slots go beyond the table is not well-formed. *)
Example too_many_slots :
  call PageIndex.Spec.L "get_s2_page_index" [0] (machine [mkmemblock 0 0x2000 1 16777215]) = None.
Proof. vm_compute. reflexivity. Qed.

(** Nothing of the map is visible above this layer. *)
Example hidden :
  Forall (fun f => call PageIndex.Spec.L f [0] (machine blocks) = None)
    ["mem_region_search"; "get_mem_region_base"; "get_mem_region_index"; "get_mem_region_size"; "get_mem_region_cnt"].
Proof. repeat constructor. Qed.
