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

Definition f_restore_shadow_kvm_regs : func :=
  mkfunc None [] ["vmid"; "vcpuid"; "dirty"; "reason"; "pc"; "addr"; "flag"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Sseq (Scall (Some "dirty") "get_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"])
    (Sif
      (Ecmp Ceq (Evar "dirty") (Econst 18446744073709551615))
      (Sseq (Scall (Some "flag") "is_inc_exe" [Evar "vmid"])
      (Sseq (Sif
              (Ecmp Ceq (Evar "flag") (Econst 0))
              (Sseq (Scall None "reset_gp_regs" [Evar "vmid"; Evar "vcpuid"])
              (Scall None "reset_sys_regs" [Evar "vmid"; Evar "vcpuid"]))
              Sskip)
      (Scall None "set_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"; Econst 0])))
      (Sseq (Scall (Some "reason") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 44])
      (Sseq (Sif
              (Ecmp Ceq (Evar "reason") (Econst 2))
              (Scall None "sync_dirty_to_shadow" [Evar "vmid"; Evar "vcpuid"])
              Sskip)
      (Sseq (Scall (Some "flag") "get_int_inject" [Evar "vmid"; Evar "vcpuid"])
      (Sseq (Sif
              (Ecmp Cne (Evar "flag") (Econst 0))
              (Scall None "update_exception_gp_regs" [Evar "vmid"; Evar "vcpuid"])
              (Sif
                (Ecmp Cne (Ebin Oand U64 (Evar "dirty") (Econst 4294967296)) (Econst 0))
                (Sseq (Scall
                        (Some "pc")
                        "get_shadow_ctxt"
                        [Evar "vmid"; Evar "vcpuid"; Econst 32])
                (Scall None "set_shadow_ctxt"
                  [Evar "vmid"; Evar "vcpuid"; Econst 32; Ebin Oadd U64 (Evar "pc") (Econst 4)]))
                Sskip))
      (Sseq (Scall None "set_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"; Econst 0])
      (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 41; Econst 0])
      (Sseq (Scall (Some "addr") "get_vm_fault_addr" [Evar "vmid"; Evar "vcpuid"])
      (Sif
        (Eland
          (Ecmp Cle (Econst 4096) (Evar "addr"))
          (Ecmp Clt (Evar "addr") (Econst 281474976710656)))
        (Scall None "post_handle_shadow_s2pt_fault" [Evar "vmid"; Evar "vcpuid"; Evar "addr"])
        Sskip)))))))))))).

Definition code : module :=
  [("save_shadow_kvm_regs", f_save_shadow_kvm_regs);
   ("restore_shadow_kvm_regs", f_restore_shadow_kvm_regs)].
