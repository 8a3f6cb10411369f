(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MemoryOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_clear_vm_range : func :=
  mkfunc None [("vmid", U32); ("pfn", U64); ("num", U64)] ["i"]
    (Sif
      (Eland
        (Ecmp Cle (Evar "pfn") (Econst 68719476736))
        (Ecmp Cle (Evar "num") (Ebin Osub U64 (Econst 68719476736) (Evar "pfn"))))
      (Sseq (Sset "i" (Econst 0))
      (Swhile
        (Ecmp Clt (Evar "i") (Evar "num"))
        (Sseq (Scall None "clear_vm_page" [Evar "vmid"; Ebin Oadd U64 (Evar "pfn") (Evar "i")])
        (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))
      Sskip).

Definition f_prot_and_map_vm_s2pt : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("pte", U64); ("level", U32)] ["gfn"; "pfn"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "addr") (Econst 4096)))
    (Sseq (Sset "pfn"
            (Ebin Odiv U64 (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 4096)))
    (Sseq (Sif (Ecmp Cge (Evar "gfn") (Econst 68719476736)) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Ecmp Ceq (Evar "level") (Econst 2))
            (Sseq (Sif
                    (Ecmp Cne (Ebin Omod U64 (Evar "pfn") (Econst 512)) (Econst 0))
                    (Scall None "panic" [])
                    Sskip)
            (Sseq (Sset "gfn"
                    (Ebin Osub U64 (Evar "gfn") (Ebin Omod U64 (Evar "gfn") (Econst 512))))
            (Sseq (Sset "i" (Econst 0))
            (Swhile
              (Ecmp Clt (Evar "i") (Econst 512))
              (Sseq (Scall None "assign_pfn_to_vm"
                      [(Evar "vmid");
                       (Ebin Oadd U64 (Evar "gfn") (Evar "i"));
                       (Ebin Oadd U64 (Evar "pfn") (Evar "i"))])
              (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))))
            (Scall None "assign_pfn_to_vm" [Evar "vmid"; Evar "gfn"; Evar "pfn"]))
    (Scall None "map_pfn_vm" [Evar "vmid"; Evar "addr"; Evar "pte"; Evar "level"]))))).

Definition f_grant_stage2_sg_gpa : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("size", U64)] ["gfn"; "num"; "pte"; "pfn"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "addr") (Econst 4096)))
    (Sseq (Sset "num" (Ebin Odiv U64 (Evar "size") (Econst 4096)))
    (Sseq (Sif
            (Ecmp Cne (Ebin Omod U64 (Evar "size") (Econst 4096)) (Econst 0))
            (Sset "num" (Ebin Oadd U64 (Evar "num") (Econst 1)))
            Sskip)
    (Sif
      (Eland
        (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Clt (Evar "vmid") (Econst 16)))
        (Ecmp Cle (Ebin Oadd U64 (Evar "gfn") (Evar "num")) (Econst 68719476736)))
      (Sseq (Sset "i" (Econst 0))
      (Swhile
        (Ecmp Clt (Evar "i") (Evar "num"))
        (Sseq (Scall
                (Some "pte")
                "walk_s2pt"
                [(Evar "vmid");
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096))])
        (Sseq (Sset "pfn"
                (Ebin Odiv U64
                  (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                  (Econst 4096)))
        (Sseq (Sif
                (Ecmp Cne (Evar "pfn") (Econst 0))
                (Sseq (Sif
                        (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
                        (Sset "pfn"
                          (Ebin Oadd U64
                            (Evar "pfn")
                            (Ebin Omod U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 512))))
                        Sskip)
                (Scall None "grant_vm_page" [Evar "vmid"; Evar "pfn"]))
                Sskip)
        (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))))
      Sskip)))).

Definition f_revoke_stage2_sg_gpa : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("size", U64)] ["gfn"; "num"; "pte"; "pfn"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "addr") (Econst 4096)))
    (Sseq (Sset "num" (Ebin Odiv U64 (Evar "size") (Econst 4096)))
    (Sseq (Sif
            (Ecmp Cne (Ebin Omod U64 (Evar "size") (Econst 4096)) (Econst 0))
            (Sset "num" (Ebin Oadd U64 (Evar "num") (Econst 1)))
            Sskip)
    (Sif
      (Eland
        (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Clt (Evar "vmid") (Econst 16)))
        (Ecmp Cle (Ebin Oadd U64 (Evar "gfn") (Evar "num")) (Econst 68719476736)))
      (Sseq (Sset "i" (Econst 0))
      (Swhile
        (Ecmp Clt (Evar "i") (Evar "num"))
        (Sseq (Scall
                (Some "pte")
                "walk_s2pt"
                [(Evar "vmid");
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096))])
        (Sseq (Sset "pfn"
                (Ebin Odiv U64
                  (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                  (Econst 4096)))
        (Sseq (Sif
                (Ecmp Cne (Evar "pfn") (Econst 0))
                (Sseq (Sif
                        (Ecmp Cne (Ebin Oand U64 (Evar "pte") (Econst 3)) (Econst 3))
                        (Sset "pfn"
                          (Ebin Oadd U64
                            (Evar "pfn")
                            (Ebin Omod U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 512))))
                        Sskip)
                (Scall None "revoke_vm_page" [Evar "vmid"; Evar "pfn"]))
                Sskip)
        (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))))
      Sskip)))).

Definition code : module :=
  [("clear_vm_range", f_clear_vm_range);
   ("prot_and_map_vm_s2pt", f_prot_and_map_vm_s2pt);
   ("grant_stage2_sg_gpa", f_grant_stage2_sg_gpa);
   ("revoke_stage2_sg_gpa", f_revoke_stage2_sg_gpa)].
