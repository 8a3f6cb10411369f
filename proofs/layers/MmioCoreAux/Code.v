(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioCoreAux.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_handle_smmu_global_access : func :=
  mkfunc (Some U32) [("hsr", U32); ("offset", U64); ("len", U32); ("index", U32)] ["data"; "owner"; "verdict"]
    (Sseq (Scall (Some "data") "host_get_mmio_data" [Evar "hsr"])
    (Sseq (Sset "verdict" (Econst 0))
    (Sseq (Sif
            (Ecmp Ceq (Evar "offset") (Econst 0))
            (Sif
              (Eland
                (Ecmp Ceq (Evar "len") (Econst 4))
                (Ecmp Ceq (Ebin Oand U64 (Evar "data") (Econst 2149581833)) (Econst 2098176)))
              (Sset "verdict" (Econst 1))
              Sskip)
            (Sif
              (Ecmp Ceq (Evar "offset") (Econst 8))
              (Sif
                (Eland
                  (Ecmp Ceq (Evar "len") (Econst 4))
                  (Ecmp Ceq (Ebin Oand U64 (Evar "data") (Econst 255)) (Econst 0)))
                (Sset "verdict" (Econst 1))
                Sskip)
              (Sif
                (Ecmp Clt (Evar "offset") (Econst 1024))
                (Sset "verdict" (Econst 1))
                (Sif
                  (Eland
                    (Ecmp Cle (Econst 4096) (Evar "offset"))
                    (Ecmp Clt (Evar "offset") (Econst 4128)))
                  (Sseq (Scall
                          (Some "owner")
                          "get_smmu_cfg_vmid"
                          [(Ebin Odiv U32
                             (Ecast U32 (Ebin Osub U64 (Evar "offset") (Econst 4096)))
                             (Econst 4));
                           (Evar "index")])
                  (Sif
                    (Eland
                      (Eland
                        (Ecmp Ceq (Evar "len") (Econst 4))
                        (Ecmp Ceq (Ebin Oand U64 (Evar "data") (Econst 196608)) (Econst 0)))
                      (Ecmp Ceq (Ebin Oand U64 (Evar "data") (Econst 255)) (Evar "owner")))
                    (Sset "verdict" (Econst 1))
                    Sskip))
                  Sskip))))
    (Sreturn (Some (Evar "verdict")))))).

Definition f_handle_smmu_cb_access : func :=
  mkfunc (Some U32) [("offset", U64); ("len", U32)] ["reg"; "verdict"]
    (Sseq (Sset "reg" (Ebin Oand U64 (Evar "offset") (Econst 4095)))
    (Sseq (Sset "verdict" (Econst 1))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "reg") (Econst 32)) (Ecmp Ceq (Evar "reg") (Econst 36)))
            (Sset "verdict" (Econst 2))
            (Sif
              (Elor (Ecmp Ceq (Evar "reg") (Econst 0)) (Ecmp Ceq (Evar "reg") (Econst 48)))
              (Sseq (Sset "verdict" (Econst 0))
              (Sif (Ecmp Ceq (Evar "len") (Econst 4)) (Sset "verdict" (Econst 2)) Sskip))
              (Sif (Ecmp Ceq (Evar "reg") (Econst 52)) (Sset "verdict" (Econst 0)) Sskip)))
    (Sreturn (Some (Evar "verdict")))))).

Definition f___handle_smmu_write : func :=
  mkfunc None [("hsr", U32); ("fault_ipa", U64); ("len", U32); ("value", U64); ("replace", U32)] ["data"]
    (Sseq (Sset "data" (Evar "value"))
    (Sseq (Sif
            (Ecmp Ceq (Evar "replace") (Econst 0))
            (Scall (Some "data") "host_get_mmio_data" [Evar "hsr"])
            Sskip)
    (Sif
      (Ecmp Ceq (Evar "len") (Econst 8))
      (Scall None "writeq_relaxed" [Evar "data"; Evar "fault_ipa"])
      (Sseq (Sif (Ecmp Cne (Evar "len") (Econst 4)) (Scall None "panic" []) Sskip)
      (Scall None "writel_relaxed" [Ecast U32 (Evar "data"); Evar "fault_ipa"]))))).

Definition f___handle_smmu_read : func :=
  mkfunc None [("hsr", U32); ("fault_ipa", U64); ("len", U32)] ["rd"; "vcpuid"; "data"]
    (Sseq (Scall (Some "rd") "host_dabt_get_rd" [Evar "hsr"])
    (Sseq (Sif
            (Ecmp Ceq (Evar "len") (Econst 8))
            (Scall (Some "data") "readq_relaxed" [Evar "fault_ipa"])
            (Sseq (Sif (Ecmp Cne (Evar "len") (Econst 4)) (Scall None "panic" []) Sskip)
            (Scall (Some "data") "readl_relaxed" [Evar "fault_ipa"])))
    (Sif
      (Ecmp Cne (Evar "rd") (Econst 31))
      (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
      (Scall None "set_shadow_ctxt" [Econst 0; Evar "vcpuid"; Evar "rd"; Evar "data"]))
      Sskip))).

Definition code : module :=
  [("handle_smmu_global_access", f_handle_smmu_global_access);
   ("handle_smmu_cb_access", f_handle_smmu_cb_access);
   ("__handle_smmu_write", f___handle_smmu_write);
   ("__handle_smmu_read", f___handle_smmu_read)].
