(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from BootOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_search_load_info : func :=
  mkfunc (Some U64) [("vmid", U32); ("addr", U64)] ["found"; "i"; "n"; "base"; "size"; "remap"]
    (Sseq (Sset "found" (Econst 0))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "n") "get_vm_next_load_idx" [Evar "vmid"])
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_vm_load_addr" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "size") "get_vm_load_size" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "remap") "get_vm_remap_addr" [Evar "vmid"; Evar "i"])
            (Sseq (Sif
                    (Eland
                      (Ecmp Cle (Evar "base") (Evar "addr"))
                      (Ecmp Clt (Ebin Osub U64 (Evar "addr") (Evar "base")) (Evar "size")))
                    (Sset "found"
                      (Ebin Oadd U64 (Evar "remap") (Ebin Osub U64 (Evar "addr") (Evar "base"))))
                    Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))))
    (Sseq (Scall None "release_lock_vm" [Evar "vmid"])
    (Sreturn (Some (Evar "found")))))))))).

Definition f_set_vcpu_active : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["state"; "vcpu"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "vcpuid") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Scall (Some "vcpu") "get_vcpu_state" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif
            (Elor (Ecmp Cne (Evar "state") (Econst 3)) (Ecmp Cne (Evar "vcpu") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "set_vcpu_state" [Evar "vmid"; Evar "vcpuid"; Econst 5])
    (Sseq (Scall None "pull_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))))).

Definition f_set_vcpu_inactive : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["vcpu"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "vcpuid") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "vcpu") "get_vcpu_state" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif (Ecmp Cne (Evar "vcpu") (Econst 5)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "push_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "set_vcpu_state" [Evar "vmid"; Evar "vcpuid"; Econst 2])
    (Scall None "release_lock_vm" [Evar "vmid"]))))))).

Definition f_register_vcpu : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["state"; "vcpu"; "ptr"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "vcpuid") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Scall (Some "vcpu") "get_vcpu_state" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif
            (Elor (Ecmp Cne (Evar "state") (Econst 2)) (Ecmp Cne (Evar "vcpu") (Econst 0)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "ptr") "get_shared_vcpu" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "set_vm_vcpu" [Evar "vmid"; Evar "vcpuid"; Evar "ptr"])
    (Sseq (Scall None "set_vcpu_state" [Evar "vmid"; Evar "vcpuid"; Econst 2])
    (Sseq (Scall None "pull_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "new_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "push_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))))))))).

Definition f_register_kvm : func :=
  mkfunc (Some U32) [] ["vmid"; "state"; "kvm"]
    (Sseq (Scall (Some "vmid") "gen_vmid" [])
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 0)) (Scall None "panic" []) Sskip)
    (Sseq (Scall (Some "kvm") "get_shared_kvm" [Evar "vmid"])
    (Sseq (Scall None "set_vm_kvm" [Evar "vmid"; Evar "kvm"])
    (Sseq (Scall None "set_vm_state" [Evar "vmid"; Econst 2])
    (Sseq (Scall None "release_lock_vm" [Evar "vmid"])
    (Sreturn (Some (Evar "vmid"))))))))))).

