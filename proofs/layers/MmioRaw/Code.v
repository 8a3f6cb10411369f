(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from MmioRaw.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_host_get_mmio_data : func :=
  mkfunc (Some U64) [("hsr", U32)] ["rd"; "vcpuid"; "data"]
    (Sseq (Scall (Some "rd") "host_dabt_get_rd" [Evar "hsr"])
    (Sseq (Sset "data" (Econst 0))
    (Sseq (Sif
            (Ecmp Cne (Evar "rd") (Econst 31))
            (Sseq (Scall (Some "vcpuid") "get_cur_vcpuid" [])
            (Scall (Some "data") "get_shadow_ctxt" [Econst 0; Evar "vcpuid"; Evar "rd"]))
            Sskip)
    (Sreturn (Some (Evar "data")))))).

Definition f_smmu_init_pte : func :=
  mkfunc (Some U64) [("prot", U64); ("addr", U64)] []
    (Sreturn
      (Some
        (Ebin Oor U64
          (Ebin Oor U64
            (Ebin Oand U64 (Evar "addr") (Econst 281474976706560))
            (Ebin Oand U64 (Evar "prot") (Econst 18014398509482236)))
          (Econst 1795)))).

Definition f_smmu_get_cbndx : func :=
  mkfunc (Some U32) [("offset", U64)] []
    (Sreturn
      (Some (Ecast U32 (Ebin Oand U64 (Ebin Oshr U64 (Evar "offset") (Econst 12)) (Econst 7))))).

Definition code : module :=
  [("host_get_mmio_data", f_host_get_mmio_data);
   ("smmu_init_pte", f_smmu_init_pte);
   ("smmu_get_cbndx", f_smmu_get_cbndx)].
