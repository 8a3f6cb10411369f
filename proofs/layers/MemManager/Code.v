(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MemManager.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_map_page_host : func :=
  mkfunc None [("addr", U64)] ["pfn"; "owner"; "count"]
    (Sseq (Sset "pfn" (Ebin Odiv U64 (Evar "addr") (Econst 4096)))
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Ecmp Ceq (Evar "owner") (Econst 4294967295))
            (Scall None "map_s2pt"
              [(Econst 0);
               (Evar "addr");
               (Econst 3);
               (Ebin Oor U64
                 (Ebin Omul U64 (Evar "pfn") (Econst 4096))
                 (Econst 18014398509483975))])
            (Sif
              (Elor
                (Ecmp Ceq (Evar "owner") (Econst 0))
                (Eland
                  (Ecmp Cne (Evar "count") (Econst 0))
                  (Ecmp Cne (Evar "count") (Econst 4294967295))))
              (Scall None "map_s2pt"
                [(Econst 0);
                 (Evar "addr");
                 (Econst 3);
                 (Ebin Oor U64 (Ebin Omul U64 (Evar "pfn") (Econst 4096)) (Econst 4095))])
              (Scall None "panic" [])))
    (Scall None "release_lock_s2page" [])))))).

Definition f_clear_vm_page : func :=
  mkfunc None [("vmid", U32); ("pfn", U64)] ["owner"]
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Sif
            (Eland
              (Eland
                (Ecmp Ceq (Evar "owner") (Evar "vmid"))
                (Ecmp Cne (Evar "owner") (Econst 0)))
              (Ecmp Clt (Evar "owner") (Econst 16)))
            (Sseq (Scall None "clear_pfn_host" [Evar "pfn"])
            (Sseq (Scall None "clear_phys_page" [Evar "pfn"])
            (Scall None "set_pfn_owner" [Evar "pfn"; Econst 0])))
            Sskip)
    (Scall None "release_lock_s2page" [])))).

Definition f_assign_pfn_to_vm : func :=
  mkfunc None [("vmid", U32); ("gfn", U64); ("pfn", U64)] ["owner"; "count"; "map"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Ceq (Evar "gfn") (Econst 18446744073709551615)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Scall (Some "map") "get_pfn_map" [Evar "pfn"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "owner") (Econst 0)) (Ecmp Ceq (Evar "count") (Econst 0)))
            (Sseq (Scall None "clear_pfn_host" [Evar "pfn"])
            (Sseq (Scall None "set_pfn_owner" [Evar "pfn"; Evar "vmid"])
            (Scall None "set_pfn_map" [Evar "pfn"; Evar "gfn"])))
            (Sseq (Sif
                    (Elor
                      (Ecmp Cne (Evar "owner") (Evar "vmid"))
                      (Eland
                        (Ecmp Cne (Evar "map") (Econst 18446744073709551615))
                        (Ecmp Cne (Evar "map") (Evar "gfn"))))
                    (Scall None "panic" [])
                    Sskip)
            (Sseq (Sif
                    (Ecmp Ceq (Evar "count") (Econst 4294967295))
                    (Sseq (Scall None "clear_pfn_host" [Evar "pfn"])
                    (Scall None "set_pfn_count" [Evar "pfn"; Econst 0]))
                    Sskip)
            (Scall None "set_pfn_map" [Evar "pfn"; Evar "gfn"]))))
    (Scall None "release_lock_s2page" []))))))).

Definition f_map_pfn_vm : func :=
  mkfunc None [("vmid", U32); ("addr", U64); ("pte", U64); ("level", U32)] []
    (Sif
      (Ecmp Ceq (Evar "level") (Econst 2))
      (Sseq (Sif
              (Ecmp Cne
                (Ebin Omod U64
                  (Ebin Odiv U64
                    (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                    (Econst 4096))
                  (Econst 512))
                (Econst 0))
              (Scall None "panic" [])
              Sskip)
      (Scall None "map_s2pt"
        [(Evar "vmid");
         (Evar "addr");
         (Econst 2);
         (Ebin Oor U64 (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 4093))]))
      (Scall None "map_s2pt"
        [(Evar "vmid");
         (Evar "addr");
         (Econst 3);
         (Ebin Oor U64 (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 4095))])).

Definition f_map_vm_io : func :=
  mkfunc None [("vmid", U32); ("gpa", U64); ("pa", U64)] ["owner"]
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall
            (Some "owner")
            "get_pfn_owner"
            [Ebin Odiv U64 (Ebin Oand U64 (Evar "pa") (Econst 281474976706560)) (Econst 4096)])
    (Sseq (Sif
            (Ecmp Ceq (Evar "owner") (Econst 4294967295))
            (Scall None "map_s2pt"
              [(Evar "vmid");
               (Evar "gpa");
               (Econst 3);
               (Ebin Oor U64
                 (Ebin Oand U64 (Evar "pa") (Econst 281474976706560))
                 (Econst 18014398509483975))])
            Sskip)
    (Scall None "release_lock_s2page" [])))).

