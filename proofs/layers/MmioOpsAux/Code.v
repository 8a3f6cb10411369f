(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioOpsAux.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_is_smmu_range : func :=
  mkfunc (Some U32) [("addr", U64)] ["n"; "found"; "i"; "base"; "size"]
    (Sseq (Scall (Some "n") "get_smmu_num" [])
    (Sseq (Sset "found" (Econst 4294967295))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Evar "n"))
            (Sseq (Scall (Some "base") "get_smmu_base" [Evar "i"])
            (Sseq (Scall (Some "size") "get_smmu_size" [Evar "i"])
            (Sseq (Sif
                    (Eland
                      (Ecmp Cle (Evar "base") (Evar "addr"))
                      (Ecmp Clt (Evar "addr") (Ebin Oadd U64 (Evar "base") (Evar "size"))))
                    (Sset "found" (Evar "i"))
                    Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1)))))))
    (Sreturn (Some (Evar "found"))))))).

Definition f_handle_host_mmio : func :=
  mkfunc None [("addr", U64); ("index", U32); ("hsr", U32)] ["fault_ipa"; "len"; "is_write"]
    (Sseq (Scall (Some "fault_ipa") "host_get_fault_ipa" [Evar "addr"])
    (Sseq (Scall (Some "len") "host_dabt_get_as" [Evar "hsr"])
    (Sseq (Scall (Some "is_write") "host_dabt_is_write" [Evar "hsr"])
    (Sseq (Sif
            (Ecmp Ceq (Ebin Oand U32 (Evar "hsr") (Econst 16777216)) (Econst 0))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Sif
            (Ecmp Cne (Evar "is_write") (Econst 0))
            (Scall None "handle_smmu_write"
              [Evar "hsr"; Evar "fault_ipa"; Evar "len"; Evar "index"])
            (Scall None "handle_smmu_read" [Evar "hsr"; Evar "fault_ipa"; Evar "len"]))
    (Scall None "host_skip_instr" [])))))).

Definition code : module :=
  [("is_smmu_range", f_is_smmu_range);
   ("handle_host_mmio", f_handle_host_mmio)].