Definition f_set_boot_info : func :=
  mkfunc (Some U32) [("vmid", U32); ("load_addr", U64); ("size", U64)] ["num"; "remap"; "fits"; "i"; "state"; "n"; "base"; "other"; "digest"]
    (Sseq (Sset "num" (Ebin Odiv U64 (Evar "size") (Econst 4096)))
    (Sseq (Sset "remap" (Econst 0))
    (Sseq (Sset "fits" (Econst 1))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Cne (Ebin Omod U64 (Evar "size") (Econst 4096)) (Econst 0))
            (Sset "num" (Ebin Oadd U64 (Evar "num") (Econst 1)))
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall (Some "n") "get_vm_next_load_idx" [Evar "vmid"])
    (Sseq (Sif
            (Elor
              (Elor
                (Elor
                  (Ecmp Cge (Evar "n") (Econst 5))
                  (Ecmp Cne (Ebin Omod U64 (Evar "load_addr") (Econst 4096)) (Econst 0)))
                (Ecmp Cge (Evar "load_addr") (Econst 281474976710656)))
              (Ecmp Cgt
                (Evar "num")
                (Ebin Odiv U64
                  (Ebin Osub U64 (Econst 281474976710656) (Evar "load_addr"))
                  (Econst 4096))))
            (Sset "fits" (Econst 0))
            Sskip)
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_vm_load_addr" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "other") "get_vm_load_size" [Evar "vmid"; Evar "i"])
            (Sseq (Sset "other"
                    (Ebin Odiv U64 (Ebin Oadd U64 (Evar "other") (Econst 4095)) (Econst 4096)))
            (Sseq (Sif
                    (Eland
                      (Eland
                        (Ecmp Cne (Evar "fits") (Econst 0))
                        (Ecmp Cgt
                          (Ebin Oadd U64
                            (Evar "base")
                            (Ebin Omul U64 (Evar "other") (Econst 4096)))
                          (Evar "load_addr")))
                      (Ecmp Cgt
                        (Ebin Oadd U64
                          (Evar "load_addr")
                          (Ebin Omul U64 (Evar "num") (Econst 4096)))
                        (Evar "base")))
                    (Sset "fits" (Econst 0))
                    Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))))
    (Sseq (Sif
            (Ecmp Cne (Evar "fits") (Econst 0))
            (Scall (Some "remap") "alloc_remap_addr" [Evar "num"])
            Sskip)
    (Sseq (Sif
            (Ecmp Ceq (Evar "remap") (Econst 0))
            (Sset "n" (Econst 4294967295))
            (Sseq (Scall (Some "digest") "get_image_digest" [Evar "vmid"])
            (Sseq (Scall None "set_vm_load_addr" [Evar "vmid"; Evar "n"; Evar "load_addr"])
            (Sseq (Scall None "set_vm_load_size" [Evar "vmid"; Evar "n"; Evar "size"])
            (Sseq (Scall None "set_vm_remap_addr" [Evar "vmid"; Evar "n"; Evar "remap"])
            (Sseq (Scall None "set_vm_mapped_pages" [Evar "vmid"; Evar "n"; Econst 0])
            (Sseq (Scall None "set_vm_load_digest" [Evar "vmid"; Evar "n"; Evar "digest"])
            (Scall None "set_vm_next_load_idx"
              [Evar "vmid"; Ebin Oadd U32 (Evar "n") (Econst 1)]))))))))
    (Sseq (Scall None "release_lock_vm" [Evar "vmid"])
    (Sreturn (Some (Evar "n")))))))))))))))))).

Definition f_remap_vm_image : func :=
  mkfunc None [("vmid", U32); ("pfn", U64); ("load_idx", U32)] ["state"; "n"; "num"; "mapped"; "remap"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "pfn") (Econst 68719476736)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall (Some "n") "get_vm_next_load_idx" [Evar "vmid"])
    (Sseq (Sif
            (Ecmp Clt (Evar "load_idx") (Evar "n"))
            (Sseq (Scall (Some "num") "get_vm_load_size" [Evar "vmid"; Evar "load_idx"])
            (Sseq (Sset "num"
                    (Ebin Odiv U64 (Ebin Oadd U64 (Evar "num") (Econst 4095)) (Econst 4096)))
            (Sseq (Scall (Some "mapped") "get_vm_mapped_pages" [Evar "vmid"; Evar "load_idx"])
            (Sseq (Scall (Some "remap") "get_vm_remap_addr" [Evar "vmid"; Evar "load_idx"])
            (Sif
              (Ecmp Clt (Evar "mapped") (Evar "num"))
              (Sseq (Scall None "map_s2pt"
                      [(Econst 16);
                       (Ebin Oadd U64
                         (Evar "remap")
                         (Ebin Omul U64 (Evar "mapped") (Econst 4096)));
                       (Econst 3);
                       (Ebin Oor U64
                         (Ebin Omul U64 (Evar "pfn") (Econst 4096))
                         (Econst 18014398509483859))])
              (Scall None "set_vm_mapped_pages"
                [Evar "vmid"; Evar "load_idx"; Ebin Oadd U64 (Evar "mapped") (Econst 1)]))
              Sskip)))))
            Sskip)
    (Scall None "release_lock_vm" [Evar "vmid"]))))))).

