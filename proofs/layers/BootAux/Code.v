(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from BootAux.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_unmap_and_load_vm_image : func :=
  mkfunc None [("vmid", U32); ("target_addr", U64); ("remap_addr", U64); ("num", U64)] ["gfn"; "slot"; "pte"; "old"; "i"]
    (Sseq (Sset "gfn" (Ebin Odiv U64 (Evar "target_addr") (Econst 4096)))
    (Sseq (Sset "slot" (Ebin Odiv U64 (Evar "remap_addr") (Econst 4096)))
    (Sif
      (Eland
        (Eland
          (Eland
            (Eland
              (Eland
                (Eland (Ecmp Cne (Evar "vmid") (Econst 0)) (Ecmp Clt (Evar "vmid") (Econst 16)))
                (Ecmp Ceq (Ebin Omod U64 (Evar "target_addr") (Econst 4096)) (Econst 0)))
              (Ecmp Ceq (Ebin Omod U64 (Evar "remap_addr") (Econst 4096)) (Econst 0)))
            (Ecmp Cle (Evar "num") (Econst 68719476736)))
          (Ecmp Cle (Ebin Oadd U64 (Evar "gfn") (Evar "num")) (Econst 68719476736)))
        (Ecmp Cle (Ebin Oadd U64 (Evar "slot") (Evar "num")) (Econst 68719476736)))
      (Sseq (Sset "i" (Econst 0))
      (Swhile
        (Ecmp Clt (Evar "i") (Evar "num"))
        (Sseq (Scall
                (Some "pte")
                "walk_s2pt"
                [(Econst 16);
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "slot") (Evar "i")) (Econst 4096))])
        (Sseq (Sif
                (Ecmp Ceq (Ebin Oand U64 (Evar "pte") (Econst 281474976706560)) (Econst 0))
                (Scall None "panic" [])
                Sskip)
        (Sseq (Scall
                (Some "old")
                "walk_s2pt"
                [(Evar "vmid");
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096))])
        (Sseq (Sif (Ecmp Cne (Evar "old") (Econst 0)) (Scall None "panic" []) Sskip)
        (Sseq (Scall None "prot_and_map_vm_s2pt"
                [(Evar "vmid");
                 (Ebin Omul U64 (Ebin Oadd U64 (Evar "gfn") (Evar "i")) (Econst 4096));
                 (Evar "pte");
                 (Econst 3)])
        (Sset "i" (Ebin Oadd U64 (Evar "i") (Econst 1))))))))))
      (Scall None "panic" [])))).

Definition code : module :=
  [("unmap_and_load_vm_image", f_unmap_and_load_vm_image)].
