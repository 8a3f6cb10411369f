(* SPDX-License-Identifier: Apache-2.0 *)
(** The sequentially consistent machine, its ghost bookkeeping of ownership, and the four checks that the conditions of
    [DRF] are made of.  The machine does not look at the ghost state: the checks observe ordinary SC executions.
    Reads of user memory return an arbitrary value (a data oracle), and user memory is not part of the state. *)
From Coq Require Import List Arith Bool.
From SeKVM.wdrf.isolated Require Import Base.
Import ListNotations.

(** ** The machine *)
Record sc_state := SCState {
  sc_pc : tid -> nat;
  sc_reg : tid -> reg -> val;
  sc_mem : addr -> val }.

Definition sc_initial (K : kernel) : sc_state :=
  SCState (fun _ => 0) (fun _ _ => 0) (initial K).

(** Thread [i] goes to [pc'] with registers [rs'] and leaves the memory [m']. *)
Definition sc_next (s : sc_state) (i : tid) (pc' : nat) (rs' : reg -> val) (m' : addr -> val) : sc_state :=
  SCState (upd (sc_pc s) i pc') (upd (sc_reg s) i rs') m'.

Definition sc_read (s : sc_state) (k : kind) (a : addr) (oracle : val) : val :=
  match k with ToUser => oracle | _ => sc_mem s a end.

Definition sc_write (s : sc_state) (k : kind) (a : addr) (v : val) : addr -> val :=
  match k with ToUser => sc_mem s | _ => upd (sc_mem s) a v end.

(** What one instruction does. [oracle] is the value that a read of user memory returns. *)
Definition sc_exec (ins : instr) (s : sc_state) (i : tid) (oracle : val) : sc_state :=
  let rs := sc_reg s i in
  let pc := sc_pc s i in
  match ins with
  | Mov r e => sc_next s i (S pc) (upd rs r (eval rs e)) (sc_mem s)
  | Branch e t => sc_next s i (if eval rs e =? 0 then S pc else t) rs (sc_mem s)
  | Fence _ => sc_next s i (S pc) rs (sc_mem s)
  | Load k r a _ _ => sc_next s i (S pc) (upd rs r (sc_read s k (eval rs a) oracle)) (sc_mem s)
  | Store k a e _ => sc_next s i (S pc) rs (sc_write s k (eval rs a) (eval rs e))
  | Rmw f r a e _ _ _ =>
      let v := sc_mem s (eval rs a) in
      sc_next s i (S pc) (upd rs r v) (upd (sc_mem s) (eval rs a) (binop_val f v (eval rs e)))
  end.

(** ** Ghost bookkeeping *)
Record ghost := Ghost {
  owns : tid -> addr -> bool;       (* the thread owns the address *)
  payload : addr -> addr -> bool;   (* the message now in a synchronisation location carries the address *)
  written : addr -> bool;           (* the data address has been written *)
  knows : tid -> addr -> bool;      (* the thread knows that it has been written *)
  news : addr -> addr -> bool }.    (* the message now in a synchronisation location tells so *)

Definition ghost_initial (K : kernel) : ghost :=
  Ghost (owner0 K) (payload0 K) (established K) (fun _ => established K) (fun _ => established K).

Definition mem_list (l : list addr) (a : addr) : bool := existsb (Nat.eqb a) l.

(** The addresses that an ordered read takes, given the registers after it. *)
Definition taken (rs : reg -> val) (c : expr) (pulls : list expr) : list addr :=
  if eval rs c =? 0 then [] else map (eval rs) pulls.

(** Thread [i] reads location [l]: takes [ps] and learns what the message tells. *)
Definition pull (g : ghost) (i : tid) (l : addr) (ps : list addr) : ghost :=
  {| owns := upd (owns g) i (fun a => owns g i a || mem_list ps a);
     payload := upd (payload g) l (fun a => payload g l a && negb (mem_list ps a));
     written := written g;
     knows := upd (knows g) i (fun a => knows g i a || news g l a);
     news := news g |}.

(** Thread [i] writes location [l]: gives [qs]; [rest] is what stays with the location. *)
Definition push (g : ghost) (i : tid) (l : addr) (qs : list addr) (rest : addr -> bool) : ghost :=
  {| owns := upd (owns g) i (fun a => owns g i a && negb (mem_list qs a));
     payload := upd (payload g) l (fun a => rest a || mem_list qs a);
     written := written g;
     knows := knows g;
     news := upd (news g) l (knows g i) |}.

(** Thread [i] writes the data address [a]. *)
Definition note_write (g : ghost) (i : tid) (a : addr) : ghost :=
  {| owns := owns g; payload := payload g; written := upd (written g) a true;
     knows := upd (knows g) i (upd (knows g i) a true); news := news g |}.

Definition nothing : addr -> bool := fun _ => false.

Definition ghost_exec (ins : instr) (s : sc_state) (i : tid) (g : ghost) : ghost :=
  let rs := sc_reg s i in
  match ins with
  | Load Ordered r a c pulls =>
      let l := eval rs a in
      pull g i l (taken (upd rs r (sc_mem s l)) c pulls)
  | Store Ordered a _ pushes => push g i (eval rs a) (map (eval rs) pushes) nothing
  | Store Plain a _ _ => note_write g i (eval rs a)
  | Rmw _ r a _ c pulls pushes =>
      let l := eval rs a in
      let rs' := upd rs r (sc_mem s l) in
      let g' := pull g i l (taken rs' c pulls) in
      push g' i l (map (eval rs') pushes) (payload g' l)
  | _ => g
  end.

(** ** SC executions *)
(** The kernel [K] can reach machine state [s] with ghost state [g], threads taking turns in any order. *)
Inductive sc_reach (K : kernel) : sc_state -> ghost -> Prop :=
| reach_initial : sc_reach K (sc_initial K) (ghost_initial K)
| reach_step : forall s g i ins oracle,
    sc_reach K s g -> fetch K i (sc_pc s i) = Some ins ->
    sc_reach K (sc_exec ins s i oracle) (ghost_exec ins s i g).

(** ** Checks of one instruction that thread [i] is about to execute *)
(** A [write_once] entry, once set, may be read by whoever knows it; other data by its owner. *)
Definition settled (K : kernel) (g : ghost) (a : addr) : bool := write_once K a && written g a.

Definition may_read (K : kernel) (g : ghost) (i : tid) (a : addr) : bool :=
  if settled K g a then knows g i a else owns g i a.

(** Ownership is asked for at data addresses. *)
Definition if_data (K : kernel) (a : addr) (ok : bool) : bool := match class_of K a with Data => ok | _ => true end.

(** DRF-Kernel: data is accessed by its owner only, and ownership is taken and given only where it is. *)
Definition race_free (K : kernel) (ins : instr) (s : sc_state) (i : tid) (g : ghost) : bool :=
  let rs := sc_reg s i in
  match ins with
  | Load Plain _ a _ _ => if_data K (eval rs a) (may_read K g i (eval rs a))
  | Store Plain a _ _ => if_data K (eval rs a) (owns g i (eval rs a))
  | Load Ordered r a c pulls =>
      forallb (payload g (eval rs a)) (taken (upd rs r (sc_mem s (eval rs a))) c pulls)
  | Store Ordered _ _ pushes => forallb (owns g i) (map (eval rs) pushes)
  | Rmw _ r a _ c pulls pushes =>
      let l := eval rs a in
      let rs' := upd rs r (sc_mem s l) in
      let ps := taken rs' c pulls in
      forallb (payload g l) ps && forallb (owns (pull g i l ps) i) (map (eval rs') pushes)
  | _ => true
  end.

Definition access_of (ins : instr) : option (kind * expr) :=
  match ins with
  | Load k _ a _ _ | Store k a _ _ => Some (k, a)
  | Rmw _ _ a _ _ _ _ => Some (Ordered, a)
  | _ => None
  end.

(** No-Barrier-Misuse: synchronisation locations are accessed with acquire and release, and nothing else is. *)
Definition ordered_on_sync (K : kernel) (ins : instr) (s : sc_state) (i : tid) : bool :=
  match access_of ins with
  | Some (k, a) => eqb (kind_eqb k Ordered) (class_eqb (class_of K (eval (sc_reg s i) a)) Sync)
  | None => true
  end.

(** Write-Once-Kernel-Mapping: an entry is set only if it is not set yet. *)
Definition written_once (K : kernel) (ins : instr) (s : sc_state) (i : tid) (g : ghost) : bool :=
  match ins with
  | Store Plain a _ _ => negb (settled K g (eval (sc_reg s i) a))
  | _ => true
  end.

(** Memory-Isolation: the kernel marks its accesses to user memory, and stores well-typed values (page-table entries
    that lead to user memory only) in its own. *)
Definition isolates (K : kernel) (ins : instr) (s : sc_state) (i : tid) : bool :=
  let rs := sc_reg s i in
  match access_of ins with
  | Some (k, a) => eqb (kind_eqb k ToUser) (class_eqb (class_of K (eval rs a)) User)
  | None => true
  end &&
  match ins with
  | Store Plain a e _ => well_typed K (eval rs a) (eval rs e)
  | _ => true
  end.
