(* SPDX-License-Identifier: Apache-2.0 *)
(** The Promising-Arm machine (Pulte, Pichon-Pharabod, Kang, Lee, Hur: Promising-ARM/RISC-V, PLDI 2019) for the programs
    of [Base]: messages in a single list, views, promises, dependencies through registers and control, store forwarding,
    coherence.  An execution is given promise-first: the list of all messages is fixed, every thread runs against it and
    fulfils its own.  [Operational] shows that the machine whose threads append promises as they go has no others. *)
From Coq Require Import List Arith Bool.
From SeKVM.wdrf.isolated Require Import Base.
Import ListNotations.

(** ** Memory *)
Record message := Message { mtid : tid; mloc : addr; mval : val }.
Definition memory := list message.

(** The message with timestamp [ts]; timestamps count from 1. *)
Definition msg_at (M : memory) (ts : view) : option message :=
  match ts with 0 => None | S k => nth_error M k end.

(** At timestamp [ts] address [a] has value [v]: written by the message there, or initially if [ts = 0]. *)
Definition value_at (K : kernel) (M : memory) (a : addr) (ts : view) (v : val) : Prop :=
  (ts = 0 /\ v = initial K a) \/ (exists m, msg_at M ts = Some m /\ mloc m = a /\ mval m = v).

(** No message to [a] has a timestamp in (lo, hi]. *)
Definition no_write (M : memory) (a : addr) (lo hi : view) : Prop :=
  forall ts m, lo < ts -> ts <= hi -> msg_at M ts = Some m -> mloc m <> a.

(** The timestamp of the last message to [a] among the first [n], 0 if there is none. *)
Fixpoint last_write (M : memory) (a : addr) (n : nat) : view :=
  match n with
  | 0 => 0
  | S k =>
      match msg_at M (S k) with
      | Some m => if mloc m =? a then S k else last_write M a k
      | None => last_write M a k
      end
  end.

Definition final_value (K : kernel) (M : memory) (a : addr) (v : val) : Prop :=
  value_at K M a (last_write M a (length M)) v.

