(* SPDX-License-Identifier: Apache-2.0 *)
(** The initial state of the machine, a concrete function of the world: what the
    firmware says of the machine, what memory holds, and all that the other CPUs and
    the outside will do.  Theorems about runs start here; every invariant is shown to
    hold of it. *)
From SeKVM.machine Require Export Bottom.
Local Open Scope Z_scope.

(** A script for an object of type [X]: per acquire, the releases by other CPUs. *)
Notation script X := (list (list (Z * X))).

Record world := mkworld {
  w_cpu : Z;                                  (* which CPU this is *)
  w_boot : bootmap;
  w_words : gmap Z Z;                         (* memory contents at boot *)
  w_core : script core_data;
  w_s2 : script (gmap Z s2page);
  w_spt : script sptab;
  w_smmu : script (gmap Z Z);
  w_npts : Z -> script npt;                   (* by VM *)
  w_vms : Z -> script vminfo;                 (* by VM *)
  w_ctxts : Z -> script regfile;              (* by 8 * vmid + vcpuid *)
  w_mem : list (list (Z * (Z * Z)));
  w_ins : gmap Z (list Z) }.

(** A world in which nothing else happens. *)
Definition quiet (cpu : Z) : world :=
  mkworld cpu (mkboot [] []) ∅ [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) [] ∅.

Definition free_cell {X} (x : X) (s : script X) : cell X := mkcell x false [] s.

(** [table n f]: the map of [f] on [0, n). *)
Definition table {A} (n : Z) (f : Z -> A) : gmap Z A :=
  list_to_map (map (fun i => (i, f i)) (seqZ 0 n)).

Lemma lookup_table {A} n (f : Z -> A) i : 0 <= i < n -> table n f !! i = Some (f i).
Proof.
  intros R. apply elem_of_list_to_map_1.
  - rewrite map_map. cbn. rewrite map_id. apply NoDup_seqZ.
  - apply elem_of_list_fmap. exists i. split; [reflexivity|]. apply elem_of_seqZ. lia.
Qed.

(** Nothing allocated; page-table memory is zero. *)
Definition core0 : core_data := mkcore 1 33554432.
Definition npt0 (vm : Z) : npt := mknpt (pgd_start vm) (pud_start vm) (pmd_start vm) ∅.
Definition spt0 : sptab := mkspt SMMU_PGD_START SMMU_PMD_START ∅.
Definition vminfo0 : vminfo := mkvminfo 0 0 0 0 ∅ ∅ 0 ∅ ∅ ∅ ∅ ∅.

(** An absent entry of the page-ownership table is the host's, unshared; an absent
    SMMU bank has no owner. *)
Definition init (w : world) : state :=
  mkSt (free_cell core0 (w_core w))
       (free_cell ∅ (w_s2 w))
       (free_cell spt0 (w_spt w))
       (free_cell ∅ (w_smmu w))
       (table 17 (fun vm => free_cell (npt0 vm) (w_npts w vm)))
       (table 17 (fun vm => free_cell vminfo0 (w_vms w vm)))
       (mkmem (w_words w) [] (w_mem w))
       (mkcpu (w_cpu w) HOSTVISOR (w_cpu w) ∅)
       (table 136 (fun i => free_cell ∅ (w_ctxts w i)))
       (w_boot w)
       (w_ins w)
       [].
