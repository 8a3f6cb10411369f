(* SPDX-License-Identifier: Apache-2.0 *)
(** Radix page tables: what they are in memory, what they mean, and what it is for
    the one to implement the other.  Definitions only, the theorems are in [Refine].
    One definition serves every table of the hypervisor, because depth, index widths
    and pools are parameters ([Geometry] has the instances).

    In memory a table is an array of 64-bit words; a word is zero (nothing), a link
    to a table of the next level (bits 0 and 1 set), or a leaf.  Several roots lie
    side by side; pages are numbered across all of them, so page [g] belongs to the
    root [pre 0 g].  Each level below has a pool from which fresh tables are taken in
    order; they are zero and are never given back.

    The meaning is a finite map from page numbers to leaves, with the set of tables
    that exist and the number of tables left in each pool: these two decide whether
    an update will run out of tables.

    The relation [refines_pt] says: looking a page up in the map is walking the
    tree, the tables of the set are those that the tree has, the counts are those
    of the bump pointers; and the tree is well formed ([wf]): its words are 64 bits
    wide, no table is linked twice, links stay in the pools, and what has not been
    handed out reads zero. *)
From stdpp Require Export gmap.
From Coq Require Export ZArith.
Local Open Scope Z_scope.

(** * Shape *)

Record geom := mkgeom {
  depth : nat;              (* number of levels; level 0 holds the roots *)
  bits : nat -> Z;          (* index bits of a table of this level *)
  block : nat -> bool;      (* may this inner level hold leaves? *)
  roots : Z;                (* number of roots *)
  lo : nat -> Z;            (* start of a level's pool; [lo 0]: of the first root *)
  hi : nat -> Z             (* end of a level's pool *) }.

(** * Data *)

(** The tree in memory: words by byte address, absent ones zero; for each level the
    next table of its pool. *)
Record tree := mktree { words : gmap Z Z; next : nat -> Z }.

(** Its meaning.  Tables are named by level and number; the roots always exist and
    are not listed. *)
Record pmap := mkpmap {
  leaves : gmap Z (nat * Z);    (* page number to level and leaf *)
  tabs : gset (nat * Z);        (* tables that exist *)
  room : gmap nat Z             (* tables left in the pool of each level *) }.

(** How an update ends: done, out of tables, or refused because a block is in the
    way.  In the last two cases the tables above may have been made already; no leaf
    has changed. *)
Inductive outcome (A B : Type) := Updated (a : A) | Full (b : B) | Under_block (b : B).
Arguments Updated {A B}.
Arguments Full {A B}.
Arguments Under_block {A B}.

Definition outcome_rel {A A' B B' : Type} (R : A -> A' -> Prop) (Q : B -> B' -> Prop)
    (x : outcome A B) (y : outcome A' B') : Prop :=
  match x, y with
  | Updated a, Updated a' => R a a'
  | Full b, Full b' | Under_block b, Under_block b' => Q b b'
  | _, _ => False
  end.

Section Geom.
  Context (G : geom).

  Definition tab_size (l : nat) : Z := 8 * 2 ^ bits G l.

  (** Index bits of the levels above [l]. *)
  Fixpoint up (l : nat) : Z := match l with O => 0 | S l => up l + bits G l end.

  (** [pre l g]: the number, within its level, of the table of level [l] that [g]'s
      walk goes through.  [pre (S l) g] also numbers the entry at level [l], and
      [span l] pages share that entry. *)
  Definition pre (l : nat) (g : Z) : Z := g / 2 ^ (up (depth G) - up l).
  Definition idx (l : nat) (g : Z) : Z := pre (S l) g mod 2 ^ bits G l.
  Definition span (l : nat) : Z := 2 ^ (up (depth G) - up (S l)).
  Definition pages : Z := roots G * 2 ^ up (depth G).
  Definition root (r : Z) : Z := lo G 0 + tab_size 0 * r.

  (** Tables have 512 entries or more, so that they are page aligned; roots and
      pools are aligned to the size of a table, and lie one after another in the
      48-bit address space. *)
  Record geom_ok : Prop := mkgeom_ok {
    ok_depth : (0 < depth G)%nat;
    ok_bits : forall l, (l < depth G)%nat -> 9 <= bits G l;
    ok_roots : 0 <= roots G;
    ok_lo : 0 <= lo G 0;
    ok_root : lo G 0 + tab_size 0 * roots G <= hi G 0;
    ok_pool : forall l, (l < depth G)%nat -> lo G l <= hi G l /\ hi G l <= 2 ^ 48;
    ok_align : forall l, (l < depth G)%nat -> lo G l mod tab_size l = 0 /\ hi G l mod tab_size l = 0;
    ok_order : forall l, (S l < depth G)%nat -> hi G l <= lo G (S l) }.

  (** * Words *)

  Definition rd (m : gmap Z Z) (a : Z) : Z := default 0 (m !! a).
  Definition slot (base : Z) (l : nat) (g : Z) : Z := base + 8 * idx l g.

  (** A link from level [l]; the address that it links to (bits 12 to 47); the link
      to a table. *)
  Definition is_link (l : nat) (e : Z) : bool := (S l <? depth G)%nat && (Z.land e 3 =? 3).
  Definition phys_page (e : Z) : Z := Z.land e 281474976706560.
  Definition link (q : Z) : Z := Z.lor q 3.

  (** * The walk *)

  (** From the table of level [l] at [base], through at most [k] links: the level at
      which the walk of page [g] ends, and the word that it finds there. *)
  Fixpoint walk_from (m : gmap Z Z) (k : nat) (base : Z) (l : nat) (g : Z) : nat * Z :=
    let e := rd m (slot base l g) in
    match k with
    | O => (l, e)
    | S k => if is_link l e then walk_from m k (phys_page e) (S l) g else (l, e)
    end.
  Definition walk (m : gmap Z Z) (g : Z) : nat * Z := walk_from m (depth G) (root (pre 0 g)) 0 g.

  Definition leaf (x : nat * Z) : option (nat * Z) := if x.2 =? 0 then None else Some x.

  (** * Updates of the tree *)

  Definition bump (l : nat) (n : nat -> Z) : nat -> Z :=
    fun k => if (k =? l)%nat then n k + tab_size k else n k.

  (** One step down, from the table of level [l] at [base]: the table that [g]'s
      entry links to, a fresh one if the entry was empty. *)
  Definition child (base : Z) (l : nat) (g : Z) (t : tree) : outcome (Z * tree) tree :=
    let a := slot base l g in
    let e := rd (words t) a in
    if e =? 0 then
      let q := next t (S l) in
      if q + tab_size (S l) <=? hi G (S l)
      then Updated (q, mktree (<[a := link q]> (words t)) (bump (S l) (next t)))
      else Full t
    else if is_link l e then Updated (phys_page e, t)
    else Under_block t.

  Definition tput (base : Z) (l : nat) (g e : Z) (t : tree) : tree :=
    mktree (<[slot base l g := e]> (words t)) (next t).

  (** Write [e] [k] levels below the table of level [l] at [base]. *)
  Fixpoint set_from (k : nat) (base : Z) (l : nat) (g e : Z) (t : tree) : outcome tree tree :=
    match k with
    | O => Updated (tput base l g e t)
    | S k =>
        match child base l g t with
        | Updated (b, t) => set_from k b (S l) g e t
        | Full t => Full t
        | Under_block t => Under_block t
        end
    end.

  (** Make [e] the entry of page [g] at level [target]. *)
  Definition tset (target : nat) (g e : Z) (t : tree) : outcome tree tree :=
    set_from target (root (pre 0 g)) 0 g e t.

  (** Empty the root [r]; its tables are not given back. *)
  Fixpoint zero (n : nat) (a : Z) (m : gmap Z Z) : gmap Z Z :=
    match n with O => m | S n => zero n (a + 8) (<[a := 0]> m) end.
  Definition tclear (r : Z) (t : tree) : tree :=
    mktree (zero (Z.to_nat (2 ^ bits G 0)) (root r) (words t)) (next t).

  (** * The meaning *)

  Definition has_tab (l : nat) (n : Z) (p : pmap) : bool :=
    if decide ((l, n) ∈ tabs p) then true else false.
  Definition room_at (l : nat) (p : pmap) : Z := default 0 (room p !! l).

  (** The table of level [S l] for page [g] is taken from the pool. *)
  Definition grow (l : nat) (g : Z) (p : pmap) : pmap :=
    mkpmap (leaves p) ({[ (S l, pre (S l) g) ]} ∪ tabs p) (<[S l := room_at (S l) p - 1]> (room p)).

  (** That table exists afterwards. *)
  Definition ensure (l : nat) (g : Z) (p : pmap) : outcome pmap pmap :=
    if has_tab (S l) (pre (S l) g) p then Updated p
    else match leaves p !! g with
    | Some _ => Under_block p
    | None => if 0 <? room_at (S l) p then Updated (grow l g p) else Full p
    end.

  Fixpoint ensure_from (k : nat) (l : nat) (g : Z) (p : pmap) : outcome pmap pmap :=
    match k with
    | O => Updated p
    | S k =>
        match ensure l g p with
        | Updated p => ensure_from k (S l) g p
        | Full t => Full t
        | Under_block t => Under_block t
        end
    end.

  (** [n] pages from [s] on get the same leaf, or none. *)
  Fixpoint fill (n : nat) (s : Z) (x : option (nat * Z)) (m : gmap Z (nat * Z)) : gmap Z (nat * Z) :=
    match n with
    | O => m
    | S n => partial_alter (fun _ => x) s (fill n (s + 1) x m)
    end.

  (** Tables of level [k] and below that lie under number [n] of level [l]. *)
  Definition under (k l : nat) (n : Z) (x : nat * Z) : bool :=
    (k <=? x.1)%nat && (x.2 / 2 ^ (up x.1 - up l) =? n).

  Definition pput (l : nat) (g e : Z) (p : pmap) : pmap :=
    mkpmap (fill (Z.to_nat (span l)) (pre (S l) g * span l) (leaf (l, e)) (leaves p))
           (filter (fun x => under (S l) (S l) (pre (S l) g) x = false) (tabs p))
           (room p).

  Definition pset (target : nat) (g e : Z) (p : pmap) : outcome pmap pmap :=
    match ensure_from target 0 g p with
    | Updated p => Updated (pput target g e p)
    | Full p => Full p
    | Under_block p => Under_block p
    end.

  Definition pclear (r : Z) (p : pmap) : pmap :=
    mkpmap (filter (fun x => pre 0 x.1 <> r) (leaves p))
           (filter (fun x => under 1 0 r x = false) (tabs p))
           (room p).

  (** Nothing mapped, all pools full. *)
  Definition pempty : pmap :=
    mkpmap ∅ ∅ (list_to_map (map (fun l => (l, (hi G l - lo G l) / tab_size l)) (seq 1 (depth G - 1)))).
  Definition tempty : tree := mktree ∅ (lo G).

  (** * The relation *)

  (** [tab T l n]: where the table [n] of level [l] is; [T] has those below the roots. *)
  Definition tab (T : gmap (nat * Z) Z) (l : nat) (n : Z) : option Z :=
    match l with
    | O => if (0 <=? n) && (n <? roots G) then Some (root n) else None
    | S _ => T !! (l, n)
    end.

  (** What entry number [n] of level [l] may be. *)
  Definition entry_ok (T : gmap (nat * Z) Z) (l : nat) (n e : Z) : Prop :=
    0 <= e < 2 ^ 64 /\
    ((S l < depth G)%nat -> block G l = false -> e <> 0 -> is_link l e = true) /\
    T !! (S l, n) = if is_link l e then Some (phys_page e) else None.

  Record wf (T : gmap (nat * Z) Z) (t : tree) : Prop := mkwf {
    (* a table lies in its level's pool, among those handed out, aligned *)
    wf_tab : forall l n a, T !! (S l, n) = Some a ->
      (S l < depth G)%nat /\ lo G (S l) <= a /\ a + tab_size (S l) <= next t (S l) /\ a mod tab_size (S l) = 0;
    (* two tables of one level are apart: no table is linked twice *)
    wf_inj : forall l n n' a, T !! (S l, n) = Some a -> T !! (S l, n') = Some a -> n = n';
    (* a table has a parent *)
    wf_parent : forall l n a, T !! (S l, n) = Some a -> is_Some (tab T l (n / 2 ^ bits G l));
    wf_entry : forall l n a i, tab T l n = Some a -> 0 <= i < 2 ^ bits G l ->
      entry_ok T l (n * 2 ^ bits G l + i) (rd (words t) (a + 8 * i));
    wf_next : forall l, (S l < depth G)%nat ->
      lo G (S l) <= next t (S l) <= hi G (S l) /\ next t (S l) mod tab_size (S l) = 0;
    wf_fresh : forall l a, (S l < depth G)%nat -> next t (S l) <= a < hi G (S l) -> rd (words t) a = 0 }.

  Record refines_pt (p : pmap) (t : tree) : Prop := mkrefines_pt {
    rpt_leaves : forall g, 0 <= g < pages -> leaves p !! g = leaf (walk (words t) g);
    rpt_room : forall l, (S l < depth G)%nat -> next t (S l) = hi G (S l) - tab_size (S l) * room_at (S l) p;
    rpt_tree : exists T, wf T t /\ forall x, x ∈ tabs p <-> is_Some (T !! x) }.
End Geom.
