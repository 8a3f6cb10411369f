(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from VCPUOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_save_shadow_kvm_regs : func :=
  mkfunc None [] ["vmid"; "vcpuid"; "reason"; "syndrome"; "esr"; "class"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Sseq (Scall (Some "reason") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 44])
    (Sseq (Scall None "set_int_fault" [Evar "vmid"; Evar "vcpuid"; Econst 44; Evar "reason"])
    (Sif
      (Ecmp Ceq (Evar "reason") (Econst 2))
      (Sseq (Scall (Some "syndrome") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 72])
      (Sseq (Scall None "set_int_fault"
              [Evar "vmid"; Evar "vcpuid"; Econst 72; Evar "syndrome"])
      (Sseq (Scall (Some "esr") "get_shadow_esr" [Evar "vmid"; Evar "vcpuid"])
      (Sseq (Sset "class" (Ebin Oshr U32 (Evar "esr") (Econst 26)))
      (Sif
        (Ecmp Ceq (Evar "class") (Econst 1))
        (Scall None "prep_wfx" [Evar "vmid"; Evar "vcpuid"])
        (Sif
          (Elor (Ecmp Ceq (Evar "class") (Econst 18)) (Ecmp Ceq (Evar "class") (Econst 22)))
          (Scall None "prep_hvc" [Evar "vmid"; Evar "vcpuid"])
          (Sif
            (Elor (Ecmp Ceq (Evar "class") (Econst 32)) (Ecmp Ceq (Evar "class") (Econst 36)))
            (Scall None "prep_abort" [Evar "vmid"; Evar "vcpuid"])
            Sskip)))))))
      Sskip))))).

Definition code : module :=
  [("save_shadow_kvm_regs", f_save_shadow_kvm_regs)].
