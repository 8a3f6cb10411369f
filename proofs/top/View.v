(* SPDX-License-Identifier: Apache-2.0 *)
(** What a principal can see of the machine.  Definitions only, for the reader of the security theorems: which frames
    a principal may touch, and its view of a state in which tables and owners are maps (layer 16 and above).  Rests on
    MemManager's interface; [Respect] proves what steps of others do to a view.

    A principal is a number: 0 the host, 1 to 15 VMs.

    Objects behind locks, and memory, are seen as the next access finds them: after the batch of writes of other CPUs
    that is pending.  So a view is of one moment, the one at which a step of this CPU acts.  [last_batch] says that
    nothing is pending beyond it: the state after the step is then what the step made, and not what the others did
    later.

    Registers, saved contexts, inputs and outputs are not in a view yet. *)
From SeKVM.layers.MemManager Require Export Interface.
Local Open Scope Z_scope.

(** * One moment *)

(** The value of an object that the next acquire finds. *)
Definition now {X} (c : cell X) : X := c_val (acquire_cell c).

Definition frames_now (s : hstate) : gmap Z page := now (st_s2 s).
Definition words_now (s : hstate) : gmap Z Z := m_words (sync_mem (st_mem s)).
Definition banks_now (s : hstate) : gmap Z Z := now (st_smmu s).
Definition devices_now (s : hstate) : gmap Z (nat * Z) := leaves (now (st_spt s)).
Definition table_now (p : Z) (s : hstate) : gmap Z (nat * Z) :=
  match st_npts s !! p with Some c => leaves (now c) | None => ∅ end.
Definition life_now (p : Z) (s : hstate) : option vminfo := now <$> st_vms s !! p.

(** No object has more than one batch pending. *)
Definition last_batch (s : hstate) : Prop :=
  tl (c_script (st_s2 s)) = [] /\ tl (c_script (st_spt s)) = [] /\ tl (m_script (st_mem s)) = [] /\
  forall p c, st_npts s !! p = Some c -> tl (c_script c) = [].

(** * Frames *)

(** Principal [p] may touch a frame: its own; the host also those that a VM shares; frames that are not tracked are
    devices, which anyone can be given. *)
Definition may_touch (p : Z) (q : option page) : bool :=
  match q with
  | None => true
  | Some (Host _) => p =? 0
  | Some (Vm v (Shared k) _) => (p =? v) || ((p =? 0) && negb (k =? 0))
  | Some (Vm v Dma _) => p =? v
  | Some Core => false
  end.

(** Only [p] may touch it. *)
Definition private (p : Z) (q : option page) : bool :=
  match q with
  | Some (Host _) => p =? 0
  | Some (Vm v (Shared k) _) => (p =? v) && (k =? 0)
  | Some (Vm v Dma _) => p =? v
  | _ => false
  end.

(** The frame of a byte address. *)
Definition frame_of_addr (a : Z) : Z := a / 4096.

(** * The view *)

Record view := mkview {
  v_frames : gmap Z page;        (* the frames that it owns, with their use and guest page;
    for the host: of all frames *)
  v_private : gmap Z Z;          (* the words of frames that it alone may touch *)
  v_shared : gmap Z Z;           (* the words of the other frames that it may touch *)
  v_table : gmap Z (nat * Z);    (* its stage-2 table: page number to level and entry, permissions included *)
  v_banks : gmap Z Z;            (* the SMMU context banks that it owns; for the host: who owns which *)
  v_devices : gmap Z (nat * Z);  (* the entries of the SMMU tables of its banks *)
  v_life : option vminfo         (* the record of its VM: states, boot data *) }.

(** A word that was never written reads as zero: words that are zero are left out. *)
Definition words_of (f : option page -> bool) (m : gmap Z page) (ws : gmap Z Z) : gmap Z Z :=
  filter (fun x => x.2 <> 0 /\ f (m !! frame_of_addr x.1) = true) ws.

Definition owned (p : Z) (m : gmap Z page) : gmap Z page :=
  if p =? 0 then m else filter (fun x => owner_of (Some x.2) = p) m.
Definition banks_of (p : Z) (b : gmap Z Z) : gmap Z Z :=
  if p =? 0 then b else filter (fun x => x.2 = p) b.

(** The bank of a page of the SMMU tables; 2^28 pages each. *)
Definition bank_of_page (g : Z) : Z := g / 268435456.
Definition devices_of (p : Z) (b : gmap Z Z) (d : gmap Z (nat * Z)) : gmap Z (nat * Z) :=
  filter (fun x => b !! bank_of_page x.1 = Some p) d.

Definition view_of (p : Z) (s : hstate) : view :=
  let m := frames_now s in
  mkview (owned p m)
         (words_of (private p) m (words_now s))
         (words_of (fun q => may_touch p q && negb (private p q)) m (words_now s))
         (table_now p s)
         (banks_of p (banks_now s))
         (devices_of p (banks_now s) (devices_now s))
         (life_now p s).

(** Two views that differ at most in the words of shared frames. *)
Definition same_but_shared (x y : view) : Prop :=
  y = mkview (v_frames x) (v_private x) (v_shared y) (v_table x) (v_banks x) (v_devices x) (v_life x).

(** * Isolation *)

(** A table that lets its user reach only frames that [p] may touch. *)
Definition isolated (p : Z) (tr : Z -> Z -> option Z) (m : gmap Z page) : Prop :=
  forall permission a pa, permission = PTE_READ \/ permission = PTE_WRITE ->
    tr permission a = Some pa -> may_touch p (m !! frame_of_addr pa) = true.

(** It holds of [p]'s stage-2 table, and of the SMMU table of bank [b], in a state. *)
Definition table_isolated (p : Z) (s : hstate) : Prop :=
  forall c, st_npts s !! p = Some c -> isolated p (fun permission => translate permission (now c)) (frames_now s).
Definition bank_isolated (p b : Z) (s : hstate) : Prop :=
  isolated p (fun permission => smmu_translate permission (now (st_spt s)) b) (frames_now s).
