(* SPDX-License-Identifier: Apache-2.0 *)
(** All bottom primitives that are not about locks, in one table.  [T_pages] ends at layer 16; [T_rest] is what no layer
    up to 16 uses: a topic of its own ([Bottom<Topic>.v]) joins it here, by one line.  That all of them pass through every
    change of view and of representation is in [RestView] and [RestPass].  Rests on the bottom primitives. *)
From SeKVM.machine Require Export Bottom BottomPages.
From SeKVM.machine Require Import BottomVm BottomMmio BottomCtxt BottomMem.
Local Open Scope string_scope.

Section Rest.
  Context {F : Type -> Type} {V : View F} {N M P : Type}.

  Definition T_rest : tbl (St F N M P) := (T_vm ++ T_mmio ++ T_ctxt ++ T_mem)%list.
End Rest.

(** The firmware's map, the raw ownership table, scrubbing. *)
Definition T_pages {F} {V : View F} {N M} : tbl (St F N M (gmap Z s2page)) := (T_region ++ T_s2raw ++ T_scrub)%list.

Definition T_bottom {F} {V : View F} : tbl (St F npt sptab (gmap Z s2page)) :=
  (T_ctl ++ T_ptmem ++ T_bump ++ T_smmu_ptmem ++ T_smmu_bump ++ T_pages ++ T_rest)%list.
