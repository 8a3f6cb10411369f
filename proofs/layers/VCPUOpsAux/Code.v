(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from VCPUOpsAux.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_reset_gp_regs : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["pc"; "load"; "pstate"]
    (Sseq (Scall (Some "pc") "get_int_pc" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall (Some "load") "search_load_info" [Evar "vmid"; Evar "pc"])
    (Sseq (Sif (Ecmp Ceq (Evar "load") (Econst 0)) (Scall None "panic" []) Sskip)
    (Sseq (Scall (Some "pstate") "get_int_pstate" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Sif
            (Ecmp Cne (Ebin Oand U64 (Evar "pstate") (Econst 31)) (Econst 5))
            (Sset "pstate" (Econst 965))
            Sskip)
    (Sseq (Scall None "clear_shadow_gp_regs" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 33; Evar "pstate"])
    (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 32; Evar "pc"])
    (Scall None "reset_fp_regs" [Evar "vmid"; Evar "vcpuid"]))))))))).

Definition f_reset_sys_regs : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["i"; "value"]
    (Sseq (Sset "i" (Econst 1))
    (Swhile
      (Ecmp Cle (Evar "i") (Econst 24))
      (Sseq (Sif
              (Ecmp Ceq (Evar "i") (Econst 1))
              (Sset "value"
                (Ebin Oadd U32
                  (Ebin Oadd U32
                    (Ebin Oadd U32
                      (Ebin Omod U32 (Evar "vcpuid") (Econst 16))
                      (Ebin Omul U32
                        (Ebin Omod U32 (Ebin Odiv U32 (Evar "vcpuid") (Econst 16)) (Econst 256))
                        (Econst 256)))
                    (Ebin Omul U32
                      (Ebin Omod U32 (Ebin Odiv U32 (Evar "vcpuid") (Econst 4096)) (Econst 256))
                      (Econst 65536)))
                  (Econst 2147483648)))
              (Sif
                (Ecmp Ceq (Evar "i") (Econst 4))
                (Scall (Some "value") "read_actlr_el1" [])
                (Scall (Some "value") "get_sys_reg_desc_val" [Evar "i"])))
      (Sseq (Scall None "set_shadow_ctxt"
              [Evar "vmid"; Evar "vcpuid"; Ebin Oadd U32 (Econst 46) (Evar "i"); Evar "value"])
      (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))).

Definition f_sync_dirty_to_shadow : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["dirty"; "value"; "i"]
    (Sseq (Sset "i" (Econst 0))
    (Sseq (Scall (Some "dirty") "get_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"])
    (Swhile
      (Ecmp Clt (Evar "i") (Econst 31))
      (Sseq (Sif
              (Ecmp Cne
                (Ebin Oand U64 (Evar "dirty") (Ebin Oshl U64 (Econst 1) (Evar "i")))
                (Econst 0))
              (Sseq (Scall (Some "value") "get_int_gpr" [Evar "vmid"; Evar "vcpuid"; Evar "i"])
              (Scall None "set_shadow_ctxt"
                [Evar "vmid"; Evar "vcpuid"; Evar "i"; Evar "value"]))
              Sskip)
      (Sset "i" (Ebin Oadd U32 (Evar "i") (Econst 1))))))).

Definition f_prep_wfx : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] []
    (Scall None "set_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"; Econst 4294967296]).

Definition f_prep_hvc : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["number"; "arg"; "function"]
    (Sseq (Scall (Some "number") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 0])
    (Sseq (Scall None "set_int_gpr" [Evar "vmid"; Evar "vcpuid"; Econst 0; Evar "number"])
    (Sseq (Sset "function" (Ecast U32 (Evar "number")))
    (Sseq (Sif
            (Elor
              (Elor
                (Ecmp Ceq (Evar "function") (Econst 3288334339))
                (Ecmp Ceq (Evar "function") (Econst 2214592516)))
              (Ecmp Ceq (Evar "function") (Econst 3288334340)))
            (Sseq (Scall (Some "arg") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 1])
            (Sseq (Scall None "set_int_gpr" [Evar "vmid"; Evar "vcpuid"; Econst 1; Evar "arg"])
            (Sseq (Scall (Some "arg") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 2])
            (Sseq (Scall None "set_int_gpr" [Evar "vmid"; Evar "vcpuid"; Econst 2; Evar "arg"])
            (Sif
              (Ecmp Ceq (Evar "function") (Econst 3288334339))
              (Sseq (Scall
                      (Some "arg")
                      "get_shadow_ctxt"
                      [Evar "vmid"; Evar "vcpuid"; Econst 3])
              (Scall None "set_int_gpr" [Evar "vmid"; Evar "vcpuid"; Econst 3; Evar "arg"]))
              Sskip)))))
            Sskip)
    (Sseq (Scall None "set_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"; Econst 1])
    (Sif
      (Ecmp Ceq (Evar "function") (Econst 2214592520))
      (Scall None "set_vm_poweroff" [Evar "vmid"])
      Sskip)))))).

