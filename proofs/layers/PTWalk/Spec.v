(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 6, PTWalk: one step down a stage-2 table.  A step loads one level's entry
    for an address and, if asked to, links a fresh table into an empty entry; two
    more functions write a block or a page entry.  Above this layer page-table memory
    and its allocators cannot be reached in any other way.  Stands on PTAlloc. *)
From SeKVM.layers.PTAlloc Require Export Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** The table that an entry (or the translation register) points to, bits 12 to 47;
    the address of the entry for [a] in it, where [sh] is the level's first index
    bit; the entry that points to a table. *)
Definition table_addr (e : Z) : Z := (e / 4096) mod 68719476736 * 4096.
Definition entry_addr (sh e a : Z) : Z := table_addr e + 8 * ((a / 2 ^ sh) mod 512).
Definition table_entry (q : Z) : Z := Z.lor q 3.

Section PTWalk.
  Context {M P : Type}.

  (** The step at the root, and at a lower level, where an absent parent has no table. *)
  Definition step (sh : Z) (next : npt -> Z) (set_next : Z -> npt -> npt) (lo hi : Z -> Z)
      (vm parent a alloc : Z) (s : St cell npt M P) : option (res (St cell npt M P)) :=
    some c := st_npts s !! vm;
    rely c_held c;
    let p := entry_addr sh parent a in
    rely in_pool vm p;
    let e := word (npt_words (c_val c)) p in
    if negb ((e =? 0) && (alloc =? 1)) then ret e s else
    rely is_vmid vm;
    let q := next (c_val c) in
    rely (lo vm <=? q) && (q <=? hi vm);
    if q + PAGE <=? hi vm
    then ret (table_entry q)
             (set_npts (<[vm := set_val (set_npt_words (<[p := table_entry q]> (npt_words (c_val c)))
                                          (set_next (q + PAGE) (c_val c))) c]> (st_npts s)) s)
    else Some (Halt s).

  Definition root_step sh next set_next lo hi : prim (St cell npt M P) :=
    p4 (Some U64) U32 U64 U64 U32 (step sh next set_next lo hi).
  Definition inner_step sh next set_next lo hi : prim (St cell npt M P) :=
    p4 (Some U64) U32 U64 U64 U32 (fun vm parent a alloc s =>
      if parent =? 0 then ret 0 s else step sh next set_next lo hi vm parent a alloc s).

  Definition walk_pgd_spec := root_step 39 pgd_next set_pgd_next pgd_start pud_start.
  Definition walk_pud_spec := inner_step 30 pud_next set_pud_next pud_start pmd_start.
  Definition walk_pmd_spec := inner_step 21 pmd_next set_pmd_next pmd_start pool_end.

  Definition walk_pte_spec : prim (St cell npt M P) :=
    p3 (Some U64) U32 U64 U64 (fun vm parent a s =>
      if parent =? 0 then ret 0 s else
      some c := st_npts s !! vm;
      rely c_held c;
      rely in_pool vm (entry_addr 12 parent a);
      ret (word (npt_words (c_val c)) (entry_addr 12 parent a)) s).

  (** Write the entry for [a]. *)
  Definition set_entry (sh : Z) : prim (St cell npt M P) :=
    p4 None U32 U64 U64 U64 (fun vm parent a e s =>
      some c := st_npts s !! vm;
      rely c_held c;
      rely in_pool vm (entry_addr sh parent a);
      ret 0 (set_npts (<[vm := set_val (set_npt_words (<[entry_addr sh parent a := e]> (npt_words (c_val c)))
                                         (c_val c)) c]> (st_npts s)) s)).

  Definition set_pmd_spec := set_entry 21.
  Definition set_pte_spec := set_entry 12.

  Definition T : tbl (St cell npt M P) :=
    [("walk_pgd", walk_pgd_spec); ("walk_pud", walk_pud_spec); ("walk_pmd", walk_pmd_spec);
     ("walk_pte", walk_pte_spec); ("set_pmd", set_pmd_spec); ("set_pte", set_pte_spec)].
End PTWalk.

(** Page-table memory and the allocators end here. *)
Definition L : tbl state :=
  over T (hide ["pt_load"; "pt_store"; "alloc_pgd_page"; "alloc_pud_page"; "alloc_pmd_page"] PTAlloc.Spec.L).
