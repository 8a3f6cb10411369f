(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from NPTOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_level_s2pt : func :=
  mkfunc (Some U32) [("vmid", U32); ("addr", U64)] ["level"]
    (Sseq (Sset "level" (Econst 0))
    (Sseq (Sif (Ecmp Cgt (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "addr") (Econst 281474976710656))
            (Sseq (Scall None "acquire_lock_pt" [Evar "vmid"])
            (Sseq (Scall (Some "level") "get_npt_level" [Evar "vmid"; Evar "addr"])
            (Scall None "release_lock_pt" [Evar "vmid"])))
            Sskip)
    (Sreturn (Some (Evar "level")))))).

Definition f_walk_s2pt : func :=
  mkfunc (Some U64) [("vmid", U32); ("addr", U64)] ["pte"]
    (Sseq (Sset "pte" (Econst 0))
    (Sseq (Sif (Ecmp Cgt (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "addr") (Econst 281474976710656))
            (Sseq (Scall None "acquire_lock_pt" [Evar "vmid"])
            (Sseq (Scall (Some "pte") "walk_npt" [Evar "vmid"; Evar "addr"])
            (Scall None "release_lock_pt" [Evar "vmid"])))
            Sskip)
    (Sreturn (Some (Evar "pte")))))).

Definition f_map_s2pt : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("level", U32); ("pte", U64)] ["gfn"; "num"; "old"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "addr") (Econst 4096)))
    (Sseq (Sset "num" (Econst 1))
    (Sseq (Sif
            (Elor
              (Ecmp Cgt (Evar "vmid") (Econst 16))
              (Ecmp Cge (Evar "addr") (Econst 281474976710656)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Ceq (Evar "level") (Econst 2))
            (Sseq (Sif
                    (Elor
                      (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 1))
                      (Ecmp Cne
                        (Ebin Omod U64
                          (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                          (Econst 2097152))
                        (Econst 0)))
                    (Scall None "panic" [])
                    Sskip)
            (Sseq (Sset "gfn"
                    (Ebin Osub U64 (Evar "gfn") (Ebin Omod U64 (Evar "gfn") (Econst 512))))
            (Sset "num" (Econst 512))))
            (Sif
              (Elor
                (Ecmp Cne (Evar "level") (Econst 3))
                (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3)))
              (Scall None "panic" [])
              Sskip))
    (Sseq (Scall None "acquire_lock_pt" [Evar "vmid"])
    (Sseq (Sif
            (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Cne (Evar "vmid") (Econst 16)))
            (Sseq (Sset "i" (Econst 0))
            (Swhile
              (Ecmp Clt (Evar "i") (Evar "num"))
              (Sseq (Scall
                      (Some "old")
                      "walk_npt"
                      [(Evar "vmid");
                       (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096))])
              (Sseq (Sif
                      (Eland
                        (Eland
                          (Ecmp Cne (Evar "old") (Econst 0))
                          (Ecmp Cne (Evar "old") (Evar "pte")))
                        (Ecmp Cne
                          (Evar "old")
                          (Ebin Oor U64
                            (Ebin Oor U64 (Evar "pte") (Econst 3))
                            (Ebin Omul U64 (Evar "i") (Econst 4096)))))
                      (Scall None "panic" [])
                      Sskip)
              (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1)))))))
            Sskip)
    (Sseq (Scall None "set_npt" [Evar "vmid"; Evar "addr"; Evar "level"; Evar "pte"])
    (Scall None "release_lock_pt" [Evar "vmid"])))))))).

Definition f_clear_pfn_host : func :=
  mkfunc None [("pfn", U64)] ["level"]
    (Sseq (Sif (Ecmp Cge (Evar "pfn") (Econst 68719476736)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "acquire_lock_pt" [Econst 0])
    (Sseq (Scall
            (Some "level")
            "get_npt_level"
            [Econst 0; Ebin Omul U64 (Evar "pfn") (Econst 4096)])
    (Sseq (Sif
            (Ecmp Cne (Evar "level") (Econst 0))
            (Scall None "set_npt"
              [(Econst 0);
               (Ebin Omul U64 (Evar "pfn") (Econst 4096));
               (Econst 3);
               (Econst 144115188075855872)])
            Sskip)
    (Scall None "release_lock_pt" [Econst 0]))))).

Definition code : module :=
  [("get_level_s2pt", f_get_level_s2pt);
   ("walk_s2pt", f_walk_s2pt);
   ("map_s2pt", f_map_s2pt);
   ("clear_pfn_host", f_clear_pfn_host)].
