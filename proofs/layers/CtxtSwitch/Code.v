(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from CtxtSwitch.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_save_host : func :=
  mkfunc None [] []
    (Sseq (Scall None "save_sysregs" [])
    (Scall None "fpsimd_save_state" [])).

Definition f_restore_host : func :=
  mkfunc None [] []
    (Sseq (Scall None "set_per_cpu" [Econst 0; Econst 0])
    (Sseq (Scall None "host_el2_restore_state" [])
    (Sseq (Scall None "restore_sysregs" [])
    (Scall None "fpsimd_restore_state" [])))).

Definition f_save_vm : func :=
  mkfunc None [] ["vmid"; "vcpuid"]
    (Sseq (Scall None "save_sysregs" [])
    (Sseq (Scall None "fpsimd_save_state" [])
    (Sseq (Scall None "deactivate_traps" [])
    (Sseq (Scall None "timer_disable_traps" [])
    (Sseq (Scall None "save_shadow_kvm_regs" [])
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Scall None "set_vcpu_inactive" [Evar "vmid"; Evar "vcpuid"])))))))).

Definition f_restore_vm : func :=
  mkfunc None [] ["cpu"; "vcpuid"; "vmid"]
    (Sseq (Scall (Some "cpu") "get_cur_vcpuid" [])
    (Sseq (Scall (Some "vmid") "get_shadow_ctxt" [Econst 0; Evar "cpu"; Econst 0])
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "vcpuid") "get_int_run_vcpuid" [Ecast U32 (Evar "vmid")])
    (Sseq (Sif (Ecmp Cge (Evar "vcpuid") (Econst 8)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "set_vcpu_active" [Ecast U32 (Evar "vmid"); Evar "vcpuid"])
    (Sseq (Scall None "set_per_cpu" [Ecast U32 (Evar "vmid"); Evar "vcpuid"])
    (Sseq (Scall None "restore_shadow_kvm_regs" [])
    (Sseq (Scall None "vm_el2_restore_state" [])
    (Sseq (Scall None "timer_enable_traps" [])
    (Sseq (Scall None "activate_traps" [])
    (Sseq (Scall None "restore_sysregs" [])
    (Scall None "fpsimd_restore_state" []))))))))))))).

Definition code : module :=
  [("save_host", f_save_host);
   ("restore_host", f_restore_host);
   ("save_vm", f_save_vm);
   ("restore_vm", f_restore_vm)].