Definition f_verify_and_load_images : func :=
  mkfunc None [("vmid", U32)] ["i"; "state"; "n"; "owner"; "count"; "num"; "mapped"; "base"; "remap"; "digest"; "hash"; "j"; "pte"; "pfn"; "gfn"]
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall (Some "n") "get_vm_next_load_idx" [Evar "vmid"])
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_vm_load_addr" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "num") "get_vm_load_size" [Evar "vmid"; Evar "i"])
            (Sseq (Sset "num"
                    (Ebin Odiv U64 (Ebin Oadd U64 (Evar "num") (Econst 4095)) (Econst 4096)))
            (Sseq (Scall (Some "mapped") "get_vm_mapped_pages" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "remap") "get_vm_remap_addr" [Evar "vmid"; Evar "i"])
            (Sseq (Scall (Some "digest") "get_vm_load_digest" [Evar "vmid"; Evar "i"])
            (Sseq (Sif (Ecmp Cne (Evar "mapped") (Evar "num")) (Scall None "panic" []) Sskip)
            (Sseq (Scall None "unmap_and_load_vm_image"
                    [Evar "vmid"; Evar "base"; Evar "remap"; Evar "num"])
            (Sseq (Sset "hash" (Econst 14695981039346656037))
            (Sseq (Sset "j" (Econst 0))
            (Sseq (Swhile
                    (Ecmp Clt (Evar "j") (Evar "num"))
                    (Sseq (Sset "gfn"
                            (Ebin Oadd U64
                              (Ebin Odiv U64 (Evar "base") (Econst 4096))
                              (Evar "j")))
                    (Sseq (Scall
                            (Some "pte")
                            "walk_s2pt"
                            [Evar "vmid"; Ebin Omul U64 (Evar "gfn") (Econst 4096)])
                    (Sseq (Sset "pfn"
                            (Ebin Odiv U64
                              (Ebin Oand U64 (Evar "pte") (Econst 281474976706560))
                              (Econst 4096)))
                    (Sseq (Scall None "acquire_lock_s2page" [])
                    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
                    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
                    (Sseq (Scall (Some "mapped") "get_pfn_map" [Evar "pfn"])
                    (Sseq (Sif
                            (Elor
                              (Elor
                                (Ecmp Cne (Evar "owner") (Evar "vmid"))
                                (Ecmp Cne (Evar "count") (Econst 0)))
                              (Ecmp Cne (Evar "mapped") (Evar "gfn")))
                            (Scall None "panic" [])
                            Sskip)
                    (Sseq (Scall (Some "hash") "hash_page" [Evar "pfn"; Evar "hash"])
                    (Sseq (Scall None "release_lock_s2page" [])
                    (Sset "j" (Ebin Oadd U64 (Evar "j") (Econst 1))))))))))))))
            (Sseq (Sif (Ecmp Cne (Evar "hash") (Evar "digest")) (Scall None "panic" []) Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))))))))))))
    (Sseq (Scall None "set_vm_state" [Evar "vmid"; Econst 3])
    (Scall None "release_lock_vm" [Evar "vmid"]))))))))).

Definition f_alloc_smmu : func :=
  mkfunc None [("vmid", U32); ("cbndx", U32); ("index", U32)] ["state"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "vmid") (Econst 16)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif
            (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Cne (Evar "state") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "init_spt" [Evar "cbndx"; Evar "index"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))).

Definition f_assign_smmu : func :=
  mkfunc None [("vmid", U32); ("pfn", U64); ("gfn", U64)] ["state"]
    (Sseq (Sif (Ecmp Cge (Evar "vmid") (Econst 16)) (Scall None "panic" []) Sskip)
    (Sif
      (Ecmp Cne (Evar "vmid") (Econst 0))
      (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
      (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
      (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
      (Sseq (Scall None "assign_pfn_to_smmu" [Evar "vmid"; Evar "gfn"; Evar "pfn"])
      (Scall None "release_lock_vm" [Evar "vmid"])))))
      Sskip)).

Definition f_map_smmu : func :=
  mkfunc None [("vmid", U32); ("cbndx", U32); ("index", U32); ("iova", U64); ("pte", U64)] ["state"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "vmid") (Econst 16)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif
            (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Cne (Evar "state") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "update_smmu_page"
            [Evar "vmid"; Evar "cbndx"; Evar "index"; Evar "iova"; Evar "pte"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))).

Definition f_clear_smmu : func :=
  mkfunc None [("vmid", U32); ("cbndx", U32); ("index", U32); ("iova", U64)] ["state"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Cge (Evar "vmid") (Econst 16)) (Ecmp Cge (Evar "cbndx") (Econst 8)))
              (Ecmp Cge (Evar "index") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif
            (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Cne (Evar "state") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "unmap_smmu_page" [Evar "cbndx"; Evar "index"; Evar "iova"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))).

Definition f_map_io : func :=
  mkfunc None [("vmid", U32); ("gpa", U64); ("pa", U64)] ["page"; "i"; "state"; "n"; "base"; "size"]
    (Sseq (Sset "page" (Ebin Oand U64 (Evar "pa") (Econst 281474976706560)))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "n") "get_smmu_num" [])
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_smmu_base" [Evar "i"])
            (Sseq (Scall (Some "size") "get_smmu_size" [Evar "i"])
            (Sseq (Sif
                    (Eland
                      (Ecmp Cgt (Ebin Oadd U64 (Evar "page") (Econst 4096)) (Evar "base"))
                      (Elor
                        (Ecmp Clt (Evar "page") (Evar "base"))
                        (Ecmp Clt (Ebin Osub U64 (Evar "page") (Evar "base")) (Evar "size"))))
                    (Scall None "panic" [])
                    Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1)))))))
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "map_vm_io" [Evar "vmid"; Evar "gpa"; Evar "pa"])
    (Scall None "release_lock_vm" [Evar "vmid"])))))))))).

