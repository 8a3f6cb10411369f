(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives of the bottom machine, one accessor each and no policy: this file
    is part of what a reader must trust.  A lock-protected object may be touched only
    while it is accessible to this CPU (its lock is held), else the primitive is
    undefined: that is how freedom from data races shows in the specifications.  A
    panic is the result [Halt].  Rests on [State]; C prototypes in [layers/prims.h]. *)
From SeKVM.lib Require Export Prim.
From SeKVM.machine Require Export State.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Addresses *)

Definition PAGE : Z := 4096.

(** The pool of VM [vm]'s stage-2 table: one root page, then the pages of the second,
    third and fourth level. *)
Definition pool_start (vm : Z) : Z := 65536 + 33554432 * vm.
Definition pgd_start (vm : Z) : Z := pool_start vm + 4096.
Definition pud_start (vm : Z) : Z := pool_start vm + 1052672.
Definition pmd_start (vm : Z) : Z := pool_start vm + 9441280.
Definition pool_end (vm : Z) : Z := pool_start vm + 33554432.

(** The SMMU tables: a root of two pages for each context bank, then two pools. *)
Definition SMMU_POOL_START : Z := 65536.
Definition SMMU_PGD_START : Z := 1114112.
Definition SMMU_PMD_START : Z := 2162688.
Definition SMMU_POOL_END : Z := 3211264.
Definition smmu_ttbr (index cbndx : Z) : Z := SMMU_POOL_START + (8 * index + cbndx) * 8192.

(** * Words of a table *)

Definition word (m : gmap Z Z) (a : Z) : Z := default 0 (m !! a).

Section Objects.
  Context {F : Type -> Type} {V : View F} {N M P : Type}.

  (** ** Stage-2 tables *)

  Definition npt_get (f : npt -> Z) : prim (St F npt M P) :=
    p1 (Some U64) U32 (fun vm s =>
      some c := st_npts s !! vm;
      rely own c;
      ret (f (value c)) s).

  Definition npt_set (f : Z -> npt -> npt) : prim (St F npt M P) :=
    p2 None U32 U64 (fun vm v s =>
      some c := st_npts s !! vm;
      rely own c;
      ret 0 (set_npts (<[vm := store (f v (value c)) c]> (st_npts s)) s)).

  Definition in_pool (vm a : Z) : bool :=
    (pool_start vm <=? a) && (a <? pool_end vm) && (a mod 8 =? 0).

  Definition pt_load : prim (St F npt M P) :=
    p2 (Some U64) U32 U64 (fun vm a s =>
      some c := st_npts s !! vm;
      rely own c;
      rely in_pool vm a;
      ret (word (npt_words (value c)) a) s).

  Definition pt_store : prim (St F npt M P) :=
    p3 None U32 U64 U64 (fun vm a w s =>
      some c := st_npts s !! vm;
      rely own c;
      rely in_pool vm a;
      ret 0 (set_npts (<[vm := store (set_npt_words (<[a := w]> (npt_words (value c))) (value c)) c]>
                         (st_npts s)) s)).

  (** The translation register of VM [vm]: its root page and its number. *)
  Definition pt_vttbr (vm : Z) : Z := Z.lor (pool_start vm) (Z.shiftl vm 48).
  Definition get_pt_vttbr : prim (St F N M P) :=
    p1 (Some U64) U32 (fun vm s => rely is_vmid vm; ret (pt_vttbr vm) s).

  Definition T_bump : tbl (St F npt M P) :=
    [("get_pgd_next", npt_get pgd_next); ("set_pgd_next", npt_set set_pgd_next);
     ("get_pud_next", npt_get pud_next); ("set_pud_next", npt_set set_pud_next);
     ("get_pmd_next", npt_get pmd_next); ("set_pmd_next", npt_set set_pmd_next)].

  Definition T_ptmem : tbl (St F npt M P) := [("pt_load", pt_load); ("pt_store", pt_store)].

  (** ** SMMU tables *)

  Definition spt_get (f : sptab -> Z) : prim (St F N sptab P) :=
    p0 (Some U64) (fun s => rely own (st_spt s); ret (f (value (st_spt s))) s).

  Definition spt_set (f : Z -> sptab -> sptab) : prim (St F N sptab P) :=
    p1 None U64 (fun v s =>
      rely own (st_spt s);
      ret 0 (set_spt (store (f v (value (st_spt s))) (st_spt s)) s)).

  Definition in_smmu_pool (a : Z) : bool :=
    (SMMU_POOL_START <=? a) && (a <? SMMU_POOL_END) && (a mod 8 =? 0).

  Definition smmu_pt_load : prim (St F N sptab P) :=
    p1 (Some U64) U64 (fun a s =>
      rely own (st_spt s);
      rely in_smmu_pool a;
      ret (word (spt_words (value (st_spt s))) a) s).

  Definition smmu_pt_store : prim (St F N sptab P) :=
    p2 None U64 U64 (fun a w s =>
      rely own (st_spt s);
      rely in_smmu_pool a;
      ret 0 (set_spt (store (set_spt_words (<[a := w]> (spt_words (value (st_spt s)))) (value (st_spt s)))
                            (st_spt s)) s)).

  Definition get_smmu_cfg_hw_ttbr : prim (St F N M P) :=
    p2 (Some U64) U32 U32 (fun cbndx index s =>
      rely (index <? 2) && (cbndx <? 8); ret (smmu_ttbr index cbndx) s).

  Definition T_smmu_bump : tbl (St F N sptab P) :=
    [("get_smmu_pgd_next", spt_get spt_pgd_next); ("set_smmu_pgd_next", spt_set set_spt_pgd_next);
     ("get_smmu_pmd_next", spt_get spt_pmd_next); ("set_smmu_pmd_next", spt_set set_spt_pmd_next)].

  Definition T_smmu_ptmem : tbl (St F N sptab P) :=
    [("smmu_pt_load", smmu_pt_load); ("smmu_pt_store", smmu_pt_store)].

  (** ** Control *)

  Definition panic : prim (St F N M P) := p0 None (fun s => Some (Halt s)).

  (** Invalidate what translation caches hold of one address; recorded. *)
  Definition tlb_flush : prim (St F N M P) :=
    p2 None U32 U64 (fun vm a s => ret 0 (set_outs (Tlb_flush vm a :: st_outs s) s)).
  Definition smmu_tlb_flush : prim (St F N M P) :=
    p3 None U32 U32 U64 (fun cbndx index a s => ret 0 (set_outs (Smmu_flush index cbndx a :: st_outs s) s)).

  (** Primitives that no change of view or of table representation concerns. *)
  Definition T_ctl : tbl (St F N M P) :=
    [("panic", panic); ("tlb_flush", tlb_flush); ("smmu_tlb_flush", smmu_tlb_flush);
     ("get_pt_vttbr", get_pt_vttbr); ("get_smmu_cfg_hw_ttbr", get_smmu_cfg_hw_ttbr)].
End Objects.
