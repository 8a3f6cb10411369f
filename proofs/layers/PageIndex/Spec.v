(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 14, PageIndex: the slot of an address in the page-ownership table, read off
    the firmware's memory map; nothing of the map can be seen above.  Stands on
    MemRegion. *)
From SeKVM.layers.MemRegion Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The last block of [l] that holds [a]. *)
Fixpoint block_of (a : Z) (l : list memblock) : option memblock :=
  match l with
  | [] => None
  | b :: l => match block_of a l with Some c => Some c | None => if hit a b then Some b else None end
  end.

(** The slot of [a], if it is tracked. *)
Definition slot (l : list memblock) (a : Z) : option Z :=
  match block_of a l with
  | Some b => if mb_index b =? INVALID64 then None else Some (mb_index b + (a - mb_base b) / 4096)
  | None => None
  end.

Section PageIndex.
  Context {N M P : Type}.

  Definition get_s2_page_index_spec : prim (St cell N M P) :=
    p1 (Some U64) U64 (fun a s =>
      rely map_ok (boot_mem (st_boot s));
      ret (match slot (boot_mem (st_boot s)) a with Some i => i | None => INVALID64 end) s).

  Definition T : tbl (St cell N M P) := [("get_s2_page_index", get_s2_page_index_spec)].
End PageIndex.

(** What this layer's code uses; the firmware's map ends here. *)
Definition U {N M P} : tbl (St cell N M P) :=
  over MemRegion.Spec.T [("get_mem_region_base", region_get mb_base); ("get_mem_region_index", region_get mb_index)].
Definition L : tbl mstate := over T (hide ["mem_region_search"; "get_mem_region_base"; "get_mem_region_index"] MemRegion.Spec.L).
