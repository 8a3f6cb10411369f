(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from TrapHandler.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_host_hvc_handler : func :=
  mkfunc None [] []
    (Scall None "host_hvc_handler_raw" []).

Definition f_host_npt_handler : func :=
  mkfunc None [] []
    (Scall None "host_npt_handler_raw" []).

Definition f_host_vcpu_run_handler : func :=
  mkfunc None [] []
    (Scall None "host_vcpu_run_handler_raw" []).

Definition f_vm_exit_handler : func :=
  mkfunc None [] []
    (Scall None "vm_exit_handler_raw" []).

Definition f_mem_load : func :=
  mkfunc (Some U32) [("addr", U64); ("reg", U32)] ["vmid"; "t'0"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "t'0") "mem_load_ref" [Evar "vmid"; Evar "addr"; Evar "reg"])
    (Sreturn (Some (Evar "t'0"))))).

Definition f_mem_store : func :=
  mkfunc (Some U32) [("addr", U64); ("reg", U32)] ["vmid"; "t'0"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "t'0") "mem_store_ref" [Evar "vmid"; Evar "addr"; Evar "reg"])
    (Sreturn (Some (Evar "t'0"))))).

Definition f_dev_load : func :=
  mkfunc (Some U32) [("addr", U64); ("reg", U32); ("cbndx", U32); ("index", U32)] ["t'0"]
    (Sseq (Scall
            (Some "t'0")
            "dev_load_ref"
            [Evar "cbndx"; Evar "index"; Evar "addr"; Evar "reg"])
    (Sreturn (Some (Evar "t'0")))).

Definition f_dev_store : func :=
  mkfunc (Some U32) [("addr", U64); ("reg", U32); ("cbndx", U32); ("index", U32)] ["t'0"]
    (Sseq (Scall
            (Some "t'0")
            "dev_store_ref"
            [Evar "cbndx"; Evar "index"; Evar "addr"; Evar "reg"])
    (Sreturn (Some (Evar "t'0")))).

Definition code : module :=
  [("host_hvc_handler", f_host_hvc_handler);
   ("host_npt_handler", f_host_npt_handler);
   ("host_vcpu_run_handler", f_host_vcpu_run_handler);
   ("vm_exit_handler", f_vm_exit_handler);
   ("mem_load", f_mem_load);
   ("mem_store", f_mem_store);
   ("dev_load", f_dev_load);
   ("dev_store", f_dev_store)].
