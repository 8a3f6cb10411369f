(* SPDX-License-Identifier: Apache-2.0 *)
(** The bottom primitives that the layers up to 12 only pass on, in two tables: [T_pages] ends at layer 16, [T_rest] is for
    the layers above.  A topic of its own ([Bottom<Topic>.v]) joins [T_rest] here, by one line; that it passes through
    every change of view and of representation is in [RestPass].  Rests on the bottom primitives. *)
From SeKVM.machine Require Export Bottom BottomPages.
Local Open Scope string_scope.

Section Rest.
  Context {F : Type -> Type} {V : View F} {N M P : Type}.

  Definition T_rest : tbl (St F N M P) := [].
End Rest.

(** The firmware's map, the raw ownership table, scrubbing. *)
Definition T_pages {F} {V : View F} {N M} : tbl (St F N M (gmap Z s2page)) := (T_region ++ T_s2raw ++ T_scrub)%list.
