(* SPDX-License-Identifier: Apache-2.0 *)
(** The C subset: syntax, big-step semantics, determinism.

    The functions of all layers are terms of this language, generated from C by
    [aetool proofs clight].  This file is part of what a reader must trust: it
    says what the C code means.  It rests on the standard library alone; every
    other file of the tree rests on it. *)
From Coq Require Export ZArith List String Bool.
From Coq Require Import Lia.
Export ListNotations.
Local Open Scope Z_scope.

(** * Types and values *)

(** The two C types: [unsigned int] and [unsigned long long]. *)
Inductive ty := U32 | U64.

Definition modulus (t : ty) : Z :=
  match t with U32 => 4294967296 | U64 => 18446744073709551616 end.
Definition width (t : ty) : Z := match t with U32 => 32 | U64 => 64 end.

(** A value is an integer; each operator names the type at which it wraps. *)
Definition wrap (t : ty) (z : Z) : Z := z mod modulus t.
Definition in_range (t : ty) (z : Z) : bool := (0 <=? z) && (z <? modulus t).

Definition ident := string.

(** * Syntax *)

Inductive binop := Oadd | Osub | Omul | Odiv | Omod | Oand | Oor | Oxor | Oshl | Oshr.
Inductive cmpop := Clt | Cle | Cgt | Cge | Ceq | Cne.

Inductive expr :=
| Econst (z : Z)                          (* literal *)
| Evar (x : ident)                        (* parameter or temporary *)
| Ecast (t : ty) (a : expr)               (* (t) a *)
| Enot (t : ty) (a : expr)                (* ~a *)
| Ebin (o : binop) (t : ty) (a b : expr)  (* a o b, computed at type t *)
| Ecmp (o : cmpop) (a b : expr)           (* comparison: 0 or 1 *)
| Eland (a b : expr)                      (* a && b, short-circuit *)
| Elor (a b : expr)                       (* a || b, short-circuit *)
| Elnot (a : expr).                       (* !a *)

Inductive stmt :=
| Sskip
| Sset (x : ident) (a : expr)                                (* x = a; *)
| Scall (x : option ident) (f : ident) (args : list expr)    (* x = f(args); *)
| Sseq (s1 s2 : stmt)
| Sif (c : expr) (s1 s2 : stmt)
| Swhile (c : expr) (s : stmt)
| Sreturn (a : option expr).

(** A function: result type ([None] for [void]), typed parameters, temporaries, body. *)
Record func := mkfunc {
  fn_ret : option ty;
  fn_params : list (ident * ty);
  fn_temps : list ident;
  fn_body : stmt }.

Definition module := list (ident * func).

Fixpoint assoc {A} (x : ident) (l : list (ident * A)) : option A :=
  match l with
  | [] => None
  | (y, a) :: l => if String.eqb x y then Some a else assoc x l
  end.

(** * Local environments *)

(** All locals are present from function entry; [None] is "not yet assigned". *)
Definition env := list (ident * option Z).

Fixpoint upd (x : ident) (v : Z) (e : env) : env :=
  match e with
  | [] => [(x, Some v)]
  | (y, w) :: e => if String.eqb x y then (x, Some v) :: e else (y, w) :: upd x v e
  end.

Definition setopt (x : option ident) (v : Z) (e : env) : env :=
  match x with Some x => upd x v e | None => e end.

(** * Expressions: [None] is undefined behaviour *)

Definition cmp (o : cmpop) (a b : Z) : bool :=
  match o with
  | Clt => a <? b | Cle => a <=? b | Cgt => b <? a | Cge => b <=? a
  | Ceq => a =? b | Cne => negb (a =? b)
  end.
Definition b2z (b : bool) : Z := if b then 1 else 0.
Definition truth (z : Z) : bool := negb (z =? 0).

