(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from TrapHandlerRaw.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_host_hvc_handler_raw : func :=
  mkfunc None [] []
    (Sseq (Scall None "host_to_core" [])
    (Sseq (Scall None "host_hvc_dispatcher" [])
    (Scall None "core_to_host" []))).

Definition f_host_npt_handler_raw : func :=
  mkfunc None [] []
    (Sseq (Scall None "host_to_core" [])
    (Sseq (Scall None "handle_host_stage2_fault" [])
    (Scall None "core_to_host" []))).

Definition f_host_vcpu_run_handler_raw : func :=
  mkfunc None [] []
    (Sseq (Scall None "host_to_core" [])
    (Sseq (Scall None "save_host" [])
    (Sseq (Scall None "restore_vm" [])
    (Scall None "core_to_vm" [])))).

Definition f_vm_exit_handler_raw : func :=
  mkfunc None [] ["vmid"; "vcpuid"; "reason"; "leave"]
    (Sseq (Sset "leave" (Econst 1))
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Sseq (Scall None "vm_to_core" [])
    (Sseq (Scall None "exit_populate_fault" [])
    (Sseq (Scall (Some "reason") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 44])
    (Sseq (Sif
            (Ecmp Ceq (Evar "reason") (Econst 2))
            (Scall (Some "leave") "vm_exit_dispatcher" [Evar "vmid"; Evar "vcpuid"])
            Sskip)
    (Sif
      (Ecmp Ceq (Evar "leave") (Econst 0))
      (Scall None "core_to_vm" [])
      (Sseq (Scall None "save_vm" [])
      (Sseq (Scall None "restore_host" [])
      (Scall None "core_to_host" []))))))))))).

Definition code : module :=
  [("host_hvc_handler_raw", f_host_hvc_handler_raw);
   ("host_npt_handler_raw", f_host_npt_handler_raw);
   ("host_vcpu_run_handler_raw", f_host_vcpu_run_handler_raw);
   ("vm_exit_handler_raw", f_vm_exit_handler_raw)].
