(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from PageManager.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_pfn_owner : func :=
  mkfunc (Some U32) [("pfn", U64)] ["index"; "owner"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sset "owner" (Econst 4294967295))
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sseq (Sif
            (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
            (Scall (Some "owner") "get_s2_page_vmid" [Evar "index"])
            Sskip)
    (Sreturn (Some (Evar "owner"))))))).

Definition f_set_pfn_owner : func :=
  mkfunc None [("pfn", U64); ("vmid", U32)] ["index"; "owner"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sif (Ecmp Cge (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sif
      (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
      (Sseq (Scall (Some "owner") "get_s2_page_vmid" [Evar "index"])
      (Sseq (Sif (Ecmp Ceq (Evar "owner") (Econst 16)) (Scall None "panic" []) Sskip)
      (Sseq (Scall None "set_s2_page_vmid" [Evar "index"; Evar "vmid"])
      (Sseq (Scall None "set_s2_page_count" [Evar "index"; Econst 0])
      (Scall None "set_s2_page_gfn" [Evar "index"; Econst 18446744073709551615])))))
      Sskip)))).

Definition f_get_pfn_count : func :=
  mkfunc (Some U32) [("pfn", U64)] ["index"; "count"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sset "count" (Econst 4294967295))
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sseq (Sif
            (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
            (Scall (Some "count") "get_s2_page_count" [Evar "index"])
            Sskip)
    (Sreturn (Some (Evar "count"))))))).

Definition f_set_pfn_count : func :=
  mkfunc None [("pfn", U64); ("count", U32)] ["index"; "owner"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sif
      (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
      (Sseq (Scall (Some "owner") "get_s2_page_vmid" [Evar "index"])
      (Sseq (Sif (Ecmp Ceq (Evar "owner") (Econst 16)) (Scall None "panic" []) Sskip)
      (Sseq (Sif
              (Eland
                (Ecmp Ceq (Evar "owner") (Econst 0))
                (Ecmp Ceq (Evar "count") (Econst 4294967295)))
              (Scall None "panic" [])
              Sskip)
      (Scall None "set_s2_page_count" [Evar "index"; Evar "count"]))))
      Sskip))).

Definition f_get_pfn_map : func :=
  mkfunc (Some U64) [("pfn", U64)] ["index"; "gfn"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sset "gfn" (Econst 18446744073709551615))
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sseq (Sif
            (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
            (Scall (Some "gfn") "get_s2_page_gfn" [Evar "index"])
            Sskip)
    (Sreturn (Some (Evar "gfn"))))))).

Definition f_set_pfn_map : func :=
  mkfunc None [("pfn", U64); ("gfn", U64)] ["index"; "owner"]
    (Sseq (Sset "index" (Econst 18446744073709551615))
    (Sseq (Sif
            (Ecmp Clt (Evar "pfn") (Econst 68719476736))
            (Scall
              (Some "index")
              "get_s2_page_index"
              [Ebin Omul U64 (Evar "pfn") (Econst 4096)])
            Sskip)
    (Sif
      (Ecmp Cne (Evar "index") (Econst 18446744073709551615))
      (Sseq (Scall (Some "owner") "get_s2_page_vmid" [Evar "index"])
      (Sseq (Sif
              (Elor (Ecmp Ceq (Evar "owner") (Econst 0)) (Ecmp Ceq (Evar "owner") (Econst 16)))
              (Scall None "panic" [])
              Sskip)
      (Scall None "set_s2_page_gfn" [Evar "index"; Evar "gfn"])))
      Sskip))).

Definition code : module :=
  [("get_pfn_owner", f_get_pfn_owner);
   ("set_pfn_owner", f_set_pfn_owner);
   ("get_pfn_count", f_get_pfn_count);
   ("set_pfn_count", f_set_pfn_count);
   ("get_pfn_map", f_get_pfn_map);
   ("set_pfn_map", f_set_pfn_map)].
