(* SPDX-License-Identifier: Apache-2.0 *)
(** Bottom primitives for physical pages: the firmware's memory map (read-only, no
    lock), the raw page-ownership table (only while its lock is held), and scrubbing of
    a page.  One accessor each and no policy: this file is part of what a reader must
    trust.  Rests on [State]; C prototypes in [layers/prims.h]. *)
From SeKVM.machine Require Export Bottom.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition INVALID : Z := 4294967295.
Definition INVALID64 : Z := 18446744073709551615.

(** An absent entry of the page-ownership table is the host's, unshared. *)
Definition s2page0 : s2page := mks2page HOSTVISOR 0 INVALID64.
Definition raw_page (m : gmap Z s2page) (i : Z) : s2page := default s2page0 (m !! i).

Definition set_s2_owner (v : Z) (e : s2page) : s2page := mks2page v (s2_count e) (s2_gfn e).
Definition set_s2_count (v : Z) (e : s2page) : s2page := mks2page (s2_owner e) v (s2_gfn e).
Definition set_s2_gfn (v : Z) (e : s2page) : s2page := mks2page (s2_owner e) (s2_count e) v.

Section Map.
  Context {F : Type -> Type} {N M P : Type}.

  Definition get_mem_region_cnt : prim (St F N M P) :=
    p0 (Some U32) (fun s => ret (Z.of_nat (length (boot_mem (st_boot s)))) s).

  Definition region_get (f : memblock -> Z) : prim (St F N M P) :=
    p1 (Some U64) U32 (fun i s => some b := boot_mem (st_boot s) !! Z.to_nat i; ret (f b) s).

  Definition T_region : tbl (St F N M P) :=
    [("get_mem_region_cnt", get_mem_region_cnt); ("get_mem_region_base", region_get mb_base);
     ("get_mem_region_size", region_get mb_size); ("get_mem_region_index", region_get mb_index)].

  (** Overwrite frame [pfn] with zeros: the writes of other CPUs that came before
      happen, then the frame reads as zero.  The 512 stores count as one access. *)
  Definition frame_words (pfn : Z) : list Z := map (fun i => pfn * PAGE + 8 * i) (seqZ 0 512).
  Definition apply_writes (evs : list (Z * (Z * Z))) (m : gmap Z Z) : gmap Z Z :=
    fold_right (fun e m => <[fst (snd e) := snd (snd e)]> m) m evs.
  Definition scrub (me pfn : Z) (m : memview) : memview :=
    let before := hd [] (m_script m) in
    let zeros := map (fun a => (me, (a, 0))) (frame_words pfn) in
    mkmem (apply_writes zeros (apply_writes before (m_words m))) (zeros ++ before ++ m_log m)%list (tl (m_script m)).
  Definition clear_phys_page : prim (St F N M P) :=
    p1 None U64 (fun pfn s => ret 0 (set_mem (scrub (cpu_id (st_cpu s)) pfn (st_mem s)) s)).

  Definition T_scrub : tbl (St F N M P) := [("clear_phys_page", clear_phys_page)].
End Map.

Section Pages.
  Context {F : Type -> Type} {V : View F} {N M : Type}.
  Notation St := (St F N M (gmap Z s2page)).

  (** The page-ownership table has 2^24 entries. *)
  Definition is_slot (i : Z) : bool := (0 <=? i) && (i <? 16777216).

  Definition s2_get (t : ty) (f : s2page -> Z) : prim St :=
    p1 (Some t) U64 (fun i s =>
      rely own (st_s2 s);
      rely is_slot i;
      ret (f (raw_page (value (st_s2 s)) i)) s).

  Definition s2_set (t : ty) (f : Z -> s2page -> s2page) : prim St :=
    p2 None U64 t (fun i v s =>
      rely own (st_s2 s);
      rely is_slot i;
      ret 0 (set_s2 (store (<[i := f v (raw_page (value (st_s2 s)) i)]> (value (st_s2 s))) (st_s2 s)) s)).

  Definition T_s2raw : tbl St :=
    [("get_s2_page_vmid", s2_get U32 s2_owner); ("set_s2_page_vmid", s2_set U32 set_s2_owner);
     ("get_s2_page_count", s2_get U32 s2_count); ("set_s2_page_count", s2_set U32 set_s2_count);
     ("get_s2_page_gfn", s2_get U64 s2_gfn); ("set_s2_page_gfn", s2_set U64 set_s2_gfn)].
End Pages.
