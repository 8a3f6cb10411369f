(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 13, MemRegion: the search in the firmware's memory map, as a function of the
    list of blocks.  Defined on every well-formed map, a condition on what the firmware
    says and nothing else.  Stands on MmioSPTOps, which passes the bottom primitives for
    the map on. *)
From SeKVM.machine Require Export BottomPages.
From SeKVM.layers.MmioSPTOps Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** A well-formed block: whole pages, 48-bit addresses, and slots of the
    page-ownership table, or none at all. *)
Definition block_ok (b : memblock) : bool :=
  (0 <=? mb_base b) && (0 <=? mb_size b) && (mb_base b + mb_size b <=? 281474976710656) &&
  (mb_base b mod 4096 =? 0) && (mb_size b mod 4096 =? 0) &&
  ((mb_index b =? INVALID64) || (0 <=? mb_index b) && (mb_index b + mb_size b / 4096 <=? 16777216)).

(** The map has at most 32 blocks. *)
Definition map_ok (l : list memblock) : bool := (Z.of_nat (length l) <=? 32) && forallb block_ok l.

Definition hit (a : Z) (b : memblock) : bool := (mb_base b <=? a) && (a <? mb_base b + mb_size b).

(** The number of the last block of [l] that holds [a], numbering from [i]; [found] if
    there is none. *)
Fixpoint search (a : Z) (l : list memblock) (i found : Z) : Z :=
  match l with
  | [] => found
  | b :: l => search a l (i + 1) (if hit a b then i else found)
  end.

Section MemRegion.
  Context {N M P : Type}.

  Definition mem_region_search_spec : prim (St cell N M P) :=
    p1 (Some U32) U64 (fun a s =>
      rely map_ok (boot_mem (st_boot s));
      ret (search a (boot_mem (st_boot s)) 0 INVALID) s).

  Definition T : tbl (St cell N M P) := [("mem_region_search", mem_region_search_spec)].
End MemRegion.

(** What this layer's code uses; number and sizes of blocks end here. *)
Definition U {N M P} : tbl (St cell N M P) := T_region.
Definition L : tbl mstate := over T (hide ["get_mem_region_cnt"; "get_mem_region_size"] MmioSPTOps.Spec.L).
