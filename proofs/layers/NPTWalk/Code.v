(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from NPTWalk.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_npt_level : func :=
  mkfunc (Some U32) [("vmid", U32); ("addr", U64)] ["vttbr"; "pgd"; "pud"; "pmd"; "pte"; "level"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sset "level" (Econst 0))
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
            (Sseq (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"])
            (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 0))
              (Sset "level" (Econst 3))
              Sskip))
            (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pmd") (Econst 281474976706560)) (Econst 0))
              (Sset "level" (Econst 2))
              Sskip))
    (Sreturn (Some (Evar "level"))))))))).

Definition f_walk_npt : func :=
  mkfunc (Some U64) [("vmid", U32); ("addr", U64)] ["vttbr"; "pgd"; "pud"; "pmd"; "pte"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sset "pte" (Evar "pmd"))
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
            (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"])
            Sskip)
    (Sreturn (Some (Evar "pte"))))))))).

Definition f_set_npt : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("level", U32); ("pte", U64)] ["vttbr"; "pgd"; "pud"; "pmd"]
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Evar "level") (Econst 2))
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 1])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 1])
    (Sif
      (Ecmp Ceq (Evar "level") (Econst 2))
      (Sseq (Scall None "set_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Evar "pte"])
      (Scall None "tlb_flush" [Evar "vmid"; Econst 18446744073709551615]))
      (Sseq (Scall (Some "pmd") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 1])
      (Sseq (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "pmd") (Econst 3)) (Econst 3))
              (Scall None "panic" [])
              Sskip)
      (Sseq (Scall None "set_pte" [Evar "vmid"; Evar "pmd"; Evar "addr"; Evar "pte"])
      (Scall None "tlb_flush" [Evar "vmid"; Evar "addr"]))))))))).

Definition f_mem_load_ref : func :=
  mkfunc (Some U32) [("vmid", U32); ("addr", U64); ("reg", U32)] ["vttbr"; "pgd"; "pud"; "pte"; "kind"; "size"; "done"]
    (Sseq (Sset "kind" (Econst 1))
    (Sseq (Sset "size" (Econst 2097152))
    (Sseq (Sset "done" (Econst 0))
    (Sseq (Sif (Ecmp Cgt (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Elor
              (Elor
                (Ecmp Cge (Evar "addr") (Econst 281474976710656))
                (Ecmp Cne (Ebin Omod U64 (Evar "addr") (Econst 8)) (Econst 0)))
              (Ecmp Cge (Evar "reg") (Econst 31)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall None "acquire_lock_pt" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pte") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
            (Sseq (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pte"; Evar "addr"])
            (Sseq (Sset "kind" (Econst 3))
            (Sset "size" (Econst 4096))))
            Sskip)
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Evar "kind"))
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 64)) (Econst 0)))
            (Sseq (Scall None "phys_load"
                    [(Ebin Oadd U64
                       (Ebin Omul U64
                         (Ebin Odiv U64
                           (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                           (Evar "size"))
                         (Evar "size"))
                       (Ebin Omod U64 (Evar "addr") (Evar "size")));
                     (Evar "reg")])
            (Sset "done" (Econst 1)))
            Sskip)
    (Sseq (Scall None "release_lock_pt" [Evar "vmid"])
    (Sreturn (Some (Evar "done")))))))))))))))).

Definition f_mem_store_ref : func :=
  mkfunc (Some U32) [("vmid", U32); ("addr", U64); ("reg", U32)] ["vttbr"; "pgd"; "pud"; "pte"; "kind"; "size"; "done"]
    (Sseq (Sset "kind" (Econst 1))
    (Sseq (Sset "size" (Econst 2097152))
    (Sseq (Sset "done" (Econst 0))
    (Sseq (Sif (Ecmp Cgt (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Elor
              (Elor
                (Ecmp Cge (Evar "addr") (Econst 281474976710656))
                (Ecmp Cne (Ebin Omod U64 (Evar "addr") (Econst 8)) (Econst 0)))
              (Ecmp Cge (Evar "reg") (Econst 31)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall (Some "vttbr") "get_pt_vttbr" [Evar "vmid"])
    (Sseq (Scall None "acquire_lock_pt" [Evar "vmid"])
    (Sseq (Scall (Some "pgd") "walk_pgd" [Evar "vmid"; Evar "vttbr"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pud") "walk_pud" [Evar "vmid"; Evar "pgd"; Evar "addr"; Econst 0])
    (Sseq (Scall (Some "pte") "walk_pmd" [Evar "vmid"; Evar "pud"; Evar "addr"; Econst 0])
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
            (Sseq (Scall (Some "pte") "walk_pte" [Evar "vmid"; Evar "pte"; Evar "addr"])
            (Sseq (Sset "kind" (Econst 3))
            (Sset "size" (Econst 4096))))
            Sskip)
    (Sseq (Sif
            (Eland
              (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 3)) (Evar "kind"))
              (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 128)) (Econst 0)))
            (Sseq (Scall None "phys_store"
                    [(Ebin Oadd U64
                       (Ebin Omul U64
                         (Ebin Odiv U64
                           (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                           (Evar "size"))
                         (Evar "size"))
                       (Ebin Omod U64 (Evar "addr") (Evar "size")));
                     (Evar "reg")])
            (Sset "done" (Econst 1)))
            Sskip)
    (Sseq (Scall None "release_lock_pt" [Evar "vmid"])
    (Sreturn (Some (Evar "done")))))))))))))))).

Definition code : module :=
  [("get_npt_level", f_get_npt_level);
   ("walk_npt", f_walk_npt);
   ("set_npt", f_set_npt);
   ("mem_load_ref", f_mem_load_ref);
   ("mem_store_ref", f_mem_store_ref)].