(** Division by zero and a shift by the width or more are undefined. *)
Definition binsem (o : binop) (t : ty) (a b : Z) : option Z :=
  match o with
  | Oadd => Some (wrap t (a + b))
  | Osub => Some (wrap t (a - b))
  | Omul => Some (wrap t (a * b))
  | Odiv => if b =? 0 then None else Some (a / b)
  | Omod => if b =? 0 then None else Some (a mod b)
  | Oand => Some (Z.land a b)
  | Oor  => Some (Z.lor a b)
  | Oxor => Some (Z.lxor a b)
  | Oshl => if (0 <=? b) && (b <? width t) then Some (wrap t (Z.shiftl a b)) else None
  | Oshr => if (0 <=? b) && (b <? width t) then Some (Z.shiftr a b) else None
  end.

Fixpoint eval (a : expr) (e : env) : option Z :=
  match a with
  | Econst z => Some z
  | Evar x => match assoc x e with Some (Some v) => Some v | _ => None end
  | Ecast t a => match eval a e with Some v => Some (wrap t v) | None => None end
  | Enot t a => match eval a e with Some v => Some (modulus t - 1 - v) | None => None end
  | Ebin o t a b =>
      match eval a e with
      | Some v => match eval b e with Some w => binsem o t v w | None => None end
      | None => None
      end
  | Ecmp o a b =>
      match eval a e with
      | Some v => match eval b e with Some w => Some (b2z (cmp o v w)) | None => None end
      | None => None
      end
  | Eland a b =>
      match eval a e with
      | Some v =>
          if truth v
          then match eval b e with Some w => Some (b2z (truth w)) | None => None end
          else Some 0
      | None => None
      end
  | Elor a b =>
      match eval a e with
      | Some v =>
          if truth v
          then Some 1
          else match eval b e with Some w => Some (b2z (truth w)) | None => None end
      | None => None
      end
  | Elnot a => match eval a e with Some v => Some (b2z (negb (truth v))) | None => None end
  end.

Fixpoint evals (l : list expr) (e : env) : option (list Z) :=
  match l with
  | [] => Some []
  | a :: l =>
      match eval a e with
      | Some v => match evals l e with Some vs => Some (v :: vs) | None => None end
      | None => None
      end
  end.

(** * Statements *)

(** What a call may do: return a value, or panic.  A panic is a result, never a
    flag in the state: it stops the whole machine. *)
Inductive res (S : Type) := Ok (v : Z) (s : S) | Halt (s : S).
Arguments Ok {S}.
Arguments Halt {S}.

(** A layer says, for a function name, arguments and a state, which results are
    possible.  No result at all is undefined behaviour or divergence. *)
Definition layer (S : Type) := ident -> list Z -> S -> res S -> Prop.

(** How a statement may end. *)
Inductive out (S : Type) := Normal (e : env) (s : S) | Return (v : Z) (s : S) | Halted (s : S).
Arguments Normal {S}.
Arguments Return {S}.
Arguments Halted {S}.

