(* SPDX-License-Identifier: Apache-2.0 *)
(** The two shapes of the hypervisor: a VM's stage-2 table (four levels of 9 bits,
    one root, blocks of 512 pages at level 2) and the SMMU tables (three levels of
    10, 9 and 9 bits, one root of 8 KiB for each of 16 context banks, no blocks).
    Both are valid, so that the theorems of [Refine] and [Facts] hold of them, and
    their empty trees are the machine's initial ones.  Rests on [Facts] and on the
    machine's address map. *)
From Coq Require Import Lia.
From SeKVM.machine Require Import Init.
From SeKVM.pagetable Require Export Facts.
Local Open Scope Z_scope.

Definition npt_geom (vm : Z) : geom := mkgeom 4 (fun _ => 9) (fun l => (l =? 2)%nat) 1
  (fun l => match l with 0%nat => pool_start vm | 1%nat => pgd_start vm | 2%nat => pud_start vm | _ => pmd_start vm end)
  (fun l => match l with 0%nat => pgd_start vm | 1%nat => pud_start vm | 2%nat => pmd_start vm | _ => pool_end vm end).

Definition smmu_geom : geom := mkgeom 3 (fun l => match l with 0%nat => 10 | _ => 9 end) (fun _ => false) 16
  (fun l => match l with 0%nat => SMMU_POOL_START | 1%nat => SMMU_PGD_START | _ => SMMU_PMD_START end)
  (fun l => match l with 0%nat => SMMU_PGD_START | 1%nat => SMMU_PMD_START | _ => SMMU_POOL_END end).

(** The machine's tables as trees. *)
Definition npt_tree (x : npt) : tree :=
  mktree (npt_words x) (fun l => match l with 1%nat => pgd_next x | 2%nat => pud_next x | 3%nat => pmd_next x | _ => 0 end).

Definition spt_tree (x : sptab) : tree :=
  mktree (spt_words x) (fun l => match l with 1%nat => spt_pgd_next x | 2%nat => spt_pmd_next x | _ => 0 end).

Local Lemma multiple a k n : n <> 0 -> a = k * n -> a mod n = 0.
Proof. intros N ->. now apply Z.mod_mul. Qed.

Lemma npt_geom_ok vm : is_vmid vm = true -> geom_ok (npt_geom vm).
Proof.
  unfold is_vmid. intros V. apply andb_prop in V as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
  assert (P : 2 ^ 48 = 281474976710656) by reflexivity.
  unfold npt_geom, pgd_start, pud_start, pmd_start, pool_end, pool_start.
  constructor; unfold tab_size; cbn [depth bits roots lo hi]; change (8 * 2 ^ 9) with 4096.
  - lia.
  - lia.
  - lia.
  - lia.
  - lia.
  - rewrite P. intros [|[|[|l]]] L; lia.
  - intros [|[|[|l]]] L.
    + split; [apply (multiple _ (16 + 8192 * vm)) | apply (multiple _ (17 + 8192 * vm))]; lia.
    + split; [apply (multiple _ (17 + 8192 * vm)) | apply (multiple _ (273 + 8192 * vm))]; lia.
    + split; [apply (multiple _ (273 + 8192 * vm)) | apply (multiple _ (2321 + 8192 * vm))]; lia.
    + split; [apply (multiple _ (2321 + 8192 * vm)) | apply (multiple _ (8208 + 8192 * vm))]; lia.
  - intros [|[|[|l]]] L; lia.
Qed.

Lemma smmu_geom_ok : geom_ok smmu_geom.
Proof.
  assert (P : 2 ^ 48 = 281474976710656) by reflexivity.
  unfold smmu_geom, SMMU_POOL_START, SMMU_PGD_START, SMMU_PMD_START, SMMU_POOL_END.
  constructor; unfold tab_size; cbn [depth bits roots lo hi]; try change (2 ^ 10) with 1024.
  - lia.
  - intros [|l] L; lia.
  - lia.
  - lia.
  - lia.
  - rewrite P. intros [|[|l]] L; lia.
  - intros [|[|l]] L; split; reflexivity.
  - intros [|[|l]] L; lia.
Qed.

(** The machine starts with the empty map. *)
Theorem npt0_refines vm : is_vmid vm = true -> refines_pt (npt_geom vm) (pempty (npt_geom vm)) (npt_tree (npt0 vm)).
Proof.
  intros V. apply (refines_next_ext _ _ ∅ (lo (npt_geom vm))).
  - intros [|[|[|l]]] L; cbn in L; reflexivity || lia.
  - apply empty_refines, npt_geom_ok, V.
Qed.

Theorem spt0_refines : refines_pt smmu_geom (pempty smmu_geom) (spt_tree spt0).
Proof.
  apply (refines_next_ext _ _ ∅ (lo smmu_geom)).
  - intros [|[|l]] L; cbn in L; reflexivity || lia.
  - exact (empty_refines _ smmu_geom_ok).
Qed.
