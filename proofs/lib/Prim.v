(* SPDX-License-Identifier: Apache-2.0 *)
(** Typed primitives and notations for specifications.  A primitive built with
    [p0] ... [p4] checks the C types of its arguments and of its result once, so
    that symbolic execution gets the range facts for free and the C prototype can
    be compared with the specification's type.  Rests on [Layer]. *)
From SeKVM.lib Require Export Layer.
Local Open Scope Z_scope.

(** [chk rt r]: the result of a primitive whose C result type is [rt]. *)
Definition chk {S} (rt : option ty) (r : option (res S)) : option (res S) :=
  match r with
  | Some (Ok v s) =>
      match rt with
      | Some t => if in_range t v then Some (Ok v s) else None
      | None => if v =? 0 then Some (Ok 0 s) else None
      end
  | Some (Halt s) => Some (Halt s)
  | None => None
  end.

Definition p0 {S} rt (f : S -> option (res S)) : prim S :=
  fun vs s => match vs with [] => chk rt (f s) | _ => None end.
Definition p1 {S} rt t1 (f : Z -> S -> option (res S)) : prim S :=
  fun vs s => match vs with
    | [a] => if in_range t1 a then chk rt (f a s) else None
    | _ => None end.
Definition p2 {S} rt t1 t2 (f : Z -> Z -> S -> option (res S)) : prim S :=
  fun vs s => match vs with
    | [a; b] =>
        if in_range t1 a then if in_range t2 b then chk rt (f a b s) else None else None
    | _ => None end.
Definition p3 {S} rt t1 t2 t3 (f : Z -> Z -> Z -> S -> option (res S)) : prim S :=
  fun vs s => match vs with
    | [a; b; c] =>
        if in_range t1 a then if in_range t2 b then if in_range t3 c
        then chk rt (f a b c s) else None else None else None
    | _ => None end.
Definition p4 {S} rt t1 t2 t3 t4 (f : Z -> Z -> Z -> Z -> S -> option (res S)) : prim S :=
  fun vs s => match vs with
    | [a; b; c; d] =>
        if in_range t1 a then if in_range t2 b then if in_range t3 c then if in_range t4 d
        then chk rt (f a b c d s) else None else None else None else None
    | _ => None end.

(** [rely b; k]: undefined unless [b].  [some x := a; k]: undefined unless [a] is
    [Some x].  [ret v s]: return [v] in state [s]. *)
Notation "'rely' b ; k" := (if b then k else None) (at level 200, b at level 100, k at level 200).
Notation "'some' x ':=' a ';' b" :=
  (match a with Some x => b | None => None end) (at level 200, x pattern, a at level 100, b at level 200).
Notation ret v s := (Some (Ok v s)) (only parsing).
