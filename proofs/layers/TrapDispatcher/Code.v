(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from TrapDispatcher.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_host_hvc_dispatcher : func :=
  mkfunc None [] ["vmid"; "vcpuid"; "number"; "arg1"; "arg2"; "arg3"; "arg4"; "arg5"; "answer"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Sseq (Scall (Some "number") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 0])
    (Sseq (Scall (Some "arg1") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 1])
    (Sseq (Scall (Some "arg2") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 2])
    (Sseq (Scall (Some "arg3") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 3])
    (Sseq (Scall (Some "arg4") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 4])
    (Sseq (Scall (Some "arg5") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 5])
    (Sseq (Sset "answer" (Econst 18446744073709551615))
    (Sseq (Sif
            (Ecmp Ceq (Evar "number") (Econst 13))
            (Sseq (Scall None "timer_set_cntvoff" [Evar "arg1"])
            (Sset "answer" (Econst 0)))
            (Sif
              (Ecmp Ceq (Evar "number") (Econst 14))
              (Sif
                (Eland
                  (Eland
                    (Eland
                      (Ecmp Cge (Evar "arg1") (Econst 1))
                      (Ecmp Clt (Evar "arg1") (Econst 16)))
                    (Ecmp Cle (Evar "arg3") (Econst 281474976710656)))
                  (Ecmp Cle
                    (Evar "arg2")
                    (Ebin Osub U64 (Econst 281474976710656) (Evar "arg3"))))
                (Sseq (Scall None "clear_vm_stage2_range"
                        [Ecast U32 (Evar "arg1"); Evar "arg2"; Evar "arg3"])
                (Sset "answer" (Econst 0)))
                Sskip)
              (Sif
                (Ecmp Ceq (Evar "number") (Econst 15))
                (Sif
                  (Eland
                    (Eland
                      (Eland
                        (Ecmp Cge (Evar "arg1") (Econst 1))
                        (Ecmp Clt (Evar "arg1") (Econst 16)))
                      (Ecmp Cle (Evar "arg3") (Econst 281474976710656)))
                    (Ecmp Cle
                      (Evar "arg2")
                      (Ebin Osub U64 (Econst 281474976710656) (Evar "arg3"))))
                  (Scall
                    (Some "answer")
                    "set_boot_info"
                    [Ecast U32 (Evar "arg1"); Evar "arg2"; Evar "arg3"])
                  Sskip)
                (Sif
                  (Ecmp Ceq (Evar "number") (Econst 16))
                  (Sif
                    (Eland
                      (Eland
                        (Eland
                          (Ecmp Cge (Evar "arg1") (Econst 1))
                          (Ecmp Clt (Evar "arg1") (Econst 16)))
                        (Ecmp Clt (Evar "arg2") (Econst 68719476736)))
                      (Ecmp Clt (Evar "arg3") (Econst 5)))
                    (Sseq (Scall None "remap_vm_image"
                            [Ecast U32 (Evar "arg1"); Evar "arg2"; Ecast U32 (Evar "arg3")])
                    (Sset "answer" (Econst 0)))
                    Sskip)
                  (Sif
                    (Ecmp Ceq (Evar "number") (Econst 17))
                    (Sif
                      (Eland
                        (Ecmp Cge (Evar "arg1") (Econst 1))
                        (Ecmp Clt (Evar "arg1") (Econst 16)))
                      (Sseq (Scall None "verify_and_load_images" [Ecast U32 (Evar "arg1")])
                      (Sset "answer" (Econst 0)))
                      Sskip)
                    (Sif
                      (Ecmp Ceq (Evar "number") (Econst 18))
                      (Sif
                        (Eland
                          (Ecmp Clt (Evar "arg1") (Econst 8))
                          (Ecmp Clt (Evar "arg2") (Econst 2)))
                        (Sseq (Scall None "el2_free_smmu_pgd"
                                [Ecast U32 (Evar "arg1"); Ecast U32 (Evar "arg2")])
                        (Sset "answer" (Econst 0)))
                        Sskip)
                      (Sif
                        (Ecmp Ceq (Evar "number") (Econst 19))
                        (Sif
                          (Eland
                            (Eland
                              (Ecmp Clt (Evar "arg1") (Econst 8))
                              (Ecmp Clt (Evar "arg2") (Econst 16)))
                            (Ecmp Clt (Evar "arg3") (Econst 2)))
                          (Sseq (Scall None "el2_alloc_smmu_pgd"
                                  [(Ecast U32 (Evar "arg1"));
                                   (Ecast U32 (Evar "arg2"));
                                   (Ecast U32 (Evar "arg3"))])
                          (Sset "answer" (Econst 0)))
                          Sskip)
                        (Sif
                          (Ecmp Ceq (Evar "number") (Econst 20))
                          (Sif
                            (Eland
                              (Eland
                                (Eland
                                  (Ecmp Clt (Evar "arg1") (Econst 1099511627776))
                                  (Ecmp Clt (Evar "arg2") (Econst 281474976710656)))
                                (Ecmp Clt (Evar "arg4") (Econst 8)))
                              (Ecmp Clt (Evar "arg5") (Econst 2)))
                            (Sseq (Scall None "el2_arm_lpae_map"
                                    [(Evar "arg1");
                                     (Evar "arg2");
                                     (Evar "arg3");
                                     (Ecast U32 (Evar "arg4"));
                                     (Ecast U32 (Evar "arg5"))])
                            (Sset "answer" (Econst 0)))
                            Sskip)
                          (Sif
                            (Ecmp Ceq (Evar "number") (Econst 21))
                            (Sif
                              (Eland
                                (Eland
                                  (Ecmp Clt (Evar "arg1") (Econst 1099511627776))
                                  (Ecmp Clt (Evar "arg2") (Econst 8)))
                                (Ecmp Clt (Evar "arg3") (Econst 2)))
                              (Scall
                                (Some "answer")
                                "el2_arm_lpae_iova_to_phys"
                                [Evar "arg1"; Ecast U32 (Evar "arg2"); Ecast U32 (Evar "arg3")])
                              Sskip)
                            (Sif
                              (Ecmp Ceq (Evar "number") (Econst 22))
                              (Sif
                                (Eland
                                  (Eland
                                    (Ecmp Clt (Evar "arg1") (Econst 1099511627776))
                                    (Ecmp Clt (Evar "arg2") (Econst 8)))
                                  (Ecmp Clt (Evar "arg3") (Econst 2)))
                                (Sseq (Scall None "el2_arm_lpae_clear"
                                        [(Evar "arg1");
                                         (Ecast U32 (Evar "arg2"));
                                         (Ecast U32 (Evar "arg3"))])
                                (Sset "answer" (Econst 0)))
                                Sskip)
                              (Sif
                                (Ecmp Ceq (Evar "number") (Econst 23))
                                (Sif
                                  (Eland
                                    (Eland
                                      (Eland
                                        (Eland
                                          (Eland
                                            (Ecmp Cge (Evar "arg1") (Econst 1))
                                            (Ecmp Clt (Evar "arg1") (Econst 16)))
                                          (Ecmp Cle (Evar "arg4") (Econst 281474976710656)))
                                        (Ecmp Cle
                                          (Evar "arg2")
                                          (Ebin Osub U64 (Econst 281474976710656) (Evar "arg4"))))
                                      (Ecmp Cle (Evar "arg4") (Econst 281474976710656)))
                                    (Ecmp Cle
                                      (Evar "arg3")
                                      (Ebin Osub U64 (Econst 281474976710656) (Evar "arg4"))))
                                  (Sseq (Scall None "kvm_phys_addr_ioremap"
                                          [(Ecast U32 (Evar "arg1"));
                                           (Evar "arg2");
                                           (Evar "arg3");
                                           (Evar "arg4")])
                                  (Sset "answer" (Econst 0)))
                                  Sskip)
                                (Sif
                                  (Ecmp Ceq (Evar "number") (Econst 24))
                                  (Scall (Some "answer") "register_kvm" [])
                                  (Sif
                                    (Ecmp Ceq (Evar "number") (Econst 25))
                                    (Sif
                                      (Eland
                                        (Eland
                                          (Ecmp Cge (Evar "arg1") (Econst 1))
                                          (Ecmp Clt (Evar "arg1") (Econst 16)))
                                        (Ecmp Clt (Evar "arg2") (Econst 8)))
                                      (Sseq (Scall None "register_vcpu"
                                              [Ecast U32 (Evar "arg1"); Ecast U32 (Evar "arg2")])
                                      (Sset "answer" (Econst 0)))
                                      Sskip)
                                    (Sif
                                      (Ecmp Ceq (Evar "number") (Econst 26))
                                      (Sif
                                        (Eland
                                          (Eland
                                            (Eland
                                              (Ecmp Cge (Evar "arg1") (Econst 1))
                                              (Ecmp Clt (Evar "arg1") (Econst 16)))
                                            (Ecmp Clt (Evar "arg2") (Econst 281474976710656)))
                                          (Ecmp Clt (Evar "arg3") (Econst 281474976710656)))
                                        (Sseq (Scall None "save_encrypt_buf"
                                                [(Ecast U32 (Evar "arg1"));
                                                 (Evar "arg2");
                                                 (Evar "arg3")])
                                        (Sset "answer" (Econst 0)))
                                        Sskip)
                                      (Sif
                                        (Ecmp Ceq (Evar "number") (Econst 27))
                                        (Sif
                                          (Eland
                                            (Eland
                                              (Ecmp Cge (Evar "arg1") (Econst 1))
                                              (Ecmp Clt (Evar "arg1") (Econst 16)))
                                            (Ecmp Clt (Evar "arg2") (Econst 281474976710656)))
                                          (Sseq (Scall None "load_decrypt_buf"
                                                  [Ecast U32 (Evar "arg1"); Evar "arg2"])
                                          (Sset "answer" (Econst 0)))
                                          Sskip)
                                        (Sif
                                          (Ecmp Ceq (Evar "number") (Econst 28))
                                          (Sif
                                            (Eland
                                              (Eland
                                                (Ecmp Cge (Evar "arg1") (Econst 1))
                                                (Ecmp Clt (Evar "arg1") (Econst 16)))
                                              (Ecmp Clt (Evar "arg2") (Econst 8)))
                                            (Sseq (Scall None "save_encrypted_vcpu"
                                                    [(Ecast U32 (Evar "arg1"));
                                                     (Ecast U32 (Evar "arg2"))])
                                            (Sset "answer" (Econst 0)))
                                            Sskip)
                                          (Sif
                                            (Ecmp Ceq (Evar "number") (Econst 29))
                                            (Sif
                                              (Eland
                                                (Eland
                                                  (Ecmp Cge (Evar "arg1") (Econst 1))
                                                  (Ecmp Clt (Evar "arg1") (Econst 16)))
                                                (Ecmp Clt (Evar "arg2") (Econst 8)))
                                              (Sseq (Scall None "load_encrypted_vcpu"
                                                      [(Ecast U32 (Evar "arg1"));
                                                       (Ecast U32 (Evar "arg2"))])
                                              (Sset "answer" (Econst 0)))
                                              Sskip)
                                            Sskip)))))))))))))))))
    (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 0; Evar "answer"]))))))))))).

Definition f_vm_exit_dispatcher : func :=
  mkfunc (Some U32) [("vmid", U32); ("vcpuid", U32)] ["syndrome"; "class"; "leave"]
    (Sseq (Sset "leave" (Econst 1))
    (Sseq (Scall (Some "syndrome") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 72])
    (Sseq (Sset "class" (Ebin Oshr U32 (Ecast U32 (Evar "syndrome")) (Econst 26)))
    (Sseq (Sif
            (Ecmp Ceq (Evar "class") (Econst 24))
            (Sseq (Scall None "core_handle_sys64" [])
            (Sset "leave" (Econst 0)))
            (Sif
              (Ecmp Ceq (Evar "class") (Econst 22))
              (Scall (Some "leave") "core_handle_pvops" [])
              Sskip))
    (Sreturn (Some (Evar "leave"))))))).

Definition code : module :=
  [("host_hvc_dispatcher", f_host_hvc_dispatcher);
   ("vm_exit_dispatcher", f_vm_exit_dispatcher)].
