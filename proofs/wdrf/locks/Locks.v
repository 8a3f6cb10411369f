(* SPDX-License-Identifier: Apache-2.0 *)
(** Kernel code made of critical sections under ticket locks, and a check of its shape.  Each instruction is written with
    the phase that its thread is in: which locks it holds, whether it waits for one.  [checked] compares neighbouring
    phases, and is computed; [Sound] proves that checked code, on any number of CPUs, meets the wDRF conditions. *)
From Coq Require Import List Arith Bool.
From SeKVM.wdrf.isolated Require Import Base SC.
Import ListNotations.

(** ** Locks *)
(** A ticket lock: the next ticket to draw, the ticket that is served, and the data that the lock guards. *)
Record lock := Lock { ticket : addr; serving : addr; guard : list addr }.

Definition lock_id := nat.

Definition no_lock : lock := Lock 0 0 [].
Definition lock_at (ls : list lock) (k : lock_id) : lock := nth k ls no_lock.

Definition words (ls : list lock) : list addr := flat_map (fun k => [ticket k; serving k]) ls.
Definition guarded (ls : list lock) : list addr := flat_map guard ls.

Fixpoint distinct (l : list addr) : bool :=
  match l with [] => true | a :: l => negb (mem_list l a) && distinct l end.

(** No word is used twice, and no datum is guarded twice. *)
Definition separate (ls : list lock) : bool := distinct (words ls ++ guarded ls).

(** ** Annotated code *)
(** held: locks, each with the register that keeps its ticket. *)
Definition holding := list (lock_id * reg).

Inductive phase :=
| Run (held : holding)
| Wait (held : holding) (k : lock_id) (rt : reg)
    (** has drawn a ticket of lock [k] into [rt] *)
| Test (held : holding) (k : lock_id) (rt rn : reg).
    (** has read into [rn] which ticket is served: holds [k] if it is the one in [rt] *)

Definition code := list (phase * instr).

(** After the last instruction a thread holds nothing. *)
Definition phase_at (c : code) (pc : nat) : phase := nth pc (map fst c) (Run []).

Definition instrs (c : code) : list instr := map snd c.

(** *** The three instructions of a lock and its release *)
Definition draw (l : lock) (rt : reg) : instr := Rmw Add rt (Const (ticket l)) (Const 1) (Const 0) [] [].
Definition poll (l : lock) (rt rn : reg) : instr :=
  Load Ordered rn (Const (serving l)) (Bin Eq (Reg rn) (Reg rt)) (map Const (guard l)).
Definition again (rt rn : reg) (target : nat) : instr := Branch (Bin Eq (Bin Eq (Reg rn) (Reg rt)) (Const 0)) target.
Definition hand_over (l : lock) (rt : reg) : instr :=
  Store Ordered (Const (serving l)) (Bin Add (Reg rt) (Const 1)) (map Const (guard l)).

(** ** The check *)
Definition eq_binop (a b : binop) : {a = b} + {a <> b}. Proof. decide equality. Defined.
Definition eq_expr (a b : expr) : {a = b} + {a <> b}. Proof. decide equality; auto using Nat.eq_dec, eq_binop. Defined.
Definition eq_kind (a b : kind) : {a = b} + {a <> b}. Proof. decide equality. Defined.
Definition eq_barrier (a b : barrier) : {a = b} + {a <> b}. Proof. decide equality. Defined.
Definition eq_instr (a b : instr) : {a = b} + {a <> b}.
Proof. decide equality; auto using Nat.eq_dec, eq_binop, eq_expr, eq_kind, eq_barrier, list_eq_dec. Defined.
Definition eq_phase (a b : phase) : {a = b} + {a <> b}.
Proof. decide equality; auto using Nat.eq_dec. all: apply list_eq_dec; decide equality; apply Nat.eq_dec. Defined.

Definition is_phase (p q : phase) : bool := if eq_phase p q then true else false.
Definition is_instr (p q : instr) : bool := if eq_instr p q then true else false.
Definition is_expr (p q : expr) : bool := if eq_expr p q then true else false.

(** [a * (a < n)] is how code keeps an index below [n]. *)
Definition clamp (a b : expr) : option nat :=
  match b with Bin Lt a' (Const n) => if is_expr a a' then Some (n - 1) else None | _ => None end.

(** An upper bound of an expression, whatever the registers hold. *)
Fixpoint bound (e : expr) : option nat :=
  match e with
  | Const v => Some v
  | Reg _ => None
  | Bin Eq _ _ | Bin Lt _ _ => Some 1
  | Bin Second _ b => bound b
  | Bin Sub a _ => bound a
  | Bin Add a b => match bound a, bound b with Some m, Some n => Some (m + n) | _, _ => None end
  | Bin Mul a b =>
      match clamp a b with
      | Some n => Some n
      | None => match bound a, bound b with Some m, Some n => Some (m * n) | _, _ => None end
      end
  end.