Section Exec.
  Context {S : Type} (L : layer S).

  Inductive exec : stmt -> env -> S -> out S -> Prop :=
  | ex_skip e s :
      exec Sskip e s (Normal e s)
  | ex_set x a v e s :
      eval a e = Some v -> exec (Sset x a) e s (Normal (upd x v e) s)
  | ex_call x f l vs v e s s' :
      evals l e = Some vs -> L f vs s (Ok v s') ->
      exec (Scall x f l) e s (Normal (setopt x v e) s')
  | ex_call_halt x f l vs e s s' :
      evals l e = Some vs -> L f vs s (Halt s') -> exec (Scall x f l) e s (Halted s')
  | ex_seq a b e s e1 s1 o :
      exec a e s (Normal e1 s1) -> exec b e1 s1 o -> exec (Sseq a b) e s o
  | ex_seq_stop a b e s o :
      exec a e s o -> (forall e1 s1, o <> Normal e1 s1) -> exec (Sseq a b) e s o
  | ex_if c v a b e s o :
      eval c e = Some v -> exec (if truth v then a else b) e s o -> exec (Sif c a b) e s o
  | ex_while_end c v b e s :
      eval c e = Some v -> truth v = false -> exec (Swhile c b) e s (Normal e s)
  | ex_while c v b e s o :
      eval c e = Some v -> truth v = true ->
      exec (Sseq b (Swhile c b)) e s o -> exec (Swhile c b) e s o
  | ex_return a v e s :
      eval a e = Some v -> exec (Sreturn (Some a)) e s (Return v s)
  | ex_return_void e s :
      exec (Sreturn None) e s (Return 0 s).

  (** Function entry: the arguments must have the parameters' number and ranges. *)
  Fixpoint bind_params (ts : list ident) (ps : list (ident * ty)) (vs : list Z) : option env :=
    match ps, vs with
    | [], [] => Some (map (fun x => (x, None)) ts)
    | (x, t) :: ps, v :: vs =>
        if in_range t v then
          match bind_params ts ps vs with Some e => Some ((x, Some v) :: e) | None => None end
        else None
    | _, _ => None
    end.

  (** Function exit: falling off the end of a non-[void] function is undefined. *)
  Definition fn_result (rt : option ty) (o : out S) : option (res S) :=
    match o, rt with
    | Return v s, Some t => Some (Ok (wrap t v) s)
    | Return _ s, None => Some (Ok 0 s)
    | Normal _ s, None => Some (Ok 0 s)
    | Normal _ _, Some _ => None
    | Halted s, _ => Some (Halt s)
    end.

  Definition exec_fun (fn : func) (vs : list Z) (s : S) (r : res S) : Prop :=
    exists e o,
      bind_params (fn_temps fn) (fn_params fn) vs = Some e /\
      exec (fn_body fn) e s o /\
      fn_result (fn_ret fn) o = Some r.
End Exec.

(** The code [M] running over the layer [L]; what [M] does not define is [L]'s. *)
Definition sem {S} (M : module) (L : layer S) : layer S :=
  fun f vs s r =>
    match assoc f M with
    | Some fn => exec_fun L fn vs s r
    | None => L f vs s r
    end.

(** * Determinism *)

Definition deterministic {S} (L : layer S) : Prop :=
  forall f vs s r r', L f vs s r -> L f vs s r' -> r = r'.

Lemma exec_det {S} (L : layer S) (D : deterministic L) st e s o :
  exec L st e s o -> forall o', exec L st e s o' -> o = o'.
Proof.
  induction 1; intros o' X; inversion X; subst; clear X;
    repeat match goal with
    | A : evals ?l ?e = Some _, B : evals ?l ?e = Some _ |- _ =>
        rewrite A in B; injection B as <-
    | A : eval ?l ?e = Some _, B : eval ?l ?e = Some _ |- _ =>
        rewrite A in B; injection B as <-
    | A : L ?f ?v ?s ?r, B : L ?f ?v ?s ?r' |- _ =>
        assert (r = r') by (eapply D; eassumption); clear B
    end; try congruence;
    repeat match goal with
    | IH : forall o', exec L ?st ?e ?s o' -> _ = o', A : exec L ?st ?e ?s _ |- _ =>
        apply IH in A; first [injection A as <- <- | subst]
    end; try congruence; auto;
    match goal with N : forall e s, Normal ?a ?b <> Normal e s |- _ => now destruct (N a b) end.
Qed.

Lemma sem_det {S} M (L : layer S) : deterministic L -> deterministic (sem M L).
Proof.
  intros D f vs s r r'. unfold sem. destruct (assoc f M) as [fn|]; [|apply D].
  intros (e & o & B & X & F) (e' & o' & B' & X' & F').
  rewrite B in B'. injection B' as <-.
  rewrite (exec_det L D _ _ _ _ X _ X') in F. congruence.
Qed.
