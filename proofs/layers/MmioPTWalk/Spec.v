(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 10, MmioPTWalk: one step down an SMMU table.  A step loads one level's entry
    for an address and, if asked to, links a fresh table into an empty entry; two more
    functions write a page entry and empty a root.  Above this layer the memory of
    SMMU tables and its allocators cannot be reached in any other way.  Stands on
    MmioPTAlloc. *)
From SeKVM.pagetable Require Import Tree.
From SeKVM.layers.MmioPTAlloc Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The address of the entry for [a] in a root of 1024 entries. *)
Definition root_entry_addr (e a : Z) : Z := table_addr e + 8 * ((a / 2 ^ 30) mod 1024).

Section MmioPTWalk.
  Context {N P : Type}.

  (** The step at the entry at [p]. *)
  Definition smmu_step (next : sptab -> Z) (set_next : Z -> sptab -> sptab) (lo hi : Z)
      (p alloc : Z) (s : St cell N sptab P) : option (res (St cell N sptab P)) :=
    let c := st_spt s in
    rely c_held c;
    rely in_smmu_pool p;
    let e := word (spt_words (c_val c)) p in
    if negb ((e =? 0) && (alloc =? 1)) then ret e s else
    let q := next (c_val c) in
    rely (lo <=? q) && (q <=? hi);
    if q + PAGE <=? hi
    then ret (table_entry q)
             (set_spt (set_val (set_spt_words (<[p := table_entry q]> (spt_words (c_val c)))
                                  (set_next (q + PAGE) (c_val c))) c) s)
    else Some (Halt s).

  Definition walk_smmu_pgd_spec : prim (St cell N sptab P) :=
    p3 (Some U64) U64 U64 U32 (fun ttbr a alloc =>
      smmu_step spt_pgd_next set_spt_pgd_next SMMU_PGD_START SMMU_PMD_START (root_entry_addr ttbr a) alloc).

  (** An absent parent has no table. *)
  Definition walk_smmu_pmd_spec : prim (St cell N sptab P) :=
    p3 (Some U64) U64 U64 U32 (fun pgd a alloc s =>
      if pgd =? 0 then ret 0 s else
      smmu_step spt_pmd_next set_spt_pmd_next SMMU_PMD_START SMMU_POOL_END (entry_addr 21 pgd a) alloc s).

  Definition walk_smmu_pte_spec : prim (St cell N sptab P) :=
    p2 (Some U64) U64 U64 (fun pmd a s =>
      if pmd =? 0 then ret 0 s else
      rely c_held (st_spt s);
      rely in_smmu_pool (entry_addr 12 pmd a);
      ret (word (spt_words (c_val (st_spt s))) (entry_addr 12 pmd a)) s).

  Definition set_smmu_words (m : gmap Z Z) (s : St cell N sptab P) : St cell N sptab P :=
    set_spt (set_val (set_spt_words m (c_val (st_spt s))) (st_spt s)) s.

  Definition set_smmu_pte_spec : prim (St cell N sptab P) :=
    p3 None U64 U64 U64 (fun pmd a e s =>
      rely c_held (st_spt s);
      rely in_smmu_pool (entry_addr 12 pmd a);
      ret 0 (set_smmu_words (<[entry_addr 12 pmd a := e]> (spt_words (c_val (st_spt s)))) s)).

  (** All 1024 entries of the root become zero. *)
  Definition clear_smmu_pgd_spec : prim (St cell N sptab P) :=
    p1 None U64 (fun ttbr s =>
      let a := table_addr ttbr in
      rely c_held (st_spt s);
      rely in_smmu_pool a && in_smmu_pool (a + 8184);
      ret 0 (set_smmu_words (zero 1024 a (spt_words (c_val (st_spt s)))) s)).

  Definition T : tbl (St cell N sptab P) :=
    [("walk_smmu_pgd", walk_smmu_pgd_spec); ("walk_smmu_pmd", walk_smmu_pmd_spec);
     ("walk_smmu_pte", walk_smmu_pte_spec); ("set_smmu_pte", set_smmu_pte_spec);
     ("clear_smmu_pgd", clear_smmu_pgd_spec)].
End MmioPTWalk.

(** The memory of SMMU tables and the allocators end here. *)
Definition L : tbl nstate :=
  over T (hide ["smmu_pt_load"; "smmu_pt_store"; "alloc_smmu_pgd_page"; "alloc_smmu_pmd_page"] MmioPTAlloc.Spec.L).
