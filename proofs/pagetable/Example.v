(* SPDX-License-Identifier: Apache-2.0 *)
(** Page tables by computation: on the stage-2 table of VM 3, on the SMMU tables and
    on a shape with two tables for each pool, the tree in memory and the map give the
    same written values, when an update succeeds, is refused or runs out of tables;
    and well-formedness is needed: in an ill-formed tree an update of one page
    changes another.  Rests on [Geometry]. *)
From SeKVM.machine Require Import Init.
From SeKVM.pagetable Require Import Geometry.
Local Open Scope Z_scope.

Inductive op := Set_entry (target : nat) (g e : Z) | Clear_root (r : Z).

(** How a sequence of updates ended, and what the given pages hold then. *)
Definition run {A} (step : op -> A -> outcome A A) (read : A -> Z -> option (nat * Z)) (ps : list Z) :=
  fix go (os : list op) (x : A) : outcome (list (option (nat * Z))) (list (option (nat * Z))) :=
    match os with
    | [] => Updated (map (read x) ps)
    | o :: os => match step o x with
        | Updated x => go os x
        | Full x => Full (map (read x) ps)
        | Under_block x => Under_block (map (read x) ps)
        end
    end.

Definition tree_step (G : geom) (o : op) (t : tree) : outcome tree tree :=
  match o with Set_entry l g e => tset G l g e t | Clear_root r => Updated (tclear G r t) end.
Definition map_step (G : geom) (o : op) (p : pmap) : outcome pmap pmap :=
  match o with Set_entry l g e => pset G l g e p | Clear_root r => Updated (pclear G r p) end.

(** Tree and map agree with [v] on the updates [os], read at [ps]. *)
Definition agree (G : geom) (t : tree) (os : list op) (ps : list Z) (v : outcome (list (option (nat * Z))) (list (option (nat * Z)))) : Prop :=
  run (tree_step G) (fun t g => leaf (walk G (words t) g)) ps os t = v /\
  run (map_step G) (fun p g => leaves p !! g) ps os (pempty G) = v.

(** * The stage-2 table of VM 3 *)

Notation table3 := (agree (npt_geom 3) (npt_tree (npt0 3))).

(** Two pages and a block; a page is changed and one is unmapped. *)
Example pages_and_block :
  table3 [Set_entry 3 5 0x5747; Set_entry 3 6 0x6747; Set_entry 2 1030 0x400745;
          Set_entry 3 5 0x9747; Set_entry 3 6 0]
    [5; 6; 7; 1023; 1024; 1535; 1536]
    (Updated [Some (3%nat, 0x9747); None; None; None; Some (2%nat, 0x400745); Some (2%nat, 0x400745); None]).
Proof. split; vm_compute; reflexivity. Qed.

(** A block takes the place of a table of pages. *)
Example block_over_pages :
  table3 [Set_entry 3 5 0x5747; Set_entry 3 600 0x6747; Set_entry 2 0 0x400745] [0; 5; 511; 512; 600]
    (Updated [Some (2%nat, 0x400745); Some (2%nat, 0x400745); Some (2%nat, 0x400745); None; Some (3%nat, 0x6747)]).
Proof. split; vm_compute; reflexivity. Qed.

(** A page under a block is refused; when the block is gone it is not. *)
Example page_under_block : table3 [Set_entry 2 0 0x400745; Set_entry 3 5 0x5747] [4; 5]
    (Under_block [Some (2%nat, 0x400745); Some (2%nat, 0x400745)]).
Proof. split; vm_compute; reflexivity. Qed.

Example block_removed :
  table3 [Set_entry 2 0 0x400745; Set_entry 2 0 0; Set_entry 3 5 0x5747] [4; 5] (Updated [None; Some (3%nat, 0x5747)]).
Proof. split; vm_compute; reflexivity. Qed.

(** * The SMMU tables: two banks, one is cleared *)

(** Page [g] of bank [b] has number [b * 2 ^ 28 + g]. *)
Definition bank (b g : Z) : Z := b * 2 ^ 28 + g.

Example clear_one_bank :
  agree smmu_geom (spt_tree spt0)
    [Set_entry 2 (bank 0 7) 0x7747; Set_entry 2 (bank 1 7) 0x8747; Set_entry 2 (bank 1 (2 ^ 28 - 1)) 0x9747;
     Clear_root 1; Set_entry 2 (bank 1 9) 0xA747]
    [bank 0 7; bank 1 7; bank 1 (2 ^ 28 - 1); bank 1 9]
    (Updated [Some (2%nat, 0x7747); None; None; Some (2%nat, 0xA747)]).
Proof. split; vm_compute; reflexivity. Qed.

(** * Running out: three levels, two tables for each pool *)

Definition small : geom := mkgeom 3 (fun _ => 9) (fun _ => false) 1
  (fun l => match l with 0%nat => 4096 | 1%nat => 8192 | _ => 16384 end)
  (fun l => match l with 0%nat => 8192 | 1%nat => 16384 | _ => 24576 end).

Example small_ok : geom_ok small.
Proof.
  constructor; cbn [small depth bits roots lo hi].
  all: try (intros [|[|[|l]]] L); cbn -[Z.le Z.lt]; try (split; reflexivity || discriminate); try discriminate; try lia.
Qed.

(** The third table of the last level is missing. *)
Example two_tables :
  agree small (tempty small) [Set_entry 2 0 0x1747; Set_entry 2 512 0x2747] [0; 512] (Updated [Some (2%nat, 0x1747); Some (2%nat, 0x2747)]).
Proof. split; vm_compute; reflexivity. Qed.

Example third_table :
  agree small (tempty small) [Set_entry 2 0 0x1747; Set_entry 2 512 0x2747; Set_entry 2 1024 0x3747] [0; 512; 1024]
    (Full [Some (2%nat, 0x1747); Some (2%nat, 0x2747); None]).
Proof. split; vm_compute; reflexivity. Qed.

(** * Well-formedness is needed *)

(** Two entries of the root link to one table: writing page 0 writes page 2^18 too. *)
Definition shared : tree := mktree {[ 4096 := link 8192; 4104 := link 8192; 8192 := link 16384 ]}
  (fun l => match l with 1%nat => 12288 | _ => 20480 end).

Example shared_table :
  run (tree_step small) (fun t g => leaf (walk small (words t) g)) [0; 2 ^ 18] [Set_entry 2 0 0x1747] shared
  = Updated [Some (2%nat, 0x1747); Some (2%nat, 0x1747)].
Proof. vm_compute. reflexivity. Qed.

(** A table that has not been handed out does not read zero: mapping page 0 maps page 1. *)
Definition dirty : tree := mktree {[ 16392 := 0x2747 ]} (lo small).

Example dirty_pool :
  run (tree_step small) (fun t g => leaf (walk small (words t) g)) [0; 1] [Set_entry 2 0 0x1747] dirty
  = Updated [Some (2%nat, 0x1747); Some (2%nat, 0x2747)].
Proof. vm_compute. reflexivity. Qed.
