(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from FaultHandler.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_handle_host_stage2_fault : func :=
  mkfunc None [] ["hpfar"; "hsr"; "found"]
    (Sseq (Scall (Some "hpfar") "read_hpfar_el2" [])
    (Sseq (Scall (Some "hsr") "read_esr_el2" [])
    (Sseq (Scall
            (Some "found")
            "emulate_mmio"
            [(Ebin Oshl U64 (Ebin Oand U64 (Evar "hpfar") (Econst 1099511627760)) (Econst 8));
             (Evar "hsr")])
    (Sif
      (Ecmp Ceq (Evar "found") (Econst 4294967295))
      (Scall None "map_page_host"
        [Ebin Oshl U64 (Ebin Oand U64 (Evar "hpfar") (Econst 1099511627760)) (Econst 8)])
      Sskip)))).

Definition f_core_handle_pvops : func :=
  mkfunc (Some U32) [] ["vmid"; "vcpuid"; "what"; "addr"; "size"; "ret"]
    (Sseq (Scall (Some "vmid") "get_cur_vmid" [])
    (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
    (Sseq (Sset "ret" (Econst 1))
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall (Some "what") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 0])
    (Sseq (Scall (Some "addr") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 2])
    (Sseq (Scall (Some "size") "get_shadow_ctxt" [Evar "vmid"; Evar "vcpuid"; Econst 3])
    (Sseq (Sif
            (Ecmp Ceq (Evar "what") (Econst 11))
            (Sseq (Scall None "grant_stage2_sg_gpa" [Evar "vmid"; Evar "addr"; Evar "size"])
            (Sset "ret" (Econst 0)))
            Sskip)
    (Sseq (Sif
            (Ecmp Ceq (Evar "what") (Econst 12))
            (Sseq (Scall None "revoke_stage2_sg_gpa" [Evar "vmid"; Evar "addr"; Evar "size"])
            (Sset "ret" (Econst 0)))
            Sskip)
    (Sreturn (Some (Evar "ret")))))))))))).

Definition code : module :=
  [("handle_host_stage2_fault", f_handle_host_stage2_fault);
   ("core_handle_pvops", f_core_handle_pvops)].