Definition f_grant_vm_page : func :=
  mkfunc None [("vmid", U32); ("pfn", U64)] ["owner"; "count"]
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Eland
              (Eland
                (Eland
                  (Ecmp Ceq (Evar "owner") (Evar "vmid"))
                  (Ecmp Cne (Evar "owner") (Econst 0)))
                (Ecmp Clt (Evar "owner") (Econst 16)))
              (Ecmp Clt (Evar "count") (Econst 100)))
            (Scall None "set_pfn_count" [Evar "pfn"; Ebin Oadd U32 (Evar "count") (Econst 1)])
            Sskip)
    (Scall None "release_lock_s2page" []))))).

Definition f_revoke_vm_page : func :=
  mkfunc None [("vmid", U32); ("pfn", U64)] ["owner"; "count"]
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Eland
              (Eland
                (Eland
                  (Eland
                    (Ecmp Ceq (Evar "owner") (Evar "vmid"))
                    (Ecmp Cne (Evar "owner") (Econst 0)))
                  (Ecmp Clt (Evar "owner") (Econst 16)))
                (Ecmp Cne (Evar "count") (Econst 0)))
              (Ecmp Cne (Evar "count") (Econst 4294967295)))
            (Sseq (Sif
                    (Ecmp Ceq (Evar "count") (Econst 1))
                    (Scall None "clear_pfn_host" [Evar "pfn"])
                    Sskip)
            (Scall None "set_pfn_count" [Evar "pfn"; Ebin Osub U32 (Evar "count") (Econst 1)]))
            Sskip)
    (Scall None "release_lock_s2page" []))))).

Definition f_assign_pfn_to_smmu : func :=
  mkfunc None [("vmid", U32); ("gfn", U64); ("pfn", U64)] ["owner"; "count"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Ceq (Evar "gfn") (Econst 18446744073709551615)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Eland (Ecmp Ceq (Evar "owner") (Econst 0)) (Ecmp Ceq (Evar "count") (Econst 0)))
            (Sseq (Scall None "clear_pfn_host" [Evar "pfn"])
            (Sseq (Scall None "set_pfn_owner" [Evar "pfn"; Evar "vmid"])
            (Sseq (Scall None "set_pfn_map" [Evar "pfn"; Evar "gfn"])
            (Scall None "set_pfn_count" [Evar "pfn"; Econst 4294967295]))))
            (Sif (Ecmp Cne (Evar "owner") (Evar "vmid")) (Scall None "panic" []) Sskip))
    (Scall None "release_lock_s2page" [])))))).

Definition f_update_smmu_page : func :=
  mkfunc None [("vmid", U32); ("cbndx", U32); ("index", U32); ("iova", U64); ("pte", U64)] ["pfn"; "owner"; "count"; "map"]
    (Sseq (Sset "pfn"
            (Ebin Odiv U64 (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 4096)))
    (Sseq (Sif (Ecmp Cge (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Scall (Some "map") "get_pfn_map" [Evar "pfn"])
    (Sseq (Sif (Ecmp Cne (Evar "owner") (Evar "vmid")) (Scall None "panic" []) Sskip)
    (Sseq (Sif
            (Ecmp Ceq (Evar "owner") (Econst 0))
            (Sseq (Sif
                    (Ecmp Ceq (Ebin Oadd U32 (Evar "count") (Econst 1)) (Econst 4294967295))
                    (Scall None "panic" [])
                    Sskip)
            (Sseq (Scall None "map_spt" [Evar "cbndx"; Evar "index"; Evar "iova"; Evar "pte"])
            (Scall None "set_pfn_count" [Evar "pfn"; Ebin Oadd U32 (Evar "count") (Econst 1)])))
            (Sseq (Sif
                    (Ecmp Cne (Evar "map") (Ebin Odiv U64 (Evar "iova") (Econst 4096)))
                    (Scall None "panic" [])
                    Sskip)
            (Scall None "map_spt" [Evar "cbndx"; Evar "index"; Evar "iova"; Evar "pte"])))
    (Scall None "release_lock_s2page" []))))))))).

Definition f_unmap_smmu_page : func :=
  mkfunc None [("cbndx", U32); ("index", U32); ("iova", U64)] ["pte"; "pfn"; "owner"; "count"]
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "pte") "unmap_spt" [Evar "cbndx"; Evar "index"; Evar "iova"])
    (Sseq (Sset "pfn"
            (Ebin Odiv U64 (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 4096)))
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Eland
              (Eland (Ecmp Cne (Evar "pfn") (Econst 0)) (Ecmp Ceq (Evar "owner") (Econst 0)))
              (Ecmp Cne (Evar "count") (Econst 0)))
            (Scall None "set_pfn_count" [Evar "pfn"; Ebin Osub U32 (Evar "count") (Econst 1)])
            Sskip)
    (Scall None "release_lock_s2page" []))))))).

Definition code : module :=
  [("map_page_host", f_map_page_host);
   ("clear_vm_page", f_clear_vm_page);
   ("assign_pfn_to_vm", f_assign_pfn_to_vm);
   ("map_pfn_vm", f_map_pfn_vm);
   ("map_vm_io", f_map_vm_io);
   ("grant_vm_page", f_grant_vm_page);
   ("revoke_vm_page", f_revoke_vm_page);
   ("assign_pfn_to_smmu", f_assign_pfn_to_smmu);
   ("update_smmu_page", f_update_smmu_page);
   ("unmap_smmu_page", f_unmap_smmu_page)].