(** The addresses that an expression can have: a constant, or a constant plus a bounded index. *)
Definition reach (e : expr) : option (list addr) :=
  match e with
  | Const a => Some [a]
  | Bin Add (Const a) i => match bound i with Some n => Some (seq a (S n)) | None => None end
  | _ => None
  end.

Definition reserved (h : holding) : list reg := map snd h.
Definition locks_of (h : holding) : list lock_id := map fst h.

(** [e] is an address that one of the locks held guards. *)
Definition inside (ls : list lock) (h : holding) (e : expr) : bool :=
  match reach e with
  | Some l => existsb (fun k => forallb (mem_list (guard (lock_at ls k))) l) (locks_of h)
  | None => false
  end.

(** Does a thread in phase [p] that executes [ins] at [pc] come to the phases that the code claims? *)
Definition fits (ls : list lock) (c : code) (pc : nat) (p : phase) (ins : instr) : bool :=
  let next := phase_at c (S pc) in
  match p with
  | Run h =>
      match ins with
      | Mov r _ => negb (mem_list (reserved h) r) && is_phase next p
      | Branch _ t => is_phase next p && is_phase (phase_at c t) p
      | Fence _ => is_phase next p
      | Load Plain r a _ _ => negb (mem_list (reserved h) r) && inside ls h a && is_phase next p
      | Store Plain a _ _ => inside ls h a && is_phase next p
      | Rmw _ rt _ _ _ _ _ =>
          match next with
          | Wait h' k rt' =>
              is_phase (Run h') p && (k <? length ls) && negb (mem_list (locks_of h) k) && (rt' =? rt) &&
              negb (mem_list (reserved h) rt) && is_instr ins (draw (lock_at ls k) rt)
          | _ => false
          end
      | Store Ordered _ _ _ =>
          match h with
          | (k, rt) :: h' => is_phase next (Run h') && is_instr ins (hand_over (lock_at ls k) rt)
          | [] => false
          end
      | _ => false
      end
  | Wait h k rt =>
      match next with
      | Test h' k' rt' rn =>
          is_phase (Wait h' k' rt') p && negb (mem_list (rt :: reserved h) rn) && is_instr ins (poll (lock_at ls k) rt rn)
      | _ => false
      end
  | Test h k rt rn =>
      match ins with
      | Branch _ t =>
          is_instr ins (again rt rn t) && is_phase (phase_at c t) (Wait h k rt) && is_phase next (Run ((k, rt) :: h))
      | _ => false
      end
  end.

Definition checked (ls : list lock) (c : code) : bool :=
  is_phase (phase_at c 0) (Run []) &&
  forallb (fun pc => match nth_error c pc with Some (p, ins) => fits ls c pc p ins | None => true end)
    (seq 0 (length c)).

(** ** Writing such code *)
(** Move code to position [o] of its thread. *)
Definition relocate (o : nat) (c : code) : code :=
  map (fun '(p, ins) => (p, match ins with Branch e t => Branch e (o + t) | _ => ins end)) c.

(** Take lock [k] with ticket register [rt] and scratch register [rn], run [body], release. *)
Definition with_lock (ls : list lock) (h : holding) (k : lock_id) (rt rn : reg) (body : code) : code :=
  let l := lock_at ls k in
  [(Run h, draw l rt); (Wait h k rt, poll l rt rn); (Test h k rt rn, again rt rn 1)] ++
  relocate 3 body ++
  [(Run ((k, rt) :: h), hand_over l rt)].

(** Plain code under the locks [h]. *)
Definition plain (h : holding) (l : list instr) : code := map (fun ins => (Run h, ins)) l.

(** Repeat for ever. *)
Definition forever (c : code) : code := c ++ [(Run [], Branch (Const 1) 0)].

(** ** The kernel that [n] CPUs make of it *)
Definition kernel_of (ls : list lock) (n : nat) (c : tid -> code) (init : addr -> val) : kernel :=
  {| cpus := n;
     program := fun i => if i <? n then instrs (c i) else [];
     initial := fun a => if mem_list (words ls) a then 0 else init a;
     class_of := fun a => if mem_list (words ls) a then Sync else Data;
     write_once := fun _ => false;
     established := fun _ => false;
     well_typed := fun _ _ => true;
     owner0 := fun _ _ => false;
     payload0 := fun l a => existsb (fun k => (serving k =? l) && mem_list (guard k) a) ls |}.
