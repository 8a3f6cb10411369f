(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from BootCore.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_gen_vmid : func :=
  mkfunc (Some U32) [] ["vmid"]
    (Sseq (Scall None "acquire_lock_core" [])
    (Sseq (Scall (Some "vmid") "get_next_vmid" [])
    (Sseq (Sif
            (Elor (Ecmp Ceq (Evar "vmid") (Econst 0)) (Ecmp Cge (Evar "vmid") (Econst 16)))
            (Scall None "panic" [])
            Sskip)
    (Sseq (Scall None "set_next_vmid" [Ebin Oadd U32 (Evar "vmid") (Econst 1)])
    (Sseq (Scall None "release_lock_core" [])
    (Sreturn (Some (Evar "vmid")))))))).

Definition f_alloc_remap_addr : func :=
  mkfunc (Some U64) [("pgnum", U64)] ["ptr"]
    (Sseq (Scall None "acquire_lock_core" [])
    (Sseq (Scall (Some "ptr") "get_next_remap_ptr" [])
    (Sseq (Sif
            (Elor
              (Elor
                (Elor
                  (Elor
                    (Ecmp Clt (Evar "ptr") (Econst 33554432))
                    (Ecmp Cgt (Evar "ptr") (Econst 67108864)))
                  (Ecmp Cne (Ebin Omod U64 (Evar "ptr") (Econst 4096)) (Econst 0)))
                (Ecmp Ceq (Evar "pgnum") (Econst 0)))
              (Ecmp Cgt
                (Evar "pgnum")
                (Ebin Odiv U64 (Ebin Osub U64 (Econst 67108864) (Evar "ptr")) (Econst 4096))))
            (Sset "ptr" (Econst 0))
            (Scall None "set_next_remap_ptr"
              [Ebin Oadd U64 (Evar "ptr") (Ebin Omul U64 (Evar "pgnum") (Econst 4096))]))
    (Sseq (Scall None "release_lock_core" [])
    (Sreturn (Some (Evar "ptr"))))))).

Definition code : module :=
  [("gen_vmid", f_gen_vmid);
   ("alloc_remap_addr", f_alloc_remap_addr)].