Definition f_prep_abort : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["esr"; "hpfar"; "far"; "value"; "rd"]
    (Sseq (Scall (Some "esr") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 72])
    (Sseq (Scall (Some "hpfar") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 42])
    (Sseq (Scall None "set_int_fault" [Evar "vmid"; Evar "vcpuid"; Econst 42; Evar "hpfar"])
    (Sif
      (Ecmp Clt (Ebin Oshr U64 (Evar "hpfar") (Econst 4)) (Econst 262144))
      (Sseq (Scall (Some "far") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 41])
      (Sseq (Scall None "set_int_fault"
              [Evar "vmid"; Evar "vcpuid"; Econst 41; Ebin Omod U64 (Evar "far") (Econst 4096)])
      (Sseq (Sif
              (Ecmp Cne (Ebin Oand U64 (Evar "esr") (Econst 16777216)) (Econst 0))
              (Sseq (Sset "rd"
                      (Ecast U32
                        (Ebin Oand U64 (Ebin Oshr U64 (Evar "esr") (Econst 16)) (Econst 31))))
              (Sif
                (Ecmp Cne (Ebin Oand U64 (Evar "esr") (Econst 64)) (Econst 0))
                (Sseq (Scall
                        (Some "value")
                        "get_shadow_ctxt"
                        [Evar "vmid"; Evar "vcpuid"; Evar "rd"])
                (Scall None "set_int_gpr" [Evar "vmid"; Evar "vcpuid"; Evar "rd"; Evar "value"]))
                (Scall None "set_shadow_dirty_bit"
                  [Evar "vmid"; Evar "vcpuid"; Ebin Oshl U64 (Econst 1) (Evar "rd")])))
              Sskip)
      (Scall None "set_shadow_dirty_bit" [Evar "vmid"; Evar "vcpuid"; Econst 4294967296]))))
      Sskip)))).

Definition f_update_exception_gp_regs : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32)] ["pstate"; "pc"; "base"; "offset"]
    (Sseq (Scall (Some "pstate") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 33])
    (Sseq (Scall (Some "pc") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 32])
    (Sseq (Scall (Some "base") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 60])
    (Sseq (Scall (Some "offset") "get_exception_vector" [Evar "pstate"])
    (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 35; Evar "pc"])
    (Sseq (Scall None "set_shadow_ctxt"
            [Evar "vmid"; Evar "vcpuid"; Econst 32; Ebin Oadd U64 (Evar "base") (Evar "offset")])
    (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 33; Econst 965])
    (Sseq (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 36; Evar "pstate"])
    (Scall None "set_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 55; Econst 0]))))))))).

Definition f_post_handle_shadow_s2pt_fault : func :=
  mkfunc None [("vmid", U32); ("vcpuid", U32); ("addr", U64)] ["pte"; "level"]
    (Sseq (Scall (Some "pte") "get_int_new_pte" [Evar "vmid"; Evar "vcpuid"])
    (Sseq (Scall (Some "level") "get_int_new_level" [Evar "vmid"; Evar "vcpuid"])
    (Sif
      (Ecmp Ceq (Evar "level") (Econst 2))
      (Scall None "prot_and_map_vm_s2pt" [Evar "vmid"; Evar "addr"; Evar "pte"; Econst 2])
      (Scall None "prot_and_map_vm_s2pt" [Evar "vmid"; Evar "addr"; Evar "pte"; Econst 3])))).

Definition code : module :=
  [("reset_gp_regs", f_reset_gp_regs);
   ("reset_sys_regs", f_reset_sys_regs);
   ("sync_dirty_to_shadow", f_sync_dirty_to_shadow);
   ("prep_wfx", f_prep_wfx);
   ("prep_hvc", f_prep_hvc);
   ("prep_abort", f_prep_abort);
   ("update_exception_gp_regs", f_update_exception_gp_regs);
   ("post_handle_shadow_s2pt_fault", f_post_handle_shadow_s2pt_fault)].