Definition f_is_inc_exe : func :=
  mkfunc (Some U32) [("vmid", U32)] ["inc_exe"]
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Sreturn (Some (Econst 0)))
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "inc_exe") "get_vm_inc_exe" [Evar "vmid"])
    (Sseq (Scall None "release_lock_vm" [Evar "vmid"])
    (Sreturn (Some (Evar "inc_exe"))))))).

Definition f_save_encrypted_vcpu : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["vcpu"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "vcpuid") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "vcpu") "get_vcpu_state" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif (Ecmp Cne (Evar "vcpu") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "pull_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "encrypt_gp_regs" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "encrypt_sys_regs" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "push_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Scall None "release_lock_vm" [Evar "vmid"]))))))))).

Definition f_load_encrypted_vcpu : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["state"; "vcpu"]
    (Sseq (Sif
            (Elor
              (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
              (Ecmp Cge (Evar "vcpuid") (Econst 8)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Scall (Some "vcpu") "get_vcpu_state" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif
            (Elor (Ecmp Cne (Evar "state") (Econst 2)) (Ecmp Cne (Evar "vcpu") (Econst 2)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "pull_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "decrypt_gp_regs" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "decrypt_sys_regs" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "push_ctxt" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "set_vm_inc_exe" [Evar "vmid"; Econst 1])
    (Scall None "release_lock_vm" [Evar "vmid"]))))))))))).

Definition f_save_encrypt_buf : func :=
  mkfunc None [("vmid", U32); ("inbuf", U64); ("outbuf", U64)] ["from"; "to"; "owner"; "other"]
    (Sseq (Sset "from" (Ebin Odiv U64 (Evar "inbuf") (Econst 4096)))
    (Sseq (Sset "to" (Ebin Odiv U64 (Evar "outbuf") (Econst 4096)))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "from"])
    (Sseq (Scall (Some "other") "get_pfn_owner" [Evar "to"])
    (Sseq (Sif
            (Elor (Ecmp Cne (Evar "owner") (Evar "vmid")) (Ecmp Cne (Evar "other") (Econst 0)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "encrypt_mem_buf" [Evar "vmid"; Evar "from"; Evar "to"])
    (Scall None "release_lock_s2page" []))))))))).

Definition f_load_decrypt_buf : func :=
  mkfunc None [("vmid", U32); ("inbuf", U64)] ["pfn"; "state"; "owner"; "count"]
    (Sseq (Sset "pfn" (Ebin Odiv U64 (Evar "inbuf") (Econst 4096)))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 2)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "acquire_lock_s2page" [])
    (Sseq (Scall (Some "owner") "get_pfn_owner" [Evar "pfn"])
    (Sseq (Scall (Some "count") "get_pfn_count" [Evar "pfn"])
    (Sseq (Sif
            (Elor (Ecmp Cne (Evar "owner") (Econst 0)) (Ecmp Cne (Evar "count") (Econst 0)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "clear_pfn_host" [Evar "pfn"])
    (Sseq (Scall None "set_pfn_owner" [Evar "pfn"; Evar "vmid"])
    (Sseq (Scall None "decrypt_mem_buf" [Evar "vmid"; Evar "pfn"])
    (Sseq (Scall None "release_lock_s2page" [])
    (Scall None "release_lock_vm" [Evar "vmid"])))))))))))))).

Definition code : module :=
  [("search_load_info", f_search_load_info);
   ("set_vcpu_active", f_set_vcpu_active);
   ("set_vcpu_inactive", f_set_vcpu_inactive);
   ("register_vcpu", f_register_vcpu);
   ("register_kvm", f_register_kvm);
   ("set_boot_info", f_set_boot_info);
   ("remap_vm_image", f_remap_vm_image);
   ("verify_and_load_images", f_verify_and_load_images);
   ("alloc_smmu", f_alloc_smmu);
   ("assign_smmu", f_assign_smmu);
   ("map_smmu", f_map_smmu);
   ("clear_smmu", f_clear_smmu);
   ("map_io", f_map_io);
   ("is_inc_exe", f_is_inc_exe);
   ("save_encrypted_vcpu", f_save_encrypted_vcpu);
   ("load_encrypted_vcpu", f_load_encrypted_vcpu);
   ("save_encrypt_buf", f_save_encrypt_buf);
   ("load_decrypt_buf", f_load_decrypt_buf)].
