(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from VMPower.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_get_vm_poweron : func :=
  mkfunc (Some U32) [("vmid", U32)] ["on"; "i"; "state"]
    (Sseq (Sset "on" (Econst 0))
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Sreturn (Some (Econst 1)))
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Cne (Evar "state") (Econst 4)) (Sset "on" (Econst 1)) Sskip)
    (Sseq (Swhile
            (Ecmp Clt (Evar "i") (Econst 8))
            (Sseq (Scall (Some "state") "get_vcpu_state" [Evar "vmid"; Evar "i"])
            (Sseq (Sif (Ecmp Ceq (Evar "state") (Econst 5)) (Sset "on" (Econst 1)) Sskip)
            (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))
    (Sseq (Scall None "release_lock_vm" [Evar "vmid"])
    (Sreturn (Some (Evar "on"))))))))))).

Definition f_set_vm_poweroff : func :=
  mkfunc None [("vmid", U32)] ["state"]
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "acquire_lock_vm" [Evar "vmid"])
    (Sseq (Scall (Some "state") "get_vm_state" [Evar "vmid"])
    (Sseq (Sif (Ecmp Ceq (Evar "state") (Econst 0)) (Scall None "panic" []) Sskip)
    (Sseq (Scall None "set_vm_state" [Evar "vmid"; Econst 4])
    (Scall None "release_lock_vm" [Evar "vmid"])))))).

Definition code : module :=
  [("get_vm_poweron", f_get_vm_poweron);
   ("set_vm_poweroff", f_set_vm_poweroff)].
