(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioCore.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_handle_smmu_write : func :=
  mkfunc None [("hsr", U32); ("fault_ipa", U64); ("len", U32); ("index", U32)] ["offset"; "reg"; "verdict"; "cbndx"; "value"]
    (Sseq (Sset "offset" (Ebin Oand U64 (Evar "fault_ipa") (Econst 65535)))
    (Sseq (Sset "reg" (Ebin Oand U64 (Evar "offset") (Econst 4095)))
    (Sseq (Sset "value" (Econst 0))
    (Sseq (Sif
            (Elor
              (Eland (Ecmp Cne (Evar "len") (Econst 4)) (Ecmp Cne (Evar "len") (Econst 8)))
              (Ecmp Cne (Ebin Omod U64 (Evar "offset") (Evar "len")) (Econst 0)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Clt (Evar "offset") (Econst 32768))
            (Scall
              (Some "verdict")
              "handle_smmu_global_access"
              [Evar "hsr"; Evar "offset"; Evar "len"; Evar "index"])
            (Scall (Some "verdict") "handle_smmu_cb_access" [Evar "offset"; Evar "len"]))
    (Sseq (Sif (Ecmp Ceq (Evar "verdict") (Econst 0)) (Scall None "panic" []) Sskip)
    (Sif
      (Ecmp Ceq (Evar "verdict") (Econst 2))
      (Sseq (Sif
              (Ecmp Ceq (Evar "reg") (Econst 0))
              (Sset "value" (Econst 97))
              (Sif
                (Ecmp Ceq (Evar "reg") (Econst 48))
                (Sset "value" (Econst 2147628376))
                (Sseq (Scall (Some "cbndx") "smmu_get_cbndx" [Evar "offset"])
                (Sseq (Scall (Some "value") "get_smmu_cfg_hw_ttbr" [Evar "cbndx"; Evar "index"])
                (Sif
                  (Ecmp Ceq (Evar "reg") (Econst 36))
                  (Sset "value" (Ebin Oshr U64 (Evar "value") (Econst 32)))
                  Sskip)))))
      (Scall None "__handle_smmu_write"
        [Evar "hsr"; Evar "fault_ipa"; Evar "len"; Evar "value"; Econst 1]))
      (Scall None "__handle_smmu_write"
        [Evar "hsr"; Evar "fault_ipa"; Evar "len"; Econst 0; Econst 0])))))))).

Definition f_handle_smmu_read : func :=
  mkfunc None [("hsr", U32); ("fault_ipa", U64); ("len", U32)] ["offset"]
    (Sseq (Sset "offset" (Ebin Oand U64 (Evar "fault_ipa") (Econst 65535)))
    (Sseq (Sif
            (Elor
              (Eland (Ecmp Cne (Evar "len") (Econst 4)) (Ecmp Cne (Evar "len") (Econst 8)))
              (Ecmp Cne (Ebin Omod U64 (Evar "offset") (Evar "len")) (Econst 0)))
            (Scall None "panic" [])
            Sskip)
    (Scall None "__handle_smmu_read" [Evar "hsr"; Evar "fault_ipa"; Evar "len"]))).

Definition code : module :=
  [("handle_smmu_write", f_handle_smmu_write);
   ("handle_smmu_read", f_handle_smmu_read)].