(** ** Thread states *)
Record thread := Thread {
  pc : nat;
  regs : reg -> val * view;          (* value, and the view that it depends on *)
  coh : addr -> view;                (* coherence: the latest timestamp read or written at the address *)
  fwd : addr -> view * view;         (* the thread's last store there: timestamp, and the view that it depends on *)
  vrn : view;                        (* below every later read *)
  vwn : view;                        (* below every later write *)
  vro : view;                        (* above every earlier read *)
  vwo : view;                        (* above every earlier write *)
  vcap : view;                       (* control and address dependencies *)
  vrel : view;                       (* the last release *)
  fulfilled : view -> bool }.        (* own messages that have been written *)

Definition thread_initial : thread :=
  Thread 0 (fun _ => (0, 0)) (fun _ => 0) (fun _ => (0, 0)) 0 0 0 0 0 0 (fun _ => false).

Fixpoint veval (rs : reg -> val * view) (e : expr) : val * view :=
  match e with
  | Const v => (v, 0)
  | Reg r => rs r
  | Bin op a b => (binop_val op (fst (veval rs a)) (fst (veval rs b)), max (snd (veval rs a)) (snd (veval rs b)))
  end.

(** [v] if the access is ordered. *)
Definition if_ordered (k : kind) (v : view) : view := match k with Ordered => v | _ => 0 end.

Definition at_pc (st : thread) (p : nat) : thread :=
  Thread p (regs st) (coh st) (fwd st) (vrn st) (vwn st) (vro st) (vwo st) (vcap st) (vrel st) (fulfilled st).

Definition with_reg (st : thread) (r : reg) (x : val * view) : thread :=
  Thread (pc st) (upd (regs st) r x) (coh st) (fwd st) (vrn st) (vwn st) (vro st) (vwo st) (vcap st) (vrel st)
    (fulfilled st).

Definition with_cap (st : thread) (v : view) : thread :=
  Thread (pc st) (regs st) (coh st) (fwd st) (vrn st) (vwn st) (vro st) (vwo st) (max (vcap st) v) (vrel st)
    (fulfilled st).

(** Later reads are above [vr], later writes above [vw]. *)
Definition with_fence (st : thread) (vr vw : view) : thread :=
  Thread (pc st) (regs st) (coh st) (fwd st) (max (vrn st) vr) (max (vwn st) vw) (vro st) (vwo st) (vcap st) (vrel st)
    (fulfilled st).

Definition fence_reads (st : thread) (b : barrier) : view :=
  match b with DmbSy => max (vro st) (vwo st) | DmbLd => vro st | DmbSt => 0 | Isb => vcap st end.

Definition fence_writes (st : thread) (b : barrier) : view :=
  match b with DmbSy => max (vro st) (vwo st) | DmbLd => vro st | DmbSt => vwo st | Isb => 0 end.

(** ** Reads *)
(** What reading one's own last store at [ts] depends on: the store's operands (forwarding); else the message. *)
Definition source_view (st : thread) (a : addr) (ts : view) : view :=
  if fst (fwd st a) =? ts then snd (fwd st a) else ts.

Definition pre_read (st : thread) (k : kind) (av : view) : view :=
  max av (max (vrn st) (if_ordered k (vrel st))).

Definition post_read (st : thread) (k : kind) (a : addr) (av ts : view) : view :=
  max (pre_read st k av) (source_view st a ts).

Definition can_read (K : kernel) (M : memory) (st : thread) (k : kind) (a : addr) (av ts : view) (v : val) : Prop :=
  value_at K M a ts v /\ no_write M a ts (max (coh st a) (pre_read st k av)).

Definition do_read (st : thread) (k : kind) (r : reg) (a : addr) (av ts : view) (v : val) : thread :=
  let post := post_read st k a av ts in
  Thread (pc st) (upd (regs st) r (v, post)) (upd (coh st) a (max (coh st a) post)) (fwd st)
    (max (vrn st) (if_ordered k post)) (max (vwn st) (if_ordered k post)) (max (vro st) post) (vwo st)
    (max (vcap st) av) (vrel st) (fulfilled st).

(** ** Writes *)
Definition pre_write (st : thread) (k : kind) (av dv : view) : view :=
  max (max av dv) (max (max (vcap st) (vwn st)) (if_ordered k (max (vro st) (vwo st)))).

Definition can_write (M : memory) (i : tid) (st : thread) (k : kind) (a : addr) (av : view) (d : val) (dv ts : view) : Prop :=
  msg_at M ts = Some (Message i a d) /\ fulfilled st ts = false /\ coh st a < ts /\ pre_write st k av dv < ts.

Definition do_write (st : thread) (k : kind) (a : addr) (av dv ts : view) : thread :=
  Thread (pc st) (regs st) (upd (coh st) a ts) (upd (fwd st) a (ts, max av dv))
    (vrn st) (vwn st) (vro st) (max (vwo st) ts) (max (vcap st) av) (max (vrel st) (if_ordered k ts))
    (upd (fulfilled st) ts true).

(** ** Steps *)
(** Events name what the proofs need: addresses, address views [av], timestamps, post-views [post]. *)
Inductive event :=
| Internal (cv : view)
| Read (k : kind) (a : addr) (av ts post : view)
| Write (k : kind) (a : addr) (av ts : view)
| Update (a : addr) (av tr post tw : view).

(** Thread [i] executes one instruction against the messages [M].  The write part of [Rmw] is done in the state after its
    read part; later accesses are ordered after the read part only, as for LDADDAL and SWPAL. *)
Inductive step (K : kernel) (M : memory) (i : tid) (st : thread) : event -> thread -> Prop :=
| step_mov : forall r e,
    fetch K i (pc st) = Some (Mov r e) ->
    step K M i st (Internal 0) (at_pc (with_reg st r (veval (regs st) e)) (S (pc st)))
| step_branch : forall e t c cv,
    fetch K i (pc st) = Some (Branch e t) -> veval (regs st) e = (c, cv) ->
    step K M i st (Internal cv) (at_pc (with_cap st cv) (if c =? 0 then S (pc st) else t))
| step_fence : forall b,
    fetch K i (pc st) = Some (Fence b) ->
    step K M i st (Internal 0) (at_pc (with_fence st (fence_reads st b) (fence_writes st b)) (S (pc st)))
| step_load : forall k r ea c ps a av ts v,
    fetch K i (pc st) = Some (Load k r ea c ps) -> veval (regs st) ea = (a, av) ->
    can_read K M st k a av ts v ->
    step K M i st (Read k a av ts (post_read st k a av ts)) (at_pc (do_read st k r a av ts v) (S (pc st)))
| step_store : forall k ea ed qs a av d dv ts,
    fetch K i (pc st) = Some (Store k ea ed qs) -> veval (regs st) ea = (a, av) -> veval (regs st) ed = (d, dv) ->
    can_write M i st k a av d dv ts ->
    step K M i st (Write k a av ts) (at_pc (do_write st k a av dv ts) (S (pc st)))
| step_rmw : forall f r ea ed c ps qs a av d dv tr v post tw,
    fetch K i (pc st) = Some (Rmw f r ea ed c ps qs) -> veval (regs st) ea = (a, av) -> veval (regs st) ed = (d, dv) ->
    can_read K M st Ordered a av tr v -> post = post_read st Ordered a av tr ->
    can_write M i (do_read st Ordered r a av tr v) Ordered a av (binop_val f v d) (max dv post) tw ->
    tr < tw -> no_write M a tr (tw - 1) ->
    step K M i st (Update a av tr post tw)
      (at_pc (do_write (do_read st Ordered r a av tr v) Ordered a av (max dv post) tw) (S (pc st))).

Inductive run (K : kernel) (M : memory) (i : tid) : thread -> list event -> thread -> Prop :=
| run_nil : forall st, run K M i st [] st
| run_cons : forall st e st1 es st2,
    step K M i st e st1 -> run K M i st1 es st2 -> run K M i st (e :: es) st2.

(** Every message of thread [i] has been written. *)
Definition complete (M : memory) (i : tid) (st : thread) : Prop :=
  forall ts m, msg_at M ts = Some m -> mtid m = i -> fulfilled st ts = true.

(** ** Executions of the kernel *)
(** The kernel threads run from the start to [f], against [M], and fulfil their messages; other messages of [M], if any,
    are the environment's. *)
Record kernel_run (K : kernel) (M : memory) (f : tid -> thread) : Prop := {
  kr_run : forall i, i < cpus K -> exists es, run K M i thread_initial es (f i);
  kr_idle : forall i, cpus K <= i -> f i = thread_initial;
  kr_complete : forall i, i < cpus K -> complete M i (f i) }.

(** A behaviour of the kernel on its own: all messages are its own. *)
Record behaviour (K : kernel) (M : memory) (f : tid -> thread) : Prop := {
  bh_run : kernel_run K M f;
  bh_own : forall ts m, msg_at M ts = Some m -> mtid m < cpus K }.

(** The SC state [s] shows what the relaxed execution shows: program counters, registers, and the memory selected. *)
Record same_outcome (K : kernel) (M : memory) (f : tid -> thread) (selected : addr -> Prop)
    (spc : tid -> nat) (sreg : tid -> reg -> val) (smem : addr -> val) : Prop := {
  so_pc : forall i, spc i = pc (f i);
  so_reg : forall i r, sreg i r = fst (regs (f i) r);
  so_mem : forall a, selected a -> final_value K M a (smem a) }.
